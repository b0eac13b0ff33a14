"""Plain and look-ahead on the grid of 25 modes: both losses, both pairs of rates, K = 0 and 5.

Networks, rates, length and batch are those of ``unrolled_ring``, unchanged; nothing was chosen on the grid. No row with
look-ahead has more good samples, or more modes met 20 times, than uniform noise around the grid has (2.4 %; none):
after 2,000 steps there is nothing yet that a rival could be compared by. The lax count, which noise passes with 22 of
25, hid that.
"""

from __future__ import annotations

import functools
from typing import Any

import metagan_edu as mg
from metagan_edu.studies import runs, unrolled_ring

SEEDS = range(1, 4)


def contender(loss: str, rates: str, num_unroll: int) -> tuple[mg.games.Game, mg.rules.Rule, Any]:
    """The unrolled rule on the grid."""
    return unrolled_ring.contender(loss, rates, unrolled_ring.ahead, num_unroll, data=mg.data.grid())


def measure(game: mg.games.Game, players: mg.games.Players, seed: Any) -> dict[str, Any]:
    """Mode coverage of 2,500 samples."""
    coverage = mg.metrics.mode_coverage(mg.sample(game, players, 2500, seed=seed), mg.data.grid())
    return {name: getattr(coverage, name) for name in ("modes", "modes20", "high_quality", "reverse_kl_all")}


def make() -> dict[str, Any]:
    """The record."""
    contenders = {
        f"{loss}, {rates}, K = {k}": functools.partial(contender, loss, rates, k)
        for loss in unrolled_ring.LOSSES
        for rates in unrolled_ring.RATES
        for k in (0, 5)
    }
    return mg.experiments.compare(
        contenders, budget=mg.experiments.steps(unrolled_ring.NUM_STEPS), seeds=SEEDS, measure=measure,
        config={"set_up": __doc__ + unrolled_ring.__doc__}, folder=runs("unrolled_grid"),
    )  # fmt: skip
