"""Energy distance and MMD as differentiable TensorFlow functions.

Both are unbiased U-statistics: pairs of a point with itself are left out, the expected value is the
discrepancy of the two distributions, and so a value may come out slightly below 0 when they agree. Each
makes matrices of n x m pairs: 2,500 samples take 25 MB per matrix in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .. import checks
from ..roots import root

# Up to this many dimensions differences are formed one by one, exactly. Above it, |x|^2 + |y|^2 - 2 x.y
# on centered points needs n x m instead of n x m x d numbers, and cancels only between near copies.
EXACT_DIMENSIONS = 8


def energy_distance(x: Any, y: Any) -> tf.Tensor:
    """Return 2 E|x - y| - E|x - x'| - E|y - y'|, unbiased, as a scalar tensor (Székely & Rizzo, JSPI 2013).

    It is at least 0 in expectation, and 0 only if the distributions agree; its unit is that of the data.
    In one dimension it is *twice the square* of the Cramér distance, while ``scipy.stats.energy_distance``
    returns the square root of the biased form.

    x: (n, ...), y: (m, ...) arrays or tensors with n, m >= 2, flattened from the second axis on; float64
    if either is, else float32. Differentiable in both; where two points coincide the gradient of their
    distance is taken as 0. Raises ValueError for shapes that disagree and, outside a graph, for values
    that are not finite (inside one they pass through).
    """
    x, y = _pair(x, y)
    return -_u_statistic(x, y, root)


def mmd(x: Any, y: Any, *, bandwidth: float = 1.0) -> tf.Tensor:
    """Return the squared maximum mean discrepancy with a Gaussian kernel, unbiased, as a scalar tensor.

    E k(x, x') + E k(y, y') - 2 E k(x, y) with k(x, y) = exp(-|x - y|^2 / (2 bandwidth^2)) (Gretton et al.,
    JMLR 2012, Lemma 6). Between about 0 and 2. The bandwidth has the unit of the data: differences much
    smaller or much larger than it are hardly seen, and values with different bandwidths do not compare.

    Arguments, gradients and errors as for ``energy_distance``; also ValueError for a bandwidth <= 0.
    """
    gamma = 0.5 / checks.number("bandwidth", bandwidth, above=0) ** 2
    x, y = _pair(x, y)
    return _u_statistic(x, y, lambda squared: tf.exp(-gamma * squared))


def _pair(x: Any, y: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Check x and y and return them as (n, d) and (m, d) tensors of one float type."""
    x, y = _rows(x, "x"), _rows(y, "y")
    if x.shape[1] is None or x.shape[1] != y.shape[1]:
        raise ValueError(f"x has {x.shape[1]} values per row and y has {y.shape[1]}; they must be known and agree.")
    dtype = tf.float64 if tf.float64 in (x.dtype, y.dtype) else tf.float32
    return tf.cast(x, dtype), tf.cast(y, dtype)


def _rows(value: Any, name: str) -> tf.Tensor:
    """Return ``value`` (n, ...) as a floating tensor (n, d), or raise ValueError."""
    value = tf.convert_to_tensor(value)
    if not value.dtype.is_floating:
        raise ValueError(f"{name} has type {value.dtype.name}; it must be floating point.")
    if value.shape.rank is None or value.shape.rank < 2 or (value.shape[0] or 2) < 2:
        raise ValueError(f"{name} has shape {value.shape}; expected (n, ...) with n >= 2.")
    if tf.executing_eagerly():
        checks.rows(name, value, least=2)
    return tf.reshape(value, (tf.shape(value)[0], value.shape[1:].num_elements()))


def _u_statistic(x: tf.Tensor, y: tf.Tensor, kernel: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Return E k(x, x') + E k(y, y') - 2 E k(x, y) over pairs of different points, k a function of |.|^2."""
    between = tf.reduce_mean(kernel(_squared_distances(x, y)))
    return _within(x, kernel) + _within(y, kernel) - 2.0 * between


def _within(x: tf.Tensor, kernel: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Return E k(x, x') over pairs of different points of one set."""
    values = kernel(_squared_distances(x, x))
    n = tf.cast(tf.shape(x)[0], x.dtype)
    others = tf.linalg.set_diag(values, tf.zeros_like(values[:, 0]))
    return tf.reduce_sum(others) / (n * (n - 1.0))


def _squared_distances(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Return the (n, m) matrix of |x_i - y_j|^2."""
    if x.shape[1] <= EXACT_DIMENSIONS:
        return tf.reduce_sum(tf.math.squared_difference(x[:, None, :], y[None, :, :]), axis=-1)
    center = tf.stop_gradient(tf.reduce_mean(y, axis=0))  # distances do not depend on it
    x, y = x - center, y - center
    norms = tf.reduce_sum(x * x, axis=1)[:, None] + tf.reduce_sum(y * y, axis=1)[None, :]
    return tf.maximum(norms - 2.0 * tf.matmul(x, y, transpose_b=True), 0.0)
