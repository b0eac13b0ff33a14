"""The diagram of the two players, drawn from boxes and arrows, and what each later notebook adds to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from .style import DATA, DISC, GEN, GRAY, NEW, SMALL, WIDTH, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TINT = {GEN: "#F8DCC6", DISC: "#C5E0F1", NEW: "#C6EBDE", DATA: "#FFFFFF", GRAY: "#EFEFEF"}
MARGIN = 0.08


class Box(NamedTuple):
    """A box with a name that arrows know it by; ``at``: its middle, ``size``: both in inches from below left.

    ``color`` of its edge; an empty one draws nothing but the text, in :data:`DATA`. A ``frame`` has its text at the top
    and nothing inside.
    """

    name: str
    text: str
    at: tuple[float, float]
    size: tuple[float, float] = (0.85, 0.4)
    color: str = GRAY
    frame: bool = False


class Arrow(NamedTuple):
    """From one box (its name, or a point) to another; ``line``: "-" for values, "--" for gradients.

    ``bend``: height of the arc as a share of its length, to the left of the way if below 0; ``text`` stands at ``at``.
    """

    start: Any
    end: Any
    color: str = GRAY
    line: str = "-"
    bend: float = 0.0
    text: str = ""
    at: tuple[float, float] = (0.0, 0.0)


Piece = Box | Arrow


def _players(drawn):
    """Who sees what (solid), and whom each loss moves (dashed)."""
    return [
        Box("z", "noise $z$", (0.62, 2.3)),
        Box("G", "$G$", (1.55, 2.3), (0.55, 0.45), GEN),
        Box("fake", "$G(z)$", (2.55, 2.3)),
        Box("real", "data $x$", (2.55, 0.9), color=DATA),
        Box("D", "$D$", (3.6, 1.6), (0.55, 0.45), DISC),
        Box("L_G", "loss $L_G$", (4.82, 2.3), (0.9, 0.4), GEN),
        Box("L_D", "loss $L_D$", (4.82, 0.9), (0.9, 0.4), DISC),
        *(Arrow(*way) for way in (("z", "G"), ("G", "fake"), ("fake", "D"), ("real", "D"), ("D", "L_G"), ("D", "L_D"))),
        Arrow("L_G", "D", GEN, "--", 0.35),
        Arrow("D", "fake", GEN, "--", 0.35),
        Arrow("fake", "G", GEN, "--", 0.6, "gradient of $L_G$: moves only $G$", (1.75, 2.85)),
        Arrow("L_D", "D", DISC, "--", -0.35, "gradient of $L_D$: moves only $D$", (4.3, 0.45)),
    ]


def _labels(drawn):
    """Both players are told the class (Mirza & Osindero 2014)."""
    return [*drawn, Box("c", "label $c$", (2.55, 1.6), color=NEW), Arrow("c", "G", NEW), Arrow("c", "D", NEW)]


def _look_ahead(drawn):
    """``G`` is paid by the ``D`` that would be there after K more steps (Metz et al. 2017)."""
    gone = {("D", "L_G"), ("L_G", "D"), ("D", "fake")}
    return [
        *(piece for piece in drawn if not (isinstance(piece, Arrow) and (piece.start, piece.end) in gone)),
        Box("D_1", "$D_1$", (3.6, 3.35), (0.55, 0.4), NEW),
        Box("…", "…", (4.21, 3.35), (0.3, 0.4), ""),
        Box("D_K", "$D_K$", (4.82, 3.35), (0.55, 0.4), NEW),
        Arrow("D", "D_1", NEW),
        Arrow("D_1", "…", NEW),
        Arrow("…", "D_K", NEW, text="$K$ imagined steps on $L_D$", at=(4.21, 3.75)),
        Arrow("fake", "D_K", NEW),
        Arrow("D_K", "L_G", NEW),
        Arrow("L_G", "D_K", GEN, "--", 0.4),
        Arrow("D_K", "fake", GEN, "--", -0.2),
        Arrow("D_1", "fake", GEN, "--", 0.3, "through the steps, too", (2.35, 3.3)),
    ]


def _learned_rates(drawn):
    """What steps each player takes is learned: a rate for each, or for each layer."""
    return [
        *drawn,
        Box("rates", r"rates $\theta$", (1.55, 0.3), color=NEW),
        Arrow("rates", "G", NEW),
        Arrow("rates", "D", NEW, bend=0.4),
    ]


def _inner_steps(drawn):
    """A learner's parameters φ, moved K times by the support set of a task."""
    names, where = ("phi^0", "phi^1", "…", "phi^K"), (0.8, 2.1, 3.4, 4.7)
    texts = (r"$\varphi^0$", r"$\varphi^1$", "…", r"$\varphi^K$")
    return [
        *(
            Box(name, text, (x, 1.6), (0.55, 0.45), "" if name == "…" else GRAY)
            for name, text, x in zip(names, texts, where, strict=True)
        ),
        Box("support", "support set of the task", (2.75, 0.7), (3.4, 0.4), DATA),
        *(Arrow(*way) for way in pairwise(names)),
        *(Arrow((x, 0.9), (x, 1.6), DATA) for x in (1.45, 2.75, 4.05)),
    ]


def _outer_loop(drawn):
    """What is there becomes the inner loop; θ enters it, and is moved by how it ends (Finn et al. 2017)."""
    low, top = _extent(drawn)
    low, top = low - 0.1, top + 0.4
    up = top + 0.75
    inner = "inner loop: $K$ steps on one task"
    return [
        Box("inner", inner, (WIDTH / 2, (low + top) / 2), (WIDTH - 2 * MARGIN, top - low), NEW, True),
        *drawn,
        Box("theta", r"$\theta$", (0.7, up), (0.55, 0.45), NEW),
        Box("outer", "loss on the query set", (4.35, up), (1.9, 0.4), NEW),
        Arrow("theta", (0.7, top), NEW, text="start, rates or rule", at=(1.5, top + 0.25)),
        Arrow((4.35, top), "outer", NEW, text="how it ends", at=(3.8, top + 0.25)),
        Arrow("outer", "theta", NEW, "--", 0.0, r"outer loop: meta-gradient moves $\theta$", (2.2, up + 0.32)),
    ]


PARTS: dict[str, Callable] = {
    "players": _players, "labels": _labels, "look-ahead": _look_ahead, "learned rates": _learned_rates,
    "inner steps": _inner_steps, "outer loop": _outer_loop,
}  # fmt: skip


def diagram(*parts: str | Sequence[Piece]) -> Figure:
    """The players with the ways of values (solid) and gradients (dashed), and what each part adds, in green.

    ``parts``: names out of ``PARTS``, drawn one over the other: first "players" (default) or "inner steps", then any of
    "labels", "look-ahead", "learned rates" (these go with "players") and "outer loop", which frames what came before. A
    sequence of :class:`Box` and :class:`Arrow` adds pieces of your own. Raises ``ValueError`` for a part that is not
    known, and where an arrow names a box that is not there.
    """
    drawn: list[Piece] = []
    for part in parts or ("players",):
        if isinstance(part, str) and part not in PARTS:
            raise ValueError(f"a diagram has no part {part!r}; it has {', '.join(PARTS)}.")
        drawn = PARTS[part](drawn) if isinstance(part, str) else [*drawn, *part]
    boxes = {piece.name: piece for piece in drawn if isinstance(piece, Box)}
    for arrow in drawn:
        for end in (arrow.start, arrow.end) if isinstance(arrow, Arrow) else ():
            if isinstance(end, str) and end not in boxes:
                raise ValueError(f"an arrow of the diagram names the box {end!r}, and there are {', '.join(boxes)}.")
    return _drawn(drawn, boxes)


def _drawn(pieces, boxes):
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    low, top = _extent(pieces)
    low, top = low - MARGIN, top + MARGIN
    fig = figure(WIDTH, top - low)
    fig.set_layout_engine("none")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(low, top))
    ax.axis("off")
    patches = {}
    for box in boxes.values():
        (x, y), (width, height) = box.at, box.size
        style = "round,pad=0,rounding_size=0.08"
        face = "none" if box.frame or not box.color else TINT.get(box.color, "white")
        patches[box.name] = FancyBboxPatch(
            (x - width / 2, y - height / 2), width, height, style, facecolor=face, edgecolor=box.color or "none",
            linewidth=1.3, linestyle=(0, (6, 3)) if box.frame else "-", label=box.name, zorder=0 if box.frame else 2,
        )  # fmt: skip
        ax.add_patch(patches[box.name])
        place = (MARGIN * 2, y + height / 2 - 0.2) if box.frame else (x, y)
        ax.text(*place, box.text, ha="left" if box.frame else "center", va="center", fontsize=10, zorder=4)
    for arrow in (piece for piece in pieces if isinstance(piece, Arrow)):
        ends = [boxes[end].at if isinstance(end, str) else end for end in (arrow.start, arrow.end)]
        clip = [patches.get(end) if isinstance(end, str) else None for end in (arrow.start, arrow.end)]
        ax.add_patch(FancyArrowPatch(
            *ends, patchA=clip[0], patchB=clip[1], shrinkA=2, shrinkB=2, arrowstyle="-|>", mutation_scale=11,
            color=arrow.color, linestyle=arrow.line, linewidth=1.4, zorder=3,
            connectionstyle=f"arc3,rad={arrow.bend}", label=f"{arrow.start} to {arrow.end}",
        ))  # fmt: skip
        ax.text(*arrow.at, arrow.text, ha="center", va="center", fontsize=SMALL, color=arrow.color, zorder=4)
    return fig


def _extent(pieces):
    """The lowest and the highest place that boxes and texts of arrows take, in inches."""
    reach = [(box.at[1], box.size[1] / 2) for box in pieces if isinstance(box, Box)]
    reach += [(arrow.at[1], 0.1) for arrow in pieces if isinstance(arrow, Arrow) and arrow.text]
    return min(y - half for y, half in reach), max(y + half for y, half in reach)
