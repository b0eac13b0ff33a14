"""Run notebooks and assignments where no checkout is: each alone in a folder, in the Python that runs this script.

    python tests/matrix/elsewhere.py [colab] [00 01 ...]

Cells that nbval compares must print what is committed. With "colab" the kernel believes that it is in Colab, so that a
notebook's first cell installs the course from this checkout's last commit; it may add packages, and change none.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("notebooks", "notebooks/assignments")
SOON = 20  # seconds, which the first cell should take at most
COMPARED = "nbval-check-output"
IN_COLAB = "import sys, types\nsys.modules['google.colab'] = types.ModuleType('google.colab')\n"


def installed():
    """Name and version of each package of this Python."""
    command = [sys.executable, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    return {each["name"]: each["version"] for each in json.loads(subprocess.check_output(command))}


def as_in_colab(folder):
    """An environment in which the kernel finds ``google.colab``, and git this checkout at the course's address."""
    (folder / "sitecustomize.py").write_text(IN_COLAB)
    address = re.search(r'(?m)^Repository = "(.*)"', (ROOT / "pyproject.toml").read_text())[1]
    return {
        "PYTHONPATH": str(folder),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{ROOT.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
    }


def printed(cell):
    """What a cell wrote to standard output."""
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def run(path, folder):
    """Seconds of the first code cell, seconds of the whole, and the cells that print something else."""
    notebook, moments = nbformat.read(path, as_version=4), []
    wanted = [printed(cell) if cell.cell_type == "code" else "" for cell in notebook.cells]
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        on_cell_executed=lambda **_: moments.append(time.perf_counter()),
    )
    begin = time.perf_counter()
    client.execute()
    other = [
        number
        for number, cell in enumerate(notebook.cells, start=1)
        if COMPARED in cell.metadata.get("tags", []) and printed(cell) != wanted[number - 1]
    ]
    return moments[0] - begin, moments[-1] - begin, other


def main(arguments):
    """Exit code 0 where every notebook ran, printed what it should, and changed no version; 1 otherwise."""
    colab = arguments[:1] == ["colab"]
    starts = tuple(arguments[colab:]) or ("",)
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("[0-9]*.ipynb"))]
    paths = [path for path in found if path.name.startswith(starts)]
    if not paths:
        sys.exit(f"No notebook's name starts with {' or '.join(starts)}.")
    before, failures = installed(), []
    with tempfile.TemporaryDirectory() as made:
        (site := Path(made, "site")).mkdir()
        os.environ.update(as_in_colab(site) if colab else {}, MPLBACKEND="Agg", TF_CPP_MIN_LOG_LEVEL="2")
        for path in paths:
            (folder := Path(made, path.stem)).mkdir()
            first, whole, other = run(path, folder)
            failures += [f"{path.name}, cell {number} prints something else" for number in other]
            late = f" (more than {SOON} s for the first)" * (first > SOON)
            print(f"{path.stem:<32}{first:6.1f} s for the first cell, {whole:6.1f} s in all{late}", flush=True)
    after = installed()
    failures += [
        f"{name} {before[name]} became {after.get(name)}" for name in before if before[name] != after.get(name)
    ]
    print("added:", ", ".join(f"{name} {after[name]}" for name in sorted(after.keys() - before.keys())) or "nothing")
    print("\n".join(failures) or "every notebook printed what is committed, and no version changed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
