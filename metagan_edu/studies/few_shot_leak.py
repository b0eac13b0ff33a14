"""What a leak by look-alike letters would buy: Reptile on glyphs, with and without letters that resemble test letters.

Scripts borrowed letters from each other, so that a split by the *name* of the script lets shapes of the test letters
into training. Two Reptile runs of the same kind and length as in ``few_shot``: on the training letters (none nearer
than 0.6 pixels of 28 to a test letter), and on all letters of the training scripts. Tested on the test letters that
have the nearest of these neighbors ("look-alikes"), and on as many whose nearest is farthest ("others").

The second run has more letters, too (734 against 521), and training turns all letters, which were compared upright.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import metagan_edu as mg
from metagan_edu.data.glyphs import SCRIPTS, shape_distances
from metagan_edu.studies import few_shot, handwriting, runs

SEEDS = (1,)
COUNT, STEPS = 24, (10, 25)


@functools.cache
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


@functools.cache
def judged() -> dict[str, tuple[mg.data.Characters, Any]]:
    """The test letters of both kinds, with their classifiers."""
    return {kind: (unseen, handwriting.judge(unseen)) for kind, unseen in letters()[1].items()}


def run(seed: int, name: str) -> dict[str, np.ndarray]:
    """Reptile from one seed on the training letters of that name, or scratch: the scores on test letters of both kinds,
    arrays (letters, steps)."""
    learner, training = few_shot.learner(), letters()[0]
    if name in training:
        theta = few_shot.reptile(handwriting.by_hand(training[name]).turned(), seed)
    else:
        theta = learner.init(seed)
    return {kind: few_shot.curves(learner, theta, *unseen, seed, STEPS)["score"] for kind, unseen in judged().items()}


def means(found: dict[str, Any], axis: int) -> dict[str, list[float]]:
    """Of scores (seeds, letters, steps) by kind: the means over seeds (axis 0) or letters (axis 1), by metric."""
    return {
        f"{kind}, score at {steps}": np.mean(scores, axis)[:, i].round(4).tolist()
        for kind, scores in found.items() for i, steps in enumerate(STEPS)
    }  # fmt: skip


def make() -> dict[str, Any]:
    """The record: the score of each letter, averaged over seeds; and for each seed, averaged over letters."""
    training = letters()[0]
    mg.metrics.save_classifier(judged()["others"][1], few_shot.FOLDER / "few_shot_judge.safetensors")
    settings = {name: {"name": name} for name in (*training, "scratch")}
    made = mg.experiments.sweep(run, settings, SEEDS, folder=runs("few_shot_leak"))
    scratch = np.mean(made["results"].pop("scratch")["others"], (0, 1))
    config = {
        "what": __doc__,
        "scratch, others": scratch.round(4).tolist(),
        "letters": {name: len(c.images) for name, c in training.items()},
    }
    return made | {
        "config": config,
        "entries": {"of": "letters", "count": COUNT},
        "num_steps": dict.fromkeys(training, few_shot.META_STEPS),
        "results": {name: means(found, 0) for name, found in made["results"].items()},
        "by_seed": {name: means(found, 1) for name, found in made["results"].items()},
    }
