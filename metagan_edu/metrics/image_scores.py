"""Scores of images through a classifier: the classifier score, the Fréchet distance of features, class shares."""

from __future__ import annotations

import numpy as np

from metagan_edu.metrics.frechet import frechet_distance
from metagan_edu.metrics.image_classifier import Classifier, checked_images

BLOCK_IMAGES = 1000  # images in one forward pass


def features(images, clf: Classifier) -> np.ndarray:
    """Return the features (n, 64), float32, of images (n, s, s, c) in [-1, 1].

    Raises ValueError for images that the classifier does not take: shape, range or non-finite values.
    """
    return _forward(images, clf, output=0)


def probabilities(images, clf: Classifier) -> np.ndarray:
    """Return p(class | image), float64 (n, num_classes), rows summing to 1; errors as for ``features``."""
    logits = _forward(images, clf, output=1).astype(np.float64)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def classifier_score(images, clf: Classifier) -> float:
    """Return exp(mean_i KL(p(y|x_i) || p(y))), the inception score with the given classifier.

    p(y) is the mean of p(y|x_i) over the images. From 1 (the same, or unsure, everywhere) to the number of classes
    (sure everywhere, classes equally frequent). Blind to variety within a class and to copies; too low for few
    images. (Salimans et al., NeurIPS 2016, section 4.) Errors as for ``features``.
    """
    p = probabilities(images, clf)
    tiny = np.finfo(np.float64).tiny  # p log p -> 0 as p -> 0
    information = np.sum(p * (np.log(p + tiny) - np.log(p.mean(axis=0) + tiny)), axis=1).mean()
    return float(np.clip(np.exp(information), 1.0, p.shape[1]))


def class_probability(images, clf: Classifier, label: int) -> float:
    """Return the mean probability that the classifier gives to class ``label``, in [0, 1].

    The score of a generator that was asked for one class; that of real held-out images of the class is its ceiling.
    Blind to variety and to copies. Raises ValueError for a label that is no class, and as ``features``.
    """
    if label not in range(clf.num_classes):
        raise ValueError(f"label is {label!r}; the classifier knows the classes 0 to {clf.num_classes - 1}.")
    return float(probabilities(images, clf)[:, label].mean())


def diversity(images, real, clf: Classifier) -> float:
    """Return the mean distance of two images in feature space, over that of two real images: 1 for equal variety.

    mean_{i<j} |f(x_i) - f(x_j)| / mean_{i<j} |f(r_i) - f(r_j)|; 0 for one image repeated. Two images on each side at
    least. Raises ValueError for fewer, for real images that are all the same, and as ``features``.
    """
    spread, real_spread = (_mean_distance(features(batch, clf)) for batch in (images, real))
    if real_spread == 0:
        raise ValueError("the real images are all the same; diversity is relative to real images that differ.")
    return spread / real_spread


def _mean_distance(points: np.ndarray) -> float:
    from scipy.spatial.distance import pdist

    if len(points) < 2:
        raise ValueError(f"diversity needs at least two images on each side, not {len(points)}.")
    return float(pdist(points).mean())


def fid(real, fake, clf: Classifier) -> float:
    """Return the Fréchet distance of the classifier's features of real and of generated images.

    At least 0, lower is better; values compare only for one classifier and one number of images
    (``frechet_distance``). Needs more than 64 images on each side. Errors as for ``features`` and ``frechet_distance``.
    """
    return frechet_distance(features(real, clf), features(fake, clf))


def class_histogram(images, clf: Classifier) -> np.ndarray:
    """Return how many images fall into each class by the largest probability: int64 (num_classes,).

    Errors as for ``features``.
    """
    return np.bincount(_forward(images, clf, output=1).argmax(axis=1), minlength=clf.num_classes)


def _forward(images, clf: Classifier, *, output: int) -> np.ndarray:
    images = checked_images(images, clf)
    blocks = (images[start : start + BLOCK_IMAGES] for start in range(0, len(images), BLOCK_IMAGES))
    return np.concatenate([np.asarray(clf.model(block)[output]) for block in blocks])
