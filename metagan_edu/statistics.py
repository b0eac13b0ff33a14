"""Means over seeds with their uncertainty, in NumPy alone: for records and for pictures."""

from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """A mean and an interval around it: ``low ≤ mean ≤ high``; ``value in interval`` asks whether it holds a value."""

    mean: float
    low: float
    high: float

    def __contains__(self, value):
        return self.low <= value <= self.high

    def __str__(self):
        return f"{_short(self.mean)} [{_short(self.low)}, {_short(self.high)}]"


def _short(number):
    return f"{number:.3g}" if abs(number) < 999.5 else f"{number:.0f}"


def interval(values):
    """Student's 95 % interval ``mean ± t · s/√n`` for the *mean*, of at least two values, one per seed.

    ``s``: their standard deviation, with n - 1; ``t``: the 97.5 % point of Student's distribution with n - 1 degrees of
    freedom. Raises ``ValueError`` for fewer than two values, or one that is not finite.
    """
    values = _row(values)
    return _around(values, np.sqrt(1 / len(values)))


def prediction_interval(values):
    """The 95 % interval ``mean ± t · s · √(1 + 1/n)`` for *one more* value of the same kind, such as one more seed's.

    It is √(n + 1) times as wide as :func:`interval`, which says where the mean lies and not where single runs fall.
    """
    values = _row(values)
    return _around(values, np.sqrt(1 + 1 / len(values)))


def paired_difference(first, second):
    """The :func:`interval` of ``first - second``, seed by seed: both lists are of the same seeds in the same order."""
    if len(first) != len(second):
        raise ValueError(f"paired values must be of the same seeds: {len(first)} against {len(second)}.")
    return interval(np.asarray(first, np.float64) - np.asarray(second, np.float64))


def _row(values):
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"an interval needs at least two values in one row, not shape {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError(f"an interval needs finite values, not {values.tolist()}.")
    return values


def _around(values, factor):
    from scipy import special  # not scipy.stats, which takes a second to import

    half = special.stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) * factor
    mean = values.mean()
    return Interval(float(mean), float(mean - half), float(mean + half))
