"""Take out the part of the game that only rotates: symplectic gradient adjustment.

    w ← w - η (g + λ Aᵀg),    A = ½ (J_g - J_gᵀ),    Aᵀg = ½ (J_gᵀ g - J_g g)

``w = (φ_G, φ_D)``, ``g`` the pair of own gradients, ``J_g = ∂g/∂w``; ``A`` is 0 where both players share one loss, and
all of ``J_g`` where the game only rotates. The paper's sign of λ keeps the adjustment from pushing towards unstable
points:

    λ = strength · sign(⟨g, ∇H⟩ ⟨Aᵀg, ∇H⟩/d + 1/10),    ∇H = J_gᵀ g,  d the number of parameters

(Balduzzi, Racanière, Martens, Foerster, Tuyls & Graepel 2018, section 3.)
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .. import autodiff, checks, replicas, trees
from ..optimizers import Optimizer
from ..values import by_value
from . import base, joint


def aligned(g: Any, growth: Any, adjustment: Any) -> tf.Tensor:
    """The paper's sign, from ``g``, ``∇H = Jᵀg`` and ``Aᵀg``."""
    size = sum(x.shape.num_elements() for x in trees.leaves(g))
    return tf.sign(trees.dot(g, growth) * trees.dot(adjustment, growth) / size + 0.1)


@by_value
def symplectic(
    gen_optimizer: Optimizer, disc_optimizer: Optimizer, *, strength: float = 1.0, sign: Callable = aligned
) -> base.Rule:
    """The rule with ``|λ| = strength`` ≥ 0 (``ValueError`` otherwise), and ``sign`` a function like :func:`aligned`.

    ``sign=lambda g, growth, adjustment: 1`` never aligns; ``strength=0`` is the simultaneous rule. A step takes four
    second-order products: ``Jᵀg`` and ``Jg``, each through both players' gradients.
    """
    checks.number("strength", strength, least=0)
    optimizers = base.pair(gen_optimizer, disc_optimizer)

    def step(game, state, batches, seed, hyper):
        batch, noise = joint.draw(batches, seed)
        at = game, state.players, batch, noise, hyper
        losses, states, g = joint.gradients(*at)
        gradient, w = joint.gradient_of(*at), joint.params(state.players)
        growth = replicas.mean(autodiff.vjp(gradient, w, g))
        adjustment = trees.scale(0.5, trees.sub(growth, replicas.mean(autodiff.jvp(gradient, w, g))))
        turned = trees.scale(sign(g, growth, adjustment), trees.scale(strength, adjustment))
        state = joint.move(optimizers, state, trees.add(g, turned), states, hyper)
        return state, base.info(game, losses, [batch], products=4)

    return base.Rule(base.init(optimizers), step, base.view)
