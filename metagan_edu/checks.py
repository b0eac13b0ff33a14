"""Checks of arguments: each refuses by name, in one sentence that says what was given and what would be right.

A tensor that may be learned, or whose value is not known while a graph is made, passes the checks of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np
import tensorflow as tf


def is_whole(value: Any) -> bool:
    """Whether ``value`` is a whole number: of Python or NumPy, and no bool."""
    return not isinstance(value, (bool, np.bool_)) and not tf.is_tensor(value) and hasattr(value, "__index__")


def whole(name: str, value: Any, least: int = 1) -> int:
    """``value`` as an ``int``; ``ValueError`` unless it is a whole number of at least ``least``."""
    if not is_whole(value) or value.__index__() < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}.")
    return value.__index__()


def wholes(name: str, values: Any, least: int = 1) -> tuple[int, ...]:
    """``values`` as a tuple of ``int``; ``ValueError`` unless each is a whole number of at least ``least``."""
    if isinstance(values, str) or not isinstance(values, Collection):
        raise ValueError(f"{name} must be several whole numbers, such as (128, 128), not {values!r}.")
    return tuple(whole(f"each of {name}", value, least) for value in values)


def number(
    name: str, value: Any, *, least: float | None = None, above: float | None = None, most: float | None = None,
    below: float | None = None,
) -> Any:  # fmt: skip
    """``value`` as it is; ``ValueError`` unless it is a finite real number within the bounds. Tensors pass."""
    if tf.is_tensor(value):
        return value
    bounds = [f"of at least {least}"] * (least is not None) + [f"above {above}"] * (above is not None)
    bounds += [f"at most {most}"] * (most is not None) + [f"below {below}"] * (below is not None)
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    fits = (
        real and math.isfinite(value) and (least is None or value >= least) and (above is None or value > above)
        and (most is None or value <= most) and (below is None or value < below)
    )  # fmt: skip
    if not fits:
        raise ValueError(f"{name} must be a finite number{' ' if bounds else ''}{' and '.join(bounds)}, not {value!r}.")
    return value


def one_of(name: str, value: Any, options: Collection[Any]) -> Any:
    """``value`` as it is; ``ValueError`` unless it is one of the ``options``."""
    if not any(type(value) is type(option) and value == option for option in options):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}, not {value!r}.")
    return value


def finite(what: str, array: Any) -> np.ndarray:
    """``array`` as a non-empty float32 array of finite numbers; otherwise ``ValueError`` naming ``what``."""
    array = np.asarray(array)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{what} must have at least one example, not shape {array.shape}.")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{what} must be real numbers, not {array.dtype}.")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise ValueError(
            f"{what} must be finite, but {len(bad)} values are not: the first is {array[where]} at {where}."
        )
    return array.astype(np.float32, copy=False)


def rows(name: str, value: Any, *, least: int = 1) -> np.ndarray:
    """``value`` (n, …) as a finite float64 array (n, d), flattened from the second axis on.

    ``ValueError`` where it has fewer than two axes, fewer than ``least`` rows, or values that are not finite.
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers, not {type(value).__name__}.") from error
    if array.ndim < 2:
        raise ValueError(f"{name} has shape {array.shape}; expected (n, ...), one row per sample.")
    if array.shape[0] < least or array[0].size == 0:
        raise ValueError(f"{name} has shape {array.shape}; at least {least} non-empty rows are needed.")
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise ValueError(f"{name} has {bad} values that are not finite (NaN or infinite).")
    return array.reshape(array.shape[0], -1)


def same_width(first_name: str, first: np.ndarray, second_name: str, second: np.ndarray) -> None:
    """``ValueError`` unless both arrays (n, d) and (m, d) have the same d."""
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"{first_name} has {first.shape[1]} values per row and {second_name} has "
            f"{second.shape[1]}; they must agree."
        )
