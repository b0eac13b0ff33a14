"""Who gets which numbers: seeds from the lecturer's secret, and a student's variant written out as literals."""

from __future__ import annotations

import hashlib
import hmac
import pprint
import types
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import cells, names
from .source import ANSWER, GIVEN, SETUP, TEST, VARIANT, Assignment

LEAST = 16  # bytes of a secret
TITLE = "# @title Your numbers"  # folded: data, which the cells below show where it is needed
HIDDEN_BITS, VARIANT_BITS = 31, 63  # a hidden seed fits an int32; a variant's must not be found by trying all


class Seeds(NamedTuple):
    """The seeds of one student's assignment. Without a secret everybody has variant 0."""

    secret: bytes | None
    assignment: str
    student: str

    @property
    def variant(self) -> int:
        """What stands in place of the 0 of ``VARIANT = 0``."""
        return self._seed(f"{self.assignment}/{self.student}", VARIANT_BITS) if self.secret else 0

    def hidden(self, grade_id: str) -> int:
        """What stands in place of the source's ``HIDDEN``; ``ValueError`` where there is no secret."""
        if not self.secret:
            raise ValueError("hidden seeds need a secret.")
        return self._seed(f"{self.assignment}/{self.student}/{grade_id}", HIDDEN_BITS)

    def _seed(self, words, bits):
        digest = hmac.new(self.secret or b"", words.encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:8], "big") >> (64 - bits)


def secret(path: Path) -> bytes:
    """The secret in the file at ``path``, without white space around it.

    Raises ``FileNotFoundError`` where there is none, and ``ValueError`` where it is short enough to be guessed.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no secret in '{path}': make one with 'openssl rand -hex 32 > {path}'.")
    found = path.read_bytes().strip()
    if len(found) < LEAST:
        raise ValueError(f"The secret in '{path}' has {len(found)} bytes; it needs at least {LEAST}.")
    return found


def literals(assignment: Assignment, variant: int) -> str:
    """The variant cell of a student's version: each public name with its value, and nothing that it was drawn with.

    Names that start with ``_`` stay with the lecturer, and so do generators and functions. Raises ``ValueError`` where
    another cell uses one of these, or where a value is neither a number, a string, an array nor made of such.
    """
    if not assignment.of(VARIANT):
        return ""
    before = cells.run_all(assignment.of(SETUP), {})
    after = cells.run_all(assignment.of(VARIANT), dict(before), variant=variant)
    bound = sorted(names.names(assignment.of(VARIANT)[0].source).binds, key=list(after).index)
    public = {name: after[name] for name in bound if _is_public(name, after[name])}
    needed = {name for cell in assignment.of(GIVEN, ANSWER, TEST) for name in _needs(cell)}
    lost = sorted(needed & (set(bound) - set(public)))
    if lost:
        raise ValueError(f"{assignment.name}: {', '.join(lost)} of the variant cannot be shown to students, and "
                         "another cell uses it.")  # fmt: skip
    return "\n".join([TITLE, *(_line(name, value, assignment.name) for name, value in public.items())])


def _needs(cell):
    """What a cell takes from before, on the student's side."""
    return names.names(cell.hidden.asking(0) if cell.hidden else cell.source).free


def _is_public(name: str, value: Any) -> bool:
    drawn = isinstance(value, np.random.Generator | types.ModuleType | types.FunctionType)
    return not name.startswith("_") and name != "VARIANT" and not drawn


def _line(name, value, where):
    text = _literal(value, f"{where}: {name} of the variant")
    return f"{name} = " + text.replace("\n", "\n" + " " * (len(name) + 3))


def _literal(value: Any, what: str) -> str:
    plain = _plain(value, what)
    text = pprint.pformat(plain, width=60, compact=True, sort_dicts=False)
    if not isinstance(value, np.ndarray):
        return text
    return f"np.array({text.replace(chr(10), chr(10) + ' ' * len('np.array('))}, dtype='{value.dtype}')"


def _plain(value, what):
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fiub":
        return value.tolist()
    if isinstance(value, list | tuple):
        return type(value)(_plain(item, what) for item in value)
    if isinstance(value, dict):
        return {_plain(key, what): _plain(item, what) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(
        f"{what} is a {type(value).__name__}; it must be numbers, strings, lists or dicts, or start with _."
    )
