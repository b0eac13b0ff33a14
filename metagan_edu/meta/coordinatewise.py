"""Networks that act on every parameter alike: from what is seen there to coefficients, whatever the tensor's shape.

The features' axis comes first, so that one network serves a vector and a convolution's kernel: ``columns`` (6, …) are
seen at each parameter, ``world`` (34, …) is the same for all parameters of a game.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import checks, seeds
from ..values import by_value

COLUMNS, WORLD = 6, 34


class Body(NamedTuple):
    """``init(seed) -> Weights``; ``start(x) -> memory`` for a tensor of parameters;
    ``apply(weights, columns, world, memory) -> (c (6, …), memory)``."""

    init: Callable
    start: Callable
    apply: Callable


class Weights(NamedTuple):
    """The first layer's ``columns`` (6, n), ``world`` (34, n) and ``bias`` (n,); ``inner`` matrix (and bias); ``out``
    (h, 6) and ``c`` (6,): what is added to the output."""

    columns: Any
    world: Any
    bias: Any
    inner: tuple
    out: Any
    c: Any


@by_value
def mlp(hidden: int = 32) -> Body:
    """Two hidden layers: ``c = W_out tanh(W₂ tanh(W₁ x + b₁) + b₂) + c₀``, without memory."""
    checks.whole("hidden", hidden)

    def apply(weights, columns, world, memory):
        matrix, bias = weights.inner
        h = _dense(matrix, tf.tanh(_first(weights, columns, world)))
        return _last(weights, tf.tanh(h + beside(bias, h))), memory

    return Body(lambda seed: _initial(seed, hidden, 1, lambda w: (w, tf.zeros(hidden))), lambda x: (), apply)


@by_value
def lstm(hidden: int = 20) -> Body:
    """One LSTM cell at each parameter, the same weights at all: ``c = W_out h_t + c₀`` (Andrychowicz et al. 2016)."""
    checks.whole("hidden", hidden)

    def apply(weights, columns, world, memory):
        h, cell = memory
        i, f, o, new = tf.split(_first(weights, columns, world) + _dense(weights.inner[0], h), 4)
        cell = tf.sigmoid(f + 1) * cell + tf.sigmoid(i) * tf.tanh(new)
        h = tf.sigmoid(o) * tf.tanh(cell)
        return _last(weights, h), (h, cell)

    def start(x):
        return (tf.zeros([hidden, *x.shape], x.dtype),) * 2

    return Body(lambda seed: _initial(seed, hidden, 4, lambda w: (w,)), start, apply)


def _initial(seed, hidden, gates, inner):
    """An optimistic step to begin with, ``c₀ = (0.8, -0.4, 0, …)``, and small weights on top of it."""
    width, fan_in = gates * hidden, COLUMNS + WORLD
    shapes = {(COLUMNS, width): fan_in**-0.5, (WORLD, width): fan_in**-0.5, (hidden, width): hidden**-0.5,
              (hidden, COLUMNS): 0.01}  # fmt: skip
    draws = zip(shapes.items(), seeds.split(seed, 4), strict=True)
    columns, world, matrix, out = (scale * seeds.normal(shape, own) for (shape, scale), own in draws)
    c = tf.constant([0.8, -0.4, *[0.0] * (COLUMNS - 2)])
    return Weights(columns, world, tf.zeros(width), inner(matrix), out, c)


def _dense(matrix, x):
    return tf.tensordot(matrix, x, [[0], [0]])


def _first(weights, columns, world):
    own = _dense(weights.columns, columns)
    return own + beside(_dense(weights.world, world), own) + beside(weights.bias, own)


def _last(weights, h):
    c = _dense(weights.out, h)
    return c + beside(weights.c, c)


def beside(shared: tf.Tensor, own: tf.Tensor) -> tf.Tensor:
    """``shared`` (h, …), with axes of length 1 put in after the first, so that it can be added to ``own`` (h, …)."""
    missing = own.shape.rank - shared.shape.rank
    return tf.reshape(shared, [shared.shape[0], *[1] * missing, *shared.shape[1:]])
