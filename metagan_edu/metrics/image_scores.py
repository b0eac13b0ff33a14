"""Scores of images through a classifier: the classifier score and its share of real data's, class shares, diversity."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import checks
from .classifiers import Classifier, forward


def features(images: Any, clf: Classifier) -> np.ndarray:
    """Return the features (n, d), float32, of images (n, s, s, c) in [-1, 1], or uint8 by the rule x / 127.5 - 1.

    Raises ValueError for images that the classifier does not take (shape, type, range or non-finite values) and where
    its features are not finite. Warns of floats without any value below 0, which look as if they were in [0, 1].
    """
    return forward(images, clf, output=0)


def probabilities(images: Any, clf: Classifier) -> np.ndarray:
    """Return p(class | image), float64 (n, num_classes), rows summing to 1; errors as for ``features``."""
    logits = forward(images, clf, output=1).astype(np.float64)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def classifier_score(images: Any, clf: Classifier) -> float:
    """Return exp(mean_i KL(p(y|x_i) || p(y))), the inception score with the given classifier.

    p(y) is the mean of p(y|x_i) over the images. From 1 (the same, or unsure, everywhere) to the number of classes
    (sure everywhere, classes equally frequent). Blind to variety within a class and to copies; too low for few
    images, so that scores compare only at one n. (Salimans et al., NeurIPS 2016, section 4.)

    images: (n, s, s, c) in [-1, 1], or uint8. Errors as for ``features``.
    """
    p = probabilities(images, clf)
    tiny = np.finfo(np.float64).tiny  # p log p -> 0 as p -> 0
    information = np.sum(p * (np.log(p + tiny) - np.log(p.mean(axis=0) + tiny)), axis=1).mean()
    return float(np.clip(np.exp(information), 1.0, p.shape[1]))


def share_of_real(samples: Any, held_out: Any, clf: Classifier) -> float:
    """Return ``classifier_score(samples) / classifier_score(held_out)``: 1 is as good as held-out real images.

    From 1 / (the held-out score), about 0.1 for ten classes, for a sampler of one picture or of noise that the
    classifier is unsure of; slightly above 1 by chance, or for samples that are cleaner than real ones. The score is
    too low for few images, so both sets must have the same number.

    samples, held_out: (n, s, s, c) in [-1, 1], or uint8; the held-out images are none that samples or classifier were
    made from, in random order if they are a part. Raises ValueError for different numbers, and as ``features``.
    """
    if len(samples) != len(held_out):
        raise ValueError(
            f"there are {len(samples)} samples and {len(held_out)} held-out images, and the score depends on their "
            "number; give as many samples as held-out images."
        )
    return classifier_score(samples, clf) / classifier_score(held_out, clf)


def class_probability(images: Any, clf: Classifier, label: int) -> float:
    """Return the mean probability that the classifier gives to class ``label``, in [0, 1].

    The score of a generator that was asked for one class; that of real held-out images of the class is its ceiling.
    Blind to variety and to copies. Raises ValueError for a label that is no class, and as ``features``.
    """
    if not checks.is_whole(label) or label not in range(clf.num_classes):
        raise ValueError(f"label is {label!r}; the classifier knows the classes 0 to {clf.num_classes - 1}.")
    return float(probabilities(images, clf)[:, label].mean())


def diversity(images: Any, real: Any, clf: Classifier) -> float:
    """Return the mean distance of two images in feature space, over that of two real images: 1 for equal variety.

    mean_{i<j} |f(x_i) - f(x_j)| / mean_{i<j} |f(r_i) - f(r_j)|; 0 for one image repeated. Two images on each side at
    least. Raises ValueError for fewer, for real images that are all the same, and as ``features``.
    """
    spread = _mean_distance(features(images, clf))
    real_spread = _mean_distance(forward(real, clf, output=0, name="real images"))
    if real_spread == 0:
        raise ValueError("the real images are all the same; diversity is relative to real images that differ.")
    return spread / real_spread


def _mean_distance(points: np.ndarray) -> float:
    """Return mean_{i<j} |x_i - x_j|."""
    from scipy.spatial.distance import pdist

    if len(points) < 2:
        raise ValueError(f"diversity needs at least two images on each side, not {len(points)}.")
    return float(pdist(points).mean())


def class_histogram(images: Any, clf: Classifier) -> np.ndarray:
    """Return how many images fall into each class by the largest probability: int64 (num_classes,).

    Errors as for ``features``.
    """
    return np.bincount(forward(images, clf, output=1).argmax(axis=1), minlength=clf.num_classes)
