"""Data that does not fit in memory: batches are read at random positions, drawn from the seed, while the loop runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from .. import checks
from . import pixels as px
from .base import check_labels, positions
from .held import held
from .samplers import Sampler

LOOKED_AT = 64  # examples, evenly spaced, that are read and checked before the first batch
LIMIT = 2**31  # positions are int32


@dataclasses.dataclass(frozen=True, eq=False)
class Reader:
    """Examples that are read where they are drawn; made by :func:`from_reader`, which checks them."""

    read: Callable[[np.ndarray], Any]
    count: int
    shape: tuple[int, ...]  # of one example
    dtype: np.dtype  # uint8, or float32 where examples are other numbers
    labels: np.ndarray | None = None  # (count,) int32

    def batches(self, batch_size: int, labels: bool = False) -> Sampler:
        """The sampler ``seed -> (batch_size, ...)`` of float32 examples; with ``labels``, of pairs (examples, labels).

        The same seed reads the same examples, so that a run can be resumed. It runs inside a graph, on the CPU, but not
        with ``jit=True``: XLA cannot call Python. Of several replicas each reads its share. Two samplers are equal if
        ``read`` is the same function. Raises ``ValueError`` where labels are asked for and there are none; where
        ``read`` fails inside a graph, TensorFlow raises its error with the sentence in it.
        """
        batch_size = checks.whole("batch_size", batch_size)
        if labels and self.labels is None:
            raise ValueError("this reader has no labels: hand them over, mg.data.from_reader(read, n, labels=labels).")
        marks = held(self.labels) if labels and self.labels is not None else None

        def draw(seed):
            which = positions(seed, batch_size, self.count)
            if tf.executing_eagerly():
                examples = tf.constant(self.at(which.numpy()))
            else:  # stateless: one seed gives one batch, which need not be read twice
                examples = tf.numpy_function(self.at, [which], tf.as_dtype(self.dtype), stateful=False)
                examples = tf.ensure_shape(examples, (*which.shape, *self.shape))
            examples = px.scaled(examples)
            return examples if marks is None else (examples, marks.rows(which))

        return Sampler(draw, ("reader", self._same(), self.count, marks and marks.key, batch_size))

    def at(self, which: np.ndarray) -> np.ndarray:
        """The examples at the positions ``which`` (n,), each read once, as they are kept; ``ValueError`` if unfit."""
        unique, back = np.unique(which.astype(np.int64), return_inverse=True)
        return _read(self.read, unique, self.shape, self.dtype)[back.reshape(-1)]

    def _same(self) -> Any:
        """What stands for ``read`` in a comparison by value: itself, or its identity where it cannot be hashed."""
        try:
            hash(self.read)
        except TypeError:
            return id(self.read)
        return self.read


def from_reader(read: Callable[[np.ndarray], Any], n: int, *, labels: Any = None) -> Reader:
    """A :class:`Reader` of ``n`` examples, of which ``read(positions)`` gives those at the positions, (k, ...).

    For example ``from_reader(lambda i: array[i], len(array))`` for an ``array`` of ``np.memmap`` or h5py. ``positions``
    is int64, increasing, without doubles. ``read`` must give the same for the same positions, may be called from
    several threads, and gives uint8 of 0 ... 255, drawn as x / 127.5 - 1, or other finite numbers, drawn as float32:
    pictures (k, h, w, c) in [-1, 1]. ``labels``: (n,) whole numbers, kept in memory.

    Up to 64 examples, the first and the last among them, are read here. Raises ``ValueError`` where that fails or they
    do not fit, and unless ``n`` is a whole number from 1 to 2**31 - 1.
    """
    if not callable(read):
        raise ValueError(
            f"read must be a function positions -> examples, not {type(read).__name__}: write lambda i: array[i]."
        )
    n = checks.whole("n", n)
    if n >= LIMIT:
        raise ValueError(f"n must be below {LIMIT}, not {n}.")
    some = np.unique(np.linspace(0, n - 1, min(n, LOOKED_AT)).astype(np.int64))
    given = px.examples("what read gives", _called(read, some))
    if len(given) != len(some):
        raise ValueError(f"read must give one example for each of {len(some)} positions, not shape {given.shape}.")
    labels = None if labels is None else check_labels("the reader", labels, n)
    return Reader(read, n, given.shape[1:], given.dtype, labels)


def _read(read: Callable, which: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    given = _called(read, which)
    if given.shape != (len(which), *shape) or (given.dtype == np.uint8) != (dtype == np.uint8):
        raise ValueError(
            f"read gave {given.dtype} of shape {given.shape} for {len(which)} positions, where it gave "
            f"{dtype} of shape {shape} for each before."
        )
    if dtype == np.uint8:
        return given
    given = checks.finite("what read gives", given)
    if len(shape) == 3 and shape[2] <= 4 and (given.min() < -1 or given.max() > 1):
        raise ValueError(f"what read gives must lie in [-1, 1], but ranges from {given.min():g} to {given.max():g}.")
    return given


def _called(read: Callable, which: np.ndarray) -> np.ndarray:
    try:
        return np.asarray(read(which))
    except Exception as error:
        span = f"{which[0]} to {which[-1]}" if len(which) > 1 else f"{which[0]}"
        raise ValueError(
            f"read failed for {len(which)} positions ({span}) with {type(error).__name__}: {error}."
        ) from error
