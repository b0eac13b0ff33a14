"""Is a notebook one sitting? What a first reading meets, counted, and the minutes that it takes.

What is folded (``folding``) counts for nothing: neither its words and lines, nor its cell, nor what that claims.
"""

import math
import re
from typing import Any, NamedTuple

from ..tables import Table
from . import claims, folding
from .notebooks import CODE, MARKDOWN

# Of ``Sitting``; hygiene names the cells that are above "line" and "cell".
LIMITS = {"words": 1800, "code": 200, "line": 79, "cells": 32, "cell": 25, "claims": 15}
WORDS_A_MINUTE, LINES_A_MINUTE, MINUTES_AN_EXERCISE, MINUTES_A_TURN = 150, 10, 3, 2
COLUMNS = {
    "words": "words", "code": "code", "longest line": "line", "cells": "cells", "longest cell": "cell",
    "claims": "claims", "pictures": "pictures", "exercises": "exercises", "turns": "turns", "minutes": "minutes",
}  # fmt: skip
WHOLE = {"words": "words", "code": "lines of code", "cells": "cells", "claims": "claims"}  # of all cells together
STALE = 3  # minutes by which the reading time that a notebook states may be off

BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*\)\]\([^)]*\)")  # a picture that is a link
PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
NOT_READ = re.compile(r"(?<=\])\([^)]*\)|</?[a-zA-Z][^>\n]*>")  # addresses of links, tags
HEADING = re.compile(r"(?m)^##? +(.+)$")
SECTION, ITEM = re.compile(r"(?m)^## "), re.compile(r"(?m)^(?:\*\*)?\d+\.")
CLAIM, TURN = re.compile(r"\bclaim\("), re.compile(r"\byour_turn\(")
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
    texts = [BADGE.sub("", folding.shown(cell)) for cell in notebook.cells if cell.cell_type == MARKDOWN]
    runs = [cell for cell in notebook.cells if cell.cell_type == CODE]
    cells = [cell for cell in notebook.cells if cell.source.strip() and not folding.is_folded(cell)]
    shown = [cell for cell in cells if cell.cell_type == CODE]
    whole = "\n\n".join(texts)
    code = [line for cell in shown for line in cell.source.splitlines() if line.strip()]
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
        cells=len(cells),
        cell=max((len(folding.shown(cell).splitlines()) for cell in cells), default=0),
        claims=sum(max(len(CLAIM.findall(cell.source)), len(claims.printed(cell))) for cell in shown),
        pictures=sum(_pictures(cell) for cell in runs) + len(PICTURE.findall(whole)),
        exercises=exercises,
        turns=turns,
        minutes=math.ceil(minutes),
        stated=int(reading.group(1)) if reading else None,
        seconds=int(running.group(1)) if running else None,
    )


class Section(NamedTuple):
    """A part of a notebook from one heading of the second level to the next, and the minutes that it takes."""

    heading: str
    minutes: int


def sections(notebook: Any) -> list[Section]:
    """The sections in their order, the one before the first heading under the notebook's title.

    Their minutes are rounded up one by one, so that all together may be some more than the notebook's.
    """
    parts: list[tuple[str, list[Any]]] = []
    for cell in notebook.cells:
        heading = HEADING.search(folding.shown(cell)) if cell.cell_type == MARKDOWN else None
        if heading or not parts:
            parts.append((heading[1].strip() if heading else "", []))
        parts[-1][1].append(cell)
    whole = [Section(heading, measure(type(notebook)({**notebook, "cells": cells}), "").minutes)
             for heading, cells in parts]  # fmt: skip
    return [part for part in whole if part.minutes]


def problems(notebook: Any, name: str) -> list[str]:
    """One sentence where the notebook of file name ``name`` is more than a sitting, one where its minutes are stale."""
    one, found = measure(notebook, name), []
    over = [what for what in one.over() if what in WHOLE]
    if over:
        counts = ", ".join(f"{getattr(one, what):,} {WHOLE[what]} (at most {LIMITS[what]:,})" for what in over)
        found.append(f"{name}: more than one sitting: {counts}; fold what a first reading can skip, or move it")
    if "minutes" in one.over():
        found.append(f"{name}: it says {one.stated} minutes to read, and takes {one.minutes}")
    return found


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


def _pictures(cell):
    return sum(any(kind.startswith("image/") for kind in output.get("data", {})) for output in cell.outputs)
