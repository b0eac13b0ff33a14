"""nbgrader itself takes the sources as they are: it generates, releases what we release, and grades right.

``make test-nbgrader`` runs this in an environment that has nbgrader.
"""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from metagan_edu.course import notebooks
from metagan_edu.course.assignments import release, source

ROOT = Path(__file__).resolve().parents[2]
PATHS = sorted(source.folder(ROOT).glob(os.environ.get("ONLY", "") + "*.ipynb"))
SECONDS = 600  # of a cell
# nbgrader looks for a program, alembic, that was installed beside Python.
os.environ |= {"MPLBACKEND": "Agg", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
CONFIG = f"""c = get_config()
c.ExecutePreprocessor.timeout = {SECONDS}
c.ClearSolutions.enforce_metadata = True
"""


def nbgrader(folder, *arguments):
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.fixture(scope="module", params=PATHS, ids=lambda path: path.stem)
def played(request, tmp_path_factory):
    """A course of nbgrader with one assignment, released, and graded for a blank student and one with the solution."""
    folder, path = tmp_path_factory.mktemp(request.param.stem), request.param
    assignment = source.read(path)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    original = copy.deepcopy(assignment.notebook)
    notebooks.write(original, folder / "source" / assignment.name / path.name)
    nbgrader(folder, "generate_assignment", assignment.name)
    released = notebooks.read(folder / "release" / assignment.name / path.name)
    answers = {cell.grade_id: cell.source for cell in assignment.of("answer", "written")}
    solved = copy.deepcopy(released)
    for cell in solved.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    for student, notebook in (("blank", released), ("solution", solved)):
        notebooks.write(notebook, folder / "submitted" / student / assignment.name / path.name)
    nbgrader(folder, "autograde", assignment.name)
    return folder, assignment, released


def test_what_it_releases_is_what_we_release(played):
    """But for the variant, which nbgrader leaves as code: with it alone, everybody has variant 0."""
    _, assignment, released = played
    own = release.student(assignment)
    assert len(own.cells) == len(released.cells)
    for mine, theirs, cell in zip(own.cells, released.cells, assignment.cells, strict=True):
        expected = cell.source if cell.role == "variant" else mine.source
        assert theirs.source.rstrip() == expected.rstrip()
        for key in ("deletable", "editable"):
            assert mine.metadata.get(key) == theirs.metadata.get(key), cell


@pytest.mark.parametrize(("student", "share"), [("blank", 0), ("solution", 1)])
def test_a_blank_notebook_gets_nothing_and_the_solution_all(played, student, share):
    folder, assignment, _ = played
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        submitted = book.find_submission_notebook(assignment.name, assignment.name, student)
        graded = {grade.cell.name: grade.auto_score for grade in submitted.grades}
    scores = {test.grade_id: graded[test.grade_id] for test in assignment.of("test")}
    assert scores == {test.grade_id: share * test.points for test in assignment.of("test")}
