"""Modes of images whose channels are classified one by one: stacked MNIST (Metz et al. 2017, arXiv:1611.02163)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .classifiers import Classifier
from .image_scores import probabilities
from .images import in_range

SURE = 0.9  # the probability from which on a channel is legible


class StackedCoverage(NamedTuple):
    """What ``stacked_coverage`` measures; every field is a Python number."""

    modes: int  # modes with at least 1 image (the published, lax count)
    modes_sure: int  # modes with at least 1 image of whose every channel the classifier is at least 90 % sure
    reverse_kl: float  # KL(p_hat || uniform) in nats over all images
    sure: float  # share of those sure images, in [0, 1]


def stacked_coverage(images: Any, clf: Classifier) -> StackedCoverage:
    """Count the modes that images with several channels reach, and how evenly.

    The mode of an image is the sequence of its channels' classes: with k classes and c channels there are k^c, for
    three digits 1,000. The reverse KL is sum_m p_hat_m log(k^c p_hat_m): 0 when all modes are equally frequent, log k^c
    when all images are in one. Of n images of equal modes it is about (k^c - 1)/(2n) by chance alone, so
    compare equal n (25,600 in the published tables). Every image is put in some mode, legible or not, so that uniform
    noise reaches hundreds: read ``modes`` beside ``modes_sure``, and beside what real held-out images get.

    images: (n, s, s, c) in [-1, 1], or uint8; clf: a classifier of (s, s, 1). Raises ValueError for images of another
    shape or range, or not finite, and for a classifier of more than one channel.
    """
    images = in_range(images)
    if clf.image_shape[-1] != 1:
        raise ValueError(f"channels are classified one by one, but the classifier takes {clf.image_shape}.")
    if images.ndim != 4 or images.shape[1:3] != clf.image_shape[:2] or not images.size:
        expected = ", ".join(map(str, clf.image_shape[:2]))
        raise ValueError(f"images have shape {images.shape}; expected (n, {expected}, channels) with n >= 1.")
    num_images, channels = len(images), images.shape[-1]
    p = probabilities(np.moveaxis(images, -1, 1).reshape(-1, *clf.image_shape), clf)
    p = p.reshape(num_images, channels, clf.num_classes)
    num_modes = clf.num_classes**channels
    mode = p.argmax(axis=-1) @ clf.num_classes ** np.arange(channels - 1, -1, -1)
    shares = np.unique(mode, return_counts=True)[1] / num_images
    sure = p.max(axis=-1).min(axis=1) >= SURE
    return StackedCoverage(
        modes=len(shares),
        modes_sure=len(np.unique(mode[sure])),
        reverse_kl=float(max(0.0, np.sum(shares * np.log(shares * num_modes)))),
        sure=float(sure.mean()),
    )
