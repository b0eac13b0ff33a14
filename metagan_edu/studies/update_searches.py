"""Does the order of the hand-made update strategies depend on the draws of their search?

The searches of ``update_strategies`` (32 draws on 8 validation tasks, the best 4 again on 16 others) with five seeds of
the draws instead of one, each winner judged on the same 120 test tasks; ``results`` has its mean energy distance there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import metagan_edu as mg
from metagan_edu.studies import runs, update_strategies

SEEDS = range(5)


def run(seed: int, **setting: Any) -> dict[str, Any]:
    """One search and the mean of its winner's scores on the test tasks."""
    found = update_strategies.search(seed, **setting)
    scores = np.array(found["energy_distance"])
    failed = int(np.sum(scores == update_strategies.FAILED))
    return {"energy_distance": float(scores.mean()), "diverged": failed, "theta": found["theta"]}


def make() -> dict[str, Any]:
    """The record: a contender for each strategy, a value for each seed of the search."""
    record = mg.experiments.sweep(run, update_strategies.SEARCHED, SEEDS, folder=runs("update_searches"))
    spent = update_strategies.DRAWS * 8 + update_strategies.FINALISTS * 16
    num_steps = dict.fromkeys(update_strategies.SEARCHED, update_strategies.NUM_STEPS)
    return record | {"config": {"set_up": __doc__, "runs_of_a_search": spent}, "num_steps": num_steps}
