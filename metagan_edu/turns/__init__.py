"""Your turn: short cells that a reader fills in, and what is still missing in each, in one sentence.

A notebook asks and names the turn; the check, the solution and typical wrong answers lie here, one short file a topic,
so that a saved notebook gives nothing away.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .answers import OPEN, Turn, missing

TOPICS = (
    "tour", "game", "losses", "players", "loop", "failures", "meta_gradient", "outer_loss", "initialization",
    "ten_drawings", "strategies", "rules", "learned_optimizer", "lookahead", "errata",
)  # fmt: skip


def your_turn(name: str, answer: Any) -> None:
    """Print one line on a reader's ``answer``: "right: …", "not yet: …", or "not answered yet: …" while it is ``...``.

    No answer raises, however odd. ``ValueError`` for a ``name`` that is no turn.
    """
    turn = find(name)
    sentence = missing(turn, answer)
    if sentence == OPEN:
        print(f"not answered yet: {turn.ask}")
    else:
        print(f"right: {turn.right}" if sentence is None else f"not yet: {sentence}")


def find(name: str) -> Turn:
    """The turn called ``"topic.name"``; ``ValueError`` that lists what there is for another name."""
    topic, _, short = str(name).partition(".")
    if topic not in TOPICS:
        raise ValueError(f"There is no turn {name!r}; its topic must be one of {', '.join(TOPICS)}.")
    turns = of(topic)
    if short not in turns:
        raise ValueError(f"There is no turn {name!r}; there are {', '.join(f'{topic}.{each}' for each in turns)}.")
    return turns[short]


def of(topic: str) -> dict[str, Turn]:
    """All turns of a topic, by their short names."""
    return import_module(f".{topic}", __name__).TURNS
