"""Explicit, stateless seeds: every random draw of the package is a function of an ``int32[2]`` argument.

Nothing here (or anywhere else in the package) reads or sets a global seed, so a run is a function of its seed alone.
"""

import zlib

import tensorflow as tf


def make(seed):
    """Turn a whole number into a seed, ``int32[2]``; a seed passes through unchanged.

    Raises ``ValueError`` for a number outside [0, 2**31).
    """
    if tf.is_tensor(seed):
        return seed
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or not 0 <= seed.__index__() < 2**31:
        raise ValueError(f"seed must be a whole number in [0, 2**31) or an int32[2] tensor, not {seed!r}.")
    return tf.constant([0, seed.__index__()], tf.int32)


def split(seed, num):
    """``num`` independent seeds made from one: ``int32[num, 2]``, to be unpacked."""
    return tf.unstack(tf.random.split(make(seed), num))


def fold_in(seed, name):
    """A seed for ``name`` (a number, a tensor or a word): the same for the same name, independent of other names."""
    if isinstance(name, str):
        name = zlib.crc32(name.encode()) & 0x7FFFFFFF
    return tf.random.fold_in(make(seed), name)
