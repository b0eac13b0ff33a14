"""Both players move at once.

    φ_G ← φ_G - η_G ∂L_G(φ_G, φ_D)/∂φ_G,    φ_D ← φ_D - η_D ∂L_D(φ_G, φ_D)/∂φ_D

Both gradients are taken at the old (φ_G, φ_D), on one batch and one draw of noise. (Goodfellow et al. 2014 alternate;
the simultaneous rule is the one that theory calls SimGDA, e.g. Mescheder et al. 2018, section 2.)
"""

from .. import seeds
from ..optimizers import Optimizer
from ..values import by_value
from . import base


@by_value
def simultaneous(gen_optimizer: Optimizer, disc_optimizer: Optimizer) -> base.Rule:
    """The simultaneous rule with one optimizer for each player."""
    optimizers = base.pair(gen_optimizer, disc_optimizer)

    def step(game, state, batches, seed, hyper):
        data_seed, noise_seed = seeds.split(seed, 2)
        batch = batches(data_seed)
        gen_moved, gen_loss = base.turn(game, "gen", optimizers, state, batch, noise_seed, hyper)
        disc_moved, disc_loss = base.turn(game, "disc", optimizers, state, batch, noise_seed, hyper)
        return base.merge(gen_moved, disc_moved), base.info(game, (gen_loss, disc_loss), [batch])

    return base.Rule(base.init(optimizers), step, base.view)
