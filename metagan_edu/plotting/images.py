"""Pictures of pictures: a grid of them, and rows with a name and their mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from . import style
from .style import GRAY, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def images(batch: Any, *, columns: int = 10, title: str | None = None, ax: Axes | None = None) -> Axes:
    """A grid of images (n, height, width, 1 or 3 channels) in [-1, 1], row by row."""
    batch = _batch("images to be drawn", batch)
    columns = min(columns, len(batch))
    rows = -(-len(batch) // columns)
    _, height, width, channels = batch.shape
    padded = np.zeros((rows * columns, height + 2, width + 2, channels))
    padded[: len(batch), 1:-1, 1:-1] = batch
    sheet = padded.reshape(rows, columns, height + 2, width + 2, channels).swapaxes(1, 2)
    side = min(0.62, WIDTH / columns)
    ax = style.axes(ax, side * columns, side * rows * height / width + (0.3 if title else 0))
    _show(ax, sheet.reshape(rows * (height + 2), columns * (width + 2), channels))
    ax.set(title=title)
    return ax


def strips(rows: Mapping[str, Any], *, columns: int = 8, mean: str | None = None) -> Figure:
    """A named row of at most ``columns`` images for each entry, and beside it the mean of all of the entry.

    ``rows``: name -> images (n, height, width, 1 or 3) in [-1, 1], such as a support set, samples after 0, 10, 25 and
    50 steps, and other drawings, or ways from one noise to another; ``mean``: what stands above the column of means,
    which is left out by default. A blurred mean is what a generator gives that has learned no more than the average.
    """
    if not rows:
        raise ValueError("there is no row to be drawn: give {name: images, ...}.")
    batches = {name: _batch(f"the images of {name!r}", batch) for name, batch in rows.items()}
    columns = min(columns, max(map(len, batches.values())))
    label = 0.078 * max(map(len, rows)) + 0.1  # inches that the longest name takes at 10 points
    side = (WIDTH - label) / (columns + (1.3 if mean else 0))
    _, height, width, _ = next(iter(batches.values())).shape
    fig = style.figure(WIDTH, len(rows) * side * height / width + (0.3 if mean else 0.05))
    engine: Any = fig.get_layout_engine()
    engine.set(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)
    axes = fig.subplots(
        len(rows), 3 if mean else 2, squeeze=False, width_ratios=(label, columns * side, 1.3 * side)[: 3 if mean else 2]
    )
    for row, (name, batch) in zip(axes, batches.items(), strict=True):
        row[0].axis("off")
        row[0].text(1, 0.5, name, ha="right", va="center", fontsize=10)
        strip = np.full((columns, *batch.shape[1:]), np.nan)
        strip[: len(batch)] = batch[:columns]
        _show(row[1], _side_by_side(strip))
        if mean:
            _show(row[2], _side_by_side(batch.mean(0, keepdims=True)))
    if mean:
        axes[0, 2].set_title(mean, fontsize=10)
    return fig


def _side_by_side(batch):
    """(n, h, w, c) -> (h + 2, n (w + 2), c) with lines of nothing around each."""
    padded = np.pad(batch, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=np.nan)
    return np.concatenate(list(padded), axis=1)


def _show(ax, sheet):
    """One image (h, w, 1 or 3) in [-1, 1]; what is not a number is gray."""
    from matplotlib import colormaps

    sheet = np.clip(sheet, -1, 1)
    gray = colormaps["gray"].with_extremes(bad=GRAY)
    picture = sheet[..., 0] if sheet.shape[-1] == 1 else np.nan_to_num((sheet + 1) / 2, nan=0.46)
    ax.imshow(picture, cmap=gray, vmin=-1, vmax=1, interpolation="nearest")
    ax.axis("off")


def _batch(what, batch):
    batch = np.asarray(batch, np.float32)
    if batch.ndim != 4 or not len(batch) or batch.shape[-1] not in (1, 3):
        raise ValueError(f"{what} have shape (n, height, width, 1 or 3 channels), not {batch.shape}.")
    return batch
