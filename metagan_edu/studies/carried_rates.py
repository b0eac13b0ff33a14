"""Do rates per layer that were learned at 100 steps on mixtures of five modes carry over to other runs?

The rates of ``update_strategies``, of each of its meta-trainings, beside the cosine decay that they were learned on top
of and the constant rate that the same search finds, nothing tuned anew: on test mixtures that are not in that record;
for 50, 200 and 400 steps, over which the decay is stretched; on mixtures of eight modes; and on the 8x8 digits, 64
numbers in place of 2, with as many layers.

Score: as there, the energy distance of 500 samples to 500 query points, on digits of pixels; 40 tasks, on digits 10
draws of the support (500 training images) and of the query (500 test images). Lower is better.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import meta, seeds, studies, trees
from metagan_edu.meta.base import advance, begin, view
from metagan_edu.studies import runs
from metagan_edu.studies import update_strategies as at_home

TASKS = range(4000, 4040)
WORLDS = {
    "as learned": (100, 5, 40), "50 steps": (50, 5, 40), "200 steps": (200, 5, 40),
    "400 steps": (400, 5, 40), "eight modes": (100, 8, 40), "8x8 digits": (200, 0, 10),
}  # steps, modes, tasks  # fmt: skip
ENDS = {"one Gaussian": "noise", "shuffled coordinates": "shuffled", "other real data": "held-out real"}


def game(num_modes: int) -> mg.games.Game:
    """The GAN at home; for digits (no modes) the same with 64 outputs in [-1, 1], and 64 inputs of D."""
    if num_modes:
        return at_home.game()
    gen = mg.networks.mlp(at_home.LATENT_DIM, at_home.HIDDEN, 64, output="tanh")
    return mg.games.gan(gen, mg.networks.mlp(64, at_home.HIDDEN, 1), penalty=mg.losses.r1(1.0))


def tasks(num_modes: int) -> Callable[[Any], mg.data.Task]:
    """``seed -> Task`` of 500 and 500 points."""
    if num_modes:
        return mg.data.mixture_tasks(shots=500, queries=500, num_modes=num_modes).test

    def draw(seed):
        parts = (mg.data.digits(split).images.reshape(-1, 64) for split in ("train", "test"))
        return mg.data.Task(*(mg.data.batches(x, 500)(seeds.fold_in(seed, i)) for i, x in enumerate(parts)))

    return draw


def scorer(rule: mg.rules.Rule, num_steps: int, num_modes: int) -> tuple[Any, Callable]:
    """Meta-SGD's theta on top of a rule, factors of 1; and ``(theta, task, seed) -> energy distance`` after a run."""
    own = meta.meta_sgd(game(num_modes), lr=1.0, of=(), rule=rule, batches=meta.drawn(at_home.BATCH))

    @functools.partial(tf.function, autograph=False)
    def score(theta, task, seed):
        inner, _ = advance(own, theta, begin(own, theta, seed), task, num_steps, seed, loop=mg.autodiff.while_loop)
        return at_home.energy_distance(own.game, theta, view(own, theta, inner), task, seeds.fold_in(seed, "outer"))

    return own.init(seeds.make(0)), score


def run(
    seed: int, world: str, cosine: list[list[float]], constants: list[list[float]], log_factors: list[list[float]]
) -> dict[str, Any]:
    """Scores (contenders, tasks) on a world of what came of the search of this seed: the decay, the constant rate, then
    all factors, and floor and ceiling."""
    num_steps, num_modes, count = WORLDS[world]
    draw = tasks(num_modes)
    drawn = {n: draw(seeds.make(n)) for n in TASKS[:count]}
    usual, score = scorer(at_home.tuned(cosine[seed], num_steps), num_steps, num_modes)
    each = len(log_factors) // len(cosine)
    found = [tf.constant(row, tf.float32) for row in log_factors[each * seed : each * (seed + 1)]]
    learned = [(trees.like(usual, tf.unstack(row)), score) for row in found]
    contenders = [(usual, score), scorer(at_home.at(constants[seed]), num_steps, num_modes), *learned]
    scores = [[float(own(theta, task, seeds.make(n))) for n, task in drawn.items()] for theta, own in contenders]
    ends = [mg.metrics.floor_and_ceiling(mg.metrics.energy_distance, task.query.numpy(), task.support.numpy())
            for task in drawn.values()]  # fmt: skip
    return {"energy_distance": scores} | {name: float(np.mean([end[of] for end in ends])) for name, of in ENDS.items()}


def make() -> dict[str, Any]:
    """The record: the mean energy distance over tasks, for each world: of the decay, of the constant rate, and of the
    rates learned on the decay."""
    record = studies.load("update_strategies")
    searches = range(len(record["searched"]))
    folder = runs("carried_rates")
    by_hand = mg.experiments.sweep(at_home.search, {"constant": at_home.SEARCHED["constant"]}, searches,
                                   folder=folder / "search")["results"]["constant"]["theta"]  # fmt: skip
    found = {"cosine": record["searched"], "constants": [at_home.tuned_by(theta) for theta in by_hand],
             "log_factors": record["log_factors"]}  # fmt: skip
    settings = {world: {"world": world} | found for world in WORLDS}
    made = mg.experiments.sweep(run, settings, searches, folder=folder / "runs")
    results, by_run = {}, {}
    for world, scores in made["results"].items():
        means = np.mean(scores["energy_distance"], 2).round(5)  # (searches, decay and constant and meta-trainings)
        by_run[world] = means.tolist()
        ratio = means[:, 2:] / means[:, :1]
        results[world] = {
            "decay": means[:, 0].tolist(),
            "constant rate": means[:, 1].tolist(),
            "learned": means[:, 2:].mean(1).round(5).tolist(),
            "smallest ratio": ratio.min(1).round(3).tolist(),
            "largest ratio": ratio.max(1).round(3).tolist(),
        } | {name: np.round(scores[name], 5).tolist() for name in ENDS}
    steps = {world: num_steps for world, (num_steps, _, _) in WORLDS.items()}
    return made | {"config": {"what": __doc__}, "num_steps": steps, "results": results, "by_run": by_run}
