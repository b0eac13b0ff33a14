"""What one meta-gradient of the 16-pixel game holds in memory, by each estimator and for 10 to 100 inner steps.

The game is the one of the few-shot notebooks: DCGAN of width 24, LayerNorm in the generator, R1 of weight 0.3, batches
of 20, Adam 1e-3 with β = (0, 0.9). A fresh process for each row computes the gradient of the energy distance in the
learned start of both players, compiled, on two seeds, and asks the system after each for the most memory that it ever
held (``ru_maxrss``), TensorFlow and compiling included. ``gigabytes_more`` is that less the same before the gradient
was built. "every 10": the backprop that keeps each 10th inner state and computes the others again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import tensorflow as tf

import metagan_edu as mg
from metagan_edu.jobs import peak_memory_gb

SEEDS = range(2)
ESTIMATORS = {
    "backprop": lambda n: mg.meta.backprop(n, loop=mg.autodiff.while_loop),
    "backprop, every 10": lambda n: mg.meta.backprop(n, loop=mg.autodiff.recomputed(10)),
    "backprop, every 25": lambda n: mg.meta.backprop(n, loop=mg.autodiff.recomputed(25)),
    "first-order": mg.meta.first_order,
    "Reptile": mg.meta.reptile,
    "evolution strategies": lambda n: mg.meta.evolution_strategies(n, pairs=2),
}
INNER_STEPS = {"backprop": (10, 25, 50, 100)}


def parts() -> Any:
    """The learner, its outer loss, and a sampler of tasks that are noise: memory does not depend on the pictures."""
    shape, adam = (16, 16, 1), mg.optimizers.adam(1e-3, beta1=0.0, beta2=0.9)
    gen = mg.networks.dcgan_generator(32, shape, width=24, norm=mg.normalization.LayerNorm)
    game = mg.games.gan(gen, mg.networks.dcgan_discriminator(shape, width=24), penalty=mg.losses.r1(0.3))

    def tasks(seed):
        pictures = mg.seeds.uniform([30, *shape], seed, -1.0, 1.0)
        return mg.data.Task(pictures[:10], pictures[10:])

    learner = mg.meta.learned_initialization(game, mg.rules.simultaneous(adam, adam))
    return learner, mg.meta.outer.energy_distance(), tasks


def measure(name: str, inner_steps: int) -> list[dict[str, float]]:
    """Meta-gradients in this process, for each seed: memory, seconds (of a call when all is compiled), norm."""
    learner, outer, tasks = parts()
    theta, before, rows = learner.init(0), peak_memory_gb(), []
    estimator = ESTIMATORS[name](inner_steps)
    fn = tf.function(lambda seed: estimator.grad(learner, outer, theta, (), tasks, seed)[0], autograph=False)
    for seed in SEEDS:
        norm = float(mg.trees.norm(fn(mg.seeds.make(seed)).grads))
        began = time.monotonic()
        float(fn(mg.seeds.make(seed)).scalars["outer_loss"])
        seconds = time.monotonic() - began
        peak = peak_memory_gb()
        rows.append({"gigabytes": peak, "gigabytes_more": peak - before, "one_gradient": seconds, "norm": norm})
    return rows


def in_a_process(*arguments: Any) -> Any:
    """:func:`measure` in a process of its own."""
    command = [sys.executable, "-m", "metagan_edu.studies.memory", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def make() -> dict[str, Any]:
    """The record: a contender for each estimator and each number of inner steps."""
    record = {"seeds": list(SEEDS), "config": {"set_up": __doc__}, "num_steps": {}, "seconds": {}, "results": {}}
    for estimator in ESTIMATORS:
        for n in INNER_STEPS.get(estimator, (100,)):
            name, runs = f"{estimator}, {n} inner steps", in_a_process(estimator, n)
            print(name, runs, flush=True)
            record["num_steps"][name] = n
            record["seconds"][name] = [round(run.pop("one_gradient"), 2) for run in runs]
            record["results"][name] = {key: [run[key] for run in runs] for key in runs[0]}
    return record | mg.experiments.provenance()


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
