"""What a Keras user tries first, and its siblings: one sentence each that says what was given and what to write."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import meta

ADAM = mg.optimizers.adam(1e-3)
GAME = mg.games.gan(mg.networks.mlp(2, (4,), 2), mg.networks.mlp(2, (4,), 1))
RULE, BATCHES = mg.rules.alternating(ADAM, ADAM), mg.data.ring().batches(8)
LEARNER = meta.learned_initialization(GAME, RULE)
TASKS = mg.data.mixture_tasks(shots=8, queries=8)
OUTER = meta.outer.energy_distance()
DIGITS = mg.data.digits("test").images
JUDGE = mg.metrics.classifier("digits")


def dense(*layers, inputs=2):
    return keras.Sequential([keras.Input((inputs,)), *layers])


def nets(**of):
    return {"gen": dense(keras.layers.Dense(2)), "disc": dense(keras.layers.Dense(1)), **of}


def train(**new):
    given = {"game": GAME, "rule": RULE, "batches": BATCHES, "num_steps": 2, "seed": 0, "progress": False} | new
    return mg.train(given.pop("game"), given.pop("rule"), given.pop("batches"), **given)


def learn(**new):
    given = {"learner": LEARNER, "tasks": TASKS.train, "estimator": meta.backprop(1), "outer": OUTER} | new
    options = {"num_steps": 1, "seed": 0, "progress": False, **given}
    return mg.meta_train(options.pop("learner"), options.pop("tasks"), **options)


REFUSED = {
    # the game
    "a loss by name": (lambda: mg.games.gan(**nets(), loss="hinge"), r"mg\.losses\.hinge\(\)"),
    "a penalty without weight": (lambda: mg.games.gan(**nets(), penalty=mg.losses.r1), r"mg\.losses\.r1\("),
    "a penalty by name": (lambda: mg.games.gan(**nets(), penalty="r1"), r"mg\.losses\.r1\("),
    "a sigmoid at the end": (
        lambda: mg.games.gan(**nets(disc=dense(keras.layers.Dense(1, "sigmoid")))), "logit.*|.*sigmoid"),
    "players exchanged": (lambda: mg.games.gan(nets()["disc"], nets()["gen"]), "generator|discriminator"),
    "a model that is not built": (
        lambda: mg.games.gan(**nets(gen=keras.Sequential([keras.layers.Dense(2)]))), "built|Input"),
    "no model": (lambda: mg.games.gan(**nets(gen=3)), "model"),
    "a constraint": (
        lambda: mg.networks.network(dense(keras.layers.Dense(1, kernel_constraint="non_neg"))), "constraint"),
    "a regularizer": (
        lambda: mg.networks.network(dense(keras.layers.Dense(1, kernel_regularizer="l2"))), "regularizer"),
    # the loop
    "an image set as batches": (lambda: train(batches=mg.data.digits("test")), r"write \.batches\(batch_size\)"),
    "an array as batches": (lambda: train(batches=np.zeros((9, 2))), r"mg\.data\.batches\(array, batch_size\)"),
    "a tf.data.Dataset": (lambda: train(batches=tf.data.Dataset.from_tensors([1.0])), "cannot be drawn from by a seed"),
    "a batch with labels": (lambda: train(batches=lambda seed: (tf.zeros([4, 2]), tf.zeros(4))), "condition"),
    "a batch of bytes": (lambda: train(batches=lambda seed: tf.zeros([4, 2], tf.uint8)), "uint8|floating"),
    "a batch of another shape": (lambda: train(batches=lambda seed: tf.zeros([4, 3])), "takes"),
    "a game as rule": (lambda: train(rule=GAME), "a rule second"),
    "a number as hook": (lambda: train(hooks=3), r"mg\.every"),
    "a hook of no steps": (lambda: mg.every(0, print), "every must be a whole number of at least 1"),
    "a hook without function": (lambda: mg.every(3, None), "measures by a function"),
    "resume without a folder": (lambda: train(resume=True), "name it as checkpoint"),
    "half a step": (lambda: train(num_steps=0.5), "num_steps must be a whole number"),
    # optimizers and rules
    "Keras' optimizer": (lambda: mg.rules.simultaneous(keras.optimizers.Adam(), ADAM), r"mg\.optimizers\.adam\(lr\)"),
    "a rate": (lambda: mg.rules.alternating(1e-3, 1e-3), r"mg\.optimizers\.sgd\(0\.001\)"),
    "one optimizer for both, a rate": (lambda: mg.rules.jointly(0.1), r"mg\.optimizers\.sgd\(0\.1\)"),
    "a rate below 0": (lambda: mg.optimizers.adam(-1.0), "learning rate must be a finite number of at least 0"),
    "a rate that is a word": (lambda: mg.optimizers.sgd("fast"), "learning rate must be a finite number"),
    "NaN as weight": (lambda: mg.losses.r1(float("nan")), "must be a finite number of at least 0, not nan"),
    "a decay above 1": (lambda: mg.rules.averaged(RULE, decay=1.5), "decay must be a finite number"),
    # meta-training
    "a rule as learner": (lambda: learn(learner=RULE), "a technique of mg.meta is expected"),
    "a number as estimator": (lambda: learn(estimator=5), r"mg\.meta\.backprop\(5\)"),
    "a family as tasks": (lambda: learn(tasks=TASKS), r"write \.train, \.validation or \.test"),
    "no outer loss": (lambda: learn(outer=None), "needs an outer loss"),
    "a task that is an array": (lambda: meta.adapt(LEARNER, LEARNER.init(0), DIGITS, seed=0), "a task is mg.data.Task"),
    "falling numbers of steps": (
        lambda: meta.adapt(LEARNER, LEARNER.init(0), TASKS.test(mg.seeds.make(0)), num_steps=(5, 2), seed=0), "rising"),
    # data and metrics
    "images in [0, 1]": (lambda: mg.data.batches(DIGITS / 2 + 0.5, 4), r"images \* 2\.0 - 1"),
    "images to 255": (lambda: mg.data.batches((DIGITS + 1) * 127.5, 4), r"127\.5 - 1"),
    "an empty array": (lambda: mg.data.batches(np.zeros((0, 2)), 4), "at least one example"),
    "a batch of none": (lambda: mg.data.ring().batches(0), "whole number of at least 1"),
    "a size of 7": (lambda: mg.data.digits("test", size=7), "8 to 64 pixels"),
    "metrics of images to 255": (lambda: mg.metrics.classifier_score((DIGITS + 1) * 127.5, JUDGE), r"127\.5"),
    "fid of images alone": (lambda: mg.metrics.fid(DIGITS, DIGITS), "classifier"),
    "a record of that name": (lambda: mg.studies.load("nonsense"), "there is no record 'nonsense'; there are"),
    "several truths in a claim": (lambda: mg.claim("x", np.array([True, False])), r"write \.all\(\) or \.any\(\)"),
    "a number as a claim's verdict": (lambda: mg.claim("x", float("nan")), "one truth value, not nan"),
    "a text as a claim's verdict": (lambda: mg.claim("x", "no"), "one truth value, not 'no'"),
    "a list as a claim's verdict": (lambda: mg.claim("x", [0.0, 1.0]), "verdict of a claim is one truth value"),
    "nothing expected of a claim": (lambda: mg.claim("x", True, None), "expected of a claim is one truth value"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_in_one_sentence(what):
    attempt, sentence = REFUSED[what]
    with pytest.raises(ValueError, match=sentence) as caught:
        attempt()
    assert len(str(caught.value)) < 600 and "Traceback" not in str(caught.value)


def threshold(norm):
    return mg.rules.controllers.balance(clip=mg.games.Players(norm, norm)).init(GAME, GAME.init(0))[1].clip.gen


WORKS = {
    "Keras models in gan": lambda: train(game=mg.games.gan(**nets())),
    "a loss by its function": lambda: train(game=mg.games.gan(**nets(), loss=mg.losses.hinge)),
    "a sampler that returns constants": lambda: train(batches=lambda seed: tf.ones([4, 2])),
    "one hook": lambda: train(hooks=mg.every(1, lambda step, players: {"x": step})),
    "a function as hook": lambda: train(hooks=lambda step, players: None),
    "one number of steps": lambda: meta.adapt(
        LEARNER, LEARNER.init(0), TASKS.test(mg.seeds.make(0)), num_steps=1, seed=0
    ),
    "a task as a plain tuple": lambda: meta.adapt(
        LEARNER, LEARNER.init(0), tuple(TASKS.test(mg.seeds.make(0))), num_steps=1, seed=0
    ),
    "a claim by TensorFlow": lambda: mg.claim("one is less than two", tf.constant(1) < tf.constant(2)),
    "a claim by NumPy": lambda: mg.claim("nothing is larger than itself", np.True_, expected=np.True_),
    "a claim that does not hold": lambda: mg.claim("one is two", np.False_, expected=np.False_),
    "a symbolic threshold": lambda: tf.function(threshold, autograph=False)(tf.constant(2.0)),
}  # fmt: skip


@pytest.mark.parametrize("what", WORKS)
def test_it_works(what):
    WORKS[what]()
