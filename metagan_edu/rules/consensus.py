"""Both players also shrink the length of the field, which is 0 where neither wants to move.

    w ← w - η (g + γ ∇_w ½‖g‖²),    ∇_w ½‖g‖² = J_gᵀ g

``w = (φ_G, φ_D)``, ``g`` the pair of own gradients, ``J_g = ∂g/∂w``. With the field ``v = -g`` this is the paper's
``v - γ ∇ ½‖v‖²``. It turns rotation into attraction, but attracts to *every* zero of the field, bad ones too. On a
batch ``‖g‖²`` is biased upward by the gradients' noise. (Mescheder, Nowozin & Geiger 2017.)
"""

from .. import autodiff, checks, replicas, trees
from ..optimizers import Optimizer
from ..values import by_value
from . import base, joint


@by_value
def consensus(gen_optimizer: Optimizer, disc_optimizer: Optimizer, *, gamma: float) -> base.Rule:
    """The consensus rule with weight ``gamma`` = γ ≥ 0 (``ValueError`` otherwise); 0 is the simultaneous rule.

    A step takes two second-order products, one through each player's gradient.
    """
    checks.number("gamma", gamma, least=0)
    optimizers = base.pair(gen_optimizer, disc_optimizer)

    def step(game, state, batches, seed, hyper):
        batch, noise = joint.draw(batches, seed)
        at = game, state.players, batch, noise, hyper
        losses, states, g = joint.gradients(*at)
        pull = replicas.mean(autodiff.vjp(joint.gradient_of(*at), joint.params(state.players), g))
        grads = trees.add(g, trees.scale(gamma, pull))
        return joint.move(optimizers, state, grads, states, hyper), base.info(game, losses, [batch], products=2)

    return base.Rule(base.init(optimizers), step, base.view)
