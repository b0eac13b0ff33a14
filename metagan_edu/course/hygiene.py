"""What every committed notebook must be: short cells, run once from top to bottom, pictures that say what they show."""

import ast
import re
from typing import Any

from .. import turns
from . import folding, predictions, sitting
from .badges import badges, others, slug
from .notebooks import CODE, MARKDOWN, code_cells, python

CAPTION = "**Figure"
EMPTY_ALT = re.compile(r"!\[\s*\]\(|<img(?![^>]*\balt=\"[^\"]+\")[^>]*>")
BESIDE = re.compile(r"sys\.path|\bgit clone\b|\bln -s\b")
TURN = re.compile(r"\byour_turn\(\s*[\"']([^\"']*)")
UNSTABLE = re.compile(r" at 0x[0-9a-fA-F]{6,}")


def problems(notebook: Any, name: str) -> list[str]:
    """Everything that is wrong with the notebook of file name ``name``, one line each; empty where nothing is."""
    return _whole(notebook, name) + in_cells(notebook, name)


def in_cells(notebook: Any, name: str) -> list[str]:
    """What is wrong within its cells."""
    found = []
    for position, cell in enumerate(notebook.cells, start=1):
        wrong = _any_cell(cell) + predictions.problems(cell)
        if cell.cell_type == CODE:
            around = notebook.cells[max(position - 2, 0) : position + 1]
            wrong += _code(cell) + _outputs(cell) + _picture(cell, around) + _turn(cell) + folding.problems(cell)
        found += [f"{name}, cell {position}: {text}" for text in wrong]
    return found


def _whole(notebook: Any, name: str) -> list[str]:
    found = sitting.problems(notebook, name)
    if not notebook.cells or not notebook.cells[0].source.startswith(badges(name)):
        found.append(f"{name}: its first cell does not begin with the badges that 'metagan_edu badges' prints")
    found += run_once(notebook, name)
    asked = predictions.names(notebook)
    found += [f"{name}: two predictions are called '{word}'" for word in sorted(set(asked)) if asked.count(word) > 1]
    return found


def run_once(notebook: Any, name: str) -> list[str]:
    """One line where the notebook was not run once from top to bottom."""
    counts = [cell.execution_count for _, cell in code_cells(notebook) if "skip-execution" not in _tags(cell)]
    if counts == list(range(1, len(counts) + 1)):
        return []
    return [f"{name}: not run once from top to bottom (execution counts {counts})"]


def _tags(cell: Any) -> list[str]:
    return cell.metadata.get("tags", [])


def _any_cell(cell: Any) -> list[str]:
    found = []
    lines = folding.shown(cell).splitlines()
    if len(lines) > sitting.LIMITS["cell"]:
        found.append(f"{len(lines)} lines, at most {sitting.LIMITS['cell']}")
    if cell.cell_type == CODE and (longest := max(map(len, lines), default=0)) > sitting.LIMITS["line"]:
        found.append(f"a line of {longest} characters, at most {sitting.LIMITS['line']}")
    if cell.cell_type == MARKDOWN and EMPTY_ALT.search(cell.source):
        found.append("a picture without alternative text")
    found += [f"the repository's address is {slug()}, not {other}" for other in others(cell.source)]
    return found


def _code(cell: Any) -> list[str]:
    try:
        tree = ast.parse(python(cell.source))
    except SyntaxError as error:
        return [f"it does not parse ({error.msg}, line {error.lineno})"]
    found = [f"class {node.name}: notebooks define none" for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found += [f"{word}: what notebooks share comes with the package" for word in BESIDE.findall(cell.source)]
    return found


def _outputs(cell: Any) -> list[str]:
    found = []
    for output in cell.outputs:
        text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
        if output.output_type == "error":
            found.append(f"an error among its outputs ({output.ename})")
        if output.get("name") == "stderr":
            found.append("standard error among its outputs")
        if UNSTABLE.search(text):
            found.append("an object's address in memory among its outputs")
    return found


def _picture(cell: Any, around: list[Any]) -> list[str]:
    kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
    if not any(kind.startswith("image/") for kind in kinds):
        return []
    found = []
    if not str(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")).strip():
        found.append('a picture without alternative text (cell metadata: "mystnb": {"image": {"alt": "..."}})')
    # A caption that names what only the code knows, such as which data were at hand, is printed by that code.
    printed = [str(output.get("data", {}).get("text/markdown", "")) for output in cell.outputs]
    texts = [near.source for near in around if near.cell_type == MARKDOWN]
    if not any(text.lstrip().startswith(CAPTION) for text in texts + printed):
        found.append(f"a picture without a caption (a text cell beside it, or its own, that starts with '{CAPTION}')")
    return found


def _turn(cell: Any) -> list[str]:
    """Turns that are not there, or that a saved notebook answers."""
    names = TURN.findall(cell.source)
    found = []
    for name in names:
        try:
            turns.find(name)
        except ValueError as error:
            found.append(str(error))
    printed = "".join(output.get("text", "") for output in cell.outputs)
    if cell.execution_count is not None and printed.count("not answered yet: ") != len(names):
        found.append("a turn is answered, or prints nothing: in the saved notebook each answer is still '...'")
    return found
