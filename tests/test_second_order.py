"""Layers that are wrong to second order: refused or warned of where a second derivative is taken, and only there."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from oracles import difference, random_like, relative_error
from tensorflow.python.framework import ops

import metagan_edu as mg
from metagan_edu import autodiff
from metagan_edu.networks import traced

L = keras.layers
RMSNormalization = getattr(L, "RMSNormalization", L.UnitNormalization)  # Keras 3.9 brought it
IMAGES = tf.random.stateless_uniform([4, 8, 8, 1], [0, 0], -1, 1)
HYPER = mg.games.Hyper()


def numpys(x):
    return tf.ensure_shape(tf.numpy_function(np.tanh, [x], tf.float32), x.shape)


REFUSED = {
    "ResizeBilinearGrad": lambda: L.Resizing(6, 6, name="culprit"),
    "ResizeNearestNeighborGrad": lambda: L.Resizing(6, 6, interpolation="nearest", name="culprit"),
    "ResizeBicubicGrad": lambda: L.UpSampling2D(2, interpolation="bicubic", name="culprit"),
    "SoftsignGrad": lambda: L.Activation("softsign", name="culprit"),
    "PyFunc": lambda: L.Lambda(numpys, output_shape=(8, 8, 1), name="culprit"),
    "HSVToRGB": lambda: L.Lambda(lambda x: tf.image.hsv_to_rgb(tf.repeat(tf.sigmoid(x), 3, -1)), name="culprit"),
}
FINE = {
    "nearest": lambda: L.UpSampling2D(2),
    "pooling": lambda: L.AveragePooling2D(2),
    "LSTM": lambda: keras.Sequential([L.Reshape((8, 8)), L.LSTM(3, return_sequences=True)]),
    "RMS": lambda: RMSNormalization(),
    "unit": lambda: L.UnitNormalization(),
    "logsumexp": lambda: L.Lambda(lambda x: tf.reduce_logsumexp(x, -1, keepdims=True), output_shape=(8, 8, 1)),
    "ours": lambda: mg.normalization.BatchNorm(),
}


def disc_of(layer):
    return mg.networks.network(keras.Sequential([keras.Input((8, 8, 1)), layer(), L.Flatten(), L.Dense(1)]))


def slopes(disc, penalty=None):
    """The gradient of ``L_D`` in the parameters of D."""
    game = mg.games.gan(mg.networks.dcgan_generator(4, (8, 8, 1), width=2), disc, penalty=penalty)
    players = game.init(0)

    def value(params):
        mover = players.disc._replace(params=params)
        return game.disc_loss(players._replace(disc=mover), IMAGES, mg.seeds.make(0), HYPER)[0]

    return autodiff.grad(value)(players.disc.params)


@pytest.mark.parametrize("operation", REFUSED)
def test_what_has_no_second_derivative_is_refused_by_name(operation):
    disc = disc_of(REFUSED[operation])
    assert mg.trees.all_finite(slopes(disc))  # to first order it is fine
    with pytest.raises(ValueError, match=rf"layer 'culprit' .* cannot be differentiated twice.* of its {operation}"):
        slopes(disc, mg.losses.r1(1.0))


def test_it_is_refused_inside_a_compiled_run():
    game = mg.games.gan(
        mg.networks.dcgan_generator(4, (8, 8, 1), width=2), disc_of(REFUSED["ResizeBilinearGrad"]),
        penalty=mg.losses.r1(1.0),
    )  # fmt: skip
    adam = mg.optimizers.adam(1e-3)
    with pytest.raises(ValueError, match=r"'culprit' .* cannot be differentiated twice"):
        mg.train(game, mg.rules.alternating(adam, adam), lambda seed: IMAGES, num_steps=2, seed=0, progress=False)


@pytest.mark.parametrize("name", FINE)
def test_what_is_right_is_neither_refused_nor_warned_of(name):
    assert mg.trees.all_finite(slopes(disc_of(FINE[name]), mg.losses.r1(1.0)))


@pytest.mark.parametrize(
    ("layer", "ours"),
    [(lambda: L.BatchNormalization(), "BatchNorm"), (lambda: L.LayerNormalization(), "LayerNorm"),
     (lambda: L.GroupNormalization(1), "GroupNorm")],
)  # fmt: skip
def test_the_normalization_of_keras_is_warned_of_once_where_it_is_differentiated_twice(layer, ours):
    disc = disc_of(layer)
    slopes(disc)
    with pytest.warns(UserWarning, match=rf"stops a gradient inside.*take mg\.normalization\.{ours}\."):
        slopes(disc, mg.losses.r1(1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        slopes(disc, mg.losses.r1(1.0))


def test_in_evaluation_mode_batch_normalization_is_right():
    disc = disc_of(lambda: L.BatchNormalization())
    params, state = disc.init(0)

    def value(x):
        return tf.reduce_sum(disc.apply(params, state, x, training=False)[0] ** 2)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        autodiff.hvp(value, IMAGES, IMAGES)


def test_the_gradient_of_keras_random_zoom_is_no_adjoint_and_is_refused():
    model = keras.Sequential([keras.Input((8, 8, 1)), L.RandomZoom(0.1, seed=1), L.Flatten(), L.Dense(1)])
    with pytest.raises(ValueError, match=r"RandomZoom, whose gradient .* not its adjoint"):
        mg.networks.network(model)
    zoom, state = model.layers[0], [tf.constant(v.numpy()) for v in model.layers[0].non_trainable_variables]
    there = lambda x: zoom.stateless_call([], state, x, training=True)[0]  # noqa: E731
    x, y = IMAGES, tf.random.stateless_normal(IMAGES.shape, [0, 1])
    back = autodiff.vjp(there, x, y)
    assert abs(float(tf.reduce_sum(y * there(x)) - tf.reduce_sum(back * x))) > 1e-3  # <y, Ax> = <A'y, x> fails


def test_every_gradient_that_tensorflow_marks_as_not_differentiable_is_known():
    registry = ops.gradient_registry
    marked = [name for name in registry.list() if registry.lookup(name) is None]
    assert {name for name in marked if "Grad" in name and not name.startswith(("TensorArray", "Broadcast"))} - {
        "StopGradient"
    } <= traced.SILENT
    assert set(marked) >= {name for name in traced.SILENT if name in registry.list()}


LAYERS = {
    **{f"activation {name}": ((5,), lambda name=name: L.Activation(name)) for name in
       ("elu", "gelu", "silu", "softplus", "tanh", "sigmoid", "mish", "selu", "exponential", "log_softmax", "softmax")},
    "Conv2D": ((6, 6, 2), lambda: L.Conv2D(3, 3)),
    "Conv2DTranspose": ((6, 6, 2), lambda: L.Conv2DTranspose(3, 4, strides=2)),
    "SeparableConv2D": ((6, 6, 2), lambda: L.SeparableConv2D(3, 3)),
    "LSTM": ((4, 2), lambda: L.LSTM(3)),
    "GRU": ((4, 2), lambda: L.GRU(3)),
    "attention": ((4, 2), lambda: lambda x: L.MultiHeadAttention(2, 3)(x, x)),
    "MaxPooling2D": ((6, 6, 2), lambda: L.MaxPooling2D(2)),
    "UpSampling2D": ((4, 4, 2), lambda: L.UpSampling2D(2)),
    "Dropout": ((5,), lambda: L.Dropout(0.3, seed=1)),
    "RMSNormalization": ((5,), lambda: RMSNormalization()),
    "UnitNormalization": ((5,), lambda: L.UnitNormalization()),
    "MinibatchStd": ((5,), lambda: mg.normalization.MinibatchStd()),
    "MinibatchStd, images": ((4, 4, 2), lambda: mg.normalization.MinibatchStd(2)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers_that_pass_are_right_to_second_order(name):
    shape, layer = LAYERS[name]
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        inputs = keras.Input(shape, dtype="float64")
        model = keras.Model(inputs, L.Dense(1)(L.Flatten()(layer()(inputs))))
    finally:
        keras.config.set_dtype_policy(before)
    network = mg.networks.network(model)
    params, state = network.init(0)

    @tf.function
    def value(at):
        y = network.apply(at[0], state, at[1])[0]
        return tf.reduce_sum(tf.sin(y) + y * y)

    at = params, random_like(tf.zeros([4, *shape]), 0)
    v = random_like(at, 1)
    expected = difference(tf.function(autodiff.grad(value)), at, v)
    assert relative_error(tf.function(lambda at: autodiff.hvp(value, at, v))(at), expected) < 1e-6
