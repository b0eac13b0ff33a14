"""Both players also shrink the length of the field, which is 0 where neither wants to move.

    w ← w - η (g + γ ∇_w ½‖g‖²),    ∇_w ½‖g‖² = Jᵀg

``w = (θ, ψ)``, ``g`` the pair of own gradients, ``J = ∂g/∂w``. With the field ``v = -g`` this is the paper's ``v - γ ∇
½‖v‖²``. It turns rotation into attraction, but attracts to *every* zero of the field, bad ones too. On a batch ``‖g‖²``
is biased upward by the gradients' noise. (Mescheder, Nowozin & Geiger 2017.)
"""

from .. import autodiff, trees
from ..games import Players
from . import base, joint


def consensus(gen_optimizer, disc_optimizer, *, gamma):
    """The consensus rule with weight ``gamma`` = γ ≥ 0 (``ValueError`` otherwise); 0 is the simultaneous rule.

    A step takes two second-order products, one through each player's gradient.
    """
    joint.at_least_zero("gamma", gamma)
    optimizers = Players(gen_optimizer, disc_optimizer)

    def step(game, state, batches, seed, hyper):
        at = game, state.players, *joint.draw(batches, seed), hyper
        losses, states, g = joint.gradients(*at)
        pull = autodiff.vjp(joint.gradient_of(*at), joint.params(state.players), g)
        grads = trees.add(g, trees.scale(gamma, pull))
        return joint.move(optimizers, state, grads, states, hyper), base.info(*losses, 1, 1, 2)

    return base.Rule(base.init(optimizers), step, base.view)
