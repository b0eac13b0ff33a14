"""A page for each student: points, what each test said, the answers as text, and what protection there was."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from . import isolation
from .source import ANSWER, WRITTEN, Assignment, unmarked

STYLE = """body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
color: #1a1a1a; background: #fff } pre { background: #f4f4f4; padding: .75rem; overflow-x: auto; white-space: pre-wrap }
table { border-collapse: collapse } th, td { text-align: left; padding: .25rem .75rem; border-bottom: 1px solid #ccc;
vertical-align: top } @media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #161616 }
pre { background: #242424 } th, td { border-color: #444 } }"""


def page(record: Mapping[str, Any], marks: Mapping[str, Any], assignment: Assignment | None) -> str:
    """The page of one record as HTML without scripts; everything that comes from a submission is escaped.

    ``marks`` has the lecturer's points and comments for written parts, by grade_id.
    """
    title = f"{record['student']}: {record['assignment']}"
    got = sum(test["points"] for test in record["tests"].values()) + sum(mark.points for mark in marks.values())
    of = sum(test["of"] for test in record["tests"].values()) + sum(record["written"].values())
    parts = [f"<h1>{escape(title)}</h1>", f"<p><strong>{got:g} of {of:g} points</strong>"]
    if set(record["written"]) - set(marks):
        parts.append("so far: written parts are graded by hand")
    parts.append("</p>")
    parts += [f"<p>{escape(remark)}</p>" for remark in record["remarks"]]
    parts.append(_table(record, marks))
    parts += _answers(record, marks, assignment)
    if record["output"].strip():
        parts.append(f"<h2>What it printed last</h2><pre>{escape(record['output'])}</pre>")
    parts.append(f"<p>{escape(isolation.PROTECTION.get(record['isolation'], 'It was not run.'))}</p>")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
        "<body>" + "\n".join(parts) + "</body></html>\n"
    )


def _table(record, marks):
    rows = [(name, test["points"], test["of"], test["said"]) for name, test in record["tests"].items()]
    rows += [
        (name, marks[name].points, of, marks[name].comment) if name in marks else (name, None, of, "not yet graded")
        for name, of in record["written"].items()
    ]
    body = "".join(
        f"<tr><td>{escape(name)}</td><td>{'-' if points is None else f'{points:g}'} of {of:g}</td>"
        f"<td>{escape(said)}</td></tr>"
        for name, points, of, said in rows
    )
    head = "<thead><tr><th>task</th><th>points</th><th>what was seen</th></tr></thead>"
    return f"<table>{head}<tbody>{body}</tbody></table>" if rows else ""


def _answers(record, marks, assignment):
    """The student's answers in the order of the assignment; after a written one its rubric, once it has points."""
    for cell in assignment.of(ANSWER, WRITTEN) if assignment else []:
        if cell.grade_id in record["answers"]:
            yield f"<h2>{escape(cell.grade_id)}</h2><pre>{escape(record['answers'][cell.grade_id])}</pre>"
            if cell.grade_id in record["stopped"]:
                yield f"<p>It stopped: {escape(record['stopped'][cell.grade_id])}</p>"
        if cell.role == WRITTEN and cell.grade_id in marks:
            yield f"<p>A model answer, and the points for it:</p><pre>{escape(unmarked(cell.source))}</pre>"
