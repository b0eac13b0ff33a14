"""What the data sets are made of: images, characters, tasks, and samplers that run inside a compiled graph.

A data set is an array in memory. A *sampler* is a pure function of a seed, so a batch is drawn inside ``tf.function``
and one seed always gives the same batch. ``batch_size`` is that of all replicas together, where a strategy of
``tf.distribute`` has several: each draws its rows of the one batch.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from .. import checks, replicas, seeds
from . import pixels as px
from .held import held
from .pixels import resize  # noqa: F401 - read as base.resize
from .samplers import Sampler


class Task(NamedTuple):
    """One small problem to adapt to: support examples to learn from, query examples to be judged on, none in both."""

    support: tf.Tensor  # (shots, ...)
    query: tf.Tensor  # (queries, ...)


class TaskFamily(NamedTuple):
    """Three samplers ``seed -> Task`` over tasks that do not overlap; each is pure and runs inside a graph."""

    train: Callable[[Any], Task]
    validation: Callable[[Any], Task]
    test: Callable[[Any], Task]


@dataclasses.dataclass(frozen=True, eq=False)
class Images:
    """Labeled images; made by :func:`as_images`, which checks them."""

    pixels: np.ndarray  # (n, size, size, 1 or 3), uint8 or float32 in [-1, 1]: as they are kept
    labels: np.ndarray  # (n,) int32
    name: str
    classes: tuple[str, ...] = ()  # what label k is called, where it has a name

    @functools.cached_property
    def images(self) -> np.ndarray:
        """float32 (n, size, size, channels) in [-1, 1]; made, and then kept, when first asked for (samplers do not)."""
        return px.as_float(self.pixels)

    def select(self, keep: Any) -> Images:
        """The images at the positions ``keep`` (a slice, positions, or a mask), with their labels."""
        return dataclasses.replace(self, pixels=self.pixels[keep], labels=self.labels[keep])

    def batches(self, batch_size: int, labels: bool = False) -> Sampler:
        """The sampler of image batches, as :func:`batches`; with ``labels``, of pairs (images, labels int32)."""
        return rows(self.pixels, batch_size, self.labels if labels else None)


@dataclasses.dataclass(frozen=True, eq=False)
class Characters:
    """Several drawings of each of many characters; made by :func:`as_characters`, which checks them."""

    pixels: np.ndarray  # (num_characters, drawings, size, size, 1 or 3), uint8 or float32 in [-1, 1]: as they are kept
    alphabets: tuple[str, ...]  # one per character
    names: tuple[str, ...]  # one per character

    @functools.cached_property
    def images(self) -> np.ndarray:
        """float32 (num_characters, drawings, size, size, channels) in [-1, 1]; made when first asked for."""
        return px.as_float(self.pixels)

    def batches(self, batch_size: int, labels: bool = False) -> Sampler:
        """The sampler of batches of drawings of all characters together, as :func:`batches`.

        With ``labels`` of pairs (drawings, positions of their characters, int32).
        """
        count, drawings = self.pixels.shape[:2]
        which = np.repeat(np.arange(count, dtype=np.int32), drawings)
        return rows(self._rows(), batch_size, which if labels else None)

    def select(self, keep: Iterable[int]) -> Characters:
        """The characters at the positions ``keep``, as ``Characters``."""
        keep = [int(i) for i in keep]
        return Characters(self.pixels[keep], tuple(self.alphabets[i] for i in keep), tuple(self.names[i] for i in keep))

    def turned(self) -> Characters:
        """The characters and their turns by 90, 180 and 270 degrees, as characters of their own: four times as many."""
        images = np.concatenate([np.rot90(self.pixels, turn, (2, 3)) for turn in range(4)])
        names = [f"{name}, turned by {90 * turn}" if turn else name for turn in range(4) for name in self.names]
        return Characters(images, self.alphabets * 4, tuple(names))

    def tasks(self, shots: int) -> Sampler:
        """The sampler ``seed -> Task``: one character; ``shots`` of its drawings as support, its others as query.

        Raises ``ValueError`` unless 1 <= shots < drawings.
        """
        count, drawings = self.pixels.shape[:2]
        shots = checks.whole("shots", shots)
        if shots >= drawings:
            raise ValueError(
                f"shots must be less than the {drawings} drawings of a character, to leave some as query, not {shots}."
            )
        kept = held(self._rows())

        def draw(seed):
            which, order = seeds.split(seed, 2)
            character = seeds.integers([], which, count)
            order = tf.argsort(seeds.uniform([drawings], order))
            shuffled = px.scaled(kept.rows(character * drawings + order))
            return Task(shuffled[:shots], shuffled[shots:])

        return Sampler(draw, ("tasks", kept.key, drawings, shots))

    def _rows(self) -> np.ndarray:
        return self.pixels.reshape((-1, *self.pixels.shape[2:]))


def character_tasks(*, train: Characters, validation: Characters, test: Characters, shots: int) -> TaskFamily:
    """A ``TaskFamily`` over three sets of ``Characters``: one character a task, as :meth:`Characters.tasks`.

    Raises ``ValueError`` where two of the sets share an alphabet, or a drawing, and unless 1 <= shots < drawings.
    """
    splits = {"train": train, "validation": validation, "test": test}
    for one, other in itertools.combinations(splits, 2):
        both = sorted(set(splits[one].alphabets) & set(splits[other].alphabets))
        if both:
            raise ValueError(f"{one} and {other} must share no alphabet, but both have {', '.join(both)}.")
        seen = set(_drawings(splits[one]))
        if any(drawing in seen for drawing in _drawings(splits[other])):
            raise ValueError(f"{one} and {other} must share no character, but some drawings are in both.")
    return TaskFamily(**{name: characters.tasks(shots) for name, characters in splits.items()})


def _drawings(characters: Characters) -> Iterator[bytes]:
    return (px.as_float(drawing).tobytes() for character in characters.pixels for drawing in character)


def batches(array: Any, batch_size: int) -> Sampler:
    """The sampler ``seed -> (batch_size, ...)`` of float32 examples drawn from ``array`` uniformly, with replacement.

    ``array``: (n, ...), real and finite. ``uint8`` is 0 ... 255: it is kept so, and drawn as x / 127.5 - 1. Pictures of
    other types, (n, h, w, c), must lie in [-1, 1] and reach below 0; points (n, d) are taken as they are. Equal arrays
    share one tensor. Raises ``ValueError`` for an array that is empty, holds NaN or infinity, or pictures with other
    values, and if ``batch_size`` is not a whole number above 0.
    """
    if hasattr(array, "batches"):
        raise ValueError(
            f"mg.data.batches takes an array, not {type(array).__name__}: write .batches(batch_size) after it."
        )
    return rows(px.examples("the data", array), batch_size)


def rows(array: np.ndarray, batch_size: int, labels: np.ndarray | None = None) -> Sampler:
    """The sampler of rows of a checked array, scaled where it is uint8; with ``labels``, of pairs (rows, labels)."""
    batch_size, count = checks.whole("batch_size", batch_size), len(array)
    kept = held(array)
    marks = None if labels is None else held(labels)

    def draw(seed):
        which = positions(seed, batch_size, count)
        drawn = px.scaled(kept.rows(which))
        return drawn if marks is None else (drawn, marks.rows(which))

    return Sampler(draw, ("rows", kept.key, marks and marks.key, batch_size))


def positions(seed: Any, batch_size: int, count: int) -> tf.Tensor:
    """Positions of ``batch_size`` of ``count`` examples, uniformly and with replacement: this replica's share."""
    size = replicas.split(batch_size)
    return tf.ensure_shape(replicas.share(lambda n: seeds.integers([n], seed, count), size), [size])


def check_labels(name: str, labels: Any, count: int) -> np.ndarray:
    """``labels`` (count,) as int32; ``ValueError`` unless they are whole numbers from 0 up that fit, one per image."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) != count:
        raise ValueError(f"{name} has {count} images but labels of shape {labels.shape}: one label per image.")
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{name} labels must be whole numbers, not {labels.dtype}.")
    if labels.min() < 0 or labels.max() >= 2**31:
        raise ValueError(f"{name} labels must count from 0 up, but range from {labels.min()} to {labels.max()}.")
    return labels.astype(np.int32)


def as_images(images: Any, labels: Any, name: str, classes: Sequence[str] = ()) -> Images:
    """``Images`` after checks: (n, size, size, 1 or 3) of 8 to 64 pixels, divisible by 4, and one whole label each.

    Values: uint8 of 0 ... 255, kept so and drawn as x / 127.5 - 1, or numbers in [-1, 1] that reach below 0. Raises
    ``ValueError`` that names the data set and what does not fit.
    """
    images = px.pictures(f"{name} images", images, 4)
    labels = check_labels(name, labels, len(images))
    if classes and labels.max() >= len(classes):
        raise ValueError(f"{name} has a label {labels.max()}, but only {len(classes)} classes have names.")
    return Images(images, labels, name, tuple(classes))


def as_characters(images: Any, alphabets: Sequence[str], names: Sequence[str]) -> Characters:
    """``Characters`` after the checks of :func:`as_images`, with one alphabet and one name per character."""
    images = px.pictures("characters", images, 5)
    if not len(images) == len(alphabets) == len(names):
        raise ValueError(
            f"{len(images)} characters have {len(alphabets)} alphabets and {len(names)} names: one of each is needed."
        )
    return Characters(images, tuple(alphabets), tuple(names))
