"""The images that metrics take: which shapes and which range, and what is refused."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..data.pixels import as_float

HALF = 0.5  # values that vary by more than this without one below 0 look like [0, 1], not like a blank picture


def in_range(images: Any, name: str = "images") -> np.ndarray:
    """Return ``images`` of any shape as float32 in [-1, 1]: floats as they are, uint8 by the rule x / 127.5 - 1.

    Raises ValueError, naming them, for other types, values that are not finite or lie outside [-1, 1], and for uint8
    that reaches from 0 to 1 instead of 255.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        if images.size and images.max() == 1:
            raise ValueError(f"{name} are uint8 from 0 to 1, which is black; uint8 means 0 to 255: write 255 * x.")
        return as_float(images)
    if images.dtype.kind in "biucOSU":
        raise ValueError(f"{name} have type {images.dtype}; they must be floats in [-1, 1], or uint8 from 0 to 255.")
    with np.errstate(over="ignore"):  # what float32 does not hold is refused as infinite
        images = images.astype(np.float32)
    if not np.all(np.isfinite(images)):
        raise ValueError(f"{name} have values that are not finite (NaN or infinite).")
    if images.size and (images.min() < -1.001 or images.max() > 1.001):
        raise ValueError(
            f"{name} reach from {images.min():g} to {images.max():g}; they must lie in [-1, 1]: pixels from 0 to 255 "
            "do after x / 127.5 - 1."
        )
    return images


def checked_images(images: Any, shape: tuple[int, int, int] | None = None, name: str = "images") -> np.ndarray:
    """Return ``images`` as float32 (n, s, s, c) in [-1, 1], by the rule of ``in_range``.

    shape: the (s, s, c) that they must have; any if None. Raises ValueError for another shape, for no image, and as
    ``in_range``.
    """
    given = np.shape(images)
    expected = "(n, size, size, channels)" if shape is None else f"(n, {', '.join(map(str, shape))})"
    fits = len(given) == 4 and 0 not in given and given[1] == given[2]
    if not fits or (shape is not None and given[1:] != tuple(shape)):
        raise ValueError(f"{name} have shape {given}; expected {expected} with n >= 1.")
    return in_range(images, name)


def warn_of_half_range(images: np.ndarray, name: str) -> None:
    """Warn where float images vary but none has a value below 0: they look as if they were in [0, 1]."""
    low, high = images.min(), images.max()
    if low >= -0.01 and high - low > HALF:
        warnings.warn(
            f"{name} reach from {low:g} to {high:g}, and the classifier's background is -1: if 0 is meant to be "
            "black, write 2 * x - 1.",
            stacklevel=4,
        )
