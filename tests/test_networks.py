"""Keras models as pure functions, and normalization layers that are right to second order."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from oracles import difference, gradient_error, hessian_error, random_like, relative_error

import metagan_edu as mg
from metagan_edu import autodiff, trees
from metagan_edu.normalization import BatchNorm, GroupNorm, LayerNorm


def test_init_is_a_function_of_its_seed():
    net = mg.networks.mlp(3, (4, 5), 2)
    first, again, other = (trees.flatten(net.init(seed)[0])[0].numpy() for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_init_can_be_traced_with_a_seed_as_argument():
    net = mg.networks.mlp(3, (4,), 2, initializer="orthogonal")
    traced = tf.function(net.init)(mg.seeds.make(5))
    np.testing.assert_allclose(trees.flatten(traced)[0], trees.flatten(net.init(5))[0], atol=1e-6)


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [("glorot_uniform", 2 / (400 + 300)), ("he_normal", 2 / 400), ("glorot_normal", 2 / (400 + 300))],
)
def test_initial_variance_is_the_one_of_its_formula(initializer, variance):
    kernel = mg.networks.mlp(400, (), 300, initializer=initializer).init(0)[0][0]
    assert abs(np.var(kernel) / variance - 1) < 5 * np.sqrt(2 / kernel.shape.num_elements())


def test_apply_is_the_keras_model():
    net = mg.networks.mlp(3, (4, 5), 2)
    params, state = net.init(3)
    for variable, value in zip(net.model.trainable_variables, params, strict=True):
        variable.assign(value)
    x = random_like(tf.zeros([6, 3]), 0)
    np.testing.assert_allclose(net.apply(params, state, x)[0], net.model(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [8, 16, 28])
@pytest.mark.parametrize("norm", [None, BatchNorm, LayerNorm, GroupNorm])
def test_dcgan_shapes_and_range(size, norm):
    gen = mg.networks.dcgan_generator(5, (size, size, 1), width=8, norm=norm)
    disc = mg.networks.dcgan_discriminator((size, size, 1), width=8, norm=norm)
    images, _ = gen.apply(*gen.init(0), tf.random.stateless_normal([2, 5], [0, 0]))
    logits, _ = disc.apply(*disc.init(1), images)
    assert images.shape == (2, size, size, 1) and logits.shape == (2, 1)
    assert float(tf.reduce_max(tf.abs(images))) <= 1


def test_any_keras_model_can_be_a_network_with_its_state():
    inputs = keras.Input((4,))
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(3)(inputs))
    net = mg.networks.network(keras.Model(inputs, keras.layers.Dropout(0.5)(hidden)))
    params, state = net.init(0)
    assert len(params) == 4 and len(state) == 3
    y, after = net.apply(params, state, tf.ones([8, 4]) * tf.range(8.0)[:, None])
    assert (after[0].numpy() != state[0].numpy()).any()
    again, _ = net.apply(params, state, tf.ones([8, 4]) * tf.range(8.0)[:, None])
    np.testing.assert_array_equal(y, again)


def test_mixed_precision_computes_in_bfloat16_and_keeps_float32_parameters():
    net = mg.networks.mlp(3, (4,), 2, dtype="mixed_bfloat16")
    params, state = net.init(0)
    assert {p.dtype for p in params} == {tf.float32}
    assert net.apply(params, state, tf.ones([2, 3]))[0].dtype == tf.bfloat16


@pytest.mark.parametrize("sizes", [(0, (4,), 1), (3, (4, -1), 1), (3, (4,), 1.5)])
def test_sizes_that_are_none_are_refused(sizes):
    with pytest.raises(ValueError, match="whole numbers of at least 1"):
        mg.networks.mlp(*sizes)


def test_unfit_models_are_refused():
    with pytest.raises(ValueError, match="must be built"):
        mg.networks.network(keras.Sequential([keras.layers.Dense(2)]))
    with pytest.raises(ValueError, match="divisible by 4"):
        mg.networks.dcgan_generator(5, (30, 30, 1))
    with pytest.raises(ValueError, match="cannot be divided"):
        mg.networks.dcgan_generator(5, (8, 8, 1), width=5, norm=GroupNorm)


def normalized_loss(layer):
    """A smooth scalar function of the input of a float64 layer, through its training mode."""
    layer.build((None, 3, 3, 4))
    values = [tf.constant(v.numpy()) for v in layer.trainable_variables]
    state = [tf.constant(v.numpy()) for v in layer.non_trainable_variables]
    weights = random_like(tf.zeros([5, 3, 3, 4]), 9)

    def loss(x):
        y = layer.stateless_call(values, state, x, **({"training": True} if state else {}))[0]
        return tf.reduce_sum(weights * tf.tanh(y + 0.3 * y**2))

    return loss


INPUT = random_like(tf.zeros([5, 3, 3, 4]), 1)


@pytest.mark.parametrize(
    "layer",
    [lambda: BatchNorm(dtype="float64"), lambda: LayerNorm(dtype="float64"), lambda: GroupNorm(2, dtype="float64")],
    ids=["BatchNorm", "LayerNorm", "GroupNorm"],
)
def test_our_normalization_is_right_to_second_order(layer):
    loss = normalized_loss(layer())
    assert gradient_error(loss, INPUT) < 1e-7
    assert hessian_error(loss, INPUT) < 1e-7


@pytest.mark.parametrize(
    "layer",
    [
        lambda: keras.layers.BatchNormalization(dtype="float64"),
        lambda: keras.layers.LayerNormalization(axis=(1, 2, 3), dtype="float64"),
        lambda: keras.layers.GroupNormalization(2, dtype="float64"),
    ],
    ids=["BatchNormalization", "LayerNormalization", "GroupNormalization"],
)
def test_the_normalization_of_keras_is_right_to_first_order_only(layer):
    """Why the package has its own layers. Where this begins to fail, Keras has been mended and ours can go."""
    loss = normalized_loss(layer())
    assert gradient_error(loss, INPUT) < 1e-6
    v = random_like(INPUT, 0)
    error = relative_error(autodiff.hvp(loss, INPUT, v), difference(autodiff.grad(loss), INPUT, v))
    assert error > 1e-3


def test_values_are_those_of_keras():
    x = tf.cast(INPUT, tf.float32)
    ours, theirs = GroupNorm(2), keras.layers.GroupNormalization(2)
    np.testing.assert_allclose(ours(x), theirs(x), atol=1e-5)
    ours, theirs = BatchNorm(momentum=0.9), keras.layers.BatchNormalization(momentum=0.9)
    for training in (True, True, False):
        np.testing.assert_allclose(ours(x, training=training), theirs(x, training=training), atol=1e-5)


@pytest.mark.parametrize("norm", [BatchNorm, lambda **kw: GroupNorm(2, **kw), LayerNorm])
def test_mixed_precision_normalizes_in_float32(norm):
    """Moving averages in bfloat16 stay far from the statistics: a hundredth of a step is lost in rounding."""
    x = tf.cast(tf.random.stateless_normal([64, 4, 4, 4], [0, 1]) * 0.5 + 2, tf.bfloat16)
    plain, mixed = (mg.networks.network(keras.Sequential([keras.Input((4, 4, 4)), norm(dtype=dtype)]))
                    for dtype in (None, "mixed_bfloat16"))  # fmt: skip
    (params, plain_state), (_, state) = plain.init(0), mixed.init(0)

    @tf.function
    def averages(network, state):
        return tf.while_loop(lambda *_: True, lambda *s: network.apply(params, s, x)[1], state, maximum_iterations=500)

    if state:
        plain_state, state = averages(plain, plain_state), averages(mixed, state)
        for ours, expected, truth in zip(
            state, plain_state, tf.nn.moments(tf.cast(x, tf.float32), [0, 1, 2]), strict=True
        ):
            np.testing.assert_allclose(ours, expected, rtol=1e-5)
            np.testing.assert_allclose(ours, truth, atol=0.02)  # 0.99 ** 500 of the way from 0 or 1 is left
    for training in (True, False):
        y = mixed.apply(params, state, x, training)[0]
        assert y.dtype == tf.bfloat16
        expected = plain.apply(params, plain_state, tf.cast(x, tf.float32), training)[0]
        np.testing.assert_allclose(tf.cast(y, tf.float32), expected, rtol=2**-8, atol=1e-4)


def test_layers_survive_serialization():
    model = mg.networks.dcgan_generator(5, (8, 8, 1), width=8, norm=GroupNorm).model
    copy = keras.Sequential.from_config(model.get_config())
    assert [type(layer) for layer in copy.layers] == [type(layer) for layer in model.layers]


# -- spectral normalization


def settled(network, num_calls=300):
    """Parameters, and the state after the power iteration has converged."""
    params, state = network.init(mg.seeds.make(0))
    x = tf.zeros([1, *network.input_shape], params[0].dtype)
    for _ in range(num_calls):
        _, state = network.apply(params, state, x)
    return params, state


def test_spectral_divides_each_kernel_by_its_largest_singular_value():
    plain = mg.networks.mlp(4, (6,), 1, activation="linear", dtype="float64")
    network = mg.networks.spectral(plain)
    params, state = settled(network)
    divided = [p / np.linalg.svd(p, compute_uv=False)[0] if len(p.shape) > 1 else p for p in params]
    x = tf.constant(np.random.default_rng(0).normal(size=(5, 4)))
    np.testing.assert_allclose(network.apply(params, state, x)[0], plain.apply(divided, (), x)[0], rtol=1e-9)
    assert network.apply(params, state, x, training=False)[1][1] is not None


def test_gradient_through_spectral_is_exact_once_the_power_iteration_has_converged():
    network = mg.networks.spectral(mg.networks.mlp(3, (5,), 1, activation="tanh", dtype="float64"))
    params, state = settled(network)
    x = tf.constant(np.random.default_rng(1).normal(size=(6, 3)))
    value = tf.function(lambda params: tf.reduce_sum(network.apply(params, state, x, training=False)[0] ** 2))
    assert gradient_error(value, params) < 1e-6


def test_a_spectral_discriminator_plays_every_game():
    images = tf.random.stateless_uniform([16, 8, 8, 1], [0, 0], -1, 1)
    disc = mg.networks.spectral(mg.networks.dcgan_discriminator((8, 8, 1), width=4))
    game = mg.games.gan(mg.networks.dcgan_generator(4, (8, 8, 1), width=4), disc, loss=mg.losses.hinge())
    adam = mg.optimizers.adam(1e-3)
    result = mg.train(game, mg.rules.alternating(adam, adam), lambda seed: images, num_steps=2, seed=0, progress=False)
    assert mg.trees.all_finite(result.state)
    moved = mg.trees.sub(result.players.disc.state[1], game.init(mg.seeds.fold_in(0, "init")).disc.state[1])
    assert float(mg.trees.norm(moved)) > 0
