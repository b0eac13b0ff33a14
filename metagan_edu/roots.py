"""The square root that may be differentiated at 0."""

from __future__ import annotations

import tensorflow as tf


def root(x: tf.Tensor) -> tf.Tensor:
    """``√x`` for x ≥ 0, with slope 0 at 0: that of the root is infinite there, but a norm's may be called 0.

    NaN stays NaN, so that a loop sees it; what rounding has put below 0 counts as 0.
    """
    zero = x <= 0  # false for NaN
    return tf.where(zero, tf.zeros_like(x), tf.sqrt(tf.where(zero, tf.ones_like(x), x)))
