"""One player moves, then the other answers.

    φ_D ← φ_D - η_D ∂L_D(φ_G, φ_D)/∂φ_D    (``disc_steps`` times),
    then φ_G ← φ_G - η_G ∂L_G(φ_G, φ_D_new)/∂φ_G

The discriminator first, as in Goodfellow et al. (2014, algorithm 1); each move has a batch and noise of its own.
"""

from .. import checks, seeds
from ..games import Players
from ..optimizers import Optimizer
from ..values import by_value
from . import base


@by_value
def alternating(
    gen_optimizer: Optimizer, disc_optimizer: Optimizer, *, disc_steps: int = 1, first: str = "disc"
) -> base.Rule:
    """The alternating rule; ``first`` says who begins ("disc" or "gen"), the discriminator moves ``disc_steps`` times.

    A schedule inside an optimizer counts that player's moves: with ``disc_steps=5`` the discriminator's is over after a
    fifth of the steps. A warning says so; ``controllers.schedule`` counts the steps of the rule. Raises ``ValueError``
    for fewer than one discriminator step, or another name of a player.
    """
    checks.whole("disc_steps", disc_steps), checks.one_of("first", first, Players._fields)
    optimizers = base.pair(gen_optimizer, disc_optimizer)
    base.warn_of_schedules(optimizers, Players(1, disc_steps))
    order = ["disc"] * disc_steps
    order = ["gen", *order] if first == "gen" else [*order, "gen"]

    def step(game, state, batches, seed, hyper):
        loss, drawn = {}, []
        for who, move_seed in zip(order, seeds.split(seed, len(order)), strict=True):
            data_seed, noise_seed = seeds.split(move_seed, 2)
            drawn.append(batches(data_seed))
            state, loss[who] = base.turn(game, who, optimizers, state, drawn[-1], noise_seed, hyper)
        return state, base.info(game, (loss["gen"], loss["disc"]), drawn, disc_grads=disc_steps)

    return base.Rule(base.init(optimizers), step, base.view)
