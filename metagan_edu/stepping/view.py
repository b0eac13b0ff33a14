"""The picture of a model: one figure, whose artists are made once and then moved."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import plotting
from ..plotting import SMALL
from . import looks
from .choices import LIMIT, TWO_NUMBERS
from .model import Model

if TYPE_CHECKING:
    from IPython.display import Image

HEIGHT, DPI = 5.6, 100
ARROWS, LONGEST = 64, 0.7  # how many pulls are drawn, and how long the longest is, in units of the plane
FRAMES, FILM_DPI = 6, 72  # of a film: a page that holds one stays light


class View:
    """The picture of one game: ``draw(model)`` moves its artists, ``png()`` is what they look like.

    A view is made for the setting of a model; another setting has another view. ``moving``: the artists that are moved;
    all else is painted once, and again only where an axis has got other limits.
    """

    def __init__(self, model: Model):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure  # not pyplot's: nobody else shows or closes it

        self.figure = Figure((plotting.WIDTH, HEIGHT), dpi=DPI, facecolor="white", layout="constrained")
        self.canvas = FigureCanvasAgg(self.figure)
        parts: Any = self.figure.subfigures(2, 1, height_ratios=(3.5, 2.1))
        upper, lower = parts
        self.plane, (self.curves, self.judged) = upper.subplots(), lower.subplots(1, 2)
        panel = _Numbers if model.setting.choices.data in TWO_NUMBERS else _Cloud
        self.panel = panel(self.plane, self.judged, model.setting)
        self.losses = [
            self.curves.plot([], [], line, color=color, label=label)[0]
            for line, color, label in (("--", plotting.GEN, "$L_G$"), ("-", plotting.DISC, "$L_D$"))
        ]
        self.count = self.plane.text(0.02, 0.02, "", transform=self.plane.transAxes, fontsize=SMALL)
        self.moving = [*self.panel.moving, *self.losses, self.count]
        for artist in self.moving:
            artist.set_animated(True)
        for ax in (self.curves, self.judged):
            ax.set_xlabel("step", fontsize=SMALL)
        for ax in (self.plane, self.curves, self.judged):
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 0.99), fontsize=SMALL, frameon=False, ncols=3,
                      handlelength=1.5, columnspacing=1)  # fmt: skip
            ax.tick_params(labelsize=SMALL)
        self.painted: Any = None
        self.draw(model)

    def draw(self, model: Model) -> None:
        """Move every artist to what the model holds."""
        steps, gen, disc, *measures = model.history.T
        for line, values in zip(self.losses, (gen, disc), strict=True):
            line.set_data(steps, values)
        self.panel.draw(model, steps, measures)
        self.count.set_text(f"step {model.now.step}")
        for ax in (self.curves, self.judged):
            ax.set_xlim(0, 10 * 2.0 ** math.ceil(math.log2(max(steps[-1], 10) / 10)))
        self.curves.set_ylim(*_around(np.concatenate([gen, disc])))

    def png(self) -> bytes:
        """The picture as a PNG."""
        limits = [(ax.get_xlim(), ax.get_ylim()) for ax in (self.curves, self.judged)]
        if self.painted is None or self.painted[0] != limits:
            self.canvas.draw()
            self.painted = limits, self.canvas.copy_from_bbox(self.figure.bbox)
        self.canvas.restore_region(self.painted[1])
        for artist in self.moving:
            artist.axes.draw_artist(artist)
        out = io.BytesIO()
        _image(self.canvas).save(out, "png", compress_level=1)
        return out.getvalue()


class _Numbers:
    """The phase plane of two numbers, and how far they are from the equilibrium."""

    def __init__(self, plane, below, setting):
        places, arrows = looks.field(setting)
        arrows = arrows / np.maximum(np.linalg.norm(arrows, axis=1, keepdims=True), 1e-12)
        plane.quiver(*places.T, *arrows.T, color="0.75", angles="xy", width=0.004, scale=22)
        plane.plot(0, 0, "*", color=plotting.DATA, markersize=10, label="equilibrium")
        (self.path,) = plane.plot([], [], color=plotting.NEW, linewidth=1.2)
        (self.dot,) = plane.plot([], [], "o", color=plotting.NEW, markersize=7, label="the players")
        plane.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal")
        plane.set_xlabel(r"generator $\varphi_G$", fontsize=SMALL)
        plane.set_ylabel(r"discriminator $\varphi_D$", fontsize=SMALL)
        (self.distance,) = below.plot([], [], color=plotting.NEW, label="distance from equilibrium")
        self.below, self.moving = below, [self.path, self.dot, self.distance]

    def draw(self, model, steps, measures):
        moments = [*model.past, model.now]
        self.path.set_data(*np.array([moment.look.place for moment in moments]).T)
        self.dot.set_data(*model.now.look.place[:, None])
        self.distance.set_data(steps, measures[0])
        self.below.set_ylim(0, _around(measures[0])[1])


class _Cloud:
    """The plane with D's surface, real and generated points and their pull; and how many clumps are met."""

    def __init__(self, plane, below, setting):
        from matplotlib.collections import LineCollection
        from matplotlib.colors import LinearSegmentedColormap

        blue = LinearSegmentedColormap.from_list("taken for real", ["#FFFFFF", "#5AA9DB"], N=10)
        side, window = looks.GRID_SIDE, (-LIMIT, LIMIT)
        self.surface = plane.imshow(
            np.zeros((side, side)),
            origin="lower",
            extent=window * 2,
            vmin=0,
            vmax=1,
            cmap=blue,
            interpolation="nearest",
        )
        self.half = plane.add_collection(LineCollection([], colors=plotting.DISC, linewidths=1.3))
        plane.plot([], [], color=plotting.DISC, linewidth=1.3, label=r"$\sigma(D)=½$")
        real = setting.mixture.sample(200, seed=1).numpy()
        (dots,) = plane.plot(*real.T, "x", color=plotting.DATA, markersize=3, markeredgewidth=0.7, label="real")
        (self.generated,) = plane.plot([], [], "o", color=plotting.GEN, markersize=2.5, label="generated, and its pull")
        zero = np.zeros(ARROWS)
        self.arrows = plane.quiver(zero, zero, zero, zero, color=plotting.GEN, angles="xy", scale_units="xy", scale=1,
                                   width=0.006)  # fmt: skip
        plane.set(xlim=window, ylim=window, aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
        count = len(setting.mixture.centers)
        (self.met,) = below.plot([], [], color=plotting.NEW, label=f"met, of {count}")
        (self.near,) = below.plot([], [], "--", color=plotting.GEN, label="in a clump")
        for name, (met, near) in looks.bounds(setting).items():
            below.axhline(met / count, color=plotting.NEW, linewidth=0.8, linestyle=":")
            below.axhline(near, color=plotting.GEN, linewidth=0.8, linestyle=":")
            below.text(1, near, name, transform=below.get_yaxis_transform(), fontsize=SMALL, ha="right", va="bottom")
        below.set_ylim(-0.05, 1.25)
        self.count = count
        self.moving = [self.surface, self.half, dots, self.generated, self.arrows, self.met, self.near]

    def draw(self, model, steps, measures):
        from contourpy import contour_generator

        seen, side = model.now.look.snapshot, looks.GRID_SIDE
        logits = seen.logits.reshape(side, side)
        line = np.linspace(-LIMIT, LIMIT, side)
        self.surface.set_data(1 / (1 + np.exp(-np.clip(logits, -30, 30))))
        self.half.set_segments(contour_generator(line, line, logits).lines(0.0))
        self.generated.set_data(*seen.generated.T)
        size = np.linalg.norm(seen.pull, axis=1, keepdims=True)
        arrows = (seen.pull * LONGEST / np.maximum(np.quantile(size, 0.9), 1e-12))[:ARROWS]
        arrows /= np.maximum(np.linalg.norm(arrows, axis=1, keepdims=True) / LONGEST, 1)
        self.arrows.set_offsets(seen.generated[:ARROWS])
        self.arrows.set_UVC(*arrows.T)
        self.met.set_data(steps, measures[0] / self.count)
        self.near.set_data(steps, measures[1])


def _around(values):
    """Limits around the finite values, on round numbers, so that they seldom change."""
    values = values[np.isfinite(values)]
    low, high = min(values), max(values)
    unit = 10.0 ** math.floor(math.log10(max(high - low, 0.1))) / 2
    return unit * math.floor(low / unit), unit * (math.floor(high / unit) + 1)


def _image(canvas: Any) -> Any:
    from PIL import Image

    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def film(model: Model) -> Image:
    """The model played on by steps of both, as a picture that moves (:func:`metagan_edu.plotting.animation`).

    It is what a page without a kernel shows in the place of the stepper: 90 steps of two numbers, 450 of a cloud.
    """
    view, pace = View(model), (1,) * 18 if model.setting.mixture is None else (30,) * 3
    view.canvas.draw()
    view.figure.set_layout_engine("none")  # laid out once: it takes longer than to draw
    for artist in view.moving:
        artist.set_animated(False)

    def pictures():
        now = model
        for _ in range(FRAMES):
            view.draw(now)
            yield view.figure
            for count in pace:  # a path has a corner at each call
                now = now.step(count=count)

    return plotting.animation(pictures(), dpi=FILM_DPI)
