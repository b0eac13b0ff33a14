"""Three digits as the channels of one image: 1,000 modes that can be counted, from images that are bundled."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from .. import checks, replicas, seeds
from .digits import digits
from .held import Held, held
from .samplers import Sampler

CHANNELS = 3


class Stacked(NamedTuple):
    """Images (n, size, size, 1) with labels (n,), to be stacked at random; made by :func:`stacked_digits`."""

    images: np.ndarray
    labels: np.ndarray

    def sample(self, n: int, seed: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """``n`` stacks, float32 (n, size, size, 3), and their modes ``100 a + 10 b + c``, int32 (n,).

        The three channels are drawn independently, uniformly and with replacement. ``seed``: a whole number or an
        ``int32[2]`` tensor. Runs inside a graph.
        """
        n = checks.whole("n", n)
        which = seeds.integers([n, CHANNELS], seed, len(self.images))
        modes = tf.reduce_sum(held(self.labels).rows(which) * [100, 10, 1], axis=1)
        return _stacks(held(self.images[..., 0]), which), modes

    def batches(self, batch_size: int) -> Sampler:
        """The sampler ``seed -> (batch_size, size, size, 3)`` of stacks, without their modes."""
        batch_size, count = checks.whole("batch_size", batch_size), len(self.images)
        kept = held(self.images[..., 0])

        def draw(seed):
            size = replicas.split(batch_size)
            which = replicas.share(lambda n: seeds.integers([n, CHANNELS], seed, count), size)
            return _stacks(kept, tf.ensure_shape(which, [size, CHANNELS]))

        return Sampler(draw, ("stacks", kept.key, batch_size))


def _stacks(kept: Held, which: tf.Tensor) -> tf.Tensor:
    """Pictures (n, size, size, 3) whose channels are the kept ones at the positions (n, 3)."""
    return tf.transpose(kept.rows(which), [0, 2, 3, 1])


def stacked_digits(split: str = "train", size: int = 8) -> Stacked:
    """The :class:`Stacked` digits of :func:`digits`: each channel one of ten classes, so 10³ = 1,000 modes.

    The modes are nearly equal, as the classes are. "test" stacks digits that "train" never shows. It is the stacked
    MNIST of Metz et al. 2017 (arXiv:1611.02163) with smaller digits. Raises ``ValueError`` for another split or size.
    """
    data = digits(split, size)
    return Stacked(data.images, data.labels)
