"""Were outputs really compared? nbval passes a notebook without outputs, and one without marked cells."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from .notebooks import CODE, code_cells, read

TAG = "nbval-check-output"


def marked(notebook: Any) -> list[tuple[int, Any]]:
    """(position from 1, cell) of the cells whose outputs nbval compares."""
    return [(position, cell) for position, cell in code_cells(notebook) if TAG in cell.metadata.get("tags", [])]


def problems(notebook: Any, name: str) -> list[str]:
    """Why nbval would compare nothing, or less than it seems to, in this notebook; one line each."""
    cells = marked(notebook)
    found = [] if cells else [f"{name}: no cell is tagged '{TAG}', so nothing is compared"]
    for position, cell in cells:
        if cell.execution_count is None:
            found.append(f"{name}, cell {position}: tagged '{TAG}' but never run (no execution count)")
        if not any(output.get("name") != "stderr" for output in cell.outputs):
            found.append(f"{name}, cell {position}: tagged '{TAG}' but it has no output to compare")
    counts = [cell.execution_count for _, cell in code_cells(notebook) if cell.execution_count is not None]
    if counts != sorted(set(counts)):
        found.append(f"{name}: its execution counts are out of order ({counts})")
    return found


def passed_cells(report: Path) -> set[tuple[str, int]]:
    """(pytest's dotted name of the notebook, nbval's number of the code cell) for each passed case of a report."""
    return {
        (case.get("classname", ""), int(case.get("name", "Cell -1").split()[-1]))
        for case in ElementTree.parse(report).iter("testcase")
        if not any(case.find(outcome) is not None for outcome in ("failure", "error", "skipped"))
    }


def not_passed(notebook: Any, path: Path, passed: set[tuple[str, int]]) -> list[str]:
    """The marked cells of the notebook at ``path`` that are not among the passed ones."""
    # nbval numbers the code cells, empty ones too, from 0.
    numbers = {id(cell): number for number, cell in enumerate(c for c in notebook.cells if c.cell_type == CODE)}
    return [
        f"{path.name}, cell {position}: nbval did not pass it"
        for position, cell in marked(notebook)
        if (f"{path.parent.name}.{path.name}", numbers[id(cell)]) not in passed
    ]


def guard(paths: list[Path], report: Path) -> tuple[int, list[str]]:
    """(number of cells that were compared, problems) over the notebooks ``paths`` and nbval's JUnit ``report``."""
    passed = passed_cells(report) if report.exists() else set()
    count, found = 0, []
    for path in paths:
        notebook = read(path)
        wrong = problems(notebook, path.name) or not_passed(notebook, path, passed)
        count += len(marked(notebook)) if not wrong else 0
        found += wrong
    return count, found
