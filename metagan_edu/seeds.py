"""Explicit, stateless seeds: every random draw of the package is a function of an ``int32[2]`` argument.

Nothing here (or anywhere else in the package) reads or sets a global seed, so a run is a function of its seed alone.
All draws are made here, by one algorithm (Philox; Salmon et al. 2011): left to itself TensorFlow takes another one
where XLA compiles, and the same run would be another run.
"""

from __future__ import annotations

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


def normal(shape: Any, seed: Any, dtype: Any = tf.float32) -> tf.Tensor:
    """Draws from N(0, 1)."""
    return tf.random.stateless_normal(shape, make(seed), dtype=dtype, alg=ALGORITHM)


def uniform(shape: Any, seed: Any, low: float = 0.0, high: float = 1.0, dtype: Any = tf.float32) -> tf.Tensor:
    """Draws from U[low, high)."""
    return tf.random.stateless_uniform(shape, make(seed), low, high, dtype, alg=ALGORITHM)


def integers(shape: Any, seed: Any, below: Any) -> tf.Tensor:
    """Whole numbers from 0 to ``below - 1``, uniformly, int32."""
    return tf.random.stateless_uniform(shape, make(seed), 0, below, tf.int32, alg=ALGORITHM)
