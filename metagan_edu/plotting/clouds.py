"""Clouds of points in the plane: generated samples over the data, paths through a field, clouds that turn or stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from . import style
from .style import BELOW, COLORS, DATA, GEN, LINES, MARKS, SMALL, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DENSITY_SIDE = 401  # a step of 0.013 over the ring: fine enough to meet every mode of sd 0.02


def samples(
    points: Any, *, centers: Any = None, density: Callable | None = None, limit: float | None = None,
    title: str | None = None, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Generated 2-D points (n, 2) over the data: its density (a function of (m, 2)), or its modes' centers (k, 2).

    The window is ``[-limit, limit]²``, by default 1.25 times the farthest center (point, where no centers are given);
    where points lie outside, it is said how many. A picture of its own has a legend.
    """
    own, ax = ax is None, style.axes(ax)
    points = style.points("samples to be drawn", points)
    centers = None if centers is None else style.points("centers", centers)
    limit = 1.25 * np.abs(points if centers is None else centers).max() if limit is None else limit
    if density is not None:
        values = style.on_grid(density, limit, DENSITY_SIDE)
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
        ax.text(0.02, 0.02, f"{outside} of {len(points)} outside", transform=ax.transAxes, fontsize=SMALL, color=GEN)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$", ylabel="$x_2$", title=title)
    if own:
        for dots in filter(None, ax.legend(**BELOW).legend_handles):
            dots.set(alpha=1, sizes=[30])
    return ax


def phase_portrait(
    field: Callable, *, paths: Mapping[str, Any] | None = None, limit: float = 1.5, title: str | None = None,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """The arrows of a 2-D vector field, paths through it (a dot where each begins), and the equilibrium (0, 0).

    The axes are the two players' numbers, as in :func:`~metagan_edu.games.dirac`. ``field``: a function from points
    (n, 2) to directions (n, 2); ``paths``: name -> points (steps, 2).
    """
    grid = style.grid(limit, 17)
    arrows = style.points("the directions of a field", field(grid), len(grid))
    paths = {name: style.points(f"the path {name!r}", path) for name, path in (paths or {}).items()}
    ax = style.axes(ax)
    ax.quiver(*grid.T, *arrows.T, color="0.6", angles="xy", width=0.004)
    for (name, path), (color, line, _) in zip(paths.items(), style.styles(), strict=False):
        ax.plot(*path.T, line, color=color, linewidth=1.2, label=name)
        ax.plot(*path[0], "o", color=color, markersize=5)
    ax.plot(0, 0, "*", color=DATA, markersize=11, linestyle="none", label="equilibrium")
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", title=title)
    ax.set(xlabel=r"generator $\varphi_G$", ylabel=r"discriminator $\varphi_D$")
    ax.legend(frameon=True, fontsize=SMALL, loc="upper right")
    return ax


def turning(
    runs: Mapping[str, tuple[Any, Any]], turns: Mapping[str, Any], *, at: Any, centers: Any = None, limit: float = 3.5
) -> Figure:  # fmt: skip
    """Clouds that turn told apart from clouds that stay: each run at some moments, and below the turns of its middle.

    ``runs``: name -> (steps (t,), clouds (t, n, 2)); ``turns``: name -> how often the cloud's middle has gone round,
    (t,), as :func:`metagan_edu.dynamics.turns` counts; ``at``: the moments to be drawn, places in ``steps`` from 0, the
    same for all runs (at most four can be read on a phone); ``centers``: the modes of the data. A line that climbs or
    falls on and on is rotation; a level one is a cloud that stays where it is: collapse, if it is small.
    """
    if not 0 < len(runs) <= len(LINES):
        raise ValueError(f"one to {len(LINES)} runs can be told apart, not {len(runs)}.")
    if set(turns) != set(runs):
        raise ValueError(f"the turns are those of {', '.join(runs)}, not of {', '.join(turns) or 'none'}.")
    at = np.asarray(at)
    for name, (steps, clouds) in runs.items():
        if np.ndim(clouds) != 3 or not len(clouds) == len(steps) == len(turns[name]) > at.max():
            raise ValueError(
                f"the run {name!r} needs clouds (t, n, 2), steps (t,) and turns (t,) with t over {at.max()}, "
                f"not {np.shape(clouds)}, {np.shape(steps)} and {np.shape(turns[name])}."
            )
    fig = style.figure(WIDTH, (WIDTH / len(at) + 0.15) * len(runs) + 2.4)
    parts: Any = fig.subfigures(2, 1, height_ratios=((WIDTH / len(at) + 0.15) * len(runs), 2.4))
    axes = parts[0].subplots(len(runs), len(at), sharex=True, sharey=True, squeeze=False)
    angle = parts[1].subplots()
    looks = zip(COLORS[2:], LINES, MARKS, strict=False)
    for row, (name, (steps, clouds)), (color, line, mark) in zip(axes, runs.items(), looks, strict=False):
        for ax, i in zip(row, at, strict=True):
            samples(clouds[i], centers=centers, limit=limit, ax=ax)
            middle = np.mean(clouds[i], 0)
            ax.plot(*middle, mark, markerfacecolor="none", markeredgecolor=color, markeredgewidth=2, markersize=9)
            ax.set(xlabel=None, ylabel=None, xticks=(), yticks=())
            ax.set_title(f"step {steps[i]}", fontsize=10)
        row[0].set_ylabel(name, fontsize=10)
        angle.plot(steps, turns[name], line, color=color, label=name)
        angle.plot(np.asarray(steps)[at], np.asarray(turns[name])[at], mark, color=color, markersize=6)
    angle.set(xlabel="step", ylabel="turns of the middle")
    angle.legend(frameon=False, fontsize=SMALL)
    return fig
