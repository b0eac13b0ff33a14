"""Runs on replicas against runs of one process, started by test_replicas.py: ``NUM_REPLICAS CASE ...``.

Logical CPUs stand for devices. What is printed, as JSON: for each case the largest difference, at any step, of what was
reported, and of what the states hold at the end, relative to how far the run moved; and, for what is refused, the
sentence. A case is named by its beginning: ``"rule: "`` stands for all rules.
"""

import functools
import json
import sys

import keras
import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import meta, seeds, trees

NUM_REPLICAS = int(sys.argv[1])
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * NUM_REPLICAS)
STRATEGY = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(NUM_REPLICAS)])
STEPS = 20

SGD, ADAM = mg.optimizers.sgd(0.1), mg.optimizers.adam(0.01)
CLIPPED = mg.optimizers.chain(mg.optimizers.clip_by_global_norm(0.05), SGD)
RULES = {
    "simultaneous": mg.rules.simultaneous(ADAM, SGD),
    "alternating": mg.rules.alternating(ADAM, CLIPPED, disc_steps=2),
    "anderson": mg.rules.anderson(mg.rules.alternating(SGD, SGD), memory=3),
    "extragradient": mg.rules.extragradient(SGD, ADAM),
    "optimistic": mg.rules.optimistic(SGD, SGD),
    "consensus": mg.rules.consensus(SGD, SGD, gamma=1.0),
    "symplectic": mg.rules.symplectic(SGD, SGD),
    "competitive": mg.rules.competitive(SGD, SGD, reaction=0.5, num_iterations=2),
    "unrolled": mg.rules.unrolled(SGD, SGD, num_unroll=2),
    "lookahead": mg.rules.lookahead(mg.rules.alternating(SGD, SGD), every=3),
    "averaged": mg.rules.averaged(mg.rules.simultaneous(SGD, SGD)),
    "controlled": mg.rules.controlled(mg.rules.alternating(SGD, SGD), mg.rules.controllers.balance(speed=0.5)),
    "safeguarded": mg.rules.safeguarded(SGD),
    "jointly": mg.rules.jointly(SGD),
    "under": mg.rules.under(mg.rules.simultaneous(SGD, SGD), mg.games.Hyper(lr=mg.games.Players(0.5, 2.0))),
}
PENALTIES = mg.losses.penalties(
    mg.losses.lazily(mg.losses.r1(1.0), every=2), mg.losses.r2(1.0), mg.losses.gradient_penalty(1.0)
)
NAMES = ("minimax", "non_saturating", "least_squares", "hinge", "wasserstein", "relativistic")
LOSSES = [getattr(mg.losses, name)() for name in NAMES]
ALL_LOSSES = mg.losses.Loss(
    gen=lambda *logits: tf.add_n([loss.gen(*logits) for loss in LOSSES]),
    disc=lambda *logits: tf.add_n([loss.disc(*logits) for loss in LOSSES]),
)
ENERGY = meta.outer.energy_distance()
ESTIMATORS = {
    "backprop": (meta.backprop(1), ENERGY), "at_start": (meta.at_start(), ENERGY),
    "first_order": (meta.first_order(1), ENERGY), "reptile": (meta.reptile(10), None),
    "truncated_backprop": (meta.truncated_backprop(2, segment=1), ENERGY),
    "evolution_strategies": (meta.evolution_strategies(1, pairs=1, sigma=0.1), ENERGY),
    "persistent_evolution_strategies": (meta.persistent_evolution_strategies(2, segment=1, pairs=1, sigma=0.1), ENERGY),
}  # fmt: skip


def plain(sizes, dtype="float64"):
    """A network with one hidden layer of tanh, without Keras: quick to trace."""
    first, hidden, last = sizes
    shapes = (first, hidden), (hidden, last)

    def init(seed):
        pair = seeds.split(seeds.make(seed), 2)
        return [seeds.normal(shape, s, dtype) for shape, s in zip(shapes, pair, strict=True)], ()

    def apply(params, state, x, training=True):
        return tf.tanh(x @ params[0]) @ params[1], state

    return mg.networks.Network(init, apply, (first,), (last,), None)


def game(loss=None, penalty=mg.losses.no_penalty, disc=None):
    return mg.games.gan(plain((3, 4, 2)), disc or plain((2, 4, 1)), loss=loss, penalty=penalty)


def batches(seed):
    """A sampler that knows nothing of replicas."""
    return seeds.normal([8, 2], seed, tf.float64)


def normalized():
    """A discriminator with BatchNorm and the batch's standard deviation in it, which look at all of a batch."""
    layers = [
        keras.Input((2,), dtype="float64"), keras.layers.Dense(4, dtype="float64"),
        mg.normalization.BatchNorm(dtype="float64"), keras.layers.Activation("tanh", dtype="float64"),
        mg.normalization.MinibatchStd(dtype="float64"), mg.normalization.MinibatchStd(2, dtype="float64"),
        keras.layers.Dense(1, dtype="float64"),
    ]  # fmt: skip
    return mg.networks.network(keras.Sequential(layers))


def played(a_game, rule, sampler=batches, num_steps=STEPS):
    return functools.partial(mg.train, a_game, rule, sampler, num_steps=num_steps)


def learned(estimator, outer):
    a_game = mg.games.gan(plain((2, 4, 2), "float32"), plain((2, 4, 1), "float32"))
    learner = meta.learned_initialization(a_game, mg.rules.simultaneous(SGD, SGD))
    tasks = mg.data.mixture_tasks(shots=8, queries=8).train
    return functools.partial(meta.meta_train, learner, tasks, estimator=estimator, outer=outer, num_steps=4)


MINIMAX = game(mg.losses.minimax(), mg.losses.r1(0.5))
PLAIN = RULES["alternating"]
CASES = {f"rule: {name}": played(MINIMAX, rule) for name, rule in RULES.items()}
CASES["all losses and penalties"] = played(game(ALL_LOSSES, PENALTIES), PLAIN)
CASES["batch statistics to second order"] = played(game(penalty=mg.losses.r1(0.5), disc=normalized()), PLAIN)
CASES["spectral"] = played(game(disc=mg.networks.spectral(mg.networks.mlp(2, (4,), 1, dtype="float64"))), PLAIN)


def convolutional(dtype=None):
    gen = mg.networks.dcgan_generator(4, (8, 8, 1), width=4, norm=mg.normalization.BatchNorm, dtype=dtype)
    return mg.games.gan(gen, mg.networks.dcgan_discriminator((8, 8, 1), width=4, dtype=dtype))


IMAGES = mg.data.from_reader(lambda rows: np.sin(rows[:, None, None, None] + np.zeros((1, 8, 8, 1), np.float32)), 99)
FLOAT32 = {
    "float32, 200 steps": played(
        mg.games.gan(mg.networks.mlp(2, (8,), 2), mg.networks.mlp(2, (8,), 1)), PLAIN, mg.data.ring().batches(16), 200
    ),
    "float32, a reader": played(convolutional(), mg.rules.simultaneous(SGD, SGD), IMAGES.batches(8), 5),
    **{f"estimator: {name}": learned(*given) for name, given in ESTIMATORS.items()},
}
BFLOAT16 = {
    "mixed precision": played(convolutional("mixed_bfloat16"), mg.rules.simultaneous(SGD, SGD), IMAGES.batches(8), 5)
}


def compared(run):
    alone, together = (run(seed=5, progress=False, **given) for given in ({}, {"strategy": STRATEGY}))
    start = run(seed=5, progress=False, num_steps=1)
    moved = difference(alone[0], start[0])  # of players, or theta
    apart = difference(alone.state, together.state)
    reported = [np.stack([*result.history.scalars.values(), *result.history.cost]) for result in (alone, together)]
    assert moved > 1e-6
    return [apart / moved, float(np.abs(reported[0] - reported[1]).max())]


def difference(one, other):
    pairs = [(np.asarray(a, np.float64), np.asarray(b, np.float64)) for a, b in
             zip(trees.leaves(one), trees.leaves(other), strict=True) if a.dtype.is_floating]  # fmt: skip
    return max(float(np.where(a == b, 0, np.abs(a - b)).max(initial=0)) for a, b in pairs)


def dropped():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dropout(0.5, name="drop"), keras.layers.Dense(1)])


def keras_normalized():
    return keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization(name="bn"), keras.layers.Dense(1)])


def small(disc):
    return mg.games.gan(mg.networks.mlp(2, (4,), 2), mg.networks.network(disc))


RING = mg.data.ring()
REFUSED = {
    "batch": lambda: played(MINIMAX, PLAIN, RING.batches(7))(seed=0, strategy=STRATEGY),
    "own batch": lambda: played(MINIMAX, PLAIN, lambda seed: batches(seed)[:7])(seed=0, strategy=STRATEGY),
    "scalar": lambda: played(MINIMAX, PLAIN, lambda seed: batches(seed)[0, 0])(seed=0, strategy=STRATEGY),
    "tasks": lambda: learned(*ESTIMATORS["at_start"])(seed=0, strategy=STRATEGY, tasks_per_step=3),
    "dropout": lambda: played(small(dropped()), PLAIN, RING.batches(8))(seed=0, strategy=STRATEGY),
    "keras": lambda: played(small(keras_normalized()), PLAIN, RING.batches(8))(seed=0, strategy=STRATEGY),
    "jit": lambda: played(MINIMAX, PLAIN)(seed=0, strategy=STRATEGY, jit=True),
    "word": lambda: played(MINIMAX, PLAIN)(seed=0, strategy="mirrored"),
}


def said(refused):
    try:
        refused()
    except ValueError as error:
        return str(error)
    return "nothing"


if __name__ == "__main__":
    every = {name: functools.partial(compared, case) for name, case in (CASES | FLOAT32 | BFLOAT16).items()}
    every |= {f"refused: {name}": functools.partial(said, case) for name, case in REFUSED.items()}
    wanted = tuple(sys.argv[2:])
    print(json.dumps({name: case() for name, case in every.items() if name.startswith(wanted)}))
