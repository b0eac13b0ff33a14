"""Tables of what was graded: ``grades.csv``, ``leaderboard.csv``, and a feedback page each."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ... import files
from . import feedback, source
from .source import Assignment

WRITTEN = "written.csv"  # points of written parts, beside the submissions: student, grade_id, points, comment
NEEDED, PERHAPS = ("student", "grade_id", "points"), ("assignment", "comment")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet would run


class Mark(NamedTuple):
    """A lecturer's points for a written part, and the comment."""

    points: float
    comment: str


def kept(path: Path) -> dict[str, Any]:
    """The record at ``path``; empty where there is none."""
    with contextlib.suppress(OSError, ValueError):
        return json.loads(path.read_bytes())
    return {}


Marks = Mapping[tuple[str, str, str], Mark]  # by student, assignment, grade_id


def write(records: Iterable[Path], marks: Marks, found: Mapping[str, Assignment], out: Path) -> None:
    """Write ``grades.csv``, ``leaderboard.csv`` where there are scores, and the feedback pages to ``out``."""
    rows: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    for path in records:
        record = kept(path)
        mine = {name: marks[key] for name in record["written"]
                if (key := (record["student"], record["assignment"], name)) in marks}  # fmt: skip
        rows.append(_row(record, mine))
        scores += _scores(record)
        page = out / "feedback" / record["student"] / f"{record['assignment']}.html"
        files.replace(page, feedback.page(record, mine, found.get(record["assignment"])).encode("utf-8", "replace"))
    first, last = ["student", "assignment"], ["total", "of", "isolation", "remark"]
    columns = dict.fromkeys(name for row in rows for name in row if name not in (*first, *last))
    files.replace(out / "grades.csv", _csv([*first, *columns, *last], rows))
    if scores:
        scores.sort(key=lambda row: (row["assignment"], row["test"], -row["score"], row["student"]))
        names = dict.fromkeys(name for row in scores for name in row)
        files.replace(out / "leaderboard.csv", _csv(list(names), scores))


def read_written(path: Path, found: Mapping[str, Assignment], students: Collection[str]) -> Marks:
    """The lecturer's points for what ``students`` wrote; none where there is no such file.

    The column ``assignment`` may be left out where a grade_id is in one assignment only. Raises ``ValueError`` for a
    line with points of somebody who handed nothing in, with an unknown id, with points out of range, or given before.
    """
    if not path.exists():
        return {}
    marks = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not set(NEEDED) <= set(reader.fieldnames or ()):
            raise ValueError(f"'{path}' needs the columns {', '.join(NEEDED)}; it may have {', '.join(PERHAPS)}.")
        for number, line in enumerate(reader, start=2):
            if points := (line["points"] or "").strip():
                where, student = f"'{path}', line {number}", (line["student"] or "").strip()
                if student not in students:
                    raise ValueError(f"{where}: there is no submission of '{student}'; write the name as the file or "
                                     "folder of the submission has it.")  # fmt: skip
                name, grade_id, most = _part(line, found, where)
                if (student, name, grade_id) in marks:
                    raise ValueError(f"{where}: '{grade_id}' of '{student}' has points in a line above; keep one.")
                comment = (line.get("comment") or "").strip()
                marks[student, name, grade_id] = Mark(_points(points, most, where), comment)
    return marks


def _part(line, found, where):
    """(assignment, grade_id, points) of the written part that a line is about."""
    grade_id, wanted = (line["grade_id"] or "").strip(), (line.get("assignment") or "").strip()
    fits = [(name, cell.grade_id, cell.points) for name, one in found.items() for cell in one.of(source.WRITTEN)
            if cell.grade_id == grade_id and wanted in ("", name)]  # fmt: skip
    if len(fits) != 1:
        raise ValueError(f"{where}: '{grade_id}' is the written part of {len(fits)} assignments; name one that has it, "
                         "in the column assignment.")  # fmt: skip
    return fits[0]


def _points(text, most, where):
    try:
        points = float(text)
    except ValueError:
        points = math.nan
    if not 0 <= points <= most:
        raise ValueError(f"{where}: the points must be a number from 0 to {most:g}, not '{text}'.")
    return points


def _row(record, marks):
    tests = {name: test["points"] for name, test in record["tests"].items()}
    parts = {name: marks[name].points if name in marks else None for name in record["written"]}
    remarks = list(record["remarks"])
    if any(points is None for points in parts.values()):
        remarks.append(f"written parts without points in {WRITTEN}.")
    return {
        "student": record["student"], "assignment": record["assignment"], **tests, **parts,
        "total": sum(points for points in (*tests.values(), *parts.values()) if points),
        "of": sum(test["of"] for test in record["tests"].values()) + sum(record["written"].values()),
        "isolation": record["isolation"], "remark": " ".join(remarks),
    }  # fmt: skip


def _scores(record):
    for name, test in record["tests"].items():
        if "score" in test["scores"]:
            yield {"assignment": record["assignment"], "test": name, "student": record["student"], **test["scores"]}


def _csv(columns, rows):
    """A table as bytes; a text that a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue().encode("utf-8", "replace")


def _cell(value):
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return "" if value is None else f"{value:g}"
