"""How often each claim of the notebooks holds where every random draw is another one.

Each notebook is run from top to bottom in a kernel of its own, once for each seed, with another key for all draws of
the package and of NumPy: data, starts, noise and batches are new ones, and what was learned beforehand or is read from
a record stays. ``results[notebook][claim]`` is 1 where the claim holds as the course expects, and 0 where it does not,
or where the notebook did not come so far. A claim of mathematics holds in all; one on a live run should in nine of ten.
"""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Sequence
from typing import Any

import nbclient
import nbformat
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import descriptions
from metagan_edu.course import notebooks, place
from metagan_edu.course.claims import WORDS as WORDS  # a constant that the record was made with
from metagan_edu.course.claims import said
from metagan_edu.studies import runs

SEEDS = range(1, 11)
CELL_SECONDS = 1800
FIRST = """
import tensorflow, metagan_edu
from metagan_edu import lab
tensorflow.config.threading.set_intra_op_parallelism_threads({threads})
def _claim(text, verdict, expected=True):
    print(("holds: " if verdict else "does not hold: ") + text)
metagan_edu.claim = lab.claim = _claim
"""
SHIFT = """
import numpy
from metagan_edu import seeds
seeds.SCRAMBLE ^= {seed}
_rng = numpy.random.default_rng
numpy.random.default_rng = lambda seed=None: _rng([0 if seed is None else seed, {seed}])
"""


def code(notebook: Any) -> str:
    """The digest of a notebook's code and of what it claims: with another it is another experiment."""
    claims = [claim for found in said(notebook).values() for claim in found]
    return descriptions.sha256([[cell.source for _, cell in notebooks.code_cells(notebook)], claims])


def run(seed: int, notebook: str, digest: str) -> dict[str, int]:
    """Claim -> whether it holds with draws of this seed, for all claims of a notebook with this :func:`code`."""
    return played(notebook, digest, SHIFT.format(seed=seed))


def played(
    notebook: str, digest: str, before: str = "", lines: Sequence[Sequence[str]] = (), unreached: int = 0
) -> dict[str, int]:
    """Claim -> whether it holds as expected, for all claims of a notebook with this :func:`code` that is run after a
    cell with the code ``before``, and to its end whatever fails.

    ``lines`` are pairs of a piece of the notebook's code and another one that takes its place; each must stand in it
    once, or ``ValueError``. A claim that the run did not reach counts as ``unreached``.
    """
    path = place.find() / "notebooks" / f"{notebook}.ipynb"
    printed = notebooks.read(path)
    if code(printed) != digest:
        raise ValueError(f"{path.name} has changed while it was audited; begin again.")
    copied = with_lines(printed, lines, path.name)
    first = FIRST.format(threads=tf.config.threading.get_intra_op_parallelism_threads())
    copied.cells.insert(0, nbformat.v4.new_code_cell(first + before))
    client = nbclient.NotebookClient(
        copied,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute(stderr=subprocess.DEVNULL)
    now = said(copied)
    return {
        claim: int(now[cell][i][1] == verdict) if i < len(now[cell]) else unreached
        for cell, claims in said(printed).items()
        for i, (claim, verdict) in enumerate(claims)
    }


def with_lines(notebook: Any, lines: Sequence[Sequence[str]], name: str) -> Any:
    """A copy of a notebook in which each (old, new) of ``lines`` is done once."""
    copied = copy.deepcopy(notebook)
    for old, new in lines:
        cells = [cell for _, cell in notebooks.code_cells(copied) for _ in range(cell.source.count(old))]
        if len(cells) != 1:
            raise ValueError(f"{name}: {old!r} is to be replaced, but stands there {len(cells)} times, not once.")
        cells[0].source = cells[0].source.replace(old, new)
    return copied


def all_notebooks() -> dict[str, dict[str, str]]:
    """Name -> what :func:`run` asks for of each notebook."""
    paths = notebooks.find(place.find() / "notebooks")
    return {path.stem: {"notebook": path.stem, "digest": code(notebooks.read(path))} for path in paths}


def make() -> dict[str, Any]:
    """The record: a contender for each notebook, a metric for each of its claims."""
    record = mg.experiments.sweep(run, all_notebooks(), SEEDS, folder=runs("audit"))
    for name, claims in record["results"].items():
        for claim, held in claims.items():
            if sum(held) < 0.9 * len(held):
                print(f"{name}: held in {sum(held)} of {len(held)}: {claim}")
    return record | {"config": {"set_up": __doc__}}
