"""What a browser without scripts shows in place of the two-number game: three of its paths in one picture."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np

from .. import games, losses, optimizers, rules, seeds

STEPS, RATE, START = 60, 0.2, (1.0, 0.0)
TEXT = """![{alt}]({picture})

The game itself needs a browser that runs scripts. This is a still of it, drawn beforehand: {steps} steps of each of
three games from the same start, at a rate of {rate} for both players.
"""
ALT = (
    "Three paths in the plane of both numbers, from one start. Both at once, the path of the Dirac-GAN spirals "
    "outward; by turns it goes round; with R1 it spirals into the equilibrium."
)


class Path(NamedTuple):
    """``name``; ``line``: how it is drawn; ``game``, ``rule``: what is played."""

    name: str
    line: str
    game: games.Game
    rule: rules.Rule


def paths() -> list[Path]:
    """The three games of the picture."""
    sgd = optimizers.sgd(RATE)
    plain, braked = (games.dirac(losses.minimax(), penalty=r1, start=START) for r1 in (None, losses.r1(1.0)))
    at_once, by_turns = rules.simultaneous(sgd, sgd), rules.alternating(sgd, sgd)
    return [
        Path("both at once", "-", plain, at_once),
        Path("by turns", "--", plain, by_turns),
        Path("both at once, R1 with weight 1", ":", braked, at_once),
    ]


def played(path: Path) -> np.ndarray:
    """Both numbers before each step and after the last, (steps + 1, 2)."""
    state, found = path.rule.init(path.game, path.game.init(seeds.make(0))), [np.array(START)]
    for _ in range(STEPS):
        state, _ = path.rule.step(path.game, state, games.no_data, seeds.make(0), games.Hyper())
        found.append(np.array([float(player.params) for player in path.rule.view(state)]))
    return np.array(found)


def picture() -> bytes:
    """The picture, a PNG file."""
    from matplotlib import pyplot  # here, because it takes longer to import than the whole package

    figure, axes = pyplot.subplots(figsize=(5, 5), layout="constrained")
    for path in paths():
        axes.plot(*played(path).T, path.line, label=path.name)
    axes.plot(*START, "o", color="black", label="start")
    axes.plot(0, 0, "*", color="black", markersize=12, label="equilibrium")
    axes.set(xlabel="generator's number", ylabel="discriminator's number", aspect="equal")
    axes.legend(loc="upper left", fontsize=8)
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=120)
    pyplot.close(figure)
    return written.getvalue()


def text(file: str) -> str:
    """Markdown with the picture, which is in ``file``."""
    return TEXT.format(alt=ALT, picture=file, steps=STEPS, rate=RATE)
