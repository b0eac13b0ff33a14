"""Three digits as the channels of one image: 1,000 modes that can be counted, from images that are bundled."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from metagan_edu import checks, seeds
from metagan_edu.data.digits import digits

CHANNELS = 3


class Stacked(NamedTuple):
    """Images (n, size, size, 1) with labels (n,), to be stacked at random; made by :func:`stacked_digits`."""

    images: np.ndarray
    labels: np.ndarray

    def sample(self, n, seed):
        """``n`` stacks, float32 (n, size, size, 3), and their modes ``100 a + 10 b + c``, int32 (n,).

        The three channels are drawn independently, uniformly and with replacement. ``seed``: a whole number or an
        ``int32[2]`` tensor. Runs inside a graph.
        """
        shape = [checks.whole("n", n), CHANNELS]
        rows = seeds.integers(shape, seed, len(self.images))
        channels = tf.gather(tf.constant(self.images[..., 0]), rows)  # (n, 3, size, size)
        modes = tf.reduce_sum(tf.gather(tf.constant(self.labels), rows) * [100, 10, 1], axis=1)
        return tf.transpose(channels, [0, 2, 3, 1]), modes

    def batches(self, batch_size):
        """The sampler ``seed -> (batch_size, size, size, 3)`` of stacks, without their modes."""
        batch_size = checks.whole("batch_size", batch_size)
        return lambda seed: self.sample(batch_size, seed)[0]


def stacked_digits(split="train", size=8):
    """The :class:`Stacked` digits of :func:`digits`: each channel one of ten classes, so 10³ = 1,000 modes.

    The modes are nearly equal, as the classes are. "test" stacks digits that "train" never shows. It is the stacked
    MNIST of Metz et al. 2017 (arXiv:1611.02163) with smaller digits. Raises ``ValueError`` for another split or size.
    """
    data = digits(split, size)
    return Stacked(data.images, data.labels)
