"""What the notebooks claim: the lines that ``mg.claim`` printed, where, and whether a record is behind them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .notebooks import CODE, MARKDOWN, code_cells, python

WORDS = {"holds: ": 1, "does not hold: ": 0}
HEADING = re.compile(r"(?m)^#{1,4} +(.+)$")
FENCED = re.compile(r"(?ms)^(```|~~~).*?^\1")


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
    return {cell.id: printed(cell) for _, cell in code_cells(notebook)}


def printed(cell: Any) -> list[tuple[str, int]]:
    """(claim, verdict) in the order in which a code cell printed them."""
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
            from_record = dict(_verdicts(ast.parse(python(cell.source)).body, records))
            for text, verdict in printed(cell):
                recorded = from_record.get(text, any(from_record.values()))
                found.append(Claim(text, bool(verdict), number, section, recorded))
    return found


def _verdicts(statements: Iterable[ast.stmt], records: set[str]) -> Iterator[tuple[str, bool]]:
    """(claim, whether its verdict is of a record); a text that is made up by code has that code for a text.

    ``records``, the names that have a record or what is computed from one, is kept up to date on the way.
    """
    for statement in statements:
        if isinstance(statement, ast.For):
            _give(statement.target, _reads(statement.iter, records), records)
            yield from _verdicts([*statement.body, *statement.orelse], records)
            continue
        for call in ast.walk(statement):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("claim") and call.args:
                text, *verdict = call.args
                words = str(text.value) if isinstance(text, ast.Constant) else ast.unparse(text)
                yield words, any(_reads(part, records) for part in verdict)
        _give(statement, _reads(statement, records), records)


def _give(node: ast.AST, recorded: bool, records: set[str]) -> None:
    """Note of the names that ``node`` binds whether they have a record now; to a part of a thing only more is added."""
    plain, parts = set(_bound(node)), set(_with_parts(node))
    if recorded:
        records |= plain | parts
    elif isinstance(node, ast.Name | ast.Tuple | ast.Assign | ast.FunctionDef):
        records -= plain


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that ``node`` binds outside functions and comprehensions of its own."""
    if isinstance(node, ast.FunctionDef):
        yield node.name
    elif isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Store):
            yield node.id
    elif not isinstance(node, ast.comprehension | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _bound(child)


def _with_parts(node: ast.AST) -> Iterator[str]:
    """The names of the things to whose parts ``node`` assigns: x in ``x["a"] = 1``."""
    for part in ast.walk(node):
        if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store) and isinstance(part.value, ast.Name):
            yield part.value.id


def _reads(node: ast.AST, records: set[str]) -> bool:
    """Does the code under ``node`` load a record, or name what is made of one? Its own variables hide others' names."""
    if isinstance(node, ast.Name):
        return isinstance(node.ctx, ast.Load) and node.id in records
    if isinstance(node, ast.Attribute) and node.attr == "load" and ast.unparse(node.value).endswith("studies"):
        return True
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        records = records - {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
    loops = getattr(node, "generators", [])
    if any(_reads(loop.iter, records) for loop in loops):
        return True
    records = records - {name for loop in loops for name in _bound(loop.target)}
    return any(_reads(child, records) for child in ast.iter_child_nodes(node))
