"""Pictures: arrays in, a matplotlib ``Axes`` out. Nothing here imports TensorFlow.

Colors are those of Okabe and Ito, which color-blind readers can tell apart (an olive for their yellow, which is faint
on white). Where a color has a meaning it is the same all over: data black, generator orange, discriminator blue.
Every function draws on ``ax``, or on a figure of its own. All raise ``ValueError`` for arrays of another shape.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .statistics import FEW, summary

if TYPE_CHECKING:  # matplotlib takes longer to import than the whole package
    from matplotlib.axes import Axes

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")
DATA, GEN, DISC = "#000000", "#D55E00", "#0072B2"
LINES = ("-", "--", "-.", ":")
DENSITY_SIDE = 401  # a step of 0.013 over the ring: fine enough to meet every mode of sd 0.02
BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "frameon": False, "fontsize": 8, "ncols": 3}


def samples(
    points: Any, *, centers: Any = None, density: Callable | None = None, limit: float | None = None,
    title: str | None = None, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Generated 2-D points (n, 2) over the data: its density (a function of (m, 2)), or its modes' centers (k, 2).

    The window is ``[-limit, limit]²``, by default 1.25 times the farthest center (point, where no centers are given);
    where points lie outside, it is said how many. A picture of its own has a legend.
    """
    own, ax = ax is None, _axes(ax)
    points = _points("samples to be drawn", points)
    centers = None if centers is None else _points("centers", centers)
    limit = 1.25 * np.abs(points if centers is None else centers).max() if limit is None else limit
    if density is not None:
        values = _on_grid(density, limit, DENSITY_SIDE)
        ax.imshow(values, origin="lower", extent=(-limit, limit) * 2, cmap="Greys", alpha=0.7)
    if centers is not None:
        ax.scatter(
            centers[:, 0],
            centers[:, 1],
            s=90,
            facecolors="none",
            edgecolors=DATA,
            linewidths=1,
            label="modes of the data",
        )
    ax.scatter(points[:, 0], points[:, 1], s=3, color=GEN, alpha=0.5, linewidths=0, label="generated")
    outside = (np.abs(points) > limit).any(1).sum()
    if outside:
        ax.text(0.02, 0.02, f"{outside} of {len(points)} outside", transform=ax.transAxes, fontsize=8, color=GEN)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$", ylabel="$x_2$", title=title)
    if own:
        for dots in filter(None, ax.legend(**BELOW).legend_handles):
            dots.set(alpha=1, sizes=[30])
    return ax


def images(batch: Any, *, columns: int = 10, title: str | None = None, ax: Axes | None = None) -> Axes:
    """A grid of images (n, height, width, 1 or 3 channels) in [-1, 1], row by row."""
    batch = np.asarray(batch, np.float32)
    if batch.ndim != 4 or not len(batch) or batch.shape[-1] not in (1, 3):
        raise ValueError(f"images to be drawn have shape (n, height, width, 1 or 3), not {batch.shape}.")
    columns = min(columns, len(batch))
    rows = -(-len(batch) // columns)
    _, height, width, channels = batch.shape
    padded = np.zeros((rows * columns, height + 2, width + 2, channels))
    padded[: len(batch), 1:-1, 1:-1] = batch
    sheet = padded.reshape(rows, columns, height + 2, width + 2, channels).swapaxes(1, 2)
    sheet = np.clip(sheet.reshape(rows * (height + 2), columns * (width + 2), channels), -1, 1)
    ax = _axes(ax, 0.62 * columns, 0.62 * rows + (0.3 if title else 0))
    ax.imshow(sheet[..., 0] if channels == 1 else (sheet + 1) / 2, cmap="gray", vmin=-1, vmax=1)
    ax.set(title=title)
    ax.axis("off")
    return ax


def curves(
    series: Mapping[str, Any], *, x: Any = None, xlabel: str = "step", ylabel: str = "", smooth: int = 1,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Learning curves with their spread: ``series`` maps a name to values (steps,) or (seeds, steps).

    The line is the mean over seeds, the band its standard deviation on either side; ``smooth``: width of a running mean
    in steps, drawn at its last step; ``x``: where the values stand (steps,), by default 1, 2, …
    """
    series = {name: np.atleast_2d(values) for name, values in series.items()}
    for name, values in series.items():
        steps = values.shape[-1] if x is None else len(x)
        if values.ndim != 2 or values.shape[1] != steps or not 1 <= smooth <= steps:
            raise ValueError(
                f"the curve {name!r} must have shape (steps,) or (seeds, steps) with {steps} steps, "
                f"of which smooth = {smooth} are averaged, not {values.shape}."
            )
    ax = _axes(ax, 6, 3.2)
    for (name, values), (color, line) in zip(series.items(), _styles(), strict=False):
        at = np.arange(1, values.shape[1] + 1) if x is None else np.asarray(x)
        values = np.array([np.convolve(row, np.ones(smooth) / smooth, "valid") for row in values])
        at, mean = at[smooth - 1 :], values.mean(0)
        ax.plot(at, mean, line, color=color, label=name)
        if len(values) > 1:
            spread = values.std(0, ddof=1)
            ax.fill_between(at, mean - spread, mean + spread, color=color, alpha=0.2, linewidth=0)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend(frameon=False)
    return ax


def phase_portrait(
    field: Callable, *, paths: Mapping[str, Any] | None = None, limit: float = 1.5, title: str | None = None,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """The arrows of a 2-D vector field, paths through it (a dot where each begins), and the equilibrium (0, 0).

    ``field``: a function from points (n, 2) to directions (n, 2); ``paths``: name -> points (steps, 2).
    """
    grid = _grid(limit, 17)
    arrows = _points("the directions of a field", field(grid), len(grid))
    paths = {name: _points(f"the path {name!r}", path) for name, path in (paths or {}).items()}
    ax = _axes(ax)
    ax.quiver(*grid.T, *arrows.T, color="0.6", angles="xy", width=0.004)
    for (name, path), (color, line) in zip(paths.items(), _styles(), strict=False):
        ax.plot(*path.T, line, color=color, linewidth=1.2, label=name)
        ax.plot(*path[0], "o", color=color, markersize=5)
    ax.plot(0, 0, "*", color=DATA, markersize=11, linestyle="none", label="equilibrium")
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel=r"generator $\theta$")
    ax.set(ylabel=r"discriminator $\psi$", title=title)
    ax.legend(frameon=True, fontsize=8, loc="upper right")
    return ax


def discriminator_surface(
    score: Callable, generated: Any, gradients: Any = None, *, real: Any = None, limit: float = 3.0,
    title: str | None = None, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """``σ(D(x))`` over the plane, with generated points and the direction in which each would raise its score.

    ``score``: a function from points (m, 2) to logits (m,) or (m, 1); ``gradients``: ``∂D/∂x`` at ``generated``, both
    (n, 2), of which only the directions are drawn; ``real``: points of the data (k, 2).
    """
    generated = _points("generated points", generated)
    logits = np.clip(_on_grid(score, limit, 101), -30, 30)
    ax = _axes(ax, 4.8, 4)
    picture = ax.imshow(
        1 / (1 + np.exp(-logits)), origin="lower", extent=(-limit, limit) * 2, cmap="cividis", vmin=0, vmax=1
    )
    ax.figure.colorbar(picture, ax=ax, label=r"$\sigma(D(x))$: taken for real", shrink=0.8)
    if real is not None:
        real = _points("real points", real)
        ax.scatter(real[:, 0], real[:, 1], s=12, color="white", edgecolors="black", linewidths=0.5, label="real")
    if gradients is not None:
        gradients = _points("gradients", gradients, len(generated))
        units = gradients / np.maximum(np.linalg.norm(gradients, axis=-1, keepdims=True), 1e-12)
        ax.quiver(*generated.T, *units.T, color=GEN, edgecolor="black", linewidth=0.5, width=0.008, scale=16)
    x, y = generated.T
    ax.scatter(x, y, s=12, color=GEN, edgecolors="black", linewidths=0.3, label="generated")
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="$x_1$", ylabel="$x_2$", title=title)
    ax.legend(frameon=True, fontsize=8, loc="upper right")
    return ax


def comparison(record: dict[str, Any], metric: str, *, xlabel: str | None = None, ax: Axes | None = None) -> Axes:
    """One metric of a record: a dot for every seed, and the mean, for each contender.

    Of more than ten values the mean has its 95 % interval (:func:`~metagan_edu.statistics.interval`); of values that
    are not finite the legend says how many are not drawn. Raises ``ValueError`` for a metric that the record does not
    have.
    """
    results, missing = record["results"], 0
    for name, values in results.items():
        if metric not in values:
            raise ValueError(f"{name!r} has no metric {metric!r} in this record; it has {', '.join(values)}.")
    ax = _axes(ax, 6, 0.5 * len(results) + 1.2)
    for row, (values, (color, _)) in enumerate(zip(results.values(), _styles(), strict=False)):
        said = summary(values[metric])
        missing += said.not_finite
        values, around = np.array(said.values), said.interval
        if around:
            ax.plot([around.low, around.high], [row, row], color=color, linewidth=2)
        if len(values) > 1:
            ax.plot([np.mean(values)], [row], "D", color=color)
        below = row + 0.2 + 0.09 * (np.arange(len(values)) - np.searchsorted(values, values))  # equal ones stack up
        ax.plot(values, below, "o", color=color, markersize=3.5, alpha=0.8)
    many = any(len(values[metric]) > FEW for values in results.values())
    ax.plot([], [], "D-" if many else "D", color="0.4", label="mean, 95 % interval" if many else "mean")
    left_out = f" ({missing} not finite)" if missing else ""
    ax.plot([], [], "o", color="0.4", markersize=3.5, label=f"one seed{left_out}")
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=8)
    ax.set(yticks=range(len(results)), yticklabels=list(results), xlabel=xlabel or metric)
    ax.set(ylim=(len(results) - 0.3, -0.5))
    return ax


def _axes(ax, width=4, height=4):
    """``ax``, or the axes of a new figure of that size in inches."""
    if ax is None:
        from matplotlib import pyplot  # here, because it takes longer to import than the whole package

        ax = pyplot.subplots(figsize=(width, height), layout="constrained")[1]
    return ax


def _styles():
    """Colors and lines, without end; 8 · 4 of them differ, and the first four in both."""
    return ((COLORS[i % len(COLORS)], LINES[(i + i // len(COLORS)) % len(LINES)]) for i in itertools.count())


def _points(what, array, count=None):
    array = np.asarray(array)
    if array.ndim != 2 or array.shape[1] != 2 or not len(array) or len(array) != (count or len(array)):
        raise ValueError(f"{what} must have shape ({count or 'n'}, 2), not {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"{what} must be finite, but the first at fault is {array[~np.isfinite(array).all(1)][0]}.")
    return array


def _grid(limit, side):
    """The points (side², 2) of a square lattice on ``[-limit, limit]²``, row by row from below."""
    x = np.linspace(-limit, limit, side, dtype=np.float32)
    return np.stack(np.meshgrid(x, x), -1).reshape(-1, 2)


def _on_grid(function, limit, side):
    """A function of points (m, 2) with one value each, as a picture (side, side) whose first row is the lowest."""
    values = np.asarray(function(_grid(limit, side)), np.float64)
    if values.size != side * side:
        raise ValueError(f"the function must give one value for each of {side * side} points, not {values.shape}.")
    return values.reshape(side, side)
