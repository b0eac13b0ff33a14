"""What students handed in: found in a folder, read as what it may be, and put back between the source's own cells."""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .. import notebooks
from . import names, release, sandbox
from .source import ANSWER, FIRST, GIVEN, SETUP, TEST, VARIANT, WRITTEN, Assignment, Cell

MOST = 20_000_000  # bytes of a notebook
EXTRA = "a cell of the student's own"
WORD = re.compile(r"\w+")
COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
CHANGED = "the locked cell '{}' was changed: the original was used."
OTHER_NUMBERS = (
    "the numbers in '{}' are not those of this name and this secret (was it handed out to another name, or were they "
    "changed?): the original was used."
)
SKIPPED = ("_", ".")  # beginnings of folders that no student has: __MACOSX, .ipynb_checkpoints


class Submission(NamedTuple):
    """What a student handed in: whose, the notebook (None where there is none), the name of its assignment, and how
    many more notebooks there are of it."""

    student: str
    path: Path | None
    assignment: str = ""
    more: int = 0


class Handed(NamedTuple):
    """A cell as handed in."""

    code: bool
    grade_id: str
    source: str


class Rebuilt(NamedTuple):
    """An assignment with a student's answers: what is run, which step each of its cells is, the answers as text, and
    what was odd."""

    steps: list[sandbox.Step]
    number: dict[str, int]
    answers: dict[str, str]
    remarks: list[str]


def find(folder: Path, found: Mapping[str, Assignment]) -> list[Submission]:
    """The submissions in ``folder``, sorted: ``<student>.ipynb``, ``<student>/N_name.ipynb``, and nbgrader's
    ``<student>/<assignment>/*.ipynb``. No link is followed; of two of one assignment the first is taken.

    Raises ``FileNotFoundError`` where there is no folder, or nothing in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder '{folder}'; it holds the submissions, a notebook or folder each.")
    taken: dict[tuple[str, str], Submission] = {}
    for student, path in _paths(folder):
        one = Submission(student, path, _assignment(path, found) if path else "")
        first = taken.setdefault((student, one.assignment), one)
        taken[student, one.assignment] = first._replace(more=first.more + (first is not one))
    if not taken:
        raise FileNotFoundError(f"There is no submission in '{folder}': no notebook and no student's folder.")
    return list(taken.values())


def _paths(folder: Path) -> Iterator[tuple[str, Path | None]]:
    for path in _entries(folder):
        name = path.stem if path.suffix == ".ipynb" else path.name
        name = "".join(letter if letter.isprintable() else "?" for letter in name)  # no line of a log, no lone half
        student = unicodedata.normalize("NFC", name)  # macOS takes letters with accents apart
        if path.suffix == ".ipynb" and not path.is_dir():
            yield student, path
        elif path.is_dir() and not path.is_symlink():
            inside = _entries(path)
            inside += [one for sub in inside if sub.is_dir() and not sub.is_symlink() for one in _entries(sub)]
            mine: list[tuple[str, Path | None]] = [
                (student, one) for one in inside if one.suffix == ".ipynb" and not one.is_dir()
            ]
            yield from mine or [(student, None)]


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, sorted; nothing where it is closed, as one student's may be, which stops no other."""
    with contextlib.suppress(PermissionError):
        return sorted(path for path in folder.iterdir() if not path.name.startswith(SKIPPED))
    return []


def _assignment(path: Path, found: Mapping[str, Assignment]) -> str:
    """The name of the assignment that a notebook is of: by its file's name, else by the ids inside; else empty."""
    if path.stem in found:
        return path.stem
    try:
        ids = {cell.grade_id for cell in cells(content(path))} - {""}
    except ValueError:
        return ""
    shared = {name: len(ids & {cell.grade_id for cell in one.cells}) for name, one in found.items()}
    best = max(shared, key=shared.__getitem__)
    return best if shared[best] else ""


def content(path: Path | None) -> bytes:
    """The bytes of a student's notebook; ``ValueError``, in a sentence for the student, where it cannot be taken."""
    if path is None:
        raise ValueError("there is no notebook in the student's folder.")
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size <= MOST:
                return file.read(MOST)
    except OSError as error:
        raise ValueError("the notebook is a link, or cannot be read.") from error
    raise ValueError(f"the notebook is no file, or has more than {MOST / 1e6:g} MB.")


def cells(notebook: bytes) -> list[Handed]:
    """The cells of a notebook in format 4; ``ValueError``, in a sentence for the student, where it is none."""
    if not notebook.strip():
        raise ValueError("the file is empty.")
    try:
        found = json.loads(notebook)["cells"]
        return [_handed(cell) for cell in found]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("it is not a Jupyter notebook (format 4): save it again from Jupyter or Colab.") from error


def _handed(cell: Any) -> Handed:
    source = cell["source"]
    source = source if isinstance(source, str) else "".join(source)
    grading = cell.get("metadata", {}).get("nbgrader") or {}
    first = source.split("\n")[0].strip()
    grade_id = grading.get("grade_id") or (first.removeprefix(FIRST) if first.startswith(FIRST) else "")
    return Handed(cell["cell_type"] == notebooks.CODE, str(grade_id), source.encode("utf-8", "replace").decode())


def rebuild(
    assignment: Assignment, handed: Iterable[Handed], literals: str, tests: Iterable[Cell], hiding: Mapping[str, int]
) -> Rebuilt:
    """The source's own cells with the student's answers and own cells in their places, then private ``tests``.

    ``literals``: the variant cell; ``hiding``: the hidden seed of each test. What the source only shows is left out.
    """
    given = _given(assignment, literals)
    answers, extra, remarks = _sorted(assignment, handed, given)
    steps = [sandbox.Step(EXTRA, source) for source in extra.get("", [])]
    for cell in (*assignment.cells, *tests):
        if cell.role in (SETUP, VARIANT, GIVEN, ANSWER, TEST):
            code = answers.get(cell.grade_id, given.get(cell.grade_id, cell.visible))
            ask = cell.hidden.asking(hiding[cell.grade_id]) if cell.hidden else None
            steps.append(sandbox.Step(cell.grade_id, code, ask))
        steps += [sandbox.Step(EXTRA, source) for source in extra.get(cell.grade_id, []) if cell.grade_id]
    steps = _needed(steps, assignment)
    number = {step.name: i for i, step in enumerate(steps) if step.name != EXTRA}
    return Rebuilt(steps, number, answers, remarks)


def _needed(steps, assignment):
    """The steps without given cells that only show: those that bind nothing that a later one of the source takes, and
    nothing whose name stands anywhere in the student's own code, be it in a string, but for lines of comment. The code
    is searched as text, since to parse it in this process would be to trust it."""
    given = {cell.grade_id for cell in assignment.of(GIVEN)}
    theirs = {EXTRA, *(cell.grade_id for cell in assignment.of(ANSWER))}
    words = {word for step in steps if step.name in theirs for word in WORD.findall(COMMENT.sub("", step.run))}
    needed: set[str] = set()
    kept = []
    for step in reversed(steps):
        run, ask = names.names("" if step.name in theirs else step.run), names.names(step.ask or "")
        if step.name not in given or run.binds & (needed | words):
            kept.append(step)
            needed = (needed - run.binds) | run.free | ask.free
    return kept[::-1]


def _given(assignment, literals):
    """What each cell is in the student's version, by its id."""
    given = {}
    for cell in assignment.cells:
        if cell.role in (ANSWER, WRITTEN):
            given[cell.grade_id] = release.stubbed(cell.source, code=cell.role == ANSWER)
        elif cell.grade_id:
            given[cell.grade_id] = literals if cell.role == VARIANT else cell.visible if cell.hidden else cell.source
    return given


def _sorted(assignment, handed, given):
    """The student's answers by id, own code by the id that it follows, and what was odd."""
    answers: dict[str, str] = {}
    extra: dict[str, list[str]] = {}
    remarks, after = [], ""
    theirs = {cell.grade_id for cell in assignment.of(ANSWER, WRITTEN)}
    numbers = {cell.grade_id for cell in assignment.of(VARIANT)}
    by_source = {text.strip(): grade_id for grade_id, text in given.items() if text.strip()}
    for cell in handed:
        known = cell.grade_id if cell.grade_id in given else by_source.get(cell.source.strip(), "")
        if not known:
            if cell.code and cell.source.strip():
                extra.setdefault(after, []).append(cell.source)
            continue
        after = known
        if known in theirs and known in answers:
            remarks.append(f"the cell '{known}' is there twice: the first counts.")
        elif known in theirs:
            answers[known] = cell.source
        elif cell.source.strip() != given[known].strip():
            remarks.append((OTHER_NUMBERS if known in numbers else CHANGED).format(known))
    for cell in assignment.of(ANSWER, WRITTEN):
        if cell.grade_id not in answers:
            answers[cell.grade_id] = given[cell.grade_id]
            remarks.append(f"the cell '{cell.grade_id}' is missing: it counts as not answered.")
    return answers, extra, list(dict.fromkeys(remarks))
