"""What an assignment's source must be, as the course's notebooks: of readable size, run once, and fairly priced.

Counted is what a student may come to see, the version for after the deadline. Two exceptions that the format needs: a
task is several cells, so that their number is free; and no badge opens a notebook that holds the solutions.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ...tables import Table
from .. import hygiene, sitting
from . import release, source
from .source import WRITTEN

COUNTED = ("words", "code")  # of the limits of a sitting, those of a whole notebook
MINUTES, TO_DO = (60, 120), re.compile(r"(\d+) minutes to do")
SHARE = 0.25  # of all points, at most, for written parts


class Form(NamedTuple):
    """The counts of a sitting, the minutes that the notebook states (None where it does not), points in all and for
    written parts."""

    counts: sitting.Sitting
    minutes: int | None
    points: float
    written: float


def measure(assignment: source.Assignment) -> Form:
    """Count an assignment."""
    notebook = release.solution(assignment)
    stated = TO_DO.search(assignment.cells[0].source)
    points = [sum(cell.points for cell in cells) for cells in (assignment.cells, assignment.of(WRITTEN))]
    return Form(sitting.measure(notebook, assignment.name), int(stated[1]) if stated else None, *points)


def problems(path: Path) -> list[str]:
    """Everything that is wrong with the source at ``path``, one line each; empty where nothing is."""
    name = path.name
    try:
        assignment = source.read(path)
    except ValueError as error:
        return [str(error)]
    notebook, form = release.solution(assignment), measure(assignment)
    found = hygiene.in_cells(notebook, name) + hygiene.run_once(notebook, name)
    for what in COUNTED:
        if (count := getattr(form.counts, what)) > sitting.LIMITS[what]:
            found.append(
                f"{name}: {count:,} {sitting.WHOLE[what]} (at most {sitting.LIMITS[what]:,}), hidden tests aside"
            )
    if form.minutes is None or not MINUTES[0] <= form.minutes <= MINUTES[1]:
        found.append(
            f"{name}: its first cell must say '**Time.** ... minutes to do', from {MINUTES[0]} to {MINUTES[1]}"
        )
    if form.written > SHARE * form.points:
        found.append(f"{name}: {form.written:g} of {form.points:g} points are for written parts, at most a quarter")
    return found


def table(assignments: list[source.Assignment]) -> Table:
    """One row for each assignment."""
    rows = []
    for form in map(measure, assignments):
        one = form.counts
        rows.append((one.name, one.words, one.code, one.line, one.cell, form.minutes, f"{form.points:g}",
                     f"{form.written:g}", one.seconds))  # fmt: skip
    return Table(("assignment", "words", "code", "longest line", "longest cell", "minutes", "points", "of them written",
                  "seconds to run"), tuple(rows))  # fmt: skip
