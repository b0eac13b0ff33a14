"""Look where a step leads, come back, and take the step that is right there.

    w½ = w - η g(w),    w ← w - η g(w½)

``w = (φ_G, φ_D)``, ``g`` the pair of own gradients. Each half has a batch and noise of its own. With Adam the moments
are updated at both (ExtraAdam); only the parameters go back. (Korpelevich 1976; for GANs Gidel et al. 2019.)
"""

from .. import seeds
from ..games import Players
from ..optimizers import Optimizer
from ..values import by_value
from . import base, joint


@by_value
def extragradient(gen_optimizer: Optimizer, disc_optimizer: Optimizer) -> base.Rule:
    """The extragradient rule with one optimizer for each player; a step takes two gradients of each.

    A schedule inside an optimizer counts both halves, two a step; a warning says so.
    """
    optimizers = base.pair(gen_optimizer, disc_optimizer)
    base.warn_of_schedules(optimizers, Players(2, 2))

    def step(game, state, batches, seed, hyper):
        here, there = seeds.split(seed, 2)
        first, second = joint.draw(batches, here), joint.draw(batches, there)
        losses, states, grads = joint.gradients(game, state.players, *first, hyper)
        ahead = joint.move(optimizers, state, grads, states, hyper)
        _, states, grads = joint.gradients(game, ahead.players, *second, hyper)
        back = ahead._replace(players=state.players)
        drawn = [first[0], second[0]]
        moved = joint.move(optimizers, back, grads, states, hyper)
        return moved, base.info(game, losses, drawn, gen_grads=2, disc_grads=2)

    return base.Rule(base.init(optimizers), step, base.view)
