"""Look where a step leads, come back, and take the step that is right there.

    w½ = w - η g(w),    w ← w - η g(w½)

``w = (θ, ψ)``, ``g`` the pair of own gradients. Each half has a batch and noise of its own. With Adam the moments are
updated at both (ExtraAdam); only the parameters go back. (Korpelevich 1976; for GANs Gidel et al. 2019.)
"""

from .. import seeds
from ..games import Players
from . import base, joint


def extragradient(gen_optimizer, disc_optimizer):
    """The extragradient rule with one optimizer for each player; a step takes two gradients of each."""
    optimizers = Players(gen_optimizer, disc_optimizer)

    def step(game, state, batches, seed, hyper):
        here, there = seeds.split(seed, 2)
        losses, states, grads = joint.gradients(game, state.players, *joint.draw(batches, here), hyper)
        ahead = joint.move(optimizers, state, grads, states, hyper)
        _, states, grads = joint.gradients(game, ahead.players, *joint.draw(batches, there), hyper)
        back = ahead._replace(players=state.players)
        return joint.move(optimizers, back, grads, states, hyper), base.info(*losses, 2, 2)

    return base.Rule(base.init(optimizers), step, base.view)
