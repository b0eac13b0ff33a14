"""Fixed starts and rescaled ones, on the ring: what a start is worth, and what MetaInit and GradInit make of a bad one.

Both players are MLPs of two hidden layers of 64 ReLUs, noise of dimension 2; non-saturating loss with R1 0.1,
alternating Adam 1e-3 with β = (0, 0.9), batches of 128. Fixed: all zero; uniform on (-1, 1); Glorot; He; orthogonal.
Rescaled: the uniform one, by one factor for each tensor, found by 200 steps of Adam (0.03) on MetaInit's or
GradInit's criterion on batches of the ring. Each is trained for 300 and for 3,000 steps. MetaInit's ε (1e-5, 1e-3),
GradInit's bound (0.1, 1, 10), and the number and rate of the steps (200, 400; 0.01, 0.03) were looked at on seeds 100
and 101, seven combinations; what is reported is from other seeds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import metagan_edu as mg
from metagan_edu.studies import runs

SEEDS = range(1, 6)
SHORT, LONG, BATCH = 300, 3000, 128
FIXED = {
    "zero": "zeros",
    "uniform": "uniform",
    "Glorot": "glorot_uniform",
    "He": "he_normal",
    "orthogonal": "orthogonal",
}
CRITERIA = {
    "uniform, MetaInit": mg.meta.gradient_quotient(epsilon=1e-3),
    "uniform, MetaInit, ε = 1e-5": mg.meta.gradient_quotient(epsilon=1e-5),
    "uniform, GradInit": mg.meta.after_one_step(1e-3, max_norm=1.0),
}


def game(scheme: str) -> mg.games.Game:
    """The game whose networks start by ``scheme``, the name of a Keras initializer, or "uniform": U(-1, 1)."""
    import keras

    start = keras.initializers.RandomUniform(-1, 1) if scheme == "uniform" else scheme
    hidden = (64, 64)
    gen, disc = (mg.networks.mlp(2, hidden, n, initializer=start) for n in (2, 1))
    return mg.games.gan(gen, disc, penalty=mg.losses.r1(0.1))


def rule() -> mg.rules.Rule:
    """Alternating Adam."""
    adam = mg.optimizers.adam(1e-3, beta1=0.0, beta2=0.9)
    return mg.rules.alternating(adam, adam)


def ring_task(seed: Any) -> mg.data.Task:
    """The one task: points of the ring."""
    points = mg.data.ring().sample(2 * BATCH, seed)
    return mg.data.Task(points[:BATCH], points[BATCH:])


def rescaled(
    plain: mg.games.Game, criterion: Callable, seed: Any, num_steps: int = 200
) -> tuple[mg.games.Players, Any]:
    """The players of ``plain`` at the seed of a run, with the scales that the criterion likes; and the criterion's
    course."""
    learner = mg.meta.learned_scales(plain, rule(), batches=mg.meta.drawn(BATCH))
    start = mg.seeds.fold_in(seed, "init")
    fixed = learner._replace(players=lambda theta, _: learner.players(theta, start))
    trained = mg.meta_train(
        fixed, ring_task, outer=criterion, estimator=mg.meta.at_start(), num_steps=num_steps, seed=seed,
        tasks_per_step=1, meta_optimizer=mg.optimizers.adam(0.03, beta1=0.9), progress=False,
    )  # fmt: skip
    return learner.players(trained.theta, start), trained.history


def measure(result: Any, plain: mg.games.Game, seed: Any) -> dict[str, Any]:
    """Energy distance and modes of 2,500 samples."""
    samples, ring = mg.sample(plain, result.players, 2500, seed=seed), mg.data.ring()
    return {
        "energy distance": float(mg.metrics.energy_distance(samples, ring.sample(2500, 7))),
        "modes": mg.metrics.mode_coverage(samples, ring).modes,
    }


@functools.cache
def played(name: str) -> tuple[mg.games.Game, mg.rules.Rule, Any]:
    """The game of a start, made once, so that its seeds share what is compiled."""
    return game(FIXED.get(name, "uniform")), rule(), mg.data.ring().batches(BATCH)


def run(seed: int, name: str) -> dict[str, Any]:
    """One start from one seed, trained for both lengths."""
    (plain, moved, batches), players, found = played(name), None, {}
    if name in CRITERIA:
        players, _ = rescaled(plain, CRITERIA[name], seed)
    for steps in (SHORT, LONG):
        result = mg.train(plain, moved, batches, num_steps=steps, seed=seed, players=players, progress=False)
        found |= {f"{key} at {steps}": value for key, value in measure(result, plain, seed).items()}
    return found


def make() -> dict[str, Any]:
    """The record."""
    starts = {name: {"name": name} for name in [*FIXED, *CRITERIA]}
    record = mg.experiments.sweep(run, starts, SEEDS, folder=runs("start_scales"))
    return record | {"config": {"what": __doc__}, "num_steps": dict.fromkeys(starts, LONG)}
