"""One player moves, then the other answers.

    ψ ← ψ - η_D ∂L_D(θ, ψ)/∂ψ    (``disc_steps`` times),    then    θ ← θ - η_G ∂L_G(θ, ψ_new)/∂θ

The discriminator first, as in Goodfellow et al. (2014, algorithm 1); each move has a batch and noise of its own.
"""

from .. import seeds
from ..games import Players
from . import base


def alternating(gen_optimizer, disc_optimizer, *, disc_steps=1, first="disc"):
    """The alternating rule; ``first`` says who begins ("disc" or "gen"), the discriminator moves ``disc_steps`` times.

    Raises ``ValueError`` for fewer than one discriminator step, or another name of a player.
    """
    base.whole("disc_steps", disc_steps, 1)
    if first not in Players._fields:
        raise ValueError(f"first must be 'gen' or 'disc', not {first!r}.")
    optimizers = Players(gen_optimizer, disc_optimizer)
    order = ["disc"] * disc_steps
    order = ["gen", *order] if first == "gen" else [*order, "gen"]

    def step(game, state, batches, seed, hyper):
        loss = {}
        for who, move_seed in zip(order, seeds.split(seed, len(order)), strict=True):
            data_seed, noise_seed = seeds.split(move_seed, 2)
            state, loss[who] = base.turn(game, who, optimizers, state, batches(data_seed), noise_seed, hyper)
        return state, base.info(loss["gen"], loss["disc"], 1, disc_steps)

    return base.Rule(base.init(optimizers), step, base.view)
