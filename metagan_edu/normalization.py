"""Normalization layers that are right to second order.

Keras computes the variance with an operation that stops the gradient of the mean. To first order this changes
nothing, because the variance is stationary in the mean; to second order it drops a term, and every meta-gradient
through such a layer is silently biased. The layers here use plain means, so that they can be differentiated any
number of times. Under a 16-bit policy they compute in float32: a moving average in bfloat16 would stop where its step
of a hundredth is lost in rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from . import checks, replicas


def normalize(
    x: tf.Tensor, axes: list[int], epsilon: float, over: Callable = lambda mean: mean
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """``(x - m) / √(s² + epsilon)`` with mean ``m`` and variance ``s²`` over ``axes``; returns ``(result, m, s²)``.

    ``over``: what is done with the means, such as :func:`metagan_edu.replicas.mean` where examples are shared.
    """
    mean = over(tf.reduce_mean(x, axes, keepdims=True))
    centered = x - mean
    variance = over(tf.reduce_mean(centered * centered, axes, keepdims=True))
    return centered * tf.math.rsqrt(variance + epsilon), mean, variance


class _Normalization(keras.layers.Layer):
    """What the three layers share: float32 or wider inside, and ``gamma · normalized + beta`` for each channel."""

    def __init__(self, epsilon: float = 1e-3, **kwargs: Any):
        super().__init__(**kwargs)
        self.epsilon = checks.number("epsilon", epsilon, above=0)

    def build(self, input_shape: Any) -> None:
        shape = {"shape": (input_shape[-1],), "autocast": False}
        self.gamma = self.add_weight(**shape, initializer="ones", name="gamma")
        self.beta = self.add_weight(**shape, initializer="zeros", name="beta")

    def wide(self, x: tf.Tensor) -> tf.Tensor:
        return tf.cast(x, self.variable_dtype)

    def affine(self, normalized: tf.Tensor) -> tf.Tensor:
        result = normalized * tf.convert_to_tensor(self.gamma) + tf.convert_to_tensor(self.beta)
        return tf.cast(result, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("metagan_edu")
class LayerNorm(_Normalization):
    """Each example is normalized over all its axes (Ba, Kiros & Hinton 2016, eq. 3)."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.affine(normalize(self.wide(x), list(range(1, len(x.shape))), self.epsilon)[0])


@keras.saving.register_keras_serializable("metagan_edu")
class GroupNorm(_Normalization):
    """Each example is normalized over space within ``groups`` groups of channels (Wu & He 2018, eq. 7).

    Raises ``ValueError`` where the number of channels is not a multiple of ``groups``.
    """

    def __init__(self, groups: int = 8, **kwargs: Any):
        super().__init__(**kwargs)
        self.groups = checks.whole("groups", groups)

    def build(self, input_shape: Any) -> None:
        if input_shape[-1] % self.groups:
            raise ValueError(f"{input_shape[-1]} channels cannot be divided into {self.groups} groups.")
        super().build(input_shape)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        grouped = tf.reshape(self.wide(x), tf.concat([tf.shape(x)[:-1], [self.groups, x.shape[-1] // self.groups]], 0))
        axes = [*range(1, len(x.shape) - 1), len(x.shape)]
        return self.affine(tf.reshape(normalize(grouped, axes, self.epsilon)[0], tf.shape(x)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups}


@keras.saving.register_keras_serializable("metagan_edu")
class BatchNorm(_Normalization):
    """Each channel is normalized over the batch and space (Ioffe & Szegedy 2015, algorithm 1).

    In training the batch's own mean and variance are used, and moving averages with weight ``momentum`` are kept as
    non-trainable state; in evaluation, and where the layer is frozen (``trainable=False``), the moving averages are
    used. The replicas of a strategy normalize over their whole batch.
    """

    def __init__(self, momentum: float = 0.99, **kwargs: Any):
        super().__init__(**kwargs)
        self.momentum = checks.number("momentum", momentum, least=0, below=1)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        kept = {"shape": (input_shape[-1],), "trainable": False, "autocast": False}
        self.moving_mean = self.add_weight(**kept, initializer="zeros", name="moving_mean")
        self.moving_variance = self.add_weight(**kept, initializer="ones", name="moving_variance")

    def call(self, x: tf.Tensor, training: Any = False) -> tf.Tensor:
        x = self.wide(x)
        if not training or not self.trainable:
            variance = tf.convert_to_tensor(self.moving_variance)
            return self.affine((x - tf.convert_to_tensor(self.moving_mean)) * tf.math.rsqrt(variance + self.epsilon))
        normalized, mean, variance = normalize(x, list(range(len(x.shape) - 1)), self.epsilon, replicas.mean)
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            old = tf.convert_to_tensor(moving)
            moving.assign(old + (1 - self.momentum) * (tf.stop_gradient(tf.reshape(batch, [-1])) - old))
        return self.affine(normalized)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}


@keras.saving.register_keras_serializable("metagan_edu")
class MinibatchStd(keras.layers.Layer):
    """One more channel, the same everywhere: how much the examples of a group differ (Karras et al. 2018, section 3).

        c = mean over features of √(var over the group + epsilon)

    It lets a discriminator see that all generated examples are alike. ``group_size``: how many examples are compared
    with each other (the last group takes what is left over; ``None``: the whole batch). Takes ``(n, d)`` or images
    ``(n, h, w, channels)`` and adds one feature or one channel. Under a 16-bit policy it computes in float32. The root
    stands over a variance *plus* epsilon, so that it can be differentiated any number of times, at equal examples too.
    """

    def __init__(self, group_size: int | None = None, epsilon: float = 1e-8, **kwargs: Any):
        super().__init__(**kwargs)
        self.group_size = None if group_size is None else checks.whole("group_size", group_size, 2)
        self.epsilon = checks.number("epsilon", epsilon, above=0)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        wide = tf.cast(x, self.variable_dtype)
        n = tf.shape(x)[0]
        size = n if self.group_size is None else tf.minimum(self.group_size, n)
        group = tf.minimum(tf.range(n) // size, tf.maximum(n // size - 1, 0))
        flat = tf.reshape(wide, [n, -1])
        same = tf.cast(group[:, None] == group[None, :], flat.dtype)  # (n, n): rows of one group
        same /= tf.reduce_sum(same, 1, keepdims=True)
        if self.group_size is not None and replicas.count() > 1 and (x.shape[0] or 0) % self.group_size:
            raise ValueError(
                f"the {x.shape[0]} examples of a replica are no whole groups of {self.group_size}, which the layer "
                "MinibatchStd compares; take a batch that divides, or group_size=None."
            )

        def mean(values):
            within = tf.matmul(same, values)
            return replicas.mean(within) if self.group_size is None else within

        centered = flat - mean(flat)
        spread = tf.sqrt(mean(centered * centered) + tf.cast(self.epsilon, flat.dtype))
        channel = tf.reshape(tf.reduce_mean(spread, 1), [-1] + [1] * (len(x.shape) - 1))
        channel = tf.broadcast_to(channel, tf.concat([tf.shape(x)[:-1], [1]], 0))
        return tf.concat([x, tf.cast(channel, x.dtype)], -1)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*input_shape[:-1], None if input_shape[-1] is None else input_shape[-1] + 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "group_size": self.group_size, "epsilon": self.epsilon}
