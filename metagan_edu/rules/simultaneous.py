"""Both players move at once.

    θ ← θ - η_G ∂L_G(θ, ψ)/∂θ,    ψ ← ψ - η_D ∂L_D(θ, ψ)/∂ψ

Both gradients are taken at the old (θ, ψ), on one batch and one draw of noise. (Goodfellow et al. 2014 alternate; the
simultaneous rule is the one that theory calls SimGDA, e.g. Mescheder et al. 2018, section 2.)
"""

from .. import seeds
from ..games import Players
from . import base


def simultaneous(gen_optimizer, disc_optimizer):
    """The simultaneous rule with one optimizer for each player."""
    optimizers = Players(gen_optimizer, disc_optimizer)

    def step(game, state, batches, seed, hyper):
        data_seed, noise_seed = seeds.split(seed, 2)
        batch = batches(data_seed)
        gen_moved, gen_loss = base.turn(game, "gen", optimizers, state, batch, noise_seed, hyper)
        disc_moved, disc_loss = base.turn(game, "disc", optimizers, state, batch, noise_seed, hyper)
        return base.merge(gen_moved, disc_moved), base.info(gen_loss, disc_loss, 1, 1)

    return base.Rule(base.init(optimizers), step, base.view)
