"""What the data sets are made of: images, characters, tasks, and samplers that run inside a compiled graph.

A data set is an array in memory. A *sampler* is a pure function of a seed, so a batch is drawn inside ``tf.function``
and one seed always gives the same batch.
"""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from metagan_edu import checks, seeds

SIZES = (8, 16, 28)


class Task(NamedTuple):
    """One small problem to adapt to: support examples to learn from, query examples to be judged on, none in both."""

    support: tf.Tensor  # (shots, ...)
    query: tf.Tensor  # (queries, ...)


class TaskFamily(NamedTuple):
    """Three samplers ``seed -> Task`` over tasks that do not overlap; each is pure and runs inside a graph."""

    train: Callable
    validation: Callable
    test: Callable


class Images(NamedTuple):
    """Labeled images; made by :func:`as_images`, which checks them."""

    images: np.ndarray  # (n, size, size, channels) float32 in [-1, 1]
    labels: np.ndarray  # (n,) int32
    name: str

    def batches(self, batch_size):
        """The sampler of image batches, as :func:`batches`."""
        return batches(self.images, batch_size)


class Characters(NamedTuple):
    """Several drawings of each of many characters; made by :func:`as_characters`, which checks them."""

    images: np.ndarray  # (num_characters, drawings, size, size, 1) float32 in [-1, 1]
    alphabets: tuple  # one str per character
    names: tuple  # one str per character

    def batches(self, batch_size):
        """The sampler of batches of drawings of all characters together, as :func:`batches`."""
        return batches(self.images.reshape((-1, *self.images.shape[2:])), batch_size)

    def select(self, keep):
        """The characters at the positions ``keep``, as ``Characters``."""
        keep = [int(i) for i in keep]
        return Characters(self.images[keep], tuple(self.alphabets[i] for i in keep), tuple(self.names[i] for i in keep))

    def turned(self):
        """The characters and their turns by 90, 180 and 270 degrees, as characters of their own: four times as many."""
        images = np.concatenate([np.rot90(self.images, turn, (2, 3)) for turn in range(4)])
        names = [f"{name}, turned by {90 * turn}" if turn else name for turn in range(4) for name in self.names]
        return Characters(images, self.alphabets * 4, tuple(names))

    def tasks(self, shots):
        """The sampler ``seed -> Task``: one character; ``shots`` of its drawings as support, its others as query.

        Raises ``ValueError`` unless 1 <= shots < drawings.
        """
        count, drawings = self.images.shape[:2]
        shots = checks.whole("shots", shots)
        if shots >= drawings:
            raise ValueError(
                f"shots must be less than the {drawings} drawings of a character, to leave some as query, not {shots}."
            )
        data = tf.constant(self.images)

        def sample(seed):
            which, order = seeds.split(seed, 2)
            character = seeds.integers([], which, count)
            order = tf.argsort(seeds.uniform([drawings], order))
            shuffled = tf.gather(data[character], order)
            return Task(shuffled[:shots], shuffled[shots:])

        return sample


def character_tasks(*, train, validation, test, shots):
    """A ``TaskFamily`` over three sets of ``Characters``: one character a task, as :meth:`Characters.tasks`.

    Raises ``ValueError`` where two of the sets share an alphabet, or a drawing, and unless 1 <= shots < drawings.
    """
    splits = {"train": train, "validation": validation, "test": test}
    for one, other in itertools.combinations(splits, 2):
        both = sorted(set(splits[one].alphabets) & set(splits[other].alphabets))
        if both:
            raise ValueError(f"{one} and {other} must share no alphabet, but both have {', '.join(both)}.")
        seen = {drawing.tobytes() for drawing in _drawings(splits[one])}
        if any(drawing.tobytes() in seen for drawing in _drawings(splits[other])):
            raise ValueError(f"{one} and {other} must share no character, but some drawings are in both.")
    return TaskFamily(**{name: characters.tasks(shots) for name, characters in splits.items()})


def _drawings(characters):
    return characters.images.reshape(-1, *characters.images.shape[2:])


def batches(array, batch_size):
    """The sampler ``seed -> (batch_size, ...)`` of float32 examples drawn from ``array`` uniformly, with replacement.

    ``array``: (n, ...), real and finite. Raises ``ValueError`` if it is empty or holds NaN or infinity, or if
    ``batch_size`` is not a whole number above 0.
    """
    batch_size = checks.whole("batch_size", batch_size)
    data = tf.constant(checks.finite("the data", array))
    count = data.shape[0]

    def sample(seed):
        rows = seeds.integers([batch_size], seed, count)
        return tf.gather(data, rows)

    return sample


def as_images(images, labels, name):
    """``Images`` after checks: float32 NHWC, square of 8, 16 or 28 pixels, within [-1, 1], one whole label each.

    Raises ``ValueError`` that names the data set and what does not fit.
    """
    images, labels = _pictures(f"{name} images", images, 4), np.asarray(labels)
    if labels.ndim != 1 or len(labels) != len(images):
        raise ValueError(f"{name} has {len(images)} images but labels of shape {labels.shape}: one label per image.")
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{name} labels must be whole numbers, not {labels.dtype}.")
    return Images(images, labels.astype(np.int32), name)


def as_characters(images, alphabets, names):
    """``Characters`` after the checks of :func:`as_images`, with one alphabet and one name per character."""
    images = _pictures("characters", images, 5)
    if not len(images) == len(alphabets) == len(names):
        raise ValueError(
            f"{len(images)} characters have {len(alphabets)} alphabets and {len(names)} names: one of each is needed."
        )
    return Characters(images, tuple(alphabets), tuple(names))


def resize(images, size):
    """Resize (n, h, w, c) images to ``size`` x ``size`` with a triangle filter as wide as the reduction (no aliasing).

    Weights are non-negative and sum to 1, so the range of the values is kept. Raises ``ValueError`` for other sizes
    than 8, 16 and 28.
    """
    if size not in SIZES:
        raise ValueError(f"size must be 8, 16 or 28 pixels, not {size!r}.")
    images = np.asarray(images, np.float32)
    if images.shape[1:3] == (size, size):
        return images
    resized = tf.image.resize(images, (size, size), method="bilinear", antialias=True).numpy()
    return np.clip(resized, images.min(), images.max())  # float rounding of the weights' sum


def _pictures(what, images, rank):
    images = checks.finite(what, images)
    if images.ndim != rank or images.shape[-3] != images.shape[-2] or images.shape[-2] not in SIZES:
        raise ValueError(
            f"{what} must be square pictures of 8, 16 or 28 pixels with channels last, {rank} axes in all, "
            f"not shape {images.shape}."
        )
    low, high = float(images.min()), float(images.max())
    if low < -1 or high > 1:
        raise ValueError(f"{what} must lie in [-1, 1], but range from {low:g} to {high:g}.")
    return images
