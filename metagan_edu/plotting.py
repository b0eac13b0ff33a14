"""Pictures: arrays in, a matplotlib ``Axes`` out. Nothing here imports TensorFlow.

Colors are those of Okabe and Ito, which color-blind readers can tell apart; order and meaning stay the same all over the
course: data black, generator orange, discriminator blue.
"""

import itertools

import numpy as np

from .statistics import interval as confidence_interval

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")
DATA, GEN, DISC = "#000000", "#D55E00", "#0072B2"
LINES = ("-", "--", "-.", ":")


def _axes(ax, width=4, height=4):
    """``ax``, or the axes of a new figure of that size in inches."""
    if ax is None:
        from matplotlib import pyplot  # here, because it takes longer to import than the whole package

        ax = pyplot.subplots(figsize=(width, height))[1]
    return ax


def samples(points, *, centers=None, density=None, limit=None, title=None, ax=None):
    """Generated 2-D points (n, 2) over the data: its density (a function of (m, 2)), or its modes' centers (k, 2)."""
    ax = _axes(ax)
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"samples to be drawn are points (n, 2), not {points.shape}.")
    if limit is None:
        limit = 1.25 * np.abs(points if centers is None else np.asarray(centers)).max()
    if density is not None:
        x = np.linspace(-limit, limit, 121)
        grid = np.stack(np.meshgrid(x, x), -1)
        values = np.asarray(density(grid.reshape(-1, 2).astype(np.float32))).reshape(121, 121)
        ax.imshow(values, origin="lower", extent=(-limit, limit) * 2, cmap="Greys", alpha=0.7)
    if centers is not None:
        ax.scatter(*np.asarray(centers).T, s=90, facecolors="none", edgecolors=DATA, linewidths=1, label="modes of the data")
    ax.scatter(*points.T, s=3, color=GEN, alpha=0.5, linewidths=0, label="generated")
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$", ylabel="$x_2$", title=title)
    return ax


def images(batch, *, columns=10, title=None, ax=None):
    """A grid of images (n, size, size, channels) in [-1, 1], row by row."""
    batch = np.asarray(batch, np.float32)
    if batch.ndim != 4:
        raise ValueError(f"images to be drawn have shape (n, size, size, channels), not {batch.shape}.")
    rows = -(-len(batch) // columns)
    _, height, width, channels = batch.shape
    padded = np.full((rows * columns, height + 2, width + 2, channels), 0.0)
    padded[: len(batch), 1:-1, 1:-1] = batch
    sheet = padded.reshape(rows, columns, height + 2, width + 2, channels).swapaxes(1, 2)
    sheet = sheet.reshape(rows * (height + 2), columns * (width + 2), channels)
    ax = _axes(ax, 0.62 * columns, 0.62 * rows + (0.3 if title else 0))
    ax.imshow(sheet.squeeze() if channels == 1 else (sheet + 1) / 2, cmap="gray", vmin=-1, vmax=1)
    ax.set(title=title)
    ax.axis("off")
    return ax


def curves(series, *, x=None, xlabel="step", ylabel="", smooth=1, ax=None):
    """Learning curves with their spread: ``series`` maps a name to values (steps,) or (seeds, steps).

    The line is the mean over seeds, the band its standard deviation; ``smooth``: width of a running mean in steps.
    """
    ax = _axes(ax, 6, 3.2)
    kernel = np.ones(smooth) / smooth
    for (name, values), color, line in zip(series.items(), COLORS, itertools.cycle(LINES), strict=False):
        values = np.array([np.convolve(row, kernel, "valid") for row in np.atleast_2d(values)])
        at = np.arange(values.shape[1]) + smooth if x is None else np.asarray(x)[smooth - 1 :]
        ax.plot(at, values.mean(0), line, color=color, label=name)
        if len(values) > 1:
            spread = values.std(0, ddof=1)
            ax.fill_between(at, values.mean(0) - spread, values.mean(0) + spread, color=color, alpha=0.2, linewidth=0)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend(frameon=False)
    return ax


def phase_portrait(field, *, paths=None, limit=1.5, title=None, ax=None):
    """The arrows of a 2-D vector field and paths through it.

    ``field``: a function from points (n, 2) to directions (n, 2); ``paths``: name -> points (steps, 2).
    """
    ax = _axes(ax)
    x = np.linspace(-limit, limit, 17)
    grid = np.stack(np.meshgrid(x, x), -1).reshape(-1, 2)
    arrows = np.asarray(field(grid))
    ax.quiver(*grid.T, *arrows.T, color="0.6", angles="xy", width=0.004)
    for (name, path), color, line in zip((paths or {}).items(), COLORS, itertools.cycle(LINES), strict=False):
        path = np.asarray(path)
        ax.plot(*path.T, line, color=color, linewidth=1.2, label=name)
        ax.plot(*path[0], "o", color=color, markersize=5)
    ax.plot(0, 0, "*", color=DATA, markersize=11)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel=r"generator $\theta$")
    ax.set(ylabel=r"discriminator $\psi$", title=title)
    if paths:
        ax.legend(frameon=True, fontsize=8, loc="upper right")
    return ax


def discriminator_surface(score, generated, gradients=None, *, real=None, limit=3.0, title=None, ax=None):
    """``σ(D(x))`` over the plane, with generated points and the direction in which each would raise its score.

    ``score``: a function from points (m, 2) to logits (m,); ``gradients``: ``∂D/∂x`` at ``generated``, both (n, 2).
    """
    ax = _axes(ax)
    x = np.linspace(-limit, limit, 101)
    grid = np.stack(np.meshgrid(x, x), -1).reshape(-1, 2).astype(np.float32)
    logits = np.clip(np.asarray(score(grid), np.float64).reshape(101, 101), -30, 30)
    picture = ax.imshow(
        1 / (1 + np.exp(-logits)), origin="lower", extent=(-limit, limit) * 2, cmap="cividis", vmin=0, vmax=1
    )
    ax.figure.colorbar(picture, ax=ax, label=r"$\sigma(D(x))$: taken for real", shrink=0.8)
    if real is not None:
        ax.scatter(*np.asarray(real).T, s=12, color="white", edgecolors="black", linewidths=0.5, label="real")
    ax.scatter(*np.asarray(generated).T, s=12, color=GEN, edgecolors="black", linewidths=0.3, label="generated")
    if gradients is not None:
        lengths = np.linalg.norm(gradients, axis=-1, keepdims=True)
        ax.quiver(*np.asarray(generated).T, *(gradients / np.maximum(lengths, 1e-12)).T, color=GEN, width=0.005, scale=18)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="$x_1$", ylabel="$x_2$", title=title)
    ax.legend(frameon=True, fontsize=8, loc="upper right")
    return ax


def comparison(record, metric, *, xlabel=None, ax=None):
    """One metric of a record: a dot for every seed, and the mean with its 95 % interval, for each contender."""
    results = record["results"]
    ax = _axes(ax, 6, 0.5 * len(results) + 0.9)
    for row, (values, color) in enumerate(zip(results.values(), itertools.cycle(COLORS), strict=False)):
        mean, low, high = confidence_interval(values[metric])
        ax.plot([low, high], [row, row], color=color, linewidth=2)
        ax.plot(mean, row, "D", color=color)
        ax.plot(values[metric], [row + 0.22] * len(values[metric]), "o", color=color, markersize=3, alpha=0.7)
    ax.set(yticks=range(len(results)), yticklabels=list(results), xlabel=xlabel or metric, ylim=(len(results) - 0.4, -0.6))
    return ax


def animate(draw, frames, *, figsize=(4, 4), interval=150):
    """An animation that plays in any browser: ``draw(ax, frame)`` for each of at most 30 frames. Returns HTML.

    Raises ``ValueError`` for more than 30 frames, which would make the notebook heavy.
    """
    from IPython.display import HTML
    from matplotlib import pyplot
    from matplotlib.animation import FuncAnimation

    frames = list(frames)
    if not 1 <= len(frames) <= 30:
        raise ValueError(f"an animation has 1 to 30 frames, not {len(frames)}.")
    figure, ax = pyplot.subplots(figsize=figsize)

    def update(frame):
        ax.clear()
        draw(ax, frame)

    moving = FuncAnimation(figure, update, frames=frames, interval=interval)
    html = moving.to_jshtml(default_mode="once")
    pyplot.close(figure)
    return HTML(html)
