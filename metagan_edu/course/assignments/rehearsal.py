"""Play an assignment in this process: its solution, its blank version, typical answers. For authors and tests."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from . import cells, child, judging, names, release, results, variants
from .source import ANSWER, SETUP, TEST, TEXT, VARIANT, WRITTEN, Assignment, Cell

SECRET = b"for rehearsals, which hide nothing"
READING = {"copy", "get", "items", "keys", "values"}  # methods that leave a dict as it is


class Played(NamedTuple):
    """The namespaces of both sides, the verdict of each test, and the error at which a cell stopped, by grade_id."""

    student: dict[str, Any]
    own: dict[str, Any]
    verdicts: dict[str, judging.Verdict]
    stopped: dict[str, str]

    def lost(self) -> list[str]:
        """The tests without points, in order."""
        return [test for test, verdict in self.verdicts.items() if not verdict.points]


def play(assignment: Assignment, answers: Mapping[str, str] | None = None, student: str | None = None) -> Played:
    """Run the whole assignment, with ``answers`` (by grade_id) in place of the solution's.

    With a name of a ``student`` it is that one's variant, else variant 0; hidden seeds are the rehearsal's own.
    """
    seeds = _seeds(assignment, student)
    played = Played({}, judging.background(assignment, seeds), {}, {})
    for cell in assignment.cells:
        _run(cell, assignment, seeds, played, answers or {})
    return played


def blank(assignment: Assignment) -> dict[str, str]:
    """The answers of the student version: all stubs."""
    return {cell.grade_id: release.stubbed(cell.source, code=True) for cell in assignment.of(ANSWER)}


def typical(path: Path) -> list[dict[str, Any]]:
    """The typical answers in the JSON file at ``path``: ``name``, ``patch``, ``loses``, ``ci``."""
    return json.loads(path.read_text(encoding="utf-8"))


def patched(assignment: Assignment, patches: list[dict[str, str]]) -> dict[str, str]:
    """Answers (by grade_id) after ``patches`` (``cell``, ``old``, ``new``).

    Raises ``ValueError`` unless each ``old`` is there once.
    """
    answers: dict[str, str] = {}
    for patch in patches:
        source = answers.get(patch["cell"], assignment.cell(patch["cell"]).source)
        if (times := source.count(patch["old"])) != 1:
            where = f"{assignment.name}, {patch['cell']}"
            raise ValueError(f"{where}: {patch['old']!r} is there {times} times; a patch replaces what is there once.")
        answers[patch["cell"]] = source.replace(patch["old"], patch["new"])
    return answers


def replay(assignment: Assignment, solution: Played, answers: Mapping[str, str]) -> Played:
    """What :func:`play` gives for ``answers``, where ``solution`` was played before: only the cells that differ run
    again, in a copy of its namespace, and those that depend on them."""
    seeds = _seeds(assignment, None)
    again = _again(assignment, answers)
    bound = {name for i in again for name in _bound(assignment.cells[i], answers)}
    student = {name: value for name, value in solution.student.items() if name not in bound}
    played = Played(student, solution.own, dict(solution.verdicts), dict(solution.stopped))
    for i in sorted(again):
        _run(assignment.cells[i], assignment, seeds, played, answers)
    return played


def _seeds(assignment, student):
    return variants.Seeds(SECRET if student else None, assignment.name, student or "")


def _run(cell: Cell, assignment: Assignment, seeds: variants.Seeds, played: Played, answers: Mapping[str, str]) -> None:
    if cell.role in (TEXT, WRITTEN):
        return
    played.stopped.pop(cell.grade_id, None)
    source = variants.literals(assignment, seeds.variant) if cell.role == VARIANT else answers.get(cell.grade_id)
    if cell.role != TEST:
        try:
            cells.run(cell.source if source is None else source, played.student)
        except Exception as error:
            played.stopped[cell.grade_id] = judging.told(error)
        return
    assert cell.hidden is not None
    seed, shown = seeds._replace(secret=SECRET).hidden(cell.grade_id), None
    try:
        cells.run(cell.visible, played.student)
    except Exception as error:
        played.stopped[cell.grade_id], shown = judging.told(error), error
    try:
        namespace = cells.run(cell.hidden.asking(seed), dict(played.student))
        values = results.unpack(child.pack(cells.run("_asked = asked()", namespace)["_asked"]))
    except Exception as error:
        played.verdicts[cell.grade_id] = judging.Verdict(0, judging.told(child.telling(shown, error)))
    else:
        played.verdicts[cell.grade_id] = judging.judge(cell, seed, values, played.own)


def _code(cell, answers):
    """What runs of a cell on the student's side."""
    if cell.role in (TEXT, WRITTEN):
        return ""
    if cell.role == TEST:
        return f"{cell.visible}\n{cell.hidden.asking(0)}"
    return answers.get(cell.grade_id, cell.source)


def _bound(cell, answers):
    """The names that a cell sets, with the solution or with the answer: none is left of those that an answer omits."""
    return names.names(_code(cell, answers)).binds | names.names(_code(cell, {})).binds


def _again(assignment: Assignment, answers: Mapping[str, str]) -> set[int]:
    """The numbers of the cells to run again: what differs, what looks up what these bind, and what made the objects
    that these change in place (a list that grows, a generator of random numbers)."""
    codes = [_code(cell, answers) for cell in assignment.cells]
    found = [names.names(code) for code in codes]
    tests = [cell.role == TEST for cell in assignment.cells]
    setup = {
        name for cell, one in zip(assignment.cells, found, strict=True) if cell.role == SETUP for name in one.binds
    }
    again = {i for i, cell in enumerate(assignment.cells) if cell.grade_id in answers}
    while True:
        bound = {name for i in again if not tests[i] for name in _bound(assignment.cells[i], answers)}
        changed = {name for i in again for name in _changed(codes[i])} - setup
        more = {
            i for i, one in enumerate(found)
            if one.reads & bound or (not tests[i] and one.binds & (bound | changed))
        }  # fmt: skip
        if more <= again:
            return again
        again |= more


def _changed(code: str) -> set[str]:
    """Names of objects that code may change in place: by a method's call that does more than read, or by what it
    assigns into."""
    found = set()
    for node in ast.walk(ast.parse(names.python(code))):
        inner = node.func if isinstance(node, ast.Call) else node
        stores = isinstance(getattr(node, "ctx", None), ast.Store) and isinstance(node, ast.Subscript | ast.Attribute)
        calls = isinstance(node, ast.Call) and isinstance(inner, ast.Attribute) and inner.attr not in READING
        if stores or calls:
            while isinstance(inner, ast.Subscript | ast.Attribute | ast.Call):
                inner = inner.func if isinstance(inner, ast.Call) else inner.value
            if isinstance(inner, ast.Name):
                found.add(inner.id)
    return found
