"""Keras models as pure functions, and normalization layers that are right to second order."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from oracles import difference, gradient_error, hessian_error, random_like, relative_error

import metagan_edu as mg
from metagan_edu import autodiff, trees
from metagan_edu.normalization import BatchNorm, GroupNorm, LayerNorm, MinibatchStd


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


@pytest.mark.parametrize(
    ("size", "norm", "start"),
    [*((size, norm, size // 4) for size in (8, 16, 28) for norm in (None, BatchNorm, LayerNorm, GroupNorm)),
     (20, None, 5), (32, BatchNorm, 4), (36, None, 9), (48, None, 6), (64, GroupNorm, 4)],
)  # fmt: skip
def test_dcgan_shapes_and_range(size, norm, start):
    gen = mg.networks.dcgan_generator(5, (size, size, 1), width=8, norm=norm)
    disc = mg.networks.dcgan_discriminator((size, size, 1), width=8, norm=norm)
    images, _ = gen.apply(*gen.init(0), tf.random.stateless_normal([2, 5], [0, 0]))
    logits, _ = disc.apply(*disc.init(1), images)
    assert images.shape == (2, size, size, 1) and logits.shape == (2, 1)
    assert float(tf.reduce_max(tf.abs(images))) <= 1
    maps = [layer.output.shape[1] for layer in gen.model.layers if len(layer.output.shape) == 4]
    assert maps[0] == start and maps[-1] == size
    assert [layer.output.shape[1] for layer in disc.model.layers if len(layer.output.shape) == 4][-1] == start


def test_dcgan_draws_every_kernel_by_the_initializer():
    start = keras.initializers.RandomNormal(0.0, 0.02, seed=0)
    nets = (
        mg.networks.dcgan_generator(50, (16, 16, 1), norm=mg.normalization.BatchNorm, initializer=start),
        mg.networks.dcgan_discriminator((16, 16, 1), hidden=(64,), initializer=start),
    )
    for net in nets:
        kernels, again, other = ([p for p in net.init(seed)[0] if p.shape.rank > 1] for seed in (0, 0, 1))
        assert len(kernels) >= 3
        for kernel, same, another in zip(kernels, again, other, strict=True):
            assert abs(float(tf.math.reduce_std(kernel)) / 0.02 - 1) < 5 / np.sqrt(tf.size(kernel))
            assert np.array_equal(kernel, same) and not np.array_equal(kernel, another)


@pytest.mark.parametrize("size", [32, 64])
def test_gradients_through_larger_dcgans(size):
    gen = mg.networks.dcgan_generator(3, (size, size, 1), width=1, dtype="float64")
    disc = mg.networks.dcgan_discriminator((size, size, 1), width=1, dtype="float64")
    game = mg.games.gan(gen, disc)  # no penalty: its value jumps where a ReLU has its kink
    players, batch = game.init(0), random_like(tf.zeros([2, size, size, 1]), 0)
    value = tf.function(
        lambda params: game.disc_loss(
            players._replace(disc=players.disc._replace(params=params)), batch, mg.seeds.make(0), mg.games.Hyper()
        )[0]
    )
    # Away from the start, where biases of 0 on dark parts of an image put units exactly at their kinks.
    params = trees.add(players.disc.params, trees.scale(0.1, random_like(players.disc.params, 1)))
    gradient, direction = autodiff.grad(value)(params), random_like(params, 0)
    expected = difference(value, params, direction, 1e-8)
    assert abs(trees.dot(gradient, direction) - expected) / trees.norm(gradient) < 1e-6


@pytest.mark.parametrize("sizes", [(0, (4,), 1), (3, (4, -1), 1), (3, (4,), 1.5)])
def test_sizes_that_are_none_are_refused(sizes):
    with pytest.raises(ValueError, match="must be a whole number of at least 1"):
        mg.networks.mlp(*sizes)


def test_unfit_models_are_refused():
    with pytest.raises(ValueError, match="must be built"):
        mg.networks.network(keras.Sequential([keras.layers.Dense(2)]))
    with pytest.raises(ValueError, match="takes a Keras model"):
        mg.networks.network(keras.layers.Dense(2))
    inputs = keras.Input((3,))
    with pytest.raises(ValueError, match="must have one output, not 2"):
        mg.networks.network(keras.Model(inputs, [keras.layers.Dense(2)(inputs), keras.layers.Dense(1)(inputs)]))
    named = {name: keras.Input((3,), name=name) for name in "ab"}
    named = keras.Model(named, keras.layers.Add()(list(named.values())))
    with pytest.raises(ValueError, match="one list of them, not several arguments or names"):
        mg.networks.network(named)
    old = type("Sequential", (), {"__module__": "tf_keras.src.engine"})
    with pytest.raises(ValueError, match="a model of tf_keras"):
        mg.networks.network(old())
    with pytest.raises(ValueError, match="divisible by 4"):
        mg.networks.dcgan_generator(5, (30, 30, 1))
    with pytest.raises(ValueError, match="cannot be divided"):
        mg.networks.dcgan_generator(5, (8, 8, 1), width=5, norm=GroupNorm)


class Clip(keras.constraints.Constraint):
    def __call__(self, w):
        return keras.ops.clip(w, -0.01, 0.01)


class Assigns(keras.layers.Layer):
    """Assigns its own trainable weight in a call."""

    def build(self, shape):
        self.w = self.add_weight(shape=(), initializer="ones")

    def call(self, x):
        self.w.assign(self.w * 0.5)
        return x * self.w


class Adds(keras.layers.Layer):
    def call(self, x, training=False):
        if training:
            self.add_loss(keras.ops.sum(x))
        return x


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: keras.layers.Dense(2, kernel_constraint=Clip()), "kernel' has a constraint.*mg.networks.spectral"),
        (lambda: keras.layers.Dense(2, kernel_regularizer="l2"), r"kernel' has a regularizer.*a penalty of gan\("),
        (lambda: keras.layers.Dense(2, activity_regularizer="l2"), "'dense.*' has an activity regularizer"),
        (lambda: keras.layers.ActivityRegularization(0.1), "has an activity regularizer"),
        (lambda: keras.layers.SpectralNormalization(keras.layers.Dense(2)), "take it away .*mg.networks.spectral"),
        (lambda: Assigns(), "is assigned by its own layer in a call"),
        (lambda: Adds(), "calls add_loss"),
    ],
)
def test_what_training_would_drop_is_refused_with_the_remedy(layer, message):
    with pytest.raises(ValueError, match=message):
        mg.networks.network(keras.Sequential([keras.Input((3,)), layer(), keras.layers.Dense(1)]))


def test_what_training_would_drop_is_refused_in_a_model_that_does_not_take_training():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.adds, self.out = Adds(), keras.layers.Dense(3)

        def call(self, x):
            return self.out(self.adds(x))

    model = Own()
    model(tf.ones([1, 4]))
    with pytest.raises(ValueError, match="calls add_loss"):
        mg.networks.network(model)


def test_a_subclassed_model_knows_of_training_and_is_drawn_from_the_seed():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.drop, self.out = keras.layers.Dropout(0.5), keras.layers.Dense(3)

        def call(self, x):
            return self.out(self.drop(x))

    model = Own()
    model(tf.ones([1, 4]))
    net = mg.networks.network(model)
    assert (net.input_shape, net.output_shape) == ((4,), (3,))
    params, state = net.init(0)
    np.testing.assert_array_equal(params[0], net.init(0)[0][0])
    still, after = net.apply(params, state, tf.ones([5, 4]), training=False)
    dropped, moved = net.apply(params, state, tf.ones([5, 4]))
    assert (still.numpy() != dropped.numpy()).any()
    np.testing.assert_array_equal(after[0], state[0])
    assert (moved[0].numpy() != state[0].numpy()).any()


def test_another_backend_of_keras_is_refused_in_one_sentence():
    with pytest.raises(ImportError, match="computes with TensorFlow, but Keras' backend is 'jax'; unset KERAS_BACKEND"):
        mg.networks.backend.require("jax")
    done = subprocess.run(
        [sys.executable, "-c", "import metagan_edu"], env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True,
        text=True,
    )  # fmt: skip
    assert "ImportError: metagan_edu computes with TensorFlow" in done.stderr


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


@pytest.mark.parametrize("shape", [(6, 5), (6, 4, 4, 2)])
@pytest.mark.parametrize("group_size", [None, 2, 4])
def test_minibatch_std_is_its_formula(shape, group_size):
    x = random_like(tf.zeros(shape), 3)
    y = MinibatchStd(group_size, dtype="float64")(x)
    assert y.shape == (*shape[:-1], shape[-1] + 1)
    np.testing.assert_array_equal(y[..., :-1], x)
    size = group_size or 6
    for start in range(0, 6 // size * size, size):
        group = x[start : start + size] if start + 2 * size <= 6 else x[start:]
        spread = np.mean(np.sqrt(np.var(group, 0) + 1e-8))
        np.testing.assert_allclose(y[start : start + len(group), ..., -1], np.full((len(group), *shape[1:-1]), spread))


def test_minibatch_std_is_finite_at_equal_examples_and_serializable():
    layer = MinibatchStd(3, epsilon=1e-6, dtype="float64")
    value = lambda x: tf.reduce_sum(layer(x) ** 3)  # noqa: E731
    same, v = tf.ones([6, 4], tf.float64), random_like(tf.zeros([6, 4]), 0)
    assert gradient_error(value, same, directions=1) < 1e-6
    assert trees.all_finite(autodiff.hvp(value, same, v))
    again = MinibatchStd.from_config(layer.get_config())
    np.testing.assert_array_equal(again(v), layer(v))
    with pytest.raises(ValueError, match="group_size must be a whole number of at least 2"):
        MinibatchStd(1)


def test_what_was_built_before_does_not_name_the_layers_of_a_network():
    """TensorFlow rounds in the order of operations' names, in which Keras counts all layers of the program."""

    def names():
        mg.networks.mlp.forget(), mg.networks.dcgan_generator.forget(), mg.networks.dcgan_discriminator.forget()
        made = (
            mg.networks.mlp(2, (3,), 1),
            mg.networks.dcgan_generator(2, (8, 8, 1), width=2, norm=mg.normalization.LayerNorm),
        )
        return [
            [net.model.name, *(layer.name for layer in net.model.layers)]
            for net in (*made, mg.networks.dcgan_discriminator((8, 8, 1), width=2, last=mg.normalization.MinibatchStd))
        ]

    first = names()
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    assert names() == first and all(name == "network" for name, *_ in first)
