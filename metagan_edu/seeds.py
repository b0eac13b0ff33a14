"""Explicit, stateless seeds: every random draw of the package is a function of an ``int32[2]`` argument.

Nothing here (or anywhere else in the package) reads or sets a global seed, so a run is a function of its seed alone.
All draws are made here, by one algorithm (Philox; Salmon et al. 2011): left to itself TensorFlow takes another one
where XLA compiles, and the same run would be another run. The bits are those of ``tf.random.stateless_uniform(...,
alg="philox")``, from a third of its operations: a step of a small game is mostly seeds.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

import tensorflow as tf

from . import checks

PHILOX = 1
OF_GENERATORS = (tf.uint32, tf.int64)  # types in which Keras' seed generators keep their state
SCRAMBLE = 0x02461E293EC8F720  # the key under which TensorFlow turns a seed into a key and a counter


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
    return tf.unstack(_bits([num, 2], seed))


def fold_in(seed: Any, name: Any) -> tf.Tensor:
    """A seed for ``name`` (a number, a tensor or a word): the same for the same name, independent of other names."""
    if isinstance(name, str):
        name = zlib.crc32(name.encode()) & 0x7FFFFFFF
    return tf.stack([_bits([], seed), tf.cast(name, tf.int32)])


def integers(shape: Any, seed: Any, below: Any) -> tf.Tensor:
    """Whole numbers from 0 to ``below - 1``, uniformly, int32."""
    key, counter = _key_and_counter(seed)
    return tf.raw_ops.StatelessRandomUniformIntV2(
        shape=shape, key=key, counter=counter, alg=PHILOX, minval=0, maxval=below
    )


def uniform(shape: Any, seed: Any, low: float = 0.0, high: float = 1.0, dtype: Any = tf.float32) -> tf.Tensor:
    """Draws from U[low, high): ``low + (high - low) u``."""
    wide = tf.float64 if tf.as_dtype(dtype) == tf.float64 else tf.float32
    return tf.cast(low + (high - low) * tf.reshape(_unit([_size(shape)], seed, wide), shape), dtype)


def normal(shape: Any, seed: Any, dtype: Any = tf.float32) -> tf.Tensor:
    """Draws from N(0, 1): ``√(-2 log u) sin 2πv`` and ``√(-2 log u) cos 2πv`` (Box & Muller 1958)."""
    wide = tf.float64 if tf.as_dtype(dtype) == tf.float64 else tf.float32
    count = _size(shape)
    u, v = tf.unstack(_unit([(count + 1) // 2, 2], seed, wide), axis=1)
    radius = tf.sqrt(-2 * tf.math.log(tf.maximum(u, tf.constant(1e-7, wide))))
    angle = tf.constant(2 * math.pi, wide) * v
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
        bits, mantissa, one = _bits(shape, seed), 2**23 - 1, 127 << 23
    else:
        bits, mantissa, one = tf.bitcast(_bits([*shape, 2], seed), tf.int64), 2**52 - 1, 1023 << 52
    mantissa, one = tf.constant(mantissa, bits.dtype), tf.constant(one, bits.dtype)
    return tf.bitcast(tf.bitwise.bitwise_or(tf.bitwise.bitwise_and(bits, mantissa), one), dtype) - 1


def _bits(shape, seed):
    """int32, all bits of which are random."""
    key, counter = _key_and_counter(seed)
    return tf.raw_ops.StatelessRandomUniformFullIntV2(shape=shape, key=key, counter=counter, alg=PHILOX, dtype=tf.int32)


def _key_and_counter(seed):
    """What Philox draws from: the seed as a counter under one fixed key, whose output is the key and the counter."""
    mixed = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[2, 2], key=[SCRAMBLE], counter=tf.cast(make(seed), tf.uint64), alg=PHILOX, dtype=tf.uint32
    )
    key, counter = tf.split(tf.bitcast(mixed, tf.uint64), 2)
    return key, tf.pad(counter, [[1, 0]])


def _size(shape):
    """How many numbers an array of this shape has: a number where it is known, else a tensor."""
    known = (
        tf.get_static_value(tf.convert_to_tensor(shape, tf.int32)) if not isinstance(shape, tf.TensorShape) else shape
    )
    return math.prod(int(n) for n in known) if known is not None else tf.reduce_prod(tf.convert_to_tensor(shape))
