"""The characters of the few-shot studies, and who judges drawings of them: Omniglot's small archive, 16x16 pixels.

* **Features**: the :func:`distance` that a :func:`stranger` sees, a classifier of *other* alphabets' characters.
* **Score**: the mean probability that :func:`judge`, a classifier of the tested characters, gives to the right one.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

import metagan_edu as mg

SHOTS = 10
ALPHABETS = ("Balinese", "Early_Aramaic", "Greek", "Korean", "Latin")
TRAIN, TEST = ("Greek", "Latin"), {"Balinese": 18, "Korean": 18}
SEARCHED = {"Early_Aramaic": 22}
STRANGERS = (1, 2, 3)


def distorted(images: np.ndarray, seed: Any, *, turn: float, stretch: float, slant: float, shift: float) -> np.ndarray:
    """Images (n, 16, 16, 1), each with its own random affine change (standard deviations; angles in radians)."""
    from scipy.ndimage import affine_transform

    rng, made, center = np.random.default_rng(seed), [], np.array([7.5, 7.5])
    for image in images:
        angle, scale, slope = rng.normal(0, turn), np.exp(rng.normal(0, stretch, 2)), rng.normal(0, slant)
        matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = matrix @ np.array([[scale[0], slope], [0, scale[1]]])
        offset = center - matrix @ center + rng.normal(0, shift, 2)
        made.append(affine_transform(image[..., 0], matrix, offset, order=1, cval=-1)[..., None])
    return np.clip(np.array(made, np.float32), -1, 1)


def characters(alphabets: Any) -> mg.data.Characters:
    """The first so many characters of each alphabet of Omniglot's small archive (all, where no number is given)."""
    omniglot = mg.data.omniglot(16)
    counts = dict.fromkeys(alphabets, 10**6) | (alphabets if isinstance(alphabets, dict) else {})
    places = {name: [i for i, own in enumerate(omniglot.alphabets) if own == name] for name in counts}
    return omniglot.select([i for name, count in counts.items() for i in places[name][:count]])


@functools.cache
def training(source: str) -> mg.data.Characters:
    """The training characters of a source, "glyphs" or "omniglot", each also turned by 90, 180 and 270 degrees."""
    if source == "omniglot":
        return characters(TRAIN).turned()
    return by_hand(mg.data.glyph_splits(16)["train"]).turned()


def by_hand(glyphs: mg.data.Characters) -> mg.data.Characters:
    """Glyphs distorted to look more like handwriting."""
    flat = distorted(glyphs.images.reshape(-1, 16, 16, 1), 0, turn=0.2, stretch=0.2, slant=0.2, shift=1.5)
    return mg.data.as_characters(flat.reshape(glyphs.images.shape), glyphs.alphabets, glyphs.names)


def judge(unseen: mg.data.Characters, seed: int = 0) -> Any:
    """The classifier of the unseen characters, from the drawings that are not support."""
    count, drawings = len(unseen.images), unseen.images.shape[1] - SHOTS
    images, labels = unseen.images[:, SHOTS:].reshape(-1, 16, 16, 1), np.repeat(np.arange(count), drawings)
    changed = distorted(np.repeat(images, 20, 0), 0, turn=0.15, stretch=0.1, slant=0.1, shift=0.7)
    return mg.metrics.train_classifier(
        np.concatenate([images, changed]), np.concatenate([labels, np.repeat(labels, 20)]), num_steps=3000, seed=seed
    )


def stranger(alphabets: Any, seed: int) -> Any:
    """A classifier of the characters of all other alphabets, whose features are compared."""
    letters = characters([name for name in ALPHABETS if name not in alphabets]).turned()
    count, drawings = letters.images.shape[:2]
    images, labels = letters.images.reshape(-1, 16, 16, 1), np.repeat(np.arange(count), drawings)
    return mg.metrics.train_classifier(images, labels, num_steps=2000, seed=seed)


def ceiling(unseen: mg.data.Characters, classifier: Any) -> list[float]:
    """The score of each character's own support: what real drawings get."""
    return [mg.metrics.class_probability(x[:SHOTS], classifier, k) for k, x in enumerate(unseen.images)]


class Judges(NamedTuple):
    """Characters that are tested on, the classifier of them, and three of other alphabets' characters."""

    unseen: mg.data.Characters
    known: Any
    strangers: tuple[Any, ...]


@functools.cache
def judges(searched: bool = False) -> Judges:
    """Those of ``TEST``, or of ``SEARCHED``."""
    alphabets = SEARCHED if searched else TEST
    unseen = characters(alphabets)
    return Judges(unseen, judge(unseen), tuple(stranger(alphabets, seed) for seed in STRANGERS))


def distance(images: np.ndarray, others: np.ndarray, stranger: Any) -> float:
    """The energy distance between the features of two sets of pictures."""
    features = (mg.metrics.features(np.clip(x, -1, 1), stranger) for x in (images, others))
    return float(mg.metrics.energy_distance(*features))
