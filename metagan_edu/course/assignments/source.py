"""One notebook is the source of an assignment: its cells by their role, refused by name where they are malformed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from .. import notebooks
from . import hidden, names

TEXT, GIVEN, SETUP, VARIANT, ANSWER, WRITTEN, TEST = "text", "given", "setup", "variant", "answer", "written", "test"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
FIRST = "# answer: "  # of an answer's first line: it names the cell where a front end dropped the metadata
GRADE_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


class Cell(NamedTuple):
    """A cell: what it is for, its id (empty for plain text), its source, its points (0 where none), its hidden part."""

    role: str
    grade_id: str
    source: str
    points: float = 0
    hidden: hidden.Hidden | None = None

    @property
    def visible(self) -> str:
        """What a student sees of a test."""
        return self.source.split(hidden.BEGIN)[0].rstrip("\n")


class Assignment(NamedTuple):
    """What a source says: its name (``1_objective``), its cells in order, and the notebook that they were read from."""

    name: str
    cells: tuple[Cell, ...]
    notebook: Any

    def of(self, *roles: str) -> list[Cell]:
        """The cells of these roles, in order."""
        return [cell for cell in self.cells if cell.role in roles]

    def cell(self, grade_id: str) -> Cell:
        """The cell of this id; ``ValueError`` where there is none."""
        for cell in self.cells:
            if cell.grade_id == grade_id and grade_id:
                return cell
        raise ValueError(f"{self.name} has no cell '{grade_id}'.")


def folder(root: Path) -> Path:
    """Where the sources of the course at ``root`` lie."""
    return root / "notebooks" / "assignments"


def find(root: Path, only: list[str] | None = None) -> list[Path]:
    """The sources of the course at ``root``, in order; with ``only``, those whose names start so."""
    return notebooks.find(folder(root), only)


def read(path: Path) -> Assignment:
    """The assignment at ``path``; ``ValueError`` says which cell is malformed, and what would be right."""
    notebook = notebooks.read(path)
    cells = tuple(_cell(cell, f"{path.name}, cell {number}") for number, cell in enumerate(notebook.cells, start=1))
    assignment = Assignment(path.stem, cells, notebook)
    _whole(assignment, path.name)
    known = _known(assignment)
    for cell in assignment.of(TEST):
        _judged_alone(cell, known, path.name)
    _hides_names(assignment, path.name)
    return assignment


def read_private(path: Path, assignment: Assignment) -> tuple[Cell, ...]:
    """The test cells of the notebook at ``path``, to be asked after those of ``assignment``; texts are for its author.

    Raises ``ValueError`` where a cell is malformed, is code of another role, or has an id of the assignment.
    """
    tests: list[Cell] = []
    for number, cell in enumerate(notebooks.read(path).cells, start=1):
        where = f"{path.name} (private tests), cell {number}"
        read = _cell(cell, where)
        if read.role not in (TEST, TEXT):
            raise ValueError(f"{where}: private tests are test cells and texts, and this is {read.role}.")
        if read.role == TEST:
            if read.grade_id in {one.grade_id for one in (*assignment.cells, *tests)}:
                raise ValueError(f"{where}: the id '{read.grade_id}' is taken; give it another.")
            _judged_alone(read, _known(assignment), where)
            tests.append(read)
    return tuple(tests)


def _cell(cell: Any, where: str) -> Cell:
    grading, tags = cell.metadata.get("nbgrader"), cell.metadata.get("tags", [])
    if grading is None:
        if cell.cell_type == notebooks.CODE and cell.source.strip():
            raise ValueError(f"{where}: code needs nbgrader's metadata: an answer, a test, or locked.")
        return Cell(TEXT, "", cell.source)
    grade_id = grading.get("grade_id", "")
    if grading.get("schema_version") != 3 or not GRADE_ID.fullmatch(str(grade_id)):
        raise ValueError(
            f"{where}: nbgrader's metadata need schema_version 3 and a grade_id of letters, digits, _ or -."
        )
    where, code = f"{where} ({grade_id})", cell.cell_type == notebooks.CODE
    role = _role(grading, tags, code, where)
    points = grading.get("points")
    if role in (WRITTEN, TEST) and (isinstance(points, bool) or not isinstance(points, (int, float)) or points < 0):
        raise ValueError(f"{where}: a graded cell needs points, a number of at least 0, not {points!r}.")
    if role in (WRITTEN, ANSWER):
        _solution(cell.source, where)
    if role == ANSWER and cell.source.split("\n")[0].rstrip() != FIRST + grade_id:
        raise ValueError(f"{where}: the first line of an answer is '{FIRST}{grade_id}'.")
    if role == VARIANT and cell.source.split("\n")[0].strip() != "VARIANT = 0":
        raise ValueError(f"{where}: the first line of the variant is 'VARIANT = 0'.")
    taken = hidden.read(cell.source, where) if role == TEST else None
    if role in (SETUP, VARIANT, GIVEN, ANSWER):
        names.parsed(cell.source, where)
    return Cell(role, grade_id, cell.source, points if role in (WRITTEN, TEST) else 0, taken)


def _role(grading, tags, code, where):
    solution, grade = bool(grading.get("solution")), bool(grading.get("grade"))
    if grading.get("task") or (solution and grade and code) or (not code and solution != grade):
        raise ValueError(f"{where}: answers are code (solution, no grade), written answers are Markdown (both), tests "
                         "are code (grade, no solution), all else is locked; tasks are not used.")  # fmt: skip
    if solution:
        return ANSWER if code else WRITTEN
    if not grading.get("locked"):
        raise ValueError(f"{where}: what is no answer must be locked.")
    if grade:
        return TEST
    if not code:
        return TEXT
    return SETUP if "setup" in tags else VARIANT if "variant" in tags else GIVEN


def is_mark(line: str) -> bool:
    """Whether a line says where a solution begins or ends."""
    return "BEGIN SOLUTION" in line or "END SOLUTION" in line


def unmarked(text: str) -> str:
    """The text of a cell without the lines that say where a solution begins and ends."""
    return "\n".join(line for line in text.split("\n") if not is_mark(line))


def _solution(text, where):
    marks = [line.strip() for line in text.split("\n") if is_mark(line)]
    if not marks or marks != [BEGIN, END] * (len(marks) // 2):
        raise ValueError(f"{where}: what a student writes stands between lines '{BEGIN}' and '{END}'.")


def _whole(assignment, name):
    ids = [cell.grade_id for cell in assignment.cells if cell.grade_id]
    for grade_id in ids:
        if ids.count(grade_id) > 1:
            raise ValueError(f"{name}: two cells have the grade_id '{grade_id}'; give one of them another.")
    if len(assignment.of(VARIANT)) > 1:
        raise ValueError(f"{name}: at most one cell has the tag 'variant'.")
    if not assignment.of(TEST):
        raise ValueError(f"{name}: there is no test cell, so nothing could be graded.")


def _known(assignment):
    """The names that the grader's own process has: of the set-up and of the variant."""
    return {name for cell in assignment.of(SETUP, VARIANT) for name in names.names(cell.source).binds}


def _judged_alone(cell, known, where):
    if cell.hidden is None:
        return
    foreign = names.names(cell.hidden.judging(0)).free - known
    if foreign:
        raise ValueError(
            f"{where} ({cell.grade_id}): what is judged in the grader's own process uses {', '.join(sorted(foreign))}, "
            "which neither the set-up nor the variant defines; let asked() return what it needs."
        )


def _hides_names(assignment, name):
    """Under nbgrader a hidden block runs in the notebook itself: it may not set what a later cell looks up."""
    needed: frozenset[str] = frozenset()
    for cell in reversed(assignment.cells):
        if cell.hidden is not None:
            block = names.names(cell.hidden.asking(0))
            if taken := block.binds & needed:
                raise ValueError(f"{name} ({cell.grade_id}): the hidden block sets {', '.join(sorted(taken))}, which a "
                                 "later cell uses; take other names.")  # fmt: skip
            needed |= block.free
        if cell.role in (GIVEN, ANSWER, TEST):
            shown = names.names(cell.visible)
            needed = needed - shown.binds | shown.free
