"""How fast the loop is: against what a reader would write with Keras, and against itself."""

from __future__ import annotations

import pathlib

import reference
import tensorflow as tf
from ratios import (
    Ratio,
    Report,
    adam_pair,
    convolutional_game,
    dense_game,
    package_loop,
    process_loop,
    steps_per_second,
)

import metagan_edu as mg
from metagan_edu.meta.train import learning

UNIT = "steps/s"
# Multiplications of one example's way through the layers of the reference, in millions, and a product like the largest.
GEN_MILLIONS = (64 * 3136 + 49 * 16 * 64 * 32 + 196 * 16 * 32) / 1e6
DISC_MILLIONS = (196 * 16 * 32 + 49 * 16 * 32 * 64 + 3136) / 1e6
PRODUCT = (64 * 49, 16 * 32, 64)


def _per(speed, of, to, **wanted):
    return Ratio(of, to, speed[of] / speed[to], **wanted)


def two_dimensional(seconds=1.0):
    """The 2-D game, batch 256: an eager Keras loop, the same step as a tf.function called per step, the package."""
    points = mg.data.ring().sample(50_000, 0)
    eager = reference.keras_step(*reference.dense_models(), points, 256)
    function = tf.function(reference.keras_step(*reference.dense_models(), points, 256))
    loop = package_loop(dense_game(), mg.rules.simultaneous(*adam_pair()), mg.data.batches(points, 256))
    contenders = {"eager Keras": (eager, 1), "tf.function per step": (function, 1), "package": loop}
    speed = steps_per_second(contenders, seconds)
    return Report(speed, UNIT, [
        _per(speed, "package", "eager Keras", least=25),
        _per(speed, "package", "tf.function per step", least=1.2, aim=1.4),
    ])  # fmt: skip


def convolutional(seconds=1.0):
    """The 28x28 convolutional game, width 32, batch 64; and what its products alone would take as matrix products.

    A step goes forward through G once and through D twice (real and generated), and back, at twice the price where
    weights and inputs are asked for: twice through D for its own loss; through D's inputs, then G, for G's. In all
    3 times G and 7 times D. The share is an estimate: a convolution is no matrix product, and may be faster than one.
    """
    images = tf.random.stateless_uniform([2000, 28, 28, 1], [0, 0], -1, 1)
    eager = reference.keras_step(*reference.convolutional_models(), images, 64)
    rule, batches = mg.rules.simultaneous(*adam_pair()), mg.data.batches(images, 64)
    rows, inner, columns = PRODUCT
    left, right = (
        tf.random.stateless_normal([rows, inner], [0, 0]),
        tf.random.stateless_normal([inner, columns], [0, 1]),
    )
    contenders = {
        "eager Keras": (eager, 1),
        "package": package_loop(convolutional_game(), rule, batches, 10),
        "package, mixed_bfloat16": package_loop(convolutional_game("mixed_bfloat16"), rule, batches, 10),
        "matrix products for a step": (
            lambda: tf.matmul(left, right).numpy(),
            _share_of_a_step(rows * inner * columns),
        ),
    }
    speed = steps_per_second(contenders, seconds)
    flags = pathlib.Path("/proc/cpuinfo")
    amx = flags.exists() and "amx_bf16" in flags.read_text()
    return Report(speed, UNIT, [
        _per(speed, "package", "eager Keras", least=4, aim=5),
        _per(speed, "package, mixed_bfloat16", "package", least=1.3 if amx else None),
        _per(speed, "package", "matrix products for a step", aim=0.6),
    ])  # fmt: skip


def _share_of_a_step(multiplications):
    return multiplications / (64e6 * (3 * GEN_MILLIONS + 7 * DISC_MILLIONS))


def unrolling(seconds=1.0):
    """The 2-D game with K = 0, 1, 2, 5, 10 unrolled steps."""
    batches = mg.data.ring().batches(256)
    contenders = {"plain": package_loop(dense_game(), mg.rules.simultaneous(*adam_pair()), batches)}
    for k in (1, 2, 5, 10):
        contenders[f"K = {k}"] = package_loop(dense_game(), mg.rules.unrolled(*adam_pair(), num_unroll=k), batches, 20)
    speed = steps_per_second(contenders, seconds)
    return Report(speed, UNIT, [_per(speed, "plain", f"K = {k}", most=8.5 if k == 5 else None) for k in (1, 2, 5, 10)])


def meta_training(seconds=2.0):
    """Inner steps of the 16x16 game, width 24, batch 20: Reptile's, and the same steps as an ordinary run."""
    shape = (16, 16, 1)
    gen = mg.networks.dcgan_generator(32, shape, width=24, norm=mg.normalization.LayerNorm)
    game = mg.games.gan(gen, mg.networks.dcgan_discriminator(shape, width=24), penalty=mg.losses.r1(0.3))
    adam = mg.optimizers.adam(1e-3, beta1=0.0, beta2=0.9)
    rule, letters = mg.rules.alternating(adam, adam), mg.data.glyph_splits(16)["train"]
    learner = mg.meta.learned_initialization(game, rule)
    estimator = mg.meta.over_tasks(mg.meta.reptile(25), 4)
    process = learning(learner, letters.tasks(10), None, estimator, mg.optimizers.sgd(0.5))
    contenders = {
        "outside": package_loop(game, rule, letters.batches(20)),
        "inside meta-training": process_loop(process, learner.init(0), 1, steps_per_count=100),
    }
    speed = steps_per_second(contenders, seconds)
    return Report(speed, UNIT, [_per(speed, "inside meta-training", "outside", least=0.9)])
