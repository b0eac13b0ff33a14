"""The package's docstrings as its pages show them, as an extension of Sphinx.

They are written to be read in the code: a formula is an indented block, a bar is an absolute value, and what a
technique does stands at the head of its file, which a page about the whole package would leave out.
"""

from __future__ import annotations

import re
import sys
from typing import Any

QUOTED = re.compile(r"(``.+?``)")
MARKED = re.compile(r"\s+([*-] |\.\. |>>> |\| )")  # what is a list, a directive, an example or lines already


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def process(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Change, in place, the lines of the docstring of ``value``, which the pages show as ``name``."""
    head = _head_of_file(name, value)
    lines[:] = as_lines([*lines, *([""] if head else []), *head])


def _head_of_file(name: str, value: Any) -> list[str]:
    """The docstring of the file that ``value`` is from, for the one name in a room of the package that shows it: the
    file's own, or else the first of the file's."""
    where, _, short = name.rpartition(".")
    room, file = sys.modules.get(where), sys.modules.get(_file(value))
    if where == "metagan_edu" or file is room or file is None or not file.__doc__:
        return []
    shown = [each for each in getattr(room, "__all__", []) if _file(getattr(room, each)) == file.__name__]
    own = file.__name__.rpartition(".")[2]
    return file.__doc__.strip().splitlines() if short == (own if own in shown else "".join(shown[:1])) else []


def _file(value: Any) -> str:
    return getattr(value, "__module__", None) or ""


def as_lines(lines: list[str]) -> list[str]:
    """Text with each indented block kept line by line, and with bars that are bars."""
    found, block = [], False
    for before, line in zip(["", *lines], lines, strict=False):
        block = line.startswith("    ") and (block or not before.strip()) and not MARKED.match(line)
        parts = QUOTED.split(line)
        parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
        text = "".join(parts)
        found.append(f"    | {text.strip()}" if block and text.strip() else text)
    return found


def skip(app: Any, what: str, name: str, value: Any, skipped: bool, options: Any) -> bool | None:
    """Leave out the fields of a named tuple that have no text of their own; the docstring of the tuple names them."""
    return True if str(getattr(value, "__doc__", "")).startswith("Alias for field number") else None
