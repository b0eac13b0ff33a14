"""Does longer meta-training help? The score after 10 steps, while Reptile goes on, for two lengths of its inner runs.

As ``few_shot`` on Omniglot, but for 10 or 25 inner steps and two and a half times as many inner steps in all; looked
at along the way on Early Aramaic, which is not trained on.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import metagan_edu as mg
from metagan_edu.studies import few_shot

SEEDS = (1,)
TOTAL, LOOKS = 50000, 10


def make() -> dict[str, Any]:
    """The record: (inner steps spent, score and diversity at 10 steps) along meta-training."""
    unseen = few_shot.characters(["Early_Aramaic"])
    classifier, letters = few_shot.judge(unseen), few_shot.training("omniglot")
    results, seconds, num_steps = {}, {}, {}
    for inner_steps in (10, 25):
        found, name = {"spent": [], "score at 10": [], "diversity at 10": []}, f"{inner_steps} inner steps"
        num_steps[name] = TOTAL // (inner_steps * few_shot.TASKS)

        def look(step, theta, found=found, inner_steps=inner_steps):
            measured = few_shot.curves(few_shot.learner(), theta, unseen, classifier, 0, (10,))
            found["spent"].append(step * inner_steps * few_shot.TASKS)
            found["score at 10"].append(round(float(measured["score"].mean()), 4))
            found["diversity at 10"].append(round(float(measured["diversity"].mean()), 4))

        began = time.monotonic()
        hook = mg.every(num_steps[name] // LOOKS, look)
        few_shot.reptile(letters, SEEDS[0], num_steps[name], inner_steps, hooks=[hook])
        results[name], seconds[name] = found, [round(time.monotonic() - began, 1)]
    config = {"what": __doc__, "ceiling": float(np.mean([
        mg.metrics.class_probability(x[: few_shot.SHOTS], classifier, k) for k, x in enumerate(unseen.images)
    ]))}  # fmt: skip
    return {
        "config": config, "seeds": list(SEEDS),
        "entries": {"of": "looks along meta-training", "count": LOOKS},
        "num_steps": num_steps, "seconds": seconds, "results": results,
        **mg.experiments.provenance(),
    }  # fmt: skip
