"""What may be said of some runs: their values where they are few, intervals where they are many. In NumPy alone.

Ten values or fewer are shown as they are. Of more, means have bootstrap intervals, and of any number, counts of
successes have exact ones. None of them leaves the range that values can have.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

FEW = 10  # so many values are shown as they are
RESAMPLES = 4000


class Interval(NamedTuple):
    """A value and an interval around it: ``low ≤ mean ≤ high``; ``value in interval`` asks whether it holds a value."""

    mean: float
    low: float
    high: float

    def __contains__(self, value: Any) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{_short(self.mean)} [{_short(self.low)}, {_short(self.high)}]"


class Summary(NamedTuple):
    """What :func:`summary` says of one row of values; as text it is a table's cell, such as ``7.5 (7, 8)``."""

    mean: float | None  # of the finite values; None where there is none
    values: tuple[float, ...]  # the finite ones, sorted
    not_finite: int  # how many are NaN, infinite or None

    @property
    def interval(self) -> Interval | None:
        """That of the mean; ``None`` for ten values or fewer, and where all are equal."""
        few = len(self.values) <= FEW or self.values[0] == self.values[-1]
        return None if few else interval(self.values)

    def __str__(self) -> str:
        total = len(self.values) + self.not_finite
        left_out = f" ({self.not_finite} of {total} not finite)" if self.not_finite else ""
        if self.mean is None or len(self.values) == 1:
            return ("–" if self.mean is None else _short(self.mean)) + left_out
        if self.values[0] == self.values[-1]:
            return f"{_short(self.mean)} (all {len(self.values)})" + left_out
        return (str(self.interval) if self.interval else f"{_short(self.mean)} ({_listed(self.values)})") + left_out


def _short(number: float) -> str:
    """``number`` with three digits, or as a whole number from 1000 on."""
    return f"{number:.3g}" if abs(number) < 999.5 else f"{number:.0f}"


def _listed(values):
    """Sorted values; a value that comes several times once, with its number."""
    texts = [_short(value) for value in values]
    return ", ".join(
        text + (f" ×{texts.count(text)}" if texts.count(text) > 1 else "") for text in dict.fromkeys(texts)
    )


def summary(values: Any) -> Summary:
    """The mean of the finite values, these values, and a count of the others: none is dropped silently.

    ``values``: a row of n ≥ 1 numbers, one per seed; ``None``, as JSON has it for what is not finite, counts as not
    finite. Raises ``ValueError`` for no value, for more than one row, and for what is no number.
    """
    try:
        row = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"a summary needs numbers in one row, not {values!r}.") from error
    if row.ndim != 1 or not len(row):
        raise ValueError(f"a summary needs at least one value in one row, not shape {row.shape}.")
    good = np.sort(row[np.isfinite(row)])
    return Summary(float(good.mean()) if len(good) else None, tuple(map(float, good)), int(len(row) - len(good)))


def interval(values: Any, *, seed: int = 0) -> Interval:
    """The 95 % bootstrap interval of the *mean*: the same number of values is drawn from them, with replacement, 4,000
    times, and the interval holds the middle of these means.

    ``values``: (n,), one per seed; or (n, m), by seed and by task, where both are drawn anew, so that the interval is
    for other seeds *and* other tasks (Owen 2007, "The pigeonhole bootstrap"). Of few values the middle is taken wider,
    by what Student's distribution has beyond the normal one (Hesterberg 2015, "What teachers should know about the
    bootstrap", section 5.1, the expanded percentile interval). ``seed``: of the draws. Raises ``ValueError`` for fewer
    than ten values along an axis, which are to be shown as they are, and where one is not finite or all are equal.
    """
    values = _array(values)
    rng = np.random.default_rng(seed)
    weights = [rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) / n for n in values.shape]  # how often each was drawn
    means = weights[0] @ values if values.ndim == 1 else np.sum(weights[0] @ values * weights[1], 1)
    tail = _expanded_tail(min(values.shape))
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def paired_difference(first: Any, second: Any, *, seed: int = 0) -> Interval:
    """The :func:`interval` of ``first - second``: both are of the same seeds (and tasks) in the same order.

    Raises ``ValueError`` for other shapes, and as :func:`interval`.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape:
        raise ValueError(f"paired values must be of the same seeds: {first.shape} against {second.shape}.")
    return interval(first - second, seed=seed)


def share(successes: int, of: int) -> Interval:
    """The share of successes with the exact 95 % interval for their probability (Clopper & Pearson 1934).

    So 5 of 5 are ``1 [0.478, 1]``. Raises ``ValueError`` unless ``0 ≤ successes ≤ of`` and ``of ≥ 1``, whole numbers.
    """
    from scipy import special  # not scipy.stats, which takes a second to import

    if not (successes == int(successes) and of == int(of) and 0 <= successes <= of and of):
        raise ValueError(f"a share needs whole numbers of successes and of runs, not {successes} of {of}.")
    low = special.betaincinv(successes, of - successes + 1, 0.025) if successes else 0.0
    high = special.betaincinv(successes + 1, of - successes, 0.975) if successes < of else 1.0
    return Interval(successes / of, float(low), float(high))


def _array(values):
    """``values`` as a float64 array that has an interval, or ``ValueError``."""
    values = np.asarray(values, np.float64)
    if values.ndim not in (1, 2) or min(values.shape) < FEW:
        raise ValueError(f"an interval needs at least {FEW} values along each of one or two axes, not shape "
                         f"{values.shape}: fewer are to be shown as they are.")  # fmt: skip
    if not np.isfinite(values).all():
        raise ValueError(f"an interval needs finite values, but {np.sum(~np.isfinite(values))} are not.")
    if values.min() == values.max():
        raise ValueError(f"all {values.size} values are {values.min():g}: how far another could fall they do not tell.")
    return values


def _expanded_tail(count):
    """The share of resamples beyond each end: ``Φ(-√(n/(n-1)) · t)``, with the 97.5 % point of Student's t."""
    from scipy import special

    return special.ndtr(-np.sqrt(count / (count - 1)) * special.stdtrit(count - 1, 0.975))
