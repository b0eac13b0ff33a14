"""Mixtures of Gaussians: the ring and the grid of the GAN literature, and a family of random mixtures as tasks."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from .. import checks, replicas, seeds
from .base import Task, TaskFamily
from .samplers import Sampler

# Directions from the origin are cut in 12 sectors; each split owns whole sectors, less a margin on either side.
SECTORS = {"train": (0, 1, 4, 5, 8, 9), "validation": (2, 6, 10), "test": (3, 7, 11)}
SECTOR_WIDTH = 2 * math.pi / 12
MARGIN = SECTOR_WIDTH / 10


class Mixture(NamedTuple):
    """p(x) = sum_i w_i N(x; c_i, sd^2 I), in any dimension; made and checked by :func:`mixture`."""

    centers: np.ndarray  # (k, d) float32
    sd: float
    weights: np.ndarray  # (k,) float32, sums to 1

    def batches(self, batch_size: int) -> Sampler:
        """The sampler ``seed -> (batch_size, d)``, as :meth:`sample`."""
        batch_size = checks.whole("batch_size", batch_size)
        key = tuple((array.shape, array.tobytes()) for array in (self.centers, self.weights))

        def draw(seed):
            size = replicas.split(batch_size)
            shared = replicas.share(lambda n: self.sample(n, seed), size)
            return tf.ensure_shape(shared, [size, self.centers.shape[1]])

        return Sampler(draw, ("mixture", *key, self.sd, batch_size))

    def sample(self, n: int, seed: Any) -> tf.Tensor:
        """``n`` independent draws, float32 (n, d); ``seed`` is a whole number or an ``int32[2]`` tensor."""
        which, noise = seeds.split(seed, 2)
        uniform = seeds.uniform([checks.whole("n", n), 1], which)
        passed = uniform >= tf.cumsum(self.weights)[:-1]  # (n, k - 1): how many cumulative weights lie below
        centers = tf.gather(self.centers, tf.reduce_sum(tf.cast(passed, tf.int32), axis=1))
        return centers + self.sd * seeds.normal(tf.shape(centers), noise)

    def log_density(self, x: Any) -> tf.Tensor:
        """log p(x), (n,), for points x (n, d), in the dtype of x."""
        x = tf.convert_to_tensor(x)
        centers = tf.cast(self.centers, x.dtype)
        if x.shape.rank != 2 or x.shape[1] != centers.shape[1]:
            raise ValueError(f"points must have shape (n, {centers.shape[1]}), not {tuple(x.shape)}.")
        squares = tf.reduce_sum(tf.square(x[:, None] - centers), axis=-1) / (2 * self.sd**2)
        norm = 0.5 * centers.shape[1] * math.log(2 * math.pi * self.sd**2)
        return tf.reduce_logsumexp(tf.math.log(tf.cast(self.weights, x.dtype)) - squares, axis=1) - norm

    def density(self, x: Any) -> tf.Tensor:
        """p(x), (n,), for points x (n, d), in the dtype of x."""
        return tf.exp(self.log_density(x))


def mixture(centers: Any, *, sd: float, weights: Any = None) -> Mixture:
    """A checked :class:`Mixture` with the centers (k, d), one sd > 0 for all, and weights (k,) (equal by default).

    Raises ``ValueError`` for centers that are not a finite (k, d) array, sd that is not above 0, or weights that are
    negative, are not k, or do not sum to 1 within 1e-5.
    """
    centers = checks.finite("centers", centers)
    if centers.ndim != 2:
        raise ValueError(f"centers must have shape (modes, dimension), not {centers.shape}.")
    count = len(centers)
    weights = np.full(count, 1 / count) if weights is None else np.asarray(weights, np.float64)
    if weights.shape != (count,):
        raise ValueError(f"weights must have shape ({count},), one per center, not {weights.shape}.")
    if not (np.all(weights >= 0) and abs(weights.sum() - 1) < 1e-5):
        raise ValueError(f"weights must be non-negative and sum to 1, not {weights.tolist()}.")
    return Mixture(centers, float(checks.number("sd", sd, above=0)), weights.astype(np.float32))


def ring(num_modes: int = 8, radius: float = 2.0, sd: float = 0.02) -> Mixture:
    """``num_modes`` equal modes on a circle, at the angles 2 pi i / num_modes, i = 0 ... num_modes - 1.

    The angles stop short of 2 pi, so no mode is counted twice. Geometry: Metz et al. 2017 (arXiv:1611.02163).
    """
    angles = 2 * np.pi * np.arange(checks.whole("num_modes", num_modes)) / num_modes
    return mixture(
        float(checks.number("radius", radius, above=0)) * np.stack([np.cos(angles), np.sin(angles)], axis=1), sd=sd
    )


def grid(side: int = 5, spacing: float = 2.0, sd: float = 0.05) -> Mixture:
    """``side`` x ``side`` equal modes on a square lattice around the origin, ``spacing`` apart.

    Geometry: Srivastava et al. 2017 (arXiv:1705.07761), Lin et al. 2018 (arXiv:1712.04086).
    """
    line = float(checks.number("spacing", spacing, above=0)) * (np.arange(checks.whole("side", side)) - (side - 1) / 2)
    return mixture(np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2), sd=sd)


def random_mixture(seed: Any, *, split: str = "train", num_modes: int = 5, sd: float = 0.05) -> Mixture:
    """A random 2-D mixture of the split: equal modes on an ellipse around a random point m, the mixture's mean.

    c_i = m + R(t) (a cos(2 pi i / k), b sin(2 pi i / k)), with half axes a, b in [0.3, 0.8] and any turn t.
    |m| lies in [1, 2] and the direction of m in a sector of the split ("train": half of the directions, "validation"
    and "test": a quarter each, interleaved), with a margin of 3 degrees on either side. So means of two splits are at
    least 2 sin(3 degrees) = 0.104 apart, and no mixture is in two splits. Runs inside a graph. Raises ``ValueError``
    for another split.
    """
    if split not in SECTORS:
        raise ValueError(f"split must be one of {', '.join(SECTORS)}, not {split!r}.")
    num_modes = checks.whole("num_modes", num_modes)
    where, draw = seeds.split(seed, 2)
    u = tf.unstack(seeds.uniform([5], draw))
    sector = seeds.integers([], where, len(SECTORS[split]))
    sector = tf.cast(tf.gather(SECTORS[split], sector), tf.float32)
    direction = sector * SECTOR_WIDTH + MARGIN + u[0] * (SECTOR_WIDTH - 2 * MARGIN)
    mean = (1 + u[1]) * tf.stack([tf.cos(direction), tf.sin(direction)])
    half_axes, turn = 0.3 + 0.5 * tf.stack([u[2], u[3]]), 2 * math.pi * u[4]
    angles = 2 * math.pi * tf.range(num_modes, dtype=tf.float32) / num_modes
    ellipse = tf.stack([tf.cos(angles), tf.sin(angles)], axis=1) * half_axes
    rotation = tf.stack([[tf.cos(turn), tf.sin(turn)], [-tf.sin(turn), tf.cos(turn)]])
    return Mixture(
        mean + ellipse @ rotation, float(checks.number("sd", sd, above=0)), tf.fill([num_modes], 1 / num_modes)
    )


def mixture_tasks(*, shots: int = 128, queries: int = 128, num_modes: int = 5, sd: float = 0.05) -> TaskFamily:
    """A ``TaskFamily`` of random 2-D mixtures: support (shots, 2) and query (queries, 2) are independent draws.

    The mixture of a task is ``random_mixture(seed, split=..., num_modes=..., sd=...)`` for the task's own seed, so that
    it can be had for scoring. Train, validation and test differ in where their mixtures lie, as said there.
    """
    shots, queries = checks.whole("shots", shots), checks.whole("queries", queries)

    num_modes, sd = checks.whole("num_modes", num_modes), float(checks.number("sd", sd, above=0))

    def sampler(split):
        def draw(seed):
            target = random_mixture(seed, split=split, num_modes=num_modes, sd=sd)
            points = target.sample(shots + queries, seeds.fold_in(seed, "points"))
            return Task(points[:shots], points[shots:])

        return Sampler(draw, ("mixture tasks", split, shots, queries, num_modes, sd))

    return TaskFamily(sampler("train"), sampler("validation"), sampler("test"))
