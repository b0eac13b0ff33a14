"""Take out the part of the game that only rotates: symplectic gradient adjustment.

    w ← w - η (g + λ Aᵀg),    A = ½ (J - Jᵀ),    Aᵀg = ½ (Jᵀg - Jg)

``w = (θ, ψ)``, ``g`` the pair of own gradients, ``J = ∂g/∂w``; ``A`` is 0 where both players share one loss, and all of
``J`` where the game only rotates. The paper's sign of λ keeps the adjustment from pushing towards unstable points:

    λ = strength · sign(⟨g, ∇H⟩ ⟨Aᵀg, ∇H⟩/d + 1/10),    ∇H = Jᵀg,  d the number of parameters

(Balduzzi, Racanière, Martens, Foerster, Tuyls & Graepel 2018, section 3.)
"""

import tensorflow as tf

from .. import autodiff, trees
from ..games import Players
from . import base, joint


def aligned(g, growth, adjustment):
    """The paper's sign, from ``g``, ``∇H = Jᵀg`` and ``Aᵀg``."""
    size = sum(x.shape.num_elements() for x in trees.leaves(g))
    return tf.sign(trees.dot(g, growth) * trees.dot(adjustment, growth) / size + 0.1)


def symplectic(gen_optimizer, disc_optimizer, *, strength=1.0, sign=aligned):
    """The rule with ``|λ| = strength`` ≥ 0 (``ValueError`` otherwise), and ``sign`` a function like :func:`aligned`.

    ``sign=lambda g, growth, adjustment: 1`` never aligns; ``strength=0`` is the simultaneous rule. A step takes four
    second-order products: ``Jᵀg`` and ``Jg``, each through both players' gradients.
    """
    joint.at_least_zero("strength", strength)
    optimizers = Players(gen_optimizer, disc_optimizer)

    def step(game, state, batches, seed, hyper):
        at = game, state.players, *joint.draw(batches, seed), hyper
        losses, states, g = joint.gradients(*at)
        gradient, w = joint.gradient_of(*at), joint.params(state.players)
        growth = autodiff.vjp(gradient, w, g)
        adjustment = trees.scale(0.5, trees.sub(growth, autodiff.jvp(gradient, w, g)))
        turned = trees.scale(sign(g, growth, adjustment), trees.scale(strength, adjustment))
        return joint.move(optimizers, state, trees.add(g, turned), states, hyper), base.info(*losses, 1, 1, 4)

    return base.Rule(base.init(optimizers), step, base.view)
