"""What the notebooks claim: the lines that ``mg.claim`` printed, where, and whether a record is behind them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .notebooks import CODE, MARKDOWN, code_cells

WORDS = {"holds: ": 1, "does not hold: ": 0}
HEADING = re.compile(r"(?m)^#{1,4} +(.+)$")
FENCED = re.compile(r"(?ms)^(```|~~~).*?^\1")
MAGIC = re.compile(r"(?m)^(\s*)[%!].*$")  # IPython's own lines are no Python; `pass` keeps the indentation


class Claim(NamedTuple):
    """A printed claim: its words, whether it holds, the number of its cell from 0, and the heading above it.

    ``recorded``: its verdict is computed from a record (``studies.load``), and not from this run of the notebook alone.
    """

    text: str
    holds: bool
    cell: int
    section: str
    recorded: bool


def said(notebook: Any) -> dict[str, list[tuple[str, int]]]:
    """Cell -> (claim, verdict) in the order in which it printed them."""
    return {cell.id: _printed(cell) for _, cell in code_cells(notebook)}


def _printed(cell: Any) -> list[tuple[str, int]]:
    lines = [line for output in cell.outputs if output.get("name") == "stdout" for line in output.text.splitlines()]
    return [
        (line.removeprefix(word), value) for line in lines for word, value in WORDS.items() if line.startswith(word)
    ]


def claims(notebook: Any) -> list[Claim]:
    """All claims of a notebook in their order."""
    found, section, records = [], "", set[str]()
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == MARKDOWN:
            section = (HEADING.findall(FENCED.sub("", cell.source)) or [section])[-1]
        elif cell.cell_type == CODE:
            tree = ast.parse(MAGIC.sub(r"\1pass", cell.source))
            records |= _made_of_records(tree, records)
            from_record = _verdicts(tree, records)
            for text, verdict in _printed(cell):
                recorded = from_record.get(text, any(from_record.values()))
                found.append(Claim(text, bool(verdict), number, section, recorded))
    return found


def _reads(node: ast.AST, records: set[str]) -> bool:
    """Does the code under ``node`` load a record, or name what is made of one?"""
    return any(
        (isinstance(part, ast.Attribute) and part.attr == "load" and ast.unparse(part.value).endswith("studies"))
        or (isinstance(part, ast.Name) and part.id in records)
        for part in ast.walk(node)
    )


def _made_of_records(tree: ast.Module, records: set[str]) -> set[str]:
    """The names that the statements of a cell give to a record, or to what is computed from one."""
    known = set(records)
    for statement in tree.body:
        if _reads(statement, known):
            known |= set(_bound(statement))
    return known


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef):
        yield statement.name
    else:
        for part in ast.walk(statement):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id


def _verdicts(tree: ast.Module, records: set[str]) -> dict[str, bool]:
    """Claim -> whether its verdict is of a record; a text that is made up by code has that code for a key."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("claim")]
    return {
        str(call.args[0].value) if isinstance(call.args[0], ast.Constant) else ast.unparse(call.args[0]):
        any(_reads(part, records) for part in call.args[1:])
        for call in calls if call.args
    }  # fmt: skip
