"""Lines and marks: learning curves, densities and their costs, critics on a line, and the results of a record."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..statistics import FEW, summary
from . import style
from .style import DATA, GEN, GRAY, SMALL, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POSITIONS = 12  # at so few places each seed is shown by a mark, at more by a band
NEAR = 0.2  # of the width: names of two lines that are nearer touch


def curves(
    series: Mapping[str, Any], *, x: Any = None, xlabel: str = "step", ylabel: str = "", smooth: int = 1,
    references: Mapping[str, float] | None = None, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Curves with their spread: ``series`` maps a name to values (steps,) or (seeds, steps).

    The line is the mean over seeds. At up to twelve places and of up to ten seeds each value is a mark; else a band is
    the standard deviation on either side. ``smooth``: width of a running mean in steps, drawn at its last step; ``x``:
    where the values stand (steps,), by default 1, 2, …; ``references``: name -> a level, such as a floor, a rival and
    real data, each a named gray line.
    """
    series = {name: np.atleast_2d(values) for name, values in series.items()}
    for name, values in series.items():
        steps = values.shape[-1] if x is None else len(x)
        if values.ndim != 2 or values.shape[1] != steps or not 1 <= smooth <= steps:
            raise ValueError(
                f"the curve {name!r} must have shape (steps,) or (seeds, steps) with {steps} steps, "
                f"of which smooth = {smooth} are averaged, not {values.shape}."
            )
    ax = style.axes(ax, WIDTH, 3.4)
    for (name, values), (color, line, mark) in zip(series.items(), style.styles(), strict=False):
        at = np.arange(1, values.shape[1] + 1) if x is None else np.asarray(x)
        values = np.array([np.convolve(row, np.ones(smooth) / smooth, "valid") for row in values])
        at, mean = at[smooth - 1 :], values.mean(0)
        few = len(at) <= POSITIONS
        ax.plot(at, mean, line, color=color, marker=mark if few else None, markersize=5, label=name)
        if 1 < len(values) <= FEW and few:
            ax.plot(np.tile(at, len(values)), values.ravel(), mark, color=color, markersize=3, alpha=0.5)
        elif len(values) > 1:
            spread = values.std(0, ddof=1)
            ax.fill_between(at, mean - spread, mean + spread, color=color, alpha=0.2, linewidth=0)
    _references(ax, references, across=True)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend(frameon=False, fontsize=SMALL)
    return ax


def densities(
    x: Any, data: Any, fits: Mapping[str, Mapping[str, Any]], *, costs: Mapping[str, Mapping[str, Any]] | None = None
) -> Figure:  # fmt: skip
    """Densities fitted to that of the data, in panels side by side, and under each what the fit costs at each place.

    ``x``: places (m,); ``data``: the data's density there; ``fits``: title -> {name: density}, such as the two
    directions of the KL divergence, each with its best fit and the other's; ``costs``: the same titles -> {name:
    integrand}, such as ``p log(p / q)``, whose area, the cost, stands beside. Names look alike in all panels. Raises
    ``ValueError`` for another length and for costs of other titles.
    """
    x, given = np.asarray(x), [{"the data": np.asarray(data)}, *fits.values(), *(costs or {}).values()]
    for name, values in (pair for some in given for pair in some.items()):
        if x.ndim != 1 or np.shape(values) != x.shape:
            raise ValueError(f"{name!r} needs a value at each of the {x.size} places, not {np.shape(values)}.")
    if not fits or (costs is not None and list(costs) != list(fits)):
        raise ValueError(f"the costs are those of {', '.join(fits) or 'no fit'}, not of {', '.join(costs or {})}.")
    names = list(dict.fromkeys(name for some in given[1:] for name in some))
    look = dict(zip(names, style.styles(), strict=False))
    fig = style.figure(WIDTH, 4.4 if costs else 2.7)
    axes = fig.subplots(2 if costs else 1, len(fits), sharex=True, sharey="row", squeeze=False)
    for column, (title, drawn) in zip(axes.T, fits.items(), strict=True):
        column[0].fill_between(x, data, color="0.85", label="data $p$")
        column[0].set_title(title, fontsize=10)
        for ax, some in zip(column, (drawn, *([costs[title]] if costs else ())), strict=True):
            for name, values in some.items():
                values, (color, line, _) = np.asarray(values), look[name]
                area = float(((values[1:] + values[:-1]) / 2 * np.diff(x)).sum())
                ax.plot(x, values, line, color=color, label=name if ax is column[0] else f"{area:.2f} in all")
        column[-1].set_xlabel("x")
        if costs:
            column[1].axhline(0, color=GRAY, linewidth=0.8)
            column[1].legend(*column[1].get_legend_handles_labels(), frameon=False, fontsize=SMALL)
    axes[0, 0].set_ylabel("density")
    if costs:
        axes[1, 0].set_ylabel("cost at x")
    handles = {label: handle for ax in axes[0] for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    fig.legend(handles.values(), handles, loc="outside lower center", ncols=3, frameon=False, fontsize=SMALL)
    return fig


def critics(x: Any, drawn: Mapping[str, Any], *, data: float, generated: float) -> Figure:
    """Critics on a line, a panel for each kind: name -> ``D(x)`` of several seeds, (seeds, m), less its value midway.

    ``x``: places (m,), rising; ``data``, ``generated``: where these lie; the gray line is the critic of slope 1 that
    the Wasserstein distance asks for: it falls from the data to the samples. Raises ``ValueError`` for another length.
    """
    x = np.asarray(x)
    drawn = {name: np.atleast_2d(values) for name, values in drawn.items()}
    for name, values in drawn.items():
        if values.ndim != 2 or values.shape[1:] != x.shape:
            raise ValueError(f"the critics {name!r} must have shape (seeds, {x.size}), not {values.shape}.")
    columns = min(len(drawn), 2)
    rows = -(-len(drawn) // columns) if drawn else 0
    if not rows:
        raise ValueError("there is no critic to be drawn: give {name: D(x), ...}.")
    middle = (data + generated) / 2
    fig = style.figure(WIDTH, 2.2 * rows + 0.5)
    axes = fig.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for ax, (name, values) in zip(axes.flat, drawn.items(), strict=False):
        ideal = np.sign(data - generated) * (x - middle)
        ax.plot(x, ideal, color="0.75", linewidth=5, label="slope 1, falling to the samples")
        for i, row in enumerate(values):
            at = row - np.interp(middle, x, row)
            ax.plot(x, at, color=style.DISC, linewidth=1.2, label=None if i else "a critic, one seed")
        ax.axvline(data, color=DATA, linestyle=":")
        ax.axvline(generated, color=GEN, linestyle="--")
        ax.set_title(name, fontsize=10)
        ax.tick_params(labelsize=SMALL)
    for ax in axes.flat[len(drawn) :]:
        ax.axis("off")
    for ax in axes.flat[len(drawn) - columns : len(drawn)]:  # the lowest of each column, above an empty place too
        ax.set_xlabel("x")
        ax.tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("D(x), 0 midway")
    axes[0, 0].plot([], [], ":", color=DATA, label="data")
    axes[0, 0].plot([], [], "--", color=GEN, label="generated")
    handles = axes[0, 0].get_legend_handles_labels()[0]
    fig.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=SMALL)
    return fig


def comparison(
    record: dict[str, Any], metric: str, *, xlabel: str | None = None, references: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """One metric of a record: a mark for every seed, and the mean, for each contender.

    Of more than ten values the mean has its 95 % interval (:func:`~metagan_edu.statistics.interval`); of values that
    are not finite the legend says how many are not drawn. ``references``: name -> a level, such as a floor, a rival's
    mean and real data, each a named gray line. Raises ``ValueError`` for a metric that the record does not have.
    """
    results, missing = record["results"], 0
    for name, values in results.items():
        if metric not in values:
            raise ValueError(f"{name!r} has no metric {metric!r} in this record; it has {', '.join(values)}.")
    ax = style.axes(ax, WIDTH, 0.5 * len(results) + (1.7 if references else 1.3))
    for row, (values, (color, _, mark)) in enumerate(zip(results.values(), style.styles(), strict=False)):
        said = summary(values[metric])
        missing += said.not_finite
        values, around = np.array(said.values), said.interval
        if around:
            ax.plot([around.low, around.high], [row, row], color=color, linewidth=2)
        if len(values) > 1:
            ax.plot([np.mean(values)], [row], "|", color=color, markersize=12, markeredgewidth=2.5)
        below = row + 0.2 + 0.09 * (np.arange(len(values)) - np.searchsorted(values, values))  # equal ones stack up
        ax.plot(values, below, mark, color=color, markersize=4, alpha=0.8)
    many = any(len(values[metric]) > FEW for values in results.values())
    ax.plot([], [], "|", color=GRAY, markersize=12, markeredgewidth=2.5, label="mean")
    if many:
        ax.plot([], [], "-", color=GRAY, linewidth=2, label="95 % interval")
    left_out = f" ({missing} not finite)" if missing else ""
    ax.plot([], [], "o", color=GRAY, markersize=4, label=f"one seed{left_out}")
    ax.set(yticks=range(len(results)), yticklabels=list(results), xlabel=xlabel or metric)
    ax.set(ylim=(len(results) - 0.3, -0.5))
    _references(ax, references, across=False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.55 / (0.5 * len(results) + 0.6)), ncols=3, frameon=False,
              fontsize=SMALL)  # fmt: skip
    return ax


def _references(ax, references, across):
    """Named gray lines, each of another kind; ``across``: from left to right, not from below to above."""
    references = dict(sorted((references or {}).items(), key=lambda item: item[1]))
    for level, kind in zip(references.values(), itertools.cycle((":", "--", "-", "-.")), strict=False):
        (ax.axhline if across else ax.axvline)(level, color=GRAY, linewidth=1.2, linestyle=kind, zorder=0)
    if across and references:
        ax.margins(y=0.1)  # room for the highest name, on a linear and on a logarithmic axis
    before, row, low = -1.0, 0, ax.get_ylim()[0]
    for name, level in references.items():
        if across:
            place, at, ha, offset = (1, level), ax.get_yaxis_transform(), "right", (-2, 2)
        else:
            share = ax.transAxes.inverted().transform(ax.transData.transform((level, low)))[0]
            row = 1 - row if share - before < NEAR else 0  # names that would touch stand in two rows
            place, at, ha, offset, before = (level, 1), ax.get_xaxis_transform(), "center", (0, 3 + 11 * row), share
        ax.annotate(
            name, place, xycoords=at, ha=ha, va="bottom", xytext=offset, textcoords="offset points", fontsize=SMALL,
            color="0.3",
        )  # fmt: skip
