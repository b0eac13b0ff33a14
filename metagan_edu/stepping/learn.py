"""``python -m metagan_edu.stepping.learn``: learn where to start, and the rates, for the shapes; some minutes.

Both are learned over random mixtures of the training split, at the stepper's own game, rule and rates, and judged here
on test mixtures: the energy distance after 20 and 100 steps beside that of the plain rule, which the files' words keep.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import data, losses, meta, optimizers, rules, seeds
from . import learned
from .choices import BATCH, SD, adam, defaults, networks_game

NUM_STEPS, TASKS, POINTS = (0, 20, 100), 30, 500
FAMILY = data.mixture_tasks(shots=POINTS, queries=POINTS, sd=SD)


def game_and_rule() -> tuple[Any, Any]:
    """What the shapes are played with by default."""
    own = defaults("ring")
    game = networks_game(own.start, losses.non_saturating(), losses.r1(own.r1))
    return game, rules.alternating(adam(own.gen_lr), adam(own.disc_lr))


def start() -> tuple[meta.MetaLearner, Any]:
    """The learner of a start, and what Reptile finds: 300 meta-steps of 4 tasks, 30 inner steps each."""
    learner = meta.learned_initialization(*game_and_rule(), batches=meta.drawn(BATCH))
    made = meta.meta_train(learner, FAMILY.train, estimator=meta.reptile(30), num_steps=300, seed=0, progress=False)
    return learner, made.theta


def rates() -> tuple[meta.MetaLearner, Any]:
    """The learner of rates, and what evolution strategies find: 80 meta-steps of 8 tasks, runs of 100 steps."""
    learner = learned.learner_of_rates(*game_and_rule())
    made = meta.meta_train(
        learner, FAMILY.train, outer=meta.outer.energy_distance(POINTS), num_steps=80, seed=0, tasks_per_step=8,
        estimator=meta.evolution_strategies(100, pairs=1, sigma=0.3), progress=False, jit=True,
        meta_optimizer=optimizers.adam(optimizers.cosine_decay(0.15, 80), beta1=0.9),
    )  # fmt: skip
    return learner, made.theta


def judged(learner: meta.MetaLearner, theta: Any) -> list[float]:
    """The mean energy distance on the test mixtures after each of ``NUM_STEPS``."""
    outer, found = meta.outer.energy_distance(POINTS), []
    for k in range(TASKS):
        task = FAMILY.test(seeds.make(k))
        curve = meta.adapt(learner, theta, task, num_steps=NUM_STEPS, seed=k)
        found.append([float(outer(learner.game, theta, own, task, seeds.make(k))) for own in curve.players])
    return np.mean(found, 0).round(4).tolist()


def main() -> None:
    """Learn both, print how they do, and write the files."""
    learner = learned.learner_of_rates(*game_and_rule())
    plain = judged(learner, learner.init(seeds.make(0)))
    print(f"energy distance after {NUM_STEPS} steps, plain: {plain}", flush=True)
    for path, learn in ((learned.START, start), (learned.RATES, rates)):
        learner, theta = learn()
        own = judged(learner, theta)
        print(f"{path.stem}: {own}", flush=True)
        words = {"command": "python -m metagan_edu.stepping.learn", "plain": plain, path.stem: own}
        meta.save_theta(path, theta, words | {"energy distance after steps": NUM_STEPS})


if __name__ == "__main__":
    main()
