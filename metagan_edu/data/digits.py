"""Handwritten digits of 8x8 pixels that come with scikit-learn: 1,797 real images, no download."""

from __future__ import annotations

import numpy as np

from .base import Images, as_images
from .pixels import resize

NUM_TEST = 500


def digits(split: str = "train", size: int = 8) -> Images:
    """``Images`` of the digits 0 to 9: 1,297 for "train", 500 for "test", all 1,797 for "all".

    The split is fixed and stratified: sorted by label, the test images are evenly spaced. Writers are not known, so the
    two parts may share them. Other sizes (to 64 pixels, divisible by 4) are smoothly enlarged. Source: Alpaydin and
    Kaynak 1998, UCI repository. Raises ``ValueError`` for another split or size.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.argsort(data.target, kind="stable")
    is_test = np.zeros(len(order), bool)
    is_test[order[np.arange(NUM_TEST) * len(order) // NUM_TEST]] = True
    parts = {"train": ~is_test, "test": is_test, "all": np.ones(len(order), bool)}
    if split not in parts:
        raise ValueError(f"split must be one of {', '.join(parts)}, not {split!r}.")
    images = data.images[parts[split]][..., None] / 8 - 1  # grey levels 0 ... 16 to [-1, 1]
    return as_images(resize(images, size), data.target[parts[split]], f"digits-{split}")
