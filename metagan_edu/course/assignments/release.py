"""Versions of an assignment: for students, without solutions and hidden tests, and for after the deadline."""

from __future__ import annotations

import copy
import re
import unicodedata
from pathlib import Path
from typing import Any

from .. import folding, notebooks
from . import variants
from .source import ANSWER, GIVEN, SETUP, TEST, TEXT, VARIANT, WRITTEN, Assignment, unmarked

CODE_STUB = ["# YOUR CODE HERE", "raise NotImplementedError()"]  # as nbgrader's own
TEXT_STUB = ["YOUR ANSWER HERE"]
NAME = re.compile(r"[\w@+-][\w .@+-]*")  # of a student, which is also a folder's


def student(assignment: Assignment, variant: int = 0) -> Any:
    """The notebook that a student gets: stubs for solutions, no hidden tests, no outputs, the variant as literals."""
    notebook = _version(assignment, variant)
    for cell, read in zip(notebook.cells, assignment.cells, strict=True):
        if read.role in (ANSWER, WRITTEN):
            cell.source = stubbed(cell.source, code=read.role == ANSWER)
        if cell.cell_type == notebooks.CODE:
            cell.outputs, cell.execution_count = [], None
        if read.grade_id:
            cell.metadata["deletable"] = False
        if read.role in (GIVEN, SETUP, TEST, VARIANT) or (read.role == TEXT and read.grade_id):
            cell.metadata["editable"] = False
    return notebook


def solution(assignment: Assignment, variant: int = 0) -> Any:
    """The notebook for after the deadline: solutions, rubric and outputs, without hidden tests."""
    notebook = _version(assignment, variant)
    for cell in notebook.cells:
        cell.source = unmarked(cell.source)
    return notebook


def stubbed(source: str, *, code: bool) -> str:
    """An answer's source with nbgrader's stub in place of each solution."""
    lines: list[str] = []
    inside = False
    for line in source.split("\n"):
        if "BEGIN SOLUTION" in line:
            inside = True
            indent = re.match(r"\s*", line)[0]  # type: ignore[index]
            lines += [indent + stub for stub in (CODE_STUB if code else TEXT_STUB)]
        elif "END SOLUTION" in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def _version(assignment: Assignment, variant: int) -> Any:
    """A copy without hidden tests, with the variant as literals."""
    notebook = copy.deepcopy(assignment.notebook)
    for cell, read in zip(notebook.cells, assignment.cells, strict=True):
        if read.role == TEST:
            cell.source = read.visible
        if read.role == VARIANT:
            cell.source = variants.literals(assignment, variant)
    return folding.fold(notebook)


def write(found: list[Assignment], folder: Path) -> int:
    """Write ``student/`` and ``solution/`` versions to ``folder``, for a class without variants; how many."""
    for assignment in found:
        notebooks.write(student(assignment), folder / "student" / f"{assignment.name}.ipynb")
        notebooks.write(solution(assignment), folder / "solution" / f"{assignment.name}.ipynb")
    return 2 * len(found)


def write_variants(found: list[Assignment], names: list[str], secret: bytes | None, folder: Path) -> int:
    """Write each student's version to ``folder/<student>/``; how many. Without a secret all get variant 0."""
    for name in names:
        for assignment in found:
            seeds = variants.Seeds(secret, assignment.name, name)
            notebooks.write(student(assignment, seeds.variant), folder / name / f"{assignment.name}.ipynb")
    return len(names) * len(found)


def students(path: Path) -> list[str]:
    """The names in a file, one a line; ``ValueError`` for one that is no plain name of a folder, or is there twice."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no file '{path}'; it holds the students' names, one a line.")
    text = unicodedata.normalize("NFC", path.read_text(encoding="utf-8-sig"))  # as submissions are named
    found = [line.strip() for line in text.splitlines() if line.strip()]
    folders = [name.casefold() for name in found]  # as macOS and Windows see them
    for name in found:
        if not NAME.fullmatch(name):
            raise ValueError(f"'{path}': '{name}' cannot name a folder; take letters, digits, spaces and . _ - @ +.")
        if folders.count(name.casefold()) > 1:
            raise ValueError(f"'{path}': '{name}' is there twice, small and capital letters taken for the same.")
    return found
