"""Pictures as numbers: one rule for their values, what sizes they have, and how they are reduced.

The rule: ``uint8`` is 0 ... 255, kept as it is, and becomes x / 127.5 - 1 when it is drawn. Other numbers are kept as
float32; pictures (n, h, w, c) must then lie in [-1, 1] and reach below 0, for what lies in [0, 1] was scaled for
another use: a generator that ends in tanh would learn from it that nothing is dark.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .. import checks

SMALLEST, LARGEST, STEP = 8, 64, 4  # pixels: a network halves a side at least twice


def check_size(size: Any, smallest: int = SMALLEST) -> int:
    """``size`` as an ``int``; ``ValueError`` unless it is 8 to 64 pixels and divisible by 4."""
    if not checks.is_whole(size) or not smallest <= size <= LARGEST or size % STEP:
        raise ValueError(f"size must be {smallest} to {LARGEST} pixels and divisible by {STEP}, not {size!r}.")
    return size.__index__()


def examples(what: str, array: Any) -> np.ndarray:
    """``array`` (n, …) as it is to be kept: uint8 as it is, anything else as finite float32, pictures by the rule.

    Arrays (n, h, w, c) of up to 4 channels are pictures. Raises ``ValueError`` naming ``what``: empty, not numbers, not
    finite, or pictures with other values or their channels second.
    """
    array = np.asarray(array)
    if array.dtype != np.uint8 or array.ndim == 0 or array.size == 0:
        low, high = (array.min(), array.max()) if array.dtype == np.float32 and array.size else (np.nan, np.nan)
        if not np.isfinite(low) or not np.isfinite(high) or array.ndim == 0:  # looked at without a copy
            array = checks.finite(what, array)
    if array.ndim == 4 and array.shape[1] in (1, 3) and array.shape[3] not in (1, 3):
        raise ValueError(
            f"{what} have shape {array.shape}, with the channels second: write np.moveaxis(images, 1, -1)."
        )
    if array.dtype == np.uint8 or (array.ndim == 4 and array.shape[3] <= 4):
        check_range(what, array)
    return array


def check_range(what: str, array: np.ndarray) -> None:
    """``ValueError``, with the line to write, for pictures whose values are not as the rule says."""
    low, high = float(array.min()), float(array.max())
    if array.dtype == np.uint8:
        if high <= 1:
            raise ValueError(
                f"{what} are uint8, which is read as 0 to 255, but none is above 1: write 255 * images for black and "
                'white, or images.astype("float32") for other numbers.'
            )
        return
    if low < -1 or high > 1:
        instead = (
            "images / 127.5 - 1 for 0 to 255 (uint8 is taken as it is)" if low >= 0 else "images / abs(images).max()"
        )
        raise ValueError(f"{what} must lie in [-1, 1], but range from {low:g} to {high:g}: write {instead}.")
    if low >= 0 and high > 0:
        raise ValueError(
            f"{what} must lie in [-1, 1] and reach below 0, but range from {low:g} to {high:g}: write images * 2.0 - 1."
        )


def pictures(what: str, images: Any, rank: int) -> np.ndarray:
    """Square pictures (…, size, size, 1 or 3) with ``rank`` axes, by the rule; ``ValueError`` naming ``what``."""
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.size == 0:
        images = checks.finite(what, images)
    fits = images.ndim == rank and images.shape[-3] == images.shape[-2] and images.shape[-1] in (1, 3)
    side = images.shape[-2] if fits else 0
    if not SMALLEST <= side <= LARGEST or side % STEP:
        raise ValueError(
            f"{what} must be square pictures of {SMALLEST} to {LARGEST} pixels, divisible by {STEP}, with 1 or 3 "
            f"channels last, {rank} axes in all, not shape {images.shape}."
        )
    check_range(what, images)
    return images


def as_float(array: np.ndarray) -> np.ndarray:
    """Kept values as float32: x / 127.5 - 1 for uint8, anything else as it is."""
    if array.dtype != np.uint8:
        return array
    values = array.astype(np.float32)
    values /= 127.5
    values -= 1
    return values


def scaled(tensor: tf.Tensor) -> tf.Tensor:
    """As :func:`as_float` for a tensor, with the same bits: a plain division would become a product in a graph."""
    if tensor.dtype != tf.uint8:
        return tensor
    return tf.math.divide_no_nan(tf.cast(tensor, tf.float32), 127.5) - 1


def resize(images: Any, size: int) -> np.ndarray:
    """Resize (n, h, w, c) images to ``size`` x ``size`` with a triangle filter as wide as the reduction (no aliasing).

    Weights are non-negative and sum to 1, so the range of the values is kept. Raises ``ValueError`` for sizes other
    than 8 to 64 pixels, divisible by 4.
    """
    size = check_size(size)
    images = np.asarray(images, np.float32)
    if images.shape[1:3] == (size, size):
        return images
    parts = [
        tf.image.resize(images[i : i + 4096], (size, size), method="bilinear", antialias=True).numpy()
        for i in range(0, len(images), 4096)
    ]
    return np.clip(np.concatenate(parts), images.min(), images.max())  # float rounding of the weights' sum
