"""The networks that the course uses: multilayer perceptrons and DCGANs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from .. import checks
from ..values import by_value
from .base import Network, network

START = 8  # from a quarter of an image of this size on, the start is halved again, where it is even


def _in_order(layers: list) -> Network:
    """The network of these layers, one after the other, each named by its place.

    Keras' own names count all layers that the program has made so far; they name the graph's operations, in whose order
    TensorFlow rounds: with them a run would depend on what was built before it.
    """
    for place, layer in enumerate(layers[1:]):
        layer.name = f"layer_{place}"
    return network(keras.Sequential(layers, name="network"))


@by_value
def mlp(
    num_inputs: int, hidden: Sequence[int], num_outputs: int, *, activation: Any = "relu",
    initializer: Any = "orthogonal", output: Any = None, dtype: Any = None,
) -> Network:  # fmt: skip
    """A multilayer perceptron ``num_inputs → hidden… → num_outputs``: ``h_{l+1} = φ(W_l h_l + b_l)``.

    ``hidden``: the widths of the hidden layers; ``output``: activation of the last layer (``None``: linear, as logits
    need); ``initializer``: of every kernel; ``dtype``: a Keras dtype or policy, such as ``"float64"`` or
    ``"mixed_bfloat16"``.
    """
    checks.whole("num_inputs", num_inputs), checks.whole("num_outputs", num_outputs)
    hidden = checks.wholes("hidden", hidden)
    layers = [keras.Input((num_inputs,), dtype=keras.dtype_policies.get(dtype).compute_dtype if dtype else None)]
    layers += [keras.layers.Dense(n, activation, kernel_initializer=initializer, dtype=dtype) for n in hidden]
    layers += [keras.layers.Dense(num_outputs, output, kernel_initializer=initializer, dtype=dtype)]
    return _in_order(layers)


def _halvings(image_shape: tuple) -> int:
    """How many layers of stride 2 lie between an image and its start: two, and more while it can be halved to 4."""
    if len(image_shape) != 3 or image_shape[0] != image_shape[1] or image_shape[0] % 4:
        raise ValueError(f"image_shape must be (size, size, channels) with a size divisible by 4, not {image_shape!r}.")
    size, halvings = checks.whole("the size of an image", image_shape[0]) // 4, 2
    while size >= START and size % 2 == 0:
        size, halvings = size // 2, halvings + 1
    return halvings


def _wide(dtype: Any) -> str | None:
    """The type of inputs: that of the variables."""
    return keras.dtype_policies.get(dtype).variable_dtype if dtype else None


@by_value
def dcgan_generator(
    latent_dim: int, image_shape: tuple, *, width: int = 32, norm: Callable | None = None,
    initializer: Any = "glorot_uniform", dtype: Any = None,
) -> Network:  # fmt: skip
    """A DCGAN generator: dense to a small map, then transposed convolutions 4x4, stride 2, to the image; tanh.

    An image of up to 28 pixels starts from a quarter of its size and is doubled twice; 32 pixels start from 4 and are
    doubled three times, 64 from 4, four times. The last hidden layer has ``width`` channels, and each before it twice
    as many as its next. ``norm``: a function that makes a normalization layer (such as
    :class:`~metagan_edu.normalization.BatchNorm`) for each hidden layer. ``initializer``: of every kernel; the paper's
    is ``keras.initializers.RandomNormal(0.0, 0.02)``. Images come out in [-1, 1]. (Radford, Metz & Chintala 2016,
    section 3.)
    """
    image_shape = tuple(image_shape)
    halvings = _halvings(image_shape)
    checks.whole("latent_dim", latent_dim), checks.whole("width", width)
    start, most = image_shape[0] // 2**halvings, width * 2 ** (halvings - 1)

    def hidden():
        return [*([norm(dtype=dtype)] if norm else []), keras.layers.ReLU(dtype=dtype)]

    how = {"kernel_initializer": initializer, "dtype": dtype}
    conv = {"kernel_size": 4, "strides": 2, "padding": "same", **how}
    layers = [
        keras.Input((latent_dim,), dtype=_wide(dtype)),
        keras.layers.Dense(start**2 * most, **how),
        keras.layers.Reshape((start, start, most), dtype=dtype),
        *hidden(),
    ]
    for i in reversed(range(halvings - 1)):
        layers += [keras.layers.Conv2DTranspose(width * 2**i, **conv), *hidden()]
    layers += [keras.layers.Conv2DTranspose(image_shape[-1], activation="tanh", **conv)]
    return _in_order(layers)


@keras.saving.register_keras_serializable("metagan_edu")
def leaky_relu(x: tf.Tensor) -> tf.Tensor:
    """max(x, 0.2 x). (The fused operation of the same name makes TensorFlow's graph optimizer print an error.)"""
    return tf.maximum(x, tf.cast(0.2, x.dtype) * x)


@by_value
def dcgan_discriminator(
    image_shape: tuple, *, width: int = 32, norm: Callable | None = None, hidden: tuple[int, ...] = (),
    last: Callable | None = None, initializer: Any = "glorot_uniform", dtype: Any = None,
) -> Network:  # fmt: skip
    """A DCGAN discriminator: convolutions 4x4, stride 2, leaky ReLU, one logit; the mirror of :func:`dcgan_generator`.

    ``norm, initializer``: as there, the first from the second layer on. ``hidden``: the widths of dense layers before
    the logit, in which a unit sees the whole picture; ``last``: a function that makes a layer before the logit, such
    as :class:`~metagan_edu.normalization.MinibatchStd`.
    """
    image_shape = tuple(image_shape)
    halvings = _halvings(image_shape)
    checks.whole("width", width), checks.wholes("hidden", hidden)
    how = {"kernel_initializer": initializer, "dtype": dtype}
    conv = {"kernel_size": 4, "strides": 2, "padding": "same", **how}
    layers = [keras.Input(image_shape, dtype=_wide(dtype))]
    for i in range(halvings):
        layers += [keras.layers.Conv2D(width * 2**i, **conv), *([norm(dtype=dtype)] if norm and i else [])]
        layers += [keras.layers.Activation(leaky_relu, dtype=dtype)]
    layers += [keras.layers.Flatten(dtype=dtype)]
    for units in hidden:
        layers += [keras.layers.Dense(units, **how), keras.layers.Activation(leaky_relu, dtype=dtype)]
    layers += [*([last(dtype=dtype)] if last else []), keras.layers.Dense(1, **how)]
    return _in_order(layers)
