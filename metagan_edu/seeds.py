"""Explicit, stateless seeds: every random draw of the package is a function of an ``int32[2]`` argument.

Nothing here (or anywhere else in the package) reads or sets a global seed, so a run is a function of its seed alone.
All draws are made here, by one algorithm (Philox; Salmon et al. 2011): left to itself TensorFlow takes another one
where XLA compiles, and the same run would be another run.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

import tensorflow as tf

from . import checks

ALGORITHM = "philox"


def make(seed: Any) -> tf.Tensor:
    """Turn a whole number into a seed, ``int32[2]``; a seed passes through unchanged.

    Raises ``ValueError`` for a number outside [0, 2**31), or a tensor of another shape or type.
    """
    if tf.is_tensor(seed):
        if seed.dtype != tf.int32 or seed.shape.rank not in (1, None) or not seed.shape.is_compatible_with([2]):
            raise ValueError(f"a seed is an int32[2] tensor, not {seed.dtype.name}{seed.shape.as_list()}.")
        return seed
    if not checks.is_whole(seed) or not 0 <= seed.__index__() < 2**31:
        raise ValueError(f"seed must be a whole number in [0, 2**31) or an int32[2] tensor, not {seed!r}.")
    return tf.constant([0, seed.__index__()], tf.int32)


def split(seed: Any, num: int) -> list[tf.Tensor]:
    """``num`` independent seeds made from one: ``int32[num, 2]``, to be unpacked."""
    return tf.unstack(tf.random.split(make(seed), num, alg=ALGORITHM))


def fold_in(seed: Any, name: Any) -> tf.Tensor:
    """A seed for ``name`` (a number, a tensor or a word): the same for the same name, independent of other names."""
    if isinstance(name, str):
        name = zlib.crc32(name.encode()) & 0x7FFFFFFF
    return tf.random.fold_in(make(seed), name, alg=ALGORITHM)


def integers(shape: Any, seed: Any, below: Any) -> tf.Tensor:
    """Whole numbers from 0 to ``below - 1``, uniformly, int32."""
    return tf.random.stateless_uniform(shape, make(seed), 0, below, tf.int32, alg=ALGORITHM)


def uniform(shape: Any, seed: Any, low: float = 0.0, high: float = 1.0, dtype: Any = tf.float32) -> tf.Tensor:
    """Draws from U[low, high): ``low + (high - low) u``."""
    wide = tf.float64 if tf.as_dtype(dtype) == tf.float64 else tf.float32
    return tf.cast(low + (high - low) * tf.reshape(_unit([_size(shape)], seed, wide), shape), dtype)


def normal(shape: Any, seed: Any, dtype: Any = tf.float32) -> tf.Tensor:
    """Draws from N(0, 1): ``√(-2 log u) sin 2πv`` and ``√(-2 log u) cos 2πv`` (Box & Muller 1958)."""
    wide = tf.float64 if tf.as_dtype(dtype) == tf.float64 else tf.float32
    count = _size(shape)
    pairs = _unit([(count + 1) // 2, 2], seed, wide)
    radius = tf.sqrt(-2 * tf.math.log(tf.maximum(pairs[:, 0], tf.constant(1e-7, wide))))
    angle = tf.constant(2 * math.pi, wide) * pairs[:, 1]
    both = tf.stack([radius * tf.sin(angle), radius * tf.cos(angle)], 1)
    return tf.cast(tf.reshape(tf.reshape(both, [-1])[:count], shape), dtype)


def truncated_normal(shape: Any, seed: Any, dtype: Any = tf.float32) -> tf.Tensor:
    """Draws from N(0, 1) within [-2, 2]: the quantile function at ``u`` uniform on [Φ(-2), Φ(2))."""
    wide = tf.float64 if tf.as_dtype(dtype) == tf.float64 else tf.float32
    below = 0.5 * math.erfc(math.sqrt(2))
    return tf.cast(tf.math.ndtri(uniform(shape, seed, below, 1 - below, wide)), dtype)


def _unit(shape, seed, dtype):
    """U[0, 1) from the mantissa's bits alone. (TensorFlow's own floats come from other bits where XLA compiles.)"""
    if dtype == tf.float32:
        bits = tf.random.stateless_uniform(shape, make(seed), None, None, tf.int32, alg=ALGORITHM)
        return tf.bitcast(tf.bitwise.bitwise_or(tf.bitwise.bitwise_and(bits, 0x7FFFFF), 127 << 23), dtype) - 1
    bits = tf.random.stateless_uniform([*shape, 2], make(seed), None, None, tf.int32, alg=ALGORITHM)
    high, low = (
        tf.bitwise.bitwise_and(tf.cast(bits[..., i], tf.int64), mask) for i, mask in ((0, 0xFFFFF), (1, 2**32 - 1))
    )
    return tf.bitcast(tf.bitwise.bitwise_or(high * 2**32 + low, tf.constant(1023 << 52, tf.int64)), dtype) - 1


def _size(shape):
    """How many numbers an array of this shape has: a number where it is known, else a tensor."""
    known = (
        tf.get_static_value(tf.convert_to_tensor(shape, tf.int32)) if not isinstance(shape, tf.TensorShape) else shape
    )
    return math.prod(int(n) for n in known) if known is not None else tf.reduce_prod(tf.convert_to_tensor(shape))
