"""Does longer meta-training help? The score after 10 steps, while Reptile goes on, for two lengths of its inner runs.

As ``few_shot`` on Omniglot, but for 10 or 25 inner steps and two and a half times as many inner steps in all; looked
at along the way on Early Aramaic, which is not trained on.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import metagan_edu as mg
from metagan_edu.studies import few_shot, handwriting, runs

SEEDS = (1,)
TOTAL, LOOKS, INNER_STEPS = 50000, 10, (10, 25)


@functools.cache
def judged() -> tuple[mg.data.Characters, Any]:
    """The characters that are looked at, and their classifier."""
    unseen = handwriting.characters(["Early_Aramaic"])
    return unseen, handwriting.judge(unseen)


def run(seed: int, inner_steps: int, num_steps: int) -> dict[str, list[float]]:
    """Reptile from one seed: (inner steps spent, score and diversity at 10 steps) along meta-training."""
    found = {"spent": [], "score at 10": [], "diversity at 10": []}

    def look(step, theta):
        measured = few_shot.curves(few_shot.learner(), theta, *judged(), 0, (10,))
        found["spent"].append(step * inner_steps * few_shot.TASKS)
        for name in ("score", "diversity"):
            found[f"{name} at 10"].append(measured[name].mean())

    hook = mg.every(num_steps // LOOKS, look)
    few_shot.reptile(handwriting.training("omniglot"), seed, 0.7, num_steps, inner_steps, hooks=[hook])
    return found


def make() -> dict[str, Any]:
    """The record: what is found along meta-training, averaged over the seeds; and of each seed."""
    settings = {f"{n} inner steps": {"inner_steps": n, "num_steps": TOTAL // (n * few_shot.TASKS)} for n in INNER_STEPS}
    made = mg.experiments.sweep(run, settings, SEEDS, folder=runs("few_shot_longer"))
    results = {
        name: {what: np.mean(values, 0).round(4).tolist() for what, values in found.items()}
        for name, found in made["results"].items()
    }
    return made | {
        "config": {"what": __doc__, "ceiling": float(np.mean(handwriting.ceiling(*judged())))},
        "entries": {"of": "looks along meta-training", "count": LOOKS},
        "num_steps": {name: setting["num_steps"] for name, setting in settings.items()},
        "results": results, "by_seed": made["results"],
    }  # fmt: skip
