"""What must not be paid twice: compiling, copies of the data, penalties at every step, and what a checkpoint writes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from ratios import Ratio, Report, adam_pair, convolutional_game, dense_game, package_loop, steps_per_second

import metagan_edu as mg
from metagan_edu.games import Hyper, Players
from metagan_edu.meta.train import learning
from metagan_edu.training import STEPS_PER_CALL, compiled

ALL_IMAGES = 46_400  # of 64x64 in color: 0.57 GB of bytes


def _seconds(run):
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def rates(num_steps=1000, num_rates=10):
    """A search over the rates of the 2-D game: ten runs, told apart by ``hyper`` alone, and the loop's steps alone."""
    game, rule, batches = dense_game(), mg.rules.simultaneous(*adam_pair()), mg.data.ring().batches(256)

    def run(rate):
        hyper = Hyper(lr=Players(rate, rate))
        mg.train(game, rule, batches, num_steps=num_steps, seed=0, hyper=hyper, progress=False)

    bare, steps = package_loop(game, rule, batches)
    bare()  # compiles
    compiling = _seconds(lambda: run(1.0))
    searching = alone = 0.0
    for i in range(num_rates):
        searching += _seconds(lambda i=i: run(2.0**-i))
        alone += _seconds(lambda: [bare() for _ in range(-(-num_steps // steps))])
    numbers = {"first run, with compiling": compiling, f"{num_rates} further rates": searching, "steps alone": alone}
    return Report(numbers, "s", [Ratio(f"{num_rates} further rates", "steps alone", searching / alone, most=1.2)])


def meta_twice(num_steps=5):
    """The same meta-training written twice, with the networks made once: how many graphs the second one makes."""
    networks = mg.networks.mlp(2, (32, 32), 2), mg.networks.mlp(2, (32, 32), 1)

    def parts():
        adam = mg.optimizers.adam(1e-3, beta1=0.0, beta2=0.9)
        game = mg.games.gan(*networks, penalty=mg.losses.r1(0.1))
        learner = mg.meta.learned_initialization(game, mg.rules.alternating(adam, adam), batches=mg.meta.drawn(64))
        return learner, mg.data.mixture_tasks().train, mg.meta.reptile(5), mg.optimizers.sgd(0.5)

    def run():
        learner, tasks, estimator, optimizer = parts()
        options = {"meta_optimizer": optimizer, "tasks_per_step": 2, "progress": False}
        mg.meta_train(learner, tasks, estimator=estimator, num_steps=num_steps, seed=0, **options)

    def graphs():
        learner, tasks, estimator, optimizer = parts()
        process = learning(learner, tasks, None, mg.meta.over_tasks(estimator, 2), optimizer)
        return mg.training._compiled.cache_info().misses, compiled(process, False).experimental_get_tracing_count()

    seconds = {"first": _seconds(run)}
    before = graphs()
    seconds["second"] = _seconds(run)
    made = sum(after - earlier for after, earlier in zip(graphs(), before, strict=True))
    return Report(seconds, "s", [Ratio("graphs that the second one makes", "meta-training", made, most=0)])


DRAW = """
import resource, sys
import numpy as np
import tensorflow as tf
import metagan_edu as mg

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)

imported, count = peak(), int(sys.argv[1])
images = np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), np.uint8)
batches = mg.data.batches(images, 64)
draw = tf.function(lambda seed: tf.reduce_mean(batches(seed)), autograph=False)
for i in range(20):
    draw(mg.seeds.make(i)).numpy(), batches(mg.seeds.make(i)).numpy()
print(imported, images.nbytes / 1e9, peak())
"""


def memory(count=ALL_IMAGES):
    """What a process holds at most that draws batches from 0.57 GB of bytes, beyond TensorFlow and the package: its
    array, and the tensor from which is drawn."""
    ran = subprocess.run([sys.executable, "-c", DRAW, str(count)], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"drawing from {count} images failed: {ran.stderr.strip().splitlines()[-1]}")
    imported, data, peak = map(float, ran.stdout.split())
    numbers = {"imports": imported, "data": data, "peak": peak}
    most = 1.2 if count == ALL_IMAGES else None
    return Report(numbers, "GB", [Ratio("peak beyond the imports", "GB", peak - imported, most=most)])


def lazy(seconds=1.0):
    """The 28x28 game with R1 at every step, with R1 now and then at a larger weight, and without a penalty."""
    batches = mg.data.batches(mg.seeds.uniform([2000, 28, 28, 1], 0, -1, 1), 64)
    penalties = {"no penalty": mg.losses.no_penalty, "R1": mg.losses.r1(1.0)}
    if hasattr(mg.losses, "lazily"):
        penalties["R1, lazily"] = mg.losses.lazily(mg.losses.r1(1.0))
    rule = mg.rules.simultaneous(*adam_pair())
    games = {name: convolutional_game(penalty=penalty) for name, penalty in penalties.items()}
    speed = steps_per_second({name: package_loop(game, rule, batches, 32) for name, game in games.items()}, seconds)
    ratios = [Ratio("time with R1", "without", speed["no penalty"] / speed["R1"])]
    if "R1, lazily" in speed:
        ratios.append(Ratio("time with R1, lazily", "without", speed["no penalty"] / speed["R1, lazily"], most=1.15))
    return Report(speed, "steps/s", ratios)


def checkpoints(num_steps=20_000, every=1000, rounds=3):
    """A run of the 2-D game with a checkpoint every 1,000 steps, and without: the best of the rounds, in turns."""
    game, rule, batches = dense_game(), mg.rules.simultaneous(*adam_pair()), mg.data.ring().batches(256)

    def run(num_steps=num_steps, **options):
        mg.train(game, rule, batches, num_steps=num_steps, seed=0, progress=False, **options)

    run(STEPS_PER_CALL)  # compiles
    best = {"without": float("inf"), "with checkpoints": float("inf")}
    for _ in range(rounds):
        best["without"] = min(best["without"], _seconds(run))
        with tempfile.TemporaryDirectory() as folder:
            spent = _seconds(lambda folder=folder: run(checkpoint=folder, checkpoint_every=every))
        best["with checkpoints"] = min(best["with checkpoints"], spent)
    return Report(
        best, "s", [Ratio("with checkpoints", "without", best["with checkpoints"] / best["without"], most=1.02)]
    )
