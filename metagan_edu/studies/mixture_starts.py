"""Where to start on an unseen 2-D mixture: the energy distance along adaptation, for starts learned in several ways.

A task is one random mixture of five modes (``mg.data.mixture_tasks``): 128 support points, batches of 64 drawn from
them. Both players are MLPs with two hidden layers of 64, noise of dimension 8, non-saturating loss with R1 0.1,
alternating Adam with β = (0, 0.9). Score: the energy distance of 1,000 generated points to 1,000 fresh points of the
mixture, 0 for a perfect generator, on 30 test mixtures, which lie in other directions from the origin than those
trained on.

Chosen on 20 validation mixtures, seed 0: see ``SEARCH``. What is reported is on test mixtures and other seeds.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu.studies import runs as kept_runs

SEEDS = (1, 2, 3)
NUM_STEPS, POINTS, BATCH = (0, 10, 30, 100, 300), 1000, 64
FAMILY = mg.data.mixture_tasks()
SEARCH = """Scratch: rates 1e-3, 3e-3, 6e-3, 1e-2, 2e-2; taken is the best at 10 steps. Joint pre-training (20,000
steps): 1e-3 and 3e-3, each then adapted with 3e-3 and 6e-3; taken is the best mean of log energy distance.
Reptile: inner rates 1e-3, 3e-3, 6e-3; 30 or 100 inner steps; from scratch or from the joint start. MAML:
inner rates 3e-3, 6e-3; meta-rates 1e-3, 2e-3; 600, 800, 1,200 meta-steps; from scratch or from Reptile's
start; first-order MAML (diverged a little: worse than scratch at 10 steps). About fifteen runs, not all
combinations."""


@functools.cache
def game_and_rule(lr: float) -> tuple[mg.games.Game, mg.rules.Rule]:
    """The game, and alternating Adam at a rate."""
    hidden = (64, 64)
    game = mg.games.gan(mg.networks.mlp(8, hidden, 2), mg.networks.mlp(2, hidden, 1), penalty=mg.losses.r1(0.1))
    adam = mg.optimizers.adam(lr, beta1=0.0, beta2=0.9)
    return game, mg.rules.alternating(adam, adam)


@functools.cache
def learner(lr: float = 0.003, of: tuple[str, ...] = ("gen", "disc")) -> mg.meta.MetaLearner:
    """The learner whose theta is where both players, or one, start."""
    return mg.meta.learned_initialization(*game_and_rule(lr), batches=mg.meta.drawn(BATCH), of=of)


def pooled(seed: Any, mixtures: int = 8) -> tf.Tensor:
    """A batch of points from several training mixtures."""
    draws = mg.seeds.split(seed, mixtures)
    return tf.concat([mg.data.random_mixture(s).sample(BATCH // mixtures, mg.seeds.fold_in(s, 1)) for s in draws], 0)


def joint(seed: Any, lr: float = 0.001) -> Any:
    """Both players trained on all training mixtures together."""
    result = mg.train(*game_and_rule(lr), pooled, num_steps=20000, seed=seed, progress=False)
    return learner().reached(result.players)


def reptile(
    seed: Any,
    lr: float = 0.003,
    inner_steps: int = 30,
    num_steps: int = 300,
    theta: Any = None,
    of: tuple[str, ...] = ("gen", "disc"),
) -> Any:
    """Theta by Reptile over 4 tasks a meta-step, at a rate that falls from 0.7."""
    return mg.meta_train(
        learner(lr, of), FAMILY.train, estimator=mg.meta.reptile(inner_steps), num_steps=num_steps, seed=seed,
        theta=theta, progress=False,
    ).theta  # fmt: skip


def maml(seed: Any, lr: float = 0.003, num_steps: int = 800) -> Any:
    """Theta by MAML: the exact gradient of the query set's energy distance after 10 steps."""
    adam = mg.optimizers.adam(mg.optimizers.cosine_decay(1e-3, num_steps), beta1=0.9)
    return mg.meta_train(
        learner(lr), FAMILY.train, estimator=mg.meta.backprop(10, loop=mg.autodiff.while_loop), num_steps=num_steps,
        seed=seed, outer=mg.meta.outer.energy_distance(), meta_optimizer=adam, progress=False,
    ).theta  # fmt: skip


def contenders(joint_rates: tuple[float, float]) -> dict[str, Any]:
    """Name -> (learner, how its theta is made from a seed)."""
    before, after = joint_rates
    start = functools.cache(functools.partial(joint, lr=before))
    return {
        "scratch, tuned": (learner(6e-3), learner(6e-3).init),
        "joint pre-training": (learner(after), start),
        "Reptile, 30 steps": (learner(3e-3), reptile),
        "Reptile, 30 steps, fresh D": (learner(3e-3, ("gen",)), functools.partial(reptile, of=("gen",))),
        "Reptile, 100 steps, from joint": (
            learner(1e-3), lambda seed: reptile(seed, 1e-3, inner_steps=100, num_steps=200, theta=start(seed))
        ),
        "MAML, 10 steps": (learner(3e-3), maml),
    }  # fmt: skip


@functools.cache
def _distance(learner):
    def distance(players, points):
        made = learner.game.generate(players, POINTS, mg.seeds.make(3))
        return mg.metrics.energy_distance(made, points)

    return tf.function(distance, autograph=False)


def judged(split: str, num_tasks: int) -> Iterator[tuple[mg.data.Task, tf.Tensor]]:
    """The first so many tasks of a split, each with fresh points of its mixture."""
    for k in range(num_tasks):
        seed = mg.seeds.make(5000 + k)
        yield getattr(FAMILY, split)(seed), mg.data.random_mixture(seed, split=split).sample(POINTS, 9)


def curves(
    learner: mg.meta.MetaLearner, theta: Any, split: str = "test", num_tasks: int = 30, num_steps: Any = NUM_STEPS
) -> np.ndarray:
    """Energy distances, an array (tasks, steps)."""
    found = []
    for k, (task, points) in enumerate(judged(split, num_tasks)):
        curve = mg.meta.adapt(learner, theta, task, num_steps=num_steps, seed=k)
        found.append([float(_distance(learner)(players, points)) for players in curve.players])
    return np.array(found)


def tuned_joint() -> tuple[Any, dict[str, Any]]:
    """The rates (pre-training, adaptation) with the best mean log energy distance from 10 steps on, on validation."""
    found = {}
    for before in (1e-3, 3e-3):
        theta = joint(0, before)
        for after in (3e-3, 6e-3):
            found[before, after] = curves(learner(after), theta, "validation", 20).mean(0)[1:]
    best = min(found, key=lambda rates: np.log(found[rates]).mean())
    return best, {f"{before} then {after}": values.round(4).tolist() for (before, after), values in found.items()}


@functools.cache
def _contenders(*rates):
    return contenders(rates)


def run(seed: int, name: str, joint_rates: tuple[float, float]) -> dict[str, Any]:
    """One contender from one seed: the seconds of its pre-training, and its energy distances on the test mixtures."""
    everyone = _contenders(*joint_rates)
    start, pretrain = everyone[name]
    if name.endswith("from joint"):
        everyone["joint pre-training"][1](seed)  # its time is that of the other contender
    began = time.monotonic()
    theta = pretrain(seed)
    return {"seconds": round(time.monotonic() - began, 1), "curves": curves(start, theta)}


def make() -> dict[str, Any]:
    """The record: the energy distance of each test mixture, averaged over seeds."""
    best, search = tuned_joint()
    print(best, search, flush=True)
    settings = {name: {"name": name, "joint_rates": best} for name in contenders(best)}
    made = mg.experiments.sweep(run, settings, SEEDS, folder=kept_runs("mixture_starts"))
    runs, seconds = {name: np.array(found["curves"]) for name, found in made["results"].items()}, made["seconds"]
    head = [f"energy distance at {n}" for n in NUM_STEPS]
    results = {n: dict(zip(head, np.mean(r, 0).T.round(5).tolist(), strict=True)) for n, r in runs.items()}
    by_seed = {n: dict(zip(head, np.mean(r, 1).T.round(5).tolist(), strict=True)) for n, r in runs.items()}
    return {
        "config": {"what": __doc__, "search": SEARCH, "joint_search": search, "joint_rates": best},
        "seeds": list(SEEDS),
        "entries": {"of": "test mixtures", "count": len(runs["MAML, 10 steps"][0])},
        "num_steps": dict.fromkeys(results, max(NUM_STEPS)), "seconds": seconds,
        "results": results, "by_seed": by_seed, **mg.experiments.provenance(),
    }  # fmt: skip
