"""What a benchmark gives, and how contenders are timed: in turns, on a machine that others use too."""

from __future__ import annotations

import time
from typing import NamedTuple

import tensorflow as tf

import metagan_edu as mg
from metagan_edu import seeds
from metagan_edu.training import STEPS_PER_CALL, compiled, playing

ROUNDS = 5


class Ratio(NamedTuple):
    """``value`` is ``of`` per ``to``; ``least`` and ``most``: the floor that must hold, ``aim``: what is aimed at."""

    of: str
    to: str
    value: float
    least: float | None = None
    most: float | None = None
    aim: float | None = None

    @property
    def met(self):
        """Whether the floor holds."""
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def __str__(self):
        wanted = f"at least {self.least}" if self.least is not None else f"at most {self.most}"
        parts = [wanted] if self.least is not None or self.most is not None else ["no floor here"]
        parts += [f"aim {self.aim}"] if self.aim is not None else []
        parts += [] if self.met else ["MISSED"]
        return f"{self.of} / {self.to}: {self.value:.3g} ({', '.join(parts)})"


class Report(NamedTuple):
    """``numbers``: what was measured, by name, in ``unit``; ``ratios``: what is judged."""

    numbers: dict[str, float]
    unit: str
    ratios: list[Ratio]


def steps_per_second(contenders, seconds=1.0, rounds=ROUNDS):
    """``name -> (run, steps per run)`` to ``name -> steps per second``: the best of the rounds, taken in turns."""
    best = dict.fromkeys(contenders, 0.0)
    for run, _ in contenders.values():
        run()
    for _ in range(rounds):
        for name, (run, steps) in contenders.items():
            began, done = time.perf_counter(), 0
            while time.perf_counter() - began < seconds:
                run()
                done += steps
            best[name] = max(best[name], done / (time.perf_counter() - began))
    return best


def process_loop(process, subject, count, steps_per_count=1):
    """The package's loop over a process, as a contender: ``count`` steps a call."""
    loop, hyper, seed = compiled(process, False), process.hyper(), seeds.make(0)
    state = process.init(subject, seed)
    loop.get_concrete_function(state, hyper, seed, tf.constant(0), tf.constant(0))  # or it counts as retracing
    return lambda: loop(state, hyper, seed, tf.constant(0), tf.constant(count))[1].numpy(), count * steps_per_count


def package_loop(game, rule, batches, count=STEPS_PER_CALL):
    """The package's loop on a game, as a contender."""
    return process_loop(playing(game, rule, batches), game.init(0), count)


def adam_pair():
    """The optimizers of the reference loops."""
    return mg.optimizers.adam(1e-3), mg.optimizers.adam(1e-4)


def dense_game():
    """The 2-D game of the reference."""
    return mg.games.gan(mg.networks.mlp(64, (128, 128), 2), mg.networks.mlp(2, (128, 128), 1))


def convolutional_game(dtype=None, penalty=mg.losses.no_penalty, size=28):
    """The 28x28 game of the reference, or one of another size."""
    shape = (size, size, 1)
    gen = mg.networks.dcgan_generator(64, shape, dtype=dtype)
    return mg.games.gan(gen, mg.networks.dcgan_discriminator(shape, dtype=dtype), penalty=penalty)
