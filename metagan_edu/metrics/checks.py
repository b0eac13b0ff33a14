"""Input checks that the metrics share: each refuses by name, in one sentence."""

from __future__ import annotations

import numpy as np


def rows(value, name: str, *, min_rows: int = 1) -> np.ndarray:
    """Return ``value`` (n, ...) as a finite float64 array (n, d), flattened from the second axis on.

    Raises ValueError where it has fewer than two axes, fewer than ``min_rows`` rows, or is not finite.
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers, not {type(value).__name__}.") from error
    if array.ndim < 2:
        raise ValueError(f"{name} has shape {array.shape}; expected (n, ...), one row per sample.")
    if array.shape[0] < min_rows or array[0].size == 0:
        raise ValueError(f"{name} has shape {array.shape}; at least {min_rows} non-empty rows are needed.")
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise ValueError(f"{name} has {bad} values that are not finite (NaN or infinite).")
    return array.reshape(array.shape[0], -1)


def same_width(first, first_name: str, second, second_name: str) -> None:
    """Raise ValueError unless both arrays (n, d) and (m, d) have the same d."""
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"{first_name} has {first.shape[1]} values per row and {second_name} has "
            f"{second.shape[1]}; they must agree."
        )


def positive(value, name: str) -> float:
    """Return ``value`` as a finite float above 0, or raise ValueError."""
    if not np.isscalar(value) or not np.isfinite(value) or value <= 0:
        raise ValueError(f"{name} is {value!r}; it must be a finite number above 0.")
    return float(value)


def count(value, name: str) -> int:
    """Return ``value`` as a whole number of at least 1, or raise ValueError."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 1:
        raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1.")
    return value.__index__()
