"""What a leak by look-alike letters would buy: Reptile on glyphs, with and without letters that resemble test letters.

Scripts borrowed letters from each other, so that a split by the *name* of the script lets shapes of the test letters
into training. Two Reptile runs of the same kind and length as in ``few_shot``: on the training letters (none nearer
than 0.6 pixels of 28 to a test letter), and on all letters of the training scripts. Tested on the test letters that
have the nearest of these neighbors ("look-alikes"), and on as many whose nearest is farthest ("others").
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import metagan_edu as mg
from metagan_edu.data.glyphs import SCRIPTS, shape_distances
from metagan_edu.studies import few_shot

SEEDS = (1,)
COUNT, STEPS = 24, (10, 25)


def letters() -> tuple[dict[str, Any], dict[str, Any]]:
    """Training letters without look-alikes of test letters, and with them; test letters with and without such."""
    everything, split = mg.data.glyphs(16), mg.data.glyph_splits(16)
    named = np.array([SCRIPTS[script][0] for script in everything.alphabets])
    leaky = everything.select(np.flatnonzero(named == "train"))
    kept = set(split["train"].names)
    left_out = leaky.select([i for i, name in enumerate(leaky.names) if name not in kept])
    shapes = [characters.images.mean(1)[..., 0] / 2 + 0.5 for characters in (left_out, split["test"])]
    nearest = shape_distances(np.concatenate(shapes))[: len(shapes[0]), len(shapes[0]) :].min(0)
    order = np.argsort(nearest)
    test = {"look-alikes": split["test"].select(order[:COUNT]), "others": split["test"].select(order[-COUNT:])}
    return {"split by shape": split["train"], "split by name": leaky}, test


def make() -> dict[str, Any]:
    """The record: the score of each letter, averaged over seeds."""
    training, test = letters()
    judges = {kind: few_shot.judge(unseen) for kind, unseen in test.items()}
    mg.metrics.save_classifier(judges["others"], few_shot.FOLDER / "few_shot_judge.safetensors")
    results, seconds = {}, {}
    for name, characters in training.items():
        scores = {kind: [] for kind in test}
        for seed in SEEDS:
            began = time.monotonic()
            theta = few_shot.reptile(few_shot.by_hand(characters).turned(), seed)
            seconds.setdefault(name, []).append(round(time.monotonic() - began, 1))
            for kind, unseen in test.items():
                scores[kind].append(
                    few_shot.curves(few_shot.learner(), theta, unseen, judges[kind], seed, STEPS)["score"]
                )
        results[name] = {
            f"{kind}, score at {steps}": np.mean(values, 0)[:, i].round(4).tolist()
            for kind, values in scores.items() for i, steps in enumerate(STEPS)
        }  # fmt: skip
    scratch = few_shot.learner()
    score = few_shot.curves(scratch, scratch.init(1), test["others"], judges["others"], 1, STEPS)["score"].mean(0)
    config = {
        "what": __doc__,
        "scratch, others": score.round(4).tolist(),
        "letters": {name: len(c.images) for name, c in training.items()},
    }
    return {
        "config": config, "seeds": list(SEEDS),
        "entries": {"of": "letters", "count": COUNT},
        "num_steps": dict.fromkeys(results, few_shot.META_STEPS),
        "seconds": seconds, "results": results, **mg.experiments.provenance(),
    }  # fmt: skip
