"""Who judges ten pictures of a character as an eye does? Pictures whose order is plain, by three judges.

The pictures are made from the first ten drawings of each of some characters; the judges compare with the other ten, or
have learned from these:

* **score**, as in ``few_shot``: the probability that a classifier *of these characters* gives to the right one;
* **features**: the energy distance between features of a classifier *of other alphabets' characters* (each also turned
  by 90, 180 and 270 degrees as characters of their own), in which it is never asked which character it sees;
* **pixels**: the energy distance between the pictures themselves.

Two sets of characters: 18 Balinese and 18 Korean, as in ``few_shot``, where features come from Greek, Latin and Early
Aramaic; and Early Aramaic, on which the settings of ``few_shot`` were chosen, where they come from the other four. The
seed is that of both classifiers and of the adaptation. ``PAIRS`` says which of two kinds of picture is plainly the
better one; it was written before the record was made. Three starts are judged too (font; the seed and settings of
those that ``few_shot`` keeps, in the record from an earlier training of them), after 10 steps as pre-training plays
them (rate 4e-3, batches of 20, one step of D: nothing is tuned), by ten samples. Scratch has the seed of the judges.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu.studies import few_shot, handwriting, runs
from metagan_edu.studies import theta as kept_theta

SEEDS = range(1, 4)
SETS = {"Balinese and Korean": handwriting.TEST, "Early Aramaic": handwriting.SEARCHED}
STARTS = {"scratch": None, "joint": "few_shot_joint_pre-training_glyphs", "Reptile": "few_shot_Reptile_glyphs"}
LOOKS = (10,)
REAL, ONE, THREE = "ten other drawings", "the same, shifted by one pixel", "the same, shifted by three"
HALF, SOFT, MEAN = "half-way blurred to their mean", "each blurred, sd 1 pixel", "their mean, ten times"
SAME, ANOTHER, BLANK = "one drawing, ten times", "another character", "blank"
PAIRS = [  # the better one first
    (REAL, HALF), (REAL, SOFT), (REAL, SAME), (ONE, HALF), (ONE, SOFT), (ONE, SAME), (HALF, MEAN), (THREE, MEAN),
    (SOFT, MEAN), (THREE, ANOTHER), (HALF, ANOTHER), (MEAN, "noise"), (MEAN, "shuffled pixels"), (SAME, BLANK),
]  # fmt: skip


def pictures(letters: mg.data.Characters) -> dict[str, np.ndarray]:
    """Kind -> pictures (characters, 10, 16, 16, 1), made from the first ten drawings of each character."""
    from scipy.ndimage import gaussian_filter

    drawn = letters.images[:, : handwriting.SHOTS]
    mean = np.broadcast_to(drawn.mean(1, keepdims=True), drawn.shape)
    floors = [mg.metrics.floors(own, handwriting.SHOTS, seed=k) for k, own in enumerate(drawn)]
    return {
        REAL: drawn,
        ONE: shifted(drawn, 1),
        HALF: (drawn + mean) / 2,
        SOFT: gaussian_filter(drawn, (0, 0, 1, 1, 0)),
        THREE: shifted(drawn, 3),
        MEAN: mean,
        SAME: np.broadcast_to(drawn[:, :1], drawn.shape),
        ANOTHER: np.roll(drawn, 1, axis=0),
        "shuffled pixels": np.stack([floor["shuffled"] for floor in floors]),
        "noise": np.stack([floor["noise"] for floor in floors]),
        BLANK: np.full_like(drawn, -1),
    }


def shifted(images: np.ndarray, by: int) -> np.ndarray:
    """Images (..., size, size, 1) moved to the right; what leaves is lost, what comes is ground."""
    moved = np.full_like(images, -1)
    moved[..., by:, :] = images[..., :-by, :]
    return moved


def adapted(letters: mg.data.Characters, seed: int) -> dict[str, np.ndarray]:
    """Kind -> ten samples for each character, of each start after each number of steps."""
    learner, found = few_shot.learner(), {}
    draw = tf.function(lambda p: learner.game.generate(p, handwriting.SHOTS, mg.seeds.make(7)), autograph=False)
    for name, file in STARTS.items():
        theta = learner.init(seed) if file is None else kept_theta(file, learner.init(0))
        made = []
        for k, own in enumerate(letters.images):
            task = mg.data.Task(own[: handwriting.SHOTS], own[handwriting.SHOTS :])
            curve = mg.meta.adapt(learner, theta, task, num_steps=LOOKS, seed=1000 * seed + k)
            made.append([draw(players).numpy() for players in curve.players])
        found |= {f"{name}, {steps} steps": np.stack([m[i] for m in made]) for i, steps in enumerate(LOOKS)}
    return found


def run(seed: int, alphabets: dict[str, int]) -> dict[str, Any]:
    """What the three judges say of every kind of picture: means over characters, by judge and kind."""
    letters = handwriting.characters(alphabets)
    known, strange = handwriting.judge(letters, seed), handwriting.stranger(alphabets, seed)
    found = {"features": {}, "score": {}, "pixels": {}}
    for kind, images in (pictures(letters) | adapted(letters, seed)).items():
        each = [judged(own, letters.images[k, handwriting.SHOTS :], known, strange, k) for k, own in enumerate(images)]
        for name, values in zip(found, zip(*each, strict=True), strict=True):
            found[name][kind] = float(np.mean(values))
    return found


def judged(images: np.ndarray, others: np.ndarray, known: Any, strange: Any, label: int) -> tuple[float, float, float]:
    """Features, score and pixels of ten pictures of one character; ``others``: its other drawings."""
    pixels = (np.reshape(x, (len(x), -1)) for x in (images, others))
    score = mg.metrics.class_probability(np.clip(images, -1, 1), known, label)
    return handwriting.distance(images, others, strange), score, float(mg.metrics.energy_distance(*pixels))


def in_order(record: dict[str, Any], judge: str, which: str) -> list[int]:
    """For each seed, how many of ``PAIRS`` a judge puts in order, on the set of characters of that name."""
    sign = -1 if judge == "score" else 1
    values = {kind: np.array(found[f"{judge}, {which}"]) for kind, found in record["results"].items()}
    return np.sum([sign * values[better] < sign * values[worse] for better, worse in PAIRS], 0).tolist()


def make() -> dict[str, Any]:
    """The record: for each kind of picture, judge and set of characters, one value per seed."""
    settings = {name: {"alphabets": alphabets} for name, alphabets in SETS.items()}
    made = mg.experiments.sweep(run, settings, SEEDS, folder=runs("few_shot_judges"))
    results: dict[str, Any] = {}
    for name, found in made["results"].items():
        for judge, values in found.items():
            for kind in values[0]:
                results.setdefault(kind, {})[f"{judge}, {name}"] = [round(value[kind], 4) for value in values]
    return made | {"config": {"what": __doc__, "pairs": PAIRS}, "results": results}
