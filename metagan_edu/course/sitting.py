"""Is a notebook one sitting? What a first reading meets, counted, and the minutes that it takes.

Not counted is what is folded: what ``<details>`` hides, and the code of cells that begin with ``# @title``.
"""

import math
import re
from typing import Any, NamedTuple

from ..tables import Table
from . import folding
from .notebooks import CODE, MARKDOWN

LIMITS = {"words": 1800, "code": 200, "line": 79, "cells": 32, "cell": 25, "claims": 15}
WORDS_A_MINUTE, LINES_A_MINUTE, MINUTES_AN_EXERCISE, MINUTES_A_TURN = 150, 10, 3, 2
COLUMNS = {
    "words": "words", "code": "code", "longest line": "line", "cells": "cells", "longest cell": "cell",
    "claims": "claims", "pictures": "pictures", "exercises": "exercises", "turns": "turns", "minutes": "minutes",
}  # fmt: skip
STALE = 3  # minutes by which the reading time that a notebook states may be off

FOLDED = re.compile(
    r"<details[^>]*>\s*<summary>((?:(?!<details|</summary>).)*)</summary>(?:(?!<details).)*?</details>", re.DOTALL
)
BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*\)\]\([^)]*\)")  # a picture that is a link
PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
NOT_READ = re.compile(r"(?<=\])\([^)]*\)|</?[a-zA-Z][^>\n]*>")  # addresses of links, tags
SECTION, ITEM = re.compile(r"(?m)^## "), re.compile(r"(?m)^(?:\*\*)?\d+\.")
VERDICT, CLAIM, TURN = (
    re.compile(r"(?m)^(?:holds|does not hold): "),
    re.compile(r"\bclaim\("),
    re.compile(r"\byour_turn\("),
)
READING, RUNNING = re.compile(r"(\d+) minutes? to read"), re.compile(r"(\d+) s(?:econds)? to run")


class Sitting(NamedTuple):
    """What a first reading of one notebook meets.

    ``code``: its lines, less empty ones; ``line``: characters of the longest; ``cell``: lines of the longest cell;
    ``minutes``: of reading and of doing the exercises; ``stated`` and ``seconds``: what the notebook itself says of
    reading and of running ("20 minutes to read, 50 s to run"), or None.
    """

    name: str
    words: int
    code: int
    line: int
    cells: int
    cell: int
    claims: int
    pictures: int
    exercises: int
    turns: int
    minutes: int
    stated: int | None
    seconds: int | None

    def over(self) -> list[str]:
        """The names of what is above its limit; "minutes" where the notebook states others."""
        stale = self.stated is not None and abs(self.stated - self.minutes) > STALE
        return [name for name, limit in LIMITS.items() if getattr(self, name) > limit] + ["minutes"] * stale


def measure(notebook: Any, name: str) -> Sitting:
    """Count what a first reading of the notebook of file name ``name`` meets."""
    texts = [BADGE.sub("", unfolded(cell.source)) for cell in notebook.cells if cell.cell_type == MARKDOWN]
    runs = [cell for cell in notebook.cells if cell.cell_type == CODE]
    shown = [cell.source for cell in runs if cell.source.strip() and not folding.title(cell)]
    whole, code = "\n\n".join(texts), [line for source in shown for line in source.splitlines() if line.strip()]
    words, lines = sum(map(_words, texts)), len(code)
    sections = [section.partition("\n") for section in SECTION.split(whole)]
    exercises = sum(len(ITEM.findall(text)) for heading, _, text in sections if "Exercises" in heading)
    turns = sum(len(TURN.findall(cell.source)) for cell in runs)
    minutes = words / WORDS_A_MINUTE + lines / LINES_A_MINUTE + MINUTES_AN_EXERCISE * exercises + MINUTES_A_TURN * turns
    reading, running = READING.search(whole), RUNNING.search(whole)
    return Sitting(
        name=name,
        words=words,
        code=lines,
        line=max(map(len, code), default=0),
        cells=len(shown) + sum(not _is_folded(cell) for cell in notebook.cells if cell.cell_type == MARKDOWN),
        cell=max((len(source.splitlines()) for source in texts + shown), default=0),
        claims=sum(max(len(CLAIM.findall(cell.source)), len(VERDICT.findall(_printed(cell)))) for cell in runs),
        pictures=sum(_pictures(cell) for cell in runs) + len(PICTURE.findall(whole)),
        exercises=exercises,
        turns=turns,
        minutes=math.ceil(minutes),
        stated=int(reading.group(1)) if reading else None,
        seconds=int(running.group(1)) if running else None,
    )


def unfolded(text: str, shows: str = r"\1") -> str:
    """Markdown with each ``<details>`` replaced by its summary, which is what shows of it."""
    while text != (text := FOLDED.sub(shows, text)):
        pass
    return text


def table(sittings: list[Sitting]) -> Table:
    """One row for each notebook, below one of limits; what is above its limit is marked by "!"."""
    limits = ("at most", *(str(LIMITS.get(name, "")) for name in COLUMNS.values()), "")
    return Table(("notebook", *COLUMNS, "seconds to run"), (limits, *map(_row, sittings)))


def _row(one):
    cells = [f"{getattr(one, name)}{' !' * (name in one.over())}" for name in COLUMNS.values()]
    return one.name, *cells, "-" if one.seconds is None else str(one.seconds)


def _words(text):
    read = NOT_READ.sub(" ", PICTURE.sub(" ", text))
    return sum(any(letter.isalnum() for letter in word) for word in read.split())


def _is_folded(cell):
    return bool(cell.source.strip()) and not unfolded(cell.source, shows="").strip()


def _printed(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def _pictures(cell):
    return sum(any(kind.startswith("image/") for kind in output.get("data", {})) for output in cell.outputs)
