"""Ten steps on an unseen 2-D mixture, by a rule that was made for ten steps: what remains of a learned start?

The game, the tasks and the score of ``mixture_starts``, but a rate that falls to 0 over the ten steps, batches of 128
and several steps of the discriminator for each of the generator: what helped most where starts were adapted to
characters (``few_shot``). The rivals of a learned start get the same rule:

* scratch, with 1, 2, 4 and 6 steps of D;
* joint pre-training and Reptile (runs of 30), pre-trained as in ``mixture_starts``, with 4;
* the start, and a rate for each tensor, by exact MAML through the ten steps (Meta-SGD's theta), with 4: 200 meta-steps
  of four tasks, on the energy distance to the query points.

Each has the best of five rates, by the mean over 20 validation mixtures and seed 0; where it is at the edge, the next
one too. (Meta-SGD starts its rates at scratch's best.) Reported: 30 test mixtures, other seeds. Floors and ceiling, on
the same mixtures: one Gaussian fitted to the support; the support itself, drawn from again.
"""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu.studies import mixture_starts
from metagan_edu.studies import runs as kept_runs

SEEDS, SEARCH_SEED = (1, 2, 3, 4, 5), 0
NUM_STEPS, BATCH, META_STEPS, META_LR = 10, 128, 200, 2e-3
RATES = (3e-3, 6e-3, 1e-2, 1.4e-2, 2e-2)
BEYOND = {3e-3: 1.5e-3, 2e-2: 3e-2}
CONTENDERS = {
    "scratch, 1 D step": ("scratch", 1), "scratch, 2 D steps": ("scratch", 2), "scratch, 4 D steps": ("scratch", 4),
    "scratch, 6 D steps": ("scratch", 6), "joint pre-training, 4 D steps": ("joint pre-training", 4),
    "Reptile, 4 D steps": ("Reptile", 4), "MAML with rates per tensor, 4 D steps": ("MAML", 4),
}  # fmt: skip


@functools.cache
def learner(disc_steps: int) -> mg.meta.MetaLearner:
    """The learner whose theta is a start and a rate per tensor (Meta-SGD), all fall to 0 over the ten steps."""
    adam = mg.optimizers.adam(1.0, beta1=0.0, beta2=0.9)
    fall = mg.rules.controllers.schedule(mg.optimizers.linear_decay(1.0, NUM_STEPS))
    rule = mg.rules.controlled(mg.rules.alternating(adam, adam, disc_steps=disc_steps), fall)
    game, _ = mixture_starts.game_and_rule(1.0)
    return mg.meta.meta_sgd(game, lr=1.0, rule=rule, batches=mg.meta.drawn(BATCH))


@functools.cache
def start(way: str, seed: int) -> Any:
    """Where a way to begin starts both players, as the theta of ``mixture_starts``' learner; ``None``: from scratch."""
    ways = {"joint pre-training": mixture_starts.joint, "Reptile": mixture_starts.reptile}
    return ways[way](seed) if way in ways else None


def begun(way: str, seed: int, lr: float, disc_steps: int) -> Any:
    """The theta of a way to begin, with the same rate for all tensors; that of MAML is learned from there."""
    own = learner(disc_steps)
    theta = own.init(seed)
    theta = theta._replace(log_lr=mg.trees.map(lambda one: one + tf.math.log(lr), theta.log_lr))
    if way == "MAML":
        adam = mg.optimizers.adam(mg.optimizers.cosine_decay(META_LR, META_STEPS), beta1=0.9)
        return mg.meta_train(
            own, mixture_starts.FAMILY.train, estimator=mg.meta.backprop(NUM_STEPS, loop=mg.autodiff.while_loop),
            num_steps=META_STEPS, seed=seed, outer=mg.meta.outer.energy_distance(), meta_optimizer=adam, theta=theta,
            progress=False,
        ).theta  # fmt: skip
    found = start(way, seed)
    return theta if found is None else theta._replace(start=found)


def distances(theta: Any, disc_steps: int, split: str, num_tasks: int) -> np.ndarray:
    """The energy distance after the ten steps on each of so many mixtures."""
    return mixture_starts.curves(learner(disc_steps), theta, split, num_tasks, (NUM_STEPS,))[:, 0]


def search(seed: int, way: str, disc_steps: int) -> dict[str, Any]:
    """The best rate on validation mixtures, and all that were tried."""
    tried = {}

    def attempt(lr):
        tried[lr] = float(distances(begun(way, seed, lr, disc_steps), disc_steps, "validation", 20).mean())

    for lr in RATES:
        attempt(lr)
    best = min(tried, key=tried.__getitem__)
    if best in BEYOND:
        attempt(BEYOND[best])
    return {"lr": min(tried, key=tried.__getitem__), "tried": {str(lr): value for lr, value in tried.items()}}


def run(seed: int, way: str, disc_steps: int, lr: float) -> dict[str, Any]:
    """One contender from one seed: the seconds before adaptation, and its energy distances on 30 test mixtures."""
    began = time.monotonic()
    theta = begun(way, seed, lr, disc_steps)
    before = round(time.monotonic() - began, 1)
    return {"seconds": before, "energy_distance": distances(theta, disc_steps, "test", 30)}


def ends() -> dict[str, float]:
    """The mean energy distance of one Gaussian, and of the support drawn from again, to the test mixtures."""
    found: dict[str, list[float]] = {"one Gaussian": [], "the support, drawn again": []}
    for k, (task, points) in enumerate(mixture_starts.judged("test", 30)):
        support = task.support.numpy()
        again = support[np.random.default_rng(k).integers(0, len(support), mixture_starts.POINTS)]
        gaussian = mg.metrics.floors(support, mixture_starts.POINTS)["noise"]
        for name, made in zip(found, (gaussian, again), strict=True):
            found[name].append(float(mg.metrics.energy_distance(tf.constant(made, tf.float32), points)))
    return {name: round(float(np.mean(values)), 5) for name, values in found.items()}


def make() -> dict[str, Any]:
    """The record: for each contender and seed the mean over test mixtures."""
    folder = kept_runs("mixture_ten")
    settings = {name: {"way": way, "disc_steps": count} for name, (way, count) in CONTENDERS.items()}
    searched = {name: own | {"way": "scratch"} if own["way"] == "MAML" else own for name, own in settings.items()}
    tried = mg.experiments.sweep(search, searched, [SEARCH_SEED], folder=folder / "search")["results"]
    chosen = {name: setting | {"lr": tried[name]["lr"][0]} for name, setting in settings.items()}
    made = mg.experiments.sweep(run, chosen, SEEDS, folder=folder / "runs")
    results = {
        name: {"energy_distance": np.mean(found["energy_distance"], 1).round(5).tolist()}
        for name, found in made["results"].items()
    }
    by_task = {name: np.mean(found["energy_distance"], 0).round(5).tolist() for name, found in made["results"].items()}
    config = {"what": __doc__, "chosen": chosen, "tried": {name: found["tried"][0] for name, found in tried.items()}}
    steps = dict.fromkeys(results, NUM_STEPS)
    return made | {"config": config, "num_steps": steps, "results": results, "by_task": by_task, "ends": ends()}
