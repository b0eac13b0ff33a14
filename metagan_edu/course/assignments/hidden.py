"""A test's hidden block, taken apart: what runs beside the submission and what is judged in the grader's process."""

from __future__ import annotations

import ast
from typing import NamedTuple

from . import names

BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
SEED, ASKED, JUDGED = "HIDDEN", "asked", "judged"
LAST = "judged(**asked())"


class Hidden(NamedTuple):
    """``shared`` statements run on both sides, before the function ``asked`` here and the function ``judged`` there."""

    shared: str
    asked: str
    judged: str

    def asking(self, seed: int) -> str:
        """What defines ``asked``, with the grader's own seed."""
        return "\n".join([f"{SEED} = {seed}", self.shared, self.asked])

    def judging(self, seed: int) -> str:
        """What defines ``judged``, with the same seed."""
        return "\n".join([f"{SEED} = {seed}", self.shared, self.judged])


def split(source: str, where: str) -> tuple[str, str]:
    """A test cell's (visible, hidden) lines; ``ValueError`` unless there is one hidden block, and it comes last."""
    lines = source.split("\n")
    marks = [line for line in lines if "BEGIN HIDDEN TESTS" in line or "END HIDDEN TESTS" in line]
    if marks != [BEGIN, END]:
        raise ValueError(f"{where}: a test cell has one block between the lines '{BEGIN}' and '{END}', at its margin.")
    begin, end = lines.index(BEGIN), lines.index(END)
    if "".join(lines[end + 1 :]).strip():
        raise ValueError(f"{where}: the hidden block comes last.")
    return "\n".join(lines[:begin]), "\n".join(lines[begin + 1 : end])


def read(source: str, where: str) -> Hidden:
    """The hidden block of a test cell, taken apart; ``ValueError`` where a part of it is missing."""
    visible, block = split(source, where)
    names.parsed(visible, where)
    body = names.parsed(block, where).body
    if not body or ast.unparse(body[-1]) != LAST:
        raise ValueError(f"{where}: the last line of the hidden block is '{LAST}'.")
    functions = {one.name: one for one in body if isinstance(one, ast.FunctionDef) and one.name in (ASKED, JUDGED)}
    for name in (ASKED, JUDGED):
        if name not in functions:
            raise ValueError(f"{where}: the hidden block defines no function {name}().")
    shared = [one for one in body[:-1] if one not in functions.values() and not _sets_the_seed(one)]
    return Hidden("\n".join(map(ast.unparse, shared)), *(ast.unparse(functions[name]) for name in (ASKED, JUDGED)))


def _sets_the_seed(statement):
    return isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == SEED
