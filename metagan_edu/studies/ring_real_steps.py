"""The rival of ``ring_lookahead``: five real steps of the discriminator instead of five imagined ones, there.

The same game, batches of 256, rates, seeds and measure as that record, whose rows these stand beside: as many steps as
its look-ahead, half as many again, and as many as cost the same gradients (16 against 6 a step). A step of K = 5 took
1.9 times as long as one of n_D = 5, so that these are .5, .8 and 1.4 times the look-ahead's time. Nothing was tuned
here; the networks' initialization, β1 and latent dimension were chosen for the look-ahead.
"""

from __future__ import annotations

from typing import Any

import metagan_edu as mg
from metagan_edu.studies import ring_lookahead, runs, stages

SEEDS = ring_lookahead.SEEDS
HALF_AGAIN, SAME_GRADIENTS = 4500, 16 * ring_lookahead.NUM_STEPS // 6


def contender() -> tuple[mg.games.Game, mg.rules.Rule, Any]:
    """Five real steps of the discriminator for each of the generator's, with the optimizers of ``ring_lookahead``."""
    game, _, batches = ring_lookahead.contender(0)
    return game, mg.rules.alternating(mg.optimizers.adam(1e-3), mg.optimizers.adam(1e-4), disc_steps=5), batches


def make() -> dict[str, Any]:
    """The record."""
    at = {"n_D = 5": ring_lookahead.NUM_STEPS, "n_D = 5, half as many again": HALF_AGAIN}
    rows = {"n_D = 5": (contender, at | {"n_D = 5, same gradients": SAME_GRADIENTS})}
    return stages.compare(
        rows, seeds=SEEDS, measure=ring_lookahead.measure, config={"set_up": __doc__}, folder=runs("ring_real_steps")
    )
