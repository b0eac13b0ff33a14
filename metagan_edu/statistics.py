"""Means over seeds with their uncertainty, in NumPy alone: for records and for pictures."""

from typing import Any, NamedTuple

import numpy as np


class Interval(NamedTuple):
    """A mean and an interval around it: ``low ≤ mean ≤ high``; ``value in interval`` asks whether it holds a value."""

    mean: float
    low: float
    high: float

    def __contains__(self, value: Any) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{_short(self.mean)} [{_short(self.low)}, {_short(self.high)}]"


class Summary(NamedTuple):
    """What :func:`summary` says of one row of values; as text it is a table's cell, such as ``7.5 [7, 8]``."""

    mean: float | None  # of the finite values; None where there is none
    interval: Interval | None  # for their mean; None for fewer than two
    finite: int  # how many values are finite
    not_finite: int  # how many are NaN, infinite or None

    def __str__(self) -> str:
        text = "–" if self.mean is None else str(self.interval or _short(self.mean))
        total = self.finite + self.not_finite
        return f"{text} ({self.not_finite} of {total} not finite)" if self.not_finite else text


def _short(number: float) -> str:
    """``number`` with three digits, or as a whole number from 1000 on."""
    return f"{number:.3g}" if abs(number) < 999.5 else f"{number:.0f}"


def summary(values: Any) -> Summary:
    """The mean of the finite values with its :func:`interval`, and a count of the others: none is dropped silently.

    ``values``: a row of n ≥ 1 numbers, one per seed; ``None``, as JSON has it for what is not finite, counts as not
    finite. One finite value has a mean and no interval, none has neither. Raises ``ValueError`` for no value, for more
    than one row, and for what is no number.
    """
    try:
        row = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"a summary needs numbers in one row, not {values!r}.") from error
    if row.ndim != 1 or not len(row):
        raise ValueError(f"a summary needs at least one value in one row, not shape {row.shape}.")
    good = row[np.isfinite(row)]
    return Summary(
        mean=float(good.mean()) if len(good) else None,
        interval=interval(good) if len(good) > 1 else None,
        finite=len(good),
        not_finite=len(row) - len(good),
    )


def interval(values: Any) -> Interval:
    """Student's 95 % interval ``mean ± t · s/√n`` for the *mean*, of at least two values, one per seed.

    ``s``: their standard deviation, with n - 1; ``t``: the 97.5 % point of Student's distribution with n - 1 degrees of
    freedom (Student, Biometrika 1908). Raises ``ValueError`` for fewer than two values, or one that is not finite:
    :func:`summary` takes both.
    """
    values = _row(values)
    return _around(values, np.sqrt(1 / len(values)))


def prediction_interval(values: Any) -> Interval:
    """The 95 % interval ``mean ± t · s · √(1 + 1/n)`` for *one more* value of the same kind, such as one more seed's.

    It is √(n + 1) times as wide as :func:`interval`, which says where the mean lies and not where single runs fall.
    Raises ``ValueError`` as :func:`interval`.
    """
    values = _row(values)
    return _around(values, np.sqrt(1 + 1 / len(values)))


def paired_difference(first: Any, second: Any) -> Interval:
    """The :func:`interval` of ``first - second``, seed by seed: both lists are of the same seeds in the same order.

    Raises ``ValueError`` for lists of different lengths, and as :func:`interval`.
    """
    if len(first) != len(second):
        raise ValueError(f"paired values must be of the same seeds: {len(first)} against {len(second)}.")
    return interval(np.asarray(first, np.float64) - np.asarray(second, np.float64))


def _row(values: Any) -> np.ndarray:
    """``values`` as a float64 array (n,) with n ≥ 2, all finite, or ``ValueError``."""
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"an interval needs at least two values in one row, not shape {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError(f"an interval needs finite values, not {values.tolist()}.")
    return values


def _around(values: np.ndarray, factor: float) -> Interval:
    """The interval ``mean ± t · s · factor``."""
    from scipy import special  # not scipy.stats, which takes a second to import

    half = special.stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) * factor
    mean = values.mean()
    return Interval(float(mean), float(mean - half), float(mean + half))
