"""Optimizers against Keras', closed forms, and central differences through several steps."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from oracles import gradient_error, random_like

import metagan_edu as mg
from metagan_edu import autodiff, trees

OPTIMIZERS = {
    "sgd": lambda lr=0.1: mg.optimizers.sgd(lr),
    "momentum": lambda lr=0.1: mg.optimizers.momentum(lr, 0.8),
    "negative momentum": lambda lr=0.1: mg.optimizers.momentum(lr, -0.5),
    "rmsprop": lambda lr=0.1: mg.optimizers.rmsprop(lr),
    "adam": lambda lr=0.1: mg.optimizers.adam(lr, 0.5),
    "clipped adam": lambda lr=0.1: mg.optimizers.chain(mg.optimizers.clip_by_global_norm(0.3), mg.optimizers.adam(lr)),
}
KERAS = {
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.8),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.1),
    "adam": lambda: keras.optimizers.Adam(0.1, beta_1=0.5, epsilon=1e-8),
}
START = {"a": tf.constant([1.0, -2.0]), "b": tf.constant(0.5)}


def quadratic(x):
    return tf.reduce_sum((x["a"] - 0.3) ** 2 * [1.0, 5.0]) + (x["b"] + tf.reduce_sum(x["a"])) ** 2


def descend(optimizer, x, num_steps, loss=quadratic):
    def step(state):
        updates, slots = optimizer.update(autodiff.grad(loss)(state[0]), state[1])
        return trees.add(state[0], updates), slots

    return autodiff.unroll(step, (x, optimizer.init(x)), num_steps)[0]


@pytest.mark.parametrize("name", KERAS)
def test_the_steps_are_those_of_keras(name):
    ours = descend(OPTIMIZERS[name](), START, 5)
    variables = {k: tf.Variable(v) for k, v in START.items()}
    theirs = KERAS[name]()
    for _ in range(5):
        grads = autodiff.grad(quadratic)({k: tf.convert_to_tensor(v) for k, v in variables.items()})
        theirs.apply_gradients([(grads[k], variables[k]) for k in START])
    for k, v in variables.items():
        np.testing.assert_allclose(ours[k], v, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_finds_the_minimum_of_a_quadratic(name):
    run = tf.function(lambda: quadratic(descend(OPTIMIZERS[name](0.02), START, 400)))
    assert float(run()) < 1e-2


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_derivative_through_several_steps(name):
    """The derivative of the loss after four steps in the starting point and in a factor on the update."""
    start = random_like(START, 0)

    def after(x):
        point, factor = x
        slots = (optimizer := OPTIMIZERS[name]()).init(point)
        for _ in range(4):
            updates, slots = optimizer.update(autodiff.grad(smooth)(point), slots)
            point = trees.add(point, trees.scale(factor, updates))
        return smooth(point)

    def smooth(x):
        return tf.reduce_sum(tf.sin(x["a"])) + (x["b"] + tf.reduce_sum(x["a"])) ** 2

    assert gradient_error(tf.function(after), (start, tf.constant(0.7, tf.float64))) < 1e-6


def test_derivative_through_adam_is_finite_where_a_gradient_is_exactly_zero():
    def after(x):
        return tf.reduce_sum(descend(mg.optimizers.adam(0.1), x, 2, lambda x: tf.reduce_sum(tf.nn.relu(x))))

    assert np.isfinite(autodiff.grad(after)(tf.constant([-1.0, 1.0]))).all()


@pytest.mark.parametrize(("scale", "factor"), [(0.1, 1.0), (10.0, 1 / 50)])
def test_clipping_is_by_the_norm_over_all_parameters(scale, factor):
    grads = {"a": tf.constant([3.0, 0.0]) * scale, "b": tf.constant(4.0) * scale}
    clipped, _ = mg.optimizers.clip_by_global_norm(1.0).update(grads, ())
    np.testing.assert_allclose(clipped["a"], grads["a"] * factor, rtol=1e-6)
    np.testing.assert_allclose(clipped["b"], grads["b"] * factor, rtol=1e-6)


def test_chain_is_composition():
    grads = {"a": tf.constant([3.0, 4.0])}
    parts = mg.optimizers.clip_by_global_norm(1.0), mg.optimizers.sgd(0.5)
    chained = mg.optimizers.chain(*parts)
    updates, _ = chained.update(grads, chained.init(grads))
    np.testing.assert_allclose(updates["a"], [-0.3, -0.4], rtol=1e-6)


SCHEDULES = {
    "constant": (mg.optimizers.constant(0.4), {0: 0.4, 77: 0.4}),
    "linear": (mg.optimizers.linear_decay(0.4, 10, 0.5), {0: 0.4, 5: 0.3, 10: 0.2, 99: 0.2}),
    "cosine": (mg.optimizers.cosine_decay(0.4, 10), {0: 0.4, 5: 0.2, 10: 0.0, 99: 0.0}),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    schedule, values = SCHEDULES[name]
    for t, expected in values.items():
        np.testing.assert_allclose(schedule(tf.constant(t)), expected, atol=1e-7)
    point = descend(mg.optimizers.sgd(schedule), {"x": tf.constant(0.0)}, 3, lambda x: x["x"])
    np.testing.assert_allclose(point["x"], -sum(float(schedule(tf.constant(t))) for t in range(3)), rtol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: mg.optimizers.sgd(-0.1), lambda: mg.optimizers.adam(float("nan")), lambda: mg.optimizers.adam(0.1, 1.0),
        lambda: mg.optimizers.rmsprop(0.1, decay=-0.1), lambda: mg.optimizers.momentum(0.1, 1.5),
        lambda: mg.optimizers.clip_by_global_norm(0.0),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="must be"):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda o: o.constant(-1e-3),
        lambda o: o.constant(float("nan")),
        lambda o: o.linear_decay(-1.0, 10),
        lambda o: o.linear_decay(1.0, 0),
        lambda o: o.linear_decay(1.0, 10, final=-0.1),
        lambda o: o.cosine_decay(float("inf"), 10),
        lambda o: o.cosine_decay(1.0, -5),
    ],
)
def test_schedules_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match=r"not -?[\d.naif]+\."):
        make(mg.optimizers)
