"""Spectral normalization: the largest singular value, and its derivatives of first and second order."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from oracles import difference, gradient_error, random_like, relative_error

import metagan_edu as mg
from metagan_edu import autodiff, trees

X = tf.constant(np.random.default_rng(1).normal(size=(6, 3)))


def matrix_of(kernel):
    return tf.reshape(kernel, [-1, kernel.shape[-1]])


def exactly(plain, x, params, state=()):
    """The sum of squares of the outputs, each kernel divided by its largest singular value as TensorFlow finds it."""
    divided = [p / tf.linalg.svd(matrix_of(p), compute_uv=False)[0] if len(p.shape) > 1 else p for p in params]
    return tf.reduce_sum(plain.apply(tuple(divided), state, x)[0] ** 2)


def convolutions():
    conv = {"padding": "same", "activation": "tanh", "dtype": "float64"}
    layers = [keras.Input((5, 5, 2), dtype="float64"), keras.layers.Conv2D(3, 3, **conv),
              keras.layers.Conv2D(40, 2, **conv), keras.layers.Flatten(dtype="float64"),
              keras.layers.Dense(1, dtype="float64")]  # fmt: skip
    return mg.networks.network(keras.Sequential(layers))


CASES = {
    "mlp": (mg.networks.mlp(3, (5, 7), 1, activation="tanh", dtype="float64", initializer="glorot_uniform"), X),
    "convolutions": (convolutions(), random_like(tf.zeros([3, 5, 5, 2]), 0)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("training", [True, False])
def test_value_gradient_and_hessian_are_those_of_the_exact_form(name, training):
    plain, x = CASES[name]
    network = mg.networks.spectral(plain)
    params, state = network.init(0)
    value = tf.function(lambda p: tf.reduce_sum(network.apply(p, state, x, training)[0] ** 2))
    np.testing.assert_allclose(value(params), exactly(plain, x, params), rtol=1e-12)
    of_exact = tf.function(autodiff.grad(lambda p: exactly(plain, x, p)))
    assert relative_error(autodiff.grad(value)(params), of_exact(params)) < 1e-9
    assert gradient_error(value, params, directions=1) < 1e-7
    v = random_like(params, 5)
    assert relative_error(autodiff.hvp(value, params, v), difference(of_exact, params, v, 1e-5)) < 1e-6


def test_the_third_derivative_is_right_too():
    plain, _ = CASES["mlp"]
    network = mg.networks.spectral(plain)
    params, state = network.init(0)
    v = random_like(params, 1)
    v = trees.scale(1 / trees.norm(v), v)

    def along(t):
        return tf.reduce_sum(network.apply(trees.add(params, trees.scale(t, v)), state, X)[0] ** 2)

    third = tf.function(autodiff.grad(autodiff.grad(autodiff.grad(along))))(tf.constant(0.0, tf.float64))
    slope = tf.function(lambda t: trees.dot(v, autodiff.grad(lambda p: exactly(plain, X, p))(
        trees.add(params, trees.scale(t, v)))))  # fmt: skip
    ahead, here, behind = (float(slope(tf.constant(t, tf.float64))) for t in (1e-3, 0.0, -1e-3))
    np.testing.assert_allclose(third, (ahead - 2 * here + behind) / 1e-6, rtol=1e-3)


def test_a_meta_gradient_through_one_step_is_that_of_the_exact_form():
    """The loss after one gradient step of D, as a function of where D started."""
    plain, _ = CASES["mlp"]
    network = mg.networks.spectral(plain)
    params, state = network.init(0)

    def after(loss):
        return tf.function(lambda p: loss(trees.sub(p, trees.scale(0.1, autodiff.grad(loss)(p)))))

    def settled(p):
        """As a run has it: before each call the state has converged to the kernels, seen as constants."""
        start = trees.leaves(state)
        step = lambda *s: trees.leaves(network.apply(p, trees.like(state, s), X[:1])[1])  # noqa: E731
        vectors = trees.like(state, tf.while_loop(lambda *_: True, step, start, maximum_iterations=500))
        return tf.reduce_sum(network.apply(p, vectors, X)[0] ** 2)

    of_exact = after(lambda p: exactly(plain, X, p))
    assert gradient_error(after(settled), params, directions=1) < 1e-6
    assert relative_error(autodiff.grad(after(settled))(params), autodiff.grad(of_exact)(params)) < 1e-7


def test_the_start_is_settled_and_training_follows_the_kernels():
    network = mg.networks.spectral(mg.networks.mlp(30, (40,), 20, activation="linear", initializer="glorot_uniform"))
    params, state = network.init(0)
    x = tf.eye(30)

    def norms(params, state):
        return [
            float(tf.linalg.svd(matrix_of(p), compute_uv=False)[0])
            for p in network.weights(params, state)[0]
            if len(p.shape) == 2
        ]

    np.testing.assert_allclose(norms(params, state), 1, rtol=1e-4)
    moved = trees.add(params, trees.map(lambda p: 0.1 * tf.sin(1e3 * p), params))
    for _ in range(100):
        _, state = network.apply(moved, state, x)
    np.testing.assert_allclose(norms(moved, state), 1, rtol=1e-3)


@pytest.mark.parametrize("kind", [keras.layers.Conv2DTranspose, keras.layers.Conv2D])
def test_the_matrix_of_a_kernel_has_one_column_for_each_output(kind):
    model = keras.Sequential([keras.Input((4, 4, 6)), kind(5, 3, use_bias=False, kernel_initializer="he_normal")])
    network = mg.networks.spectral(mg.networks.network(model))
    (kernel,), state = network.init(0)
    outputs_last = tf.transpose(kernel, [0, 1, 3, 2]) if kind is keras.layers.Conv2DTranspose else kernel
    assert outputs_last.shape == (3, 3, 6, 5)
    sigma = np.linalg.svd(matrix_of(outputs_last), compute_uv=False)[0]
    np.testing.assert_allclose(network.weights((kernel,), state)[0][0], kernel / sigma, rtol=1e-5, atol=1e-7)


def test_attention_is_divided_as_the_linear_map_that_it_is():
    inputs = keras.Input((4, 6))
    model = keras.Model(inputs, keras.layers.MultiHeadAttention(2, 3)(inputs, inputs))
    network = mg.networks.spectral(mg.networks.network(model))
    params, state = network.init(0)
    for name, before, after in zip(
        [v.path for v in model.trainable_variables], params, network.weights(params, state)[0], strict=True
    ):
        if name.endswith("bias"):
            np.testing.assert_array_equal(before, after)
        else:
            matrix = tf.reshape(after, [-1, 6] if "output" in name else [6, -1])
            np.testing.assert_allclose(np.linalg.svd(matrix, compute_uv=False)[0], 1, rtol=1e-5)


@pytest.mark.parametrize("initializer", ["orthogonal", "zeros"])
def test_equal_singular_values_and_zero_kernels_give_finite_derivatives(initializer):
    network = mg.networks.spectral(mg.networks.mlp(4, (4,), 1, activation="tanh", initializer=initializer))
    params, state = network.init(0)
    x = tf.random.stateless_normal([6, 4], [0, 0])
    value = lambda p: tf.reduce_sum(network.apply(p, state, x)[0] ** 2)  # noqa: E731
    v = trees.map(tf.ones_like, params)
    assert trees.all_finite((value(params), autodiff.grad(value)(params), autodiff.hvp(value, params, v)))


def test_a_network_without_kernels_is_refused():
    flat = mg.networks.network(keras.Sequential([keras.Input((2, 2)), keras.layers.Flatten()]))
    with pytest.raises(ValueError, match="no kernels, so there is nothing to divide"):
        mg.networks.spectral(flat)


def test_a_spectral_discriminator_plays_every_game():
    images = tf.random.stateless_uniform([16, 8, 8, 1], [0, 0], -1, 1)
    disc = mg.networks.spectral(mg.networks.dcgan_discriminator((8, 8, 1), width=4))
    game = mg.games.gan(mg.networks.dcgan_generator(4, (8, 8, 1), width=4), disc, loss=mg.losses.hinge())
    adam = mg.optimizers.adam(1e-3)
    result = mg.train(game, mg.rules.alternating(adam, adam), lambda seed: images, num_steps=2, seed=0, progress=False)
    assert trees.all_finite(result.state)
    moved = trees.sub(result.players.disc.state[1], game.init(mg.seeds.fold_in(0, "init")).disc.state[1])
    assert float(trees.norm(moved)) > 0
