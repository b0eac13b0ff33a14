"""All tests in one go: unit tests, nbval over all notebooks, and a guard that outputs were really compared."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from . import compared, notebooks

CELL_TIMEOUT = 300
SIDE_BY_SIDE = ("-n", "auto", "--maxprocesses", "4")


class Part(NamedTuple):
    """One run of pytest: whether it passed, and what it counted."""

    passed: bool
    summary: str


def pytest(root: Path, name: str, arguments: list[str]) -> Part:
    """Run pytest in its own process, its closing line in view, with a JUnit report in ``build/<name>.xml``."""
    report = root / "build" / f"{name}.xml"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *arguments]
    environment = {"MPLBACKEND": "Agg", "TF_CPP_MIN_LOG_LEVEL": "2", **os.environ}
    status = subprocess.run(command, cwd=root, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
    return Part(status == 0, counted(report))


def counted(report: Path) -> str:
    """``231 passed, 4 skipped in 93 s`` from a JUnit report."""
    if not report.exists():
        return "did not start"
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    seconds = 0.0
    for suite in ElementTree.parse(report).iter("testsuite"):
        seconds += float(suite.get("time", "0"))
        totals = {key: value + int(suite.get(key, "0")) for key, value in totals.items()}
    wrong = totals["failures"] + totals["errors"]
    parts = [f"{totals['tests'] - wrong - totals['skipped']} passed"]
    parts += [f"{wrong} failed"] if wrong else []
    parts += [f"{totals['skipped']} skipped"] if totals["skipped"] else []
    return f"{', '.join(parts)} in {seconds:.0f} s"


def run(root: Path) -> int:
    """Every part is run even where one before it failed; returns 0 where all passed, 1 otherwise."""
    paths = notebooks.find(root / "notebooks")
    print("Unit tests", flush=True)
    unit = pytest(root, "unit", ["tests", *SIDE_BY_SIDE, "--dist", "worksteal"])
    print(f"Notebooks: nbval over all {len(paths)}", flush=True)
    cells = pytest(
        root,
        "nbval",
        [
            "--nbval-lax",
            "--nbval-current-env",
            f"--nbval-cell-timeout={CELL_TIMEOUT}",
            *SIDE_BY_SIDE,
            *("--dist", "loadfile"),  # a notebook's cells one after the other
            "--durations=10",
            # In this process run nbval and Jupyter alone; their warnings are not ours.
            *("-o", "filterwarnings=default"),
            *(str(path.relative_to(root)) for path in paths),
        ],
    )
    count, found = compared.guard(paths, root / "build" / "nbval.xml")
    for problem in found:
        print(problem)
    passed = unit.passed and cells.passed and not found
    print(f"\nunit tests         {unit.summary}")
    print(f"notebook cells     {cells.summary}, {len(paths)} notebooks")
    print(f"compared outputs   {count}" + (f", {len(found)} problems" if found else ""))
    print("ALL PASSED" if passed else "FAILED", flush=True)
    return 0 if passed else 1
