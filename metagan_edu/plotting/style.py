"""Colors, sizes and checks that all pictures share.

Colors are those of Okabe and Ito, which color-blind readers can tell apart (an olive for their yellow, which is faint
on white). Where a color has a meaning it is the same all over: data black, generator orange, discriminator blue, what
is new green. No color stands alone: lines differ in ``LINES``, dots in ``MARKS``.

A picture is at most :data:`WIDTH` inches wide. On a phone it is shown 358 pixels wide (390 less the margins), so that
print of ``s`` points is ``358 s / (72 · 5.5)`` pixels high: 9 pixels for 10 points, and 8.1 for :data:`SMALL`. The
paper is white and opaque, in dark pages too, where black data and gray lines would be lost.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # matplotlib takes longer to import than the whole package
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")
DATA, GEN, DISC, NEW = "#000000", "#D55E00", "#0072B2", "#009E73"
GRAY = "#767676"  # 4.5 : 1 on white
LINES = ("-", "--", "-.", ":")
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
WIDTH, SMALL = 5.5, 9
BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "frameon": False, "fontsize": SMALL, "ncols": 3}


def figure(width: float = WIDTH, height: float = 3.4) -> Figure:
    """An empty figure on white paper, in inches."""
    from matplotlib import pyplot  # here, because it takes longer to import than the whole package

    return pyplot.figure(figsize=(width, height), layout="constrained", facecolor="white")


def axes(ax: Axes | None, width: float = 4, height: float = 4) -> Axes:
    """``ax``, or the axes of a new figure of that size in inches."""
    return figure(width, height).subplots() if ax is None else ax


def styles() -> Iterator[tuple[str, str, str]]:
    """Color, line and mark, without end; the first four differ in all three, and 8 · 4 in one."""
    for i in itertools.count():
        yield COLORS[i % len(COLORS)], LINES[(i + i // len(COLORS)) % len(LINES)], MARKS[i % len(MARKS)]


def points(what: str, array: Any, count: int | None = None, dims: tuple[int, ...] = (2,)) -> np.ndarray:
    """``array`` as finite points ``(n, 2)``, or of one of ``dims`` dimensions; ``ValueError`` for another shape."""
    array = np.asarray(array)
    if array.ndim != 2 or array.shape[1] not in dims or not len(array) or len(array) != (count or len(array)):
        raise ValueError(f"{what} must have shape ({count or 'n'}, {' or '.join(map(str, dims))}), not {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"{what} must be finite, but the first at fault is {array[~np.isfinite(array).all(1)][0]}.")
    return array


def grid(limit: float, side: int) -> np.ndarray:
    """The points (side², 2) of a square lattice on ``[-limit, limit]²``, row by row from below."""
    x = np.linspace(-limit, limit, side, dtype=np.float32)
    return np.stack(np.meshgrid(x, x), -1).reshape(-1, 2)


def on_grid(function: Callable, limit: float, side: int) -> np.ndarray:
    """A function of points (m, 2) with one value each, as a picture (side, side) whose first row is the lowest."""
    values = np.asarray(function(grid(limit, side)), np.float64)
    if values.size != side * side:
        raise ValueError(f"the function must give one value for each of {side * side} points, not {values.shape}.")
    return values.reshape(side, side)
