"""How long until MNIST samples are good? Seconds of training until the classifier's score is near the real one's.

28x28, the first 8,000 test images, the set-up ``quick`` of ``digit_gans`` with batches of 32; the score of 2,000
samples as a share of that of the 2,000 held-out images, and their coverage of the first 2,000 training images in the
classifier's features, every 400 steps. The seconds are those of training alone on this machine: compiling comes before,
and measuring does not count. ``floors``: the same measures of samples that learned nothing, of the held-out images, and
of 2,000 other training images.

Search, on seed 0 alone, one run each, so that differences below .01 mean nothing (share after so many steps, batches
of 64 at rate 2e-3 unless said): no hidden layer .733 (4,000), with the standard deviation .732; hidden 32 .776, with
it .799 (3,200); hidden 64 with it before .764, after in groups of four .805; hidden 128 .816; D's rate 4e-3 .813, 1e-3
.781; a dense D .775; batches of 32 with hidden 64 .803 (3,200) and .825 (4,800); R1 of .1 on all .828, on a quarter
.803 (3,200); a decay of the rates, dropout, noise at D's input: no gain; averaging .998 with decay .812 (8,000, D
overfits).
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import metagan_edu as mg
from metagan_edu.studies import digit_gans, runs

SEEDS, NUM_STEPS, EVERY, BATCH, SAMPLES = (1, 2, 3), 8000, 400, 32, 2000
GOALS = (0.80, 0.85)


class Watch:
    """A hook that measures quality against the seconds of training alone."""

    def __init__(self, game: mg.games.Game, train: np.ndarray, held_out: np.ndarray):
        self.game, self.classifier = game, mg.metrics.classifier("mnist")
        self.held_out = held_out
        self.real = mg.metrics.features(train[:SAMPLES], self.classifier)
        self.seconds, self.left = 0.0, time.perf_counter()

    def judged(self, made: Any) -> dict[str, float]:
        """What samples are worth."""
        fake = mg.metrics.features(made, self.classifier)
        return {
            "share_of_real": mg.metrics.share_of_real(made, self.held_out, self.classifier),
            "coverage": mg.metrics.density_coverage(self.real, fake).coverage,
        }

    def __call__(self, step: int, players: mg.games.Players) -> dict[str, float]:
        self.seconds += time.perf_counter() - self.left
        found = {"seconds": self.seconds} | self.judged(mg.sample(self.game, players, SAMPLES, seed=7))
        self.left = time.perf_counter()
        return found


def floors() -> dict[str, dict[str, float]]:
    """What samples that learned nothing get, held-out images, and training images that are not those to be covered."""
    train, held_out = digit_gans.images("mnist")
    others = np.random.default_rng(0).permutation(train[SAMPLES:])[:SAMPLES]
    samples = digit_gans.bounds("mnist") | {"other training images": others}
    watch = Watch(digit_gans.quick((28, 28, 1))[0], train, held_out)
    return {key: watch.judged(made) for key, made in samples.items()}


def run(seed: int, num_steps: int = NUM_STEPS) -> dict[str, np.ndarray]:
    """The curve of one seed: steps, seconds of training, share of the real score, coverage."""
    train, held_out = digit_gans.images("mnist")
    game, rule = digit_gans.quick((28, 28, 1))
    batches = mg.data.batches(train, BATCH)
    mg.train(game, rule, batches, num_steps=1, seed=seed, progress=False)  # compiles
    watch = Watch(game, train, held_out)
    result = mg.train(game, rule, batches, num_steps=num_steps, seed=seed, hooks=mg.every(EVERY, watch), progress=False)
    metrics = result.history.metrics
    return {"steps": metrics["seconds"][0], **{name: values for name, (_, values) in metrics.items()}}


def kept(seed: int, num_steps: int) -> dict[str, Any]:
    """The run of a sweep."""
    return {"curve": run(seed, num_steps)}


def first(curve: dict[str, np.ndarray], goal: float, what: str) -> float:
    """The steps or seconds after which the share first reaches a goal; NaN where it never does."""
    reached = np.flatnonzero(curve["share_of_real"] >= goal)
    return float(curve[what][reached[0]]) if len(reached) else float("nan")


def make() -> dict[str, Any]:
    """The record."""
    record = mg.experiments.sweep(  # one at a time: its seconds are those of all cores
        kept, {"quick": {"num_steps": NUM_STEPS}}, SEEDS, folder=runs("time_to_quality"), n_jobs=1
    )
    curves = [{name: np.array(x) for name, x in found.items()} for found in record["results"]["quick"]["curve"]]
    results = {
        f"{what} to {goal:.2f}": [first(curve, goal, what) for curve in curves]
        for goal in GOALS for what in ("steps", "seconds")
    }  # fmt: skip
    results |= {name: [float(curve[name][-1]) for curve in curves] for name in ("share_of_real", "coverage")}
    rounded = {name: [curve[name].round(4).tolist() for curve in curves] for name in curves[0]}
    return {
        "config": {"search": __doc__, "batch": BATCH, "samples": SAMPLES}, "seeds": list(SEEDS),
        "num_steps": {"quick": NUM_STEPS}, "seconds": {"quick": [float(curve["seconds"][-1]) for curve in curves]},
        "results": {"quick": results}, "curves": rounded, "floors": floors(), **mg.experiments.provenance(),
    }  # fmt: skip
