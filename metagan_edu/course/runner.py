"""Run notebooks from top to bottom, each in a fresh kernel; one that fails is named and does not stop the others."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from tqdm import tqdm

from . import folding, notebooks

SKIPPED_TAG = "skip-execution"


class Outcome(NamedTuple):
    """What became of one notebook: seconds it took, and the one-line error or None."""

    name: str
    seconds: float
    error: str | None


def execute(path: Path, *, timeout: float, on_cell: Callable[[], None] = lambda: None) -> tuple[Any, Outcome]:
    """Run the notebook at ``path`` in its own folder; ``timeout`` is in seconds for each cell.

    Returns the notebook with its outputs (up to the failing cell, where there is one) and the outcome.
    """
    notebook = notebooks.read(path)
    started: list[int] = []

    def note(cell: Any, cell_index: int) -> None:
        started.append(cell_index)
        if cell.cell_type == notebooks.CODE:
            on_cell()

    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        skip_cells_with_tag=SKIPPED_TAG,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=note,
    )
    begin = time.perf_counter()
    error = None
    try:
        # TensorFlow's and the kernel's start-up logs would tear the progress bar; what cells write to standard error
        # still comes through the kernel's own channel.
        client.execute(stderr=subprocess.DEVNULL)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as failure:
        position = started[-1] if started else 0
        error = f"{path.name}, cell {position + 1}: {_one_line(failure, timeout)}"
    return folding.fold(notebooks.clean(notebook)), Outcome(path.stem, time.perf_counter() - begin, error)


def _one_line(failure: Exception, timeout: float) -> str:
    if isinstance(failure, CellExecutionError):
        lines = [line.strip() for line in failure.evalue.splitlines() if line.strip()]
        return f"{failure.ename}: {lines[0][:300]}" if lines else failure.ename
    if isinstance(failure, CellTimeoutError):
        return f"it ran longer than {timeout:g} s"
    return "the kernel died (out of memory?)"


def run(paths: list[Path], *, target: Callable[[Path], Path], timeout: float, keep_failed: bool) -> list[Outcome]:
    """Run every notebook and write its outputs to ``target(path)``, with a progress bar and the time of each.

    ``keep_failed`` also writes a notebook that failed, so that its reader sees where; an author's file is left alone.
    """
    totals = [len(notebooks.code_cells(notebooks.read(path))) for path in paths]
    outcomes = []
    interval = 0.1 if sys.stdout.isatty() else 10.0
    with tqdm(total=sum(totals), unit="cell", file=sys.stdout, mininterval=interval, dynamic_ncols=True) as bar:
        for number, path in enumerate(paths):
            bar.set_description(path.stem)
            notebook, outcome = execute(path, timeout=timeout, on_cell=bar.update)
            if outcome.error is None or keep_failed:
                notebooks.write(notebook, target(path))
            bar.update(sum(totals[: number + 1]) - bar.n)
            bar.write(f"{outcome.name:<28}{outcome.seconds:7.1f} s  {'FAILED' if outcome.error else 'ok'}")
            outcomes.append(outcome)
        bar.set_description("notebooks")
    return outcomes


def drop_stale(folder: Path, names: set[str]) -> None:
    """Remove executed copies whose notebook is gone, so that no old page comes back."""
    for path in folder.glob("*.ipynb"):
        if path.name not in names:
            path.unlink()
