"""The discriminator as a surface, with the pull on each generated sample, at one moment, at several, and as a film."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from . import style
from .style import DATA, DISC, GEN, GRAY, SMALL, WIDTH

if TYPE_CHECKING:
    from IPython.display import Image
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = {"probability": r"$\sigma(D(x))$: taken for real", "logit": "logit $D(x)$"}
LONGEST = 0.16  # of an arrow, as a share of the window
FRAMES, SECONDS = 30, 5.0


def discriminator(
    snapshot: Any, data: Any = None, *, show: str = "probability", like: Iterable[Any] = (), title: str | None = None,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """``σ(D(x))`` or ``D(x)`` on a line or over the plane, data, generated samples (dots), and the pull on each.

    ``snapshot``: what :func:`metagan_edu.dynamics.snapshot` gives; ``data``: real points (k, d); ``show``:
    "probability" or "logit". An arrow is as long as the pull, in shares of that which a tenth of the samples exceeds;
    longer ones are cut there. ``like``: snapshots whose arrows and levels shall be comparable with these. In the plane
    the line is ``σ(D) = ½``; on a line the two histograms have one scale.
    """
    data = _checked(snapshot, data, show)
    shared = _shared([snapshot, *like], show)
    on_line, own = snapshot.grid.shape[1] == 1, ax is None
    ax = style.axes(ax, *((WIDTH, 3.2) if on_line else (4.8, 4.2)))
    surface = (_line if on_line else _plane)(ax, snapshot, data, show, shared)
    if own:
        if surface is not None:
            ax.figure.colorbar(surface, ax=ax, label=SHOWN[show], shrink=0.85)
        handles = ax.get_legend_handles_labels()[0]
        figure: Any = ax.figure
        figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False, fontsize=SMALL)
    ax.set_title(title or "", fontsize=10)
    return ax


def moments(snapshots: Mapping[Any, Any], data: Any = None, *, show: str = "probability") -> Figure:
    """Discriminator and generator at several moments, ``{step: snapshot}``, on one scale.

    In the plane two panels a row; on a line a row for each moment, with probability (left) and logit (right), whatever
    ``show`` says. See :func:`discriminator`; ``ValueError`` where there is no moment.
    """
    if not snapshots:
        raise ValueError("there is no moment to be drawn: give {step: snapshot, ...}.")
    shots = list(snapshots.values())
    on_line = shots[0].grid.shape[1] == 1
    rows = len(shots) if on_line else -(-len(shots) // 2)
    fig = style.figure(WIDTH, 1.7 * rows + 0.5 if on_line else 2.45 * rows + 0.8)
    axes = fig.subplots(rows, 2, sharex=True, sharey="col" if on_line else True, squeeze=False)
    for i, (step, shot) in enumerate(snapshots.items()):
        if on_line:
            for ax, what in zip(axes[i], SHOWN, strict=True):
                discriminator(shot, data, show=what, like=shots, ax=ax)
                ax.set(xlabel="x" if i == rows - 1 else None, ylabel=None)
                ax.set_title("" if i else SHOWN[what], fontsize=10)
            axes[i, 0].set_ylabel(f"step {step}", fontsize=10)
        else:
            ax = discriminator(shot, data, show=show, like=shots, title=f"step {step}", ax=axes.flat[i])
    if on_line:
        handles = [*axes[0, 0].get_legend_handles_labels()[0], *axes[0, 1].get_legend_handles_labels()[0][-1:]]
        columns = 2
    else:
        for ax in axes.flat[len(shots) :]:
            ax.axis("off")
        for ax in axes.flat:
            ax.label_outer()
        fig.colorbar(axes[0, 0].collections[0], ax=axes, label=SHOWN[show], shrink=0.7, aspect=40)
        handles, columns = axes.flat[0].get_legend_handles_labels()[0], 3
    fig.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=SMALL)
    return fig


def film(snapshots: Mapping[Any, Any], data: Any = None, *, show: str = "probability") -> Image:
    """As :func:`moments`, one after the other: an animated picture of at most 30 moments (:func:`animation`)."""
    shots = list(snapshots.values())

    def pictures():
        ax = None
        for step, shot in snapshots.items():
            if ax is not None:
                ax.clear()  # one figure for all: to lay out and color a new one takes as long as the rest
            ax = discriminator(shot, data, show=show, like=shots, title=f"step {step}", ax=ax)
            yield ax
            ax.figure.set_layout_engine("none")

    return animation(pictures())


def animation(pictures: Iterable[Axes | Figure], *, seconds: float = SECONDS, dpi: int = 80) -> Image:
    """Pictures one after the other, as one PNG that moves: it plays once and stays at the last.

    ``pictures``: at most 30 axes or figures of one size, each taken as it comes and closed in the end; ``seconds``: for
    all together, at most 5, so that no reader has to stop what moves (WCAG 2.2.2). Where a front end shows no motion it
    shows the first. Alternative text stands in the metadata of the cell, as for each picture. Raises ``ValueError`` for
    none, for more, for another size, and for a time that is not in (0, 5].
    """
    from IPython.display import Image as Shown
    from matplotlib import pyplot
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    if not 0 < seconds <= SECONDS:
        raise ValueError(f"an animation takes more than 0 and at most {SECONDS:g} seconds, not {seconds}.")
    frames: list[Any] = []
    figures: dict[int, Any] = {}
    for picture in pictures:
        fig: Any = getattr(picture, "figure", picture)
        figures[id(fig)] = fig
        fig.set_dpi(dpi)
        canvas = FigureCanvasAgg(fig)
        canvas.draw()
        frames.append(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"))
        if len(frames) > FRAMES or frames[0].size != frames[-1].size:
            raise ValueError(
                f"an animation has at most {FRAMES} pictures of one size; it ended at number {len(frames)}."
            )
    for fig in figures.values():
        pyplot.close(fig)
    if not frames:
        raise ValueError("an animation needs at least one picture.")
    strip = Image.new("RGB", (frames[0].width, frames[0].height * len(frames)))
    for i, frame in enumerate(frames):
        strip.paste(frame, (0, i * frame.height))
    palette = strip.quantize(64, dither=Image.Dither.NONE)  # one for all frames: a PNG has one
    few = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    out = io.BytesIO()
    few[0].save(
        out, "png", save_all=True, append_images=few[1:], duration=1000 * seconds / len(few), loop=1, optimize=True
    )
    return Shown(out.getvalue(), format="png", width=frames[0].width, height=frames[0].height)


def _checked(snapshot, data, show):
    if show not in SHOWN:
        raise ValueError(f"of the discriminator {' or '.join(SHOWN)} can be shown, not {show!r}.")
    dims = snapshot.grid.shape[1]
    return None if data is None else style.points("real points", data, dims=(dims,))


def _shared(snapshots, show):
    """The levels of the surface, and the pull that an arrow of full length stands for."""
    pulls = np.concatenate([np.linalg.norm(s.pull, axis=1) for s in snapshots])
    if show == "probability":
        return np.linspace(0, 1, 11), max(np.quantile(pulls, 0.9), 1e-12)
    from matplotlib.ticker import MaxNLocator

    low, high = np.quantile(np.concatenate([s.logits for s in snapshots]), (0.02, 0.98))
    return MaxNLocator(10).tick_values(low, high), max(np.quantile(pulls, 0.9), 1e-12)


def _sigmoid(logits):
    return 1 / (1 + np.exp(-np.clip(logits, -30, 30)))


def _arrows(pull, longest, window):
    size = np.linalg.norm(pull, axis=1, keepdims=True)
    return pull / np.maximum(size, 1e-12) * np.minimum(size / longest, 1) * LONGEST * window


def _plane(ax, snapshot, data, show, shared):
    from matplotlib.colors import LinearSegmentedColormap

    levels, longest = shared
    side, limit = round(len(snapshot.grid) ** 0.5), snapshot.grid.max()
    values = _sigmoid(snapshot.logits) if show == "probability" else snapshot.logits
    x, y, values = (part.reshape(side, side) for part in (*snapshot.grid.T, values))
    blue = LinearSegmentedColormap.from_list("taken for real", ["#FFFFFF", "#5AA9DB"])
    surface = ax.contourf(x, y, values, levels, cmap=blue, extend="neither" if show == "probability" else "both")
    ax.contour(x, y, snapshot.logits.reshape(side, side), [0.0], colors=DISC, linewidths=1.4)
    ax.plot([], [], color=DISC, linewidth=1.4, label=r"$\sigma(D) = 1/2$")
    if data is not None:
        ax.plot(*data.T, "x", color=DATA, markersize=4, markeredgewidth=1, label="data")
    arrows = _arrows(snapshot.pull, longest, 2 * limit)
    ax.quiver(*snapshot.generated.T, *arrows.T, color=GEN, angles="xy", scale_units="xy", scale=1, width=0.008)
    ax.plot(
        *snapshot.generated.T, "o", color=GEN, markersize=4, markeredgecolor="white", markeredgewidth=0.5,
        label="generated, and its pull",
    )  # fmt: skip
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
    ax.tick_params(labelsize=SMALL)
    return surface


def _line(ax, snapshot, data, show, shared):
    """Nothing to be explained by a color bar is drawn."""
    x, limit = snapshot.grid[:, 0], snapshot.grid.max()
    generated = snapshot.generated[:, 0]
    arrows = _arrows(snapshot.pull, shared[1], 2 * limit)[:, 0]
    if show == "probability":
        bins = np.linspace(-limit, limit, 41)
        drawn = [(generated, GEN, "--", "generated"), *([(data[:, 0], DATA, "-", "data")] if data is not None else [])]
        heights = [np.histogram(cloud, bins)[0] / len(cloud) for cloud, *_ in drawn]
        tallest = max(height.max() for height in heights) or 1
        for height, (_, color, line, label) in zip(heights, drawn, strict=True):
            ax.stairs(0.6 * height / tallest, bins, color=color, linestyle=line, label=label)
        ax.plot(x, _sigmoid(snapshot.logits), color=DISC, linewidth=2, label="D")
        ax.axhline(0.5, color=GRAY, linewidth=0.8)
        ax.set(ylim=(-0.03, 1.03))
    else:
        at = np.interp(generated, x, snapshot.logits)
        ax.plot(x, snapshot.logits, color=DISC, linewidth=2, label="D")
        ax.axhline(0, color=GRAY, linewidth=0.8)
        ax.quiver(generated, at, arrows, 0 * arrows, color=GEN, angles="xy", scale_units="xy", scale=1, width=0.009)
        ax.plot(
            generated, at, "o", color=GEN, markersize=4, markeredgecolor="white", markeredgewidth=0.5,
            label="generated, and its pull",
        )  # fmt: skip
    ax.set(xlim=(-limit, limit), xlabel="x", ylabel=SHOWN[show])
    ax.tick_params(labelsize=SMALL)
