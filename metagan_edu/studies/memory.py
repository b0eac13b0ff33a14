"""What one meta-gradient holds in memory, by each estimator, for 10 to 100 inner steps, and in games of three sizes.

The game is the one of the few-shot notebooks: 16 pixels, DCGAN of width 24, LayerNorm in the generator, R1 of weight
0.3, batches of 20, Adam 1e-3 with β = (0, 0.9). "28 pixels" is the same with larger pictures, and "2-D" has points and
two hidden layers of 128 in each network. A fresh process for each row and seed computes the gradient of the
energy distance in the learned start of both players, compiled, and asks the system after it for the most memory that
the process ever held, TensorFlow and compiling included. ``gigabytes_more`` is that less the same before the gradient
was built. "every 10": the backprop that keeps each 10th inner state and computes the others again.
"""

from __future__ import annotations

import multiprocessing
import time
from typing import Any

import tensorflow as tf

import metagan_edu as mg
from metagan_edu.jobs import peak_memory_gb
from metagan_edu.studies import runs

SEEDS = range(2)
ESTIMATORS = {
    "backprop": lambda n: mg.meta.backprop(n, loop=mg.autodiff.while_loop),
    "backprop, every 10": lambda n: mg.meta.backprop(n, loop=mg.autodiff.recomputed(10)),
    "backprop, every 25": lambda n: mg.meta.backprop(n, loop=mg.autodiff.recomputed(25)),
    "first-order": mg.meta.first_order,
    "Reptile": mg.meta.reptile,
    "evolution strategies": lambda n: mg.meta.evolution_strategies(n, pairs=2),
}
INNER_STEPS = {"backprop": (10, 25, 50, 100)}  # of all others 100
SIZES = {"2-D": (2,), "28 pixels": (28, 28, 1)}


def networks(shape: tuple) -> Any:
    """The generator and the discriminator of data of this shape."""
    if len(shape) == 1:
        return mg.networks.mlp(32, (128, 128), *shape), mg.networks.mlp(*shape, (128, 128), 1)
    gen = mg.networks.dcgan_generator(32, shape, width=24, norm=mg.normalization.LayerNorm)
    return gen, mg.networks.dcgan_discriminator(shape, width=24)


def parts(shape: tuple) -> Any:
    """The learner, its outer loss, and a sampler of tasks that are noise: memory does not depend on the pictures."""
    adam, game = (
        mg.optimizers.adam(1e-3, beta1=0.0, beta2=0.9),
        mg.games.gan(*networks(shape), penalty=mg.losses.r1(0.3)),
    )

    def tasks(seed):
        pictures = mg.seeds.uniform([30, *shape], seed, -1.0, 1.0)
        return mg.data.Task(pictures[:10], pictures[10:])

    learner = mg.meta.learned_initialization(game, mg.rules.simultaneous(adam, adam))
    return learner, mg.meta.outer.energy_distance(), tasks


def measure(seed: int, estimator: str, inner_steps: int, shape: tuple = (16, 16, 1)) -> dict[str, float]:
    """A meta-gradient in this process: memory, seconds (of a call when all is compiled), norm."""
    learner, outer, tasks = parts(tuple(shape))
    theta, before, made = learner.init(0), peak_memory_gb(), ESTIMATORS[estimator](inner_steps)
    fn = tf.function(lambda seed: made.grad(learner, outer, theta, (), tasks, seed)[0], autograph=False)
    norm = float(mg.trees.norm(fn(mg.seeds.make(seed)).grads))
    began = time.monotonic()
    float(fn(mg.seeds.make(seed)).scalars["outer_loss"])
    seconds, peak = round(time.monotonic() - began, 2), peak_memory_gb()
    return {
        "seconds": seconds, "peak_memory_gb": peak, "gigabytes": peak, "gigabytes_more": peak - before, "norm": norm,
    }  # fmt: skip


def run(seed: int, **setting: Any) -> dict[str, float]:
    """:func:`measure` in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=tell, args=(sender, seed), kwargs=setting)
    process.start()
    sender.close()  # that of the process is the only one: where that dies, nothing is to be waited for
    measured = receiver.recv()
    process.join()
    return measured


def tell(sender: Any, seed: int, **setting: Any) -> None:
    """Send what :func:`measure` returns."""
    sender.send(measure(seed, **setting))


def make() -> dict[str, Any]:
    """The record: a contender for each estimator and each number of inner steps."""
    settings = {
        f"{name}, {n} inner steps": {"estimator": name, "inner_steps": n}
        for name in ESTIMATORS
        for n in INNER_STEPS.get(name, (100,))
    } | {
        f"backprop, {size}, {n} inner steps": {"estimator": "backprop", "inner_steps": n, "shape": shape}
        for size, shape in SIZES.items()
        for n in (10, 50)
    }
    record = mg.experiments.sweep(  # one at a time: its seconds are those of all cores
        run, settings, SEEDS, folder=runs("memory"), n_jobs=1
    )
    num_steps = {name: setting["inner_steps"] for name, setting in settings.items()}
    return record | {"config": {"set_up": __doc__}, "num_steps": num_steps}
