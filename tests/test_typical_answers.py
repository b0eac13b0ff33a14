"""Every assignment's own tests: full marks for its solution, none for a blank one, and what typical answers lose.

``make test`` plays those marked ``ci``; ``make test-assignments`` plays all of them.
"""

import functools
import os
from pathlib import Path

import numpy as np
import pytest

from metagan_edu.course import notebooks
from metagan_edu.course.assignments import course, grade, gradebook, isolation, rehearsal, release, source, variants

ROOT = Path(__file__).resolve().parents[1]
ALL = os.environ.get("METAGAN_EDU_ASSIGNMENTS") == "all"
PATHS = sorted(source.folder(ROOT).glob("*.ipynb"))
WRONG, RIGHT = 10, 3  # typical answers of each assignment, at least
ALL_WRONG, ALL_RIGHT = 60, 15  # of all together
CI_EACH, CI_ALL = 1, 15  # of those that ``make test`` plays, wrong ones and right ones, of each and of all


def typical(path):
    return rehearsal.typical(ROOT / "tests" / "assignments" / f"{path.stem}.json")


def counted(paths, *, ci=False):
    """How many typical answers are wrong, and how many right; with ``ci`` of those alone that are marked so."""
    found = [bool(answer["loses"]) for path in paths for answer in typical(path) if answer["ci"] or not ci]
    return found.count(True), found.count(False)


@functools.cache  # a process plays each solution once
def solved(path):
    assignment = source.read(path)
    return assignment, rehearsal.play(assignment)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_solution_gets_full_marks(path):
    _, played = solved(path)
    lost = {test: verdict.sentence for test, verdict in played.verdicts.items() if not verdict.points}
    assert (lost, played.stopped) == ({}, {})


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_blank_version_gets_nothing(path):
    assignment, solution = solved(path)
    blank = rehearsal.replay(assignment, solution, rehearsal.blank(assignment))
    assert blank.lost() == [cell.grade_id for cell in assignment.of("test")]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        pytest.param(path, answer, id=f"{path.stem}-{answer['name']}")
        for path in PATHS
        for answer in typical(path)
        if ALL or answer["ci"]
    ],
)
def test_a_typical_answer_loses_what_it_should(path, answer):
    assignment, solution = solved(path)
    played = rehearsal.replay(assignment, solution, rehearsal.patched(assignment, answer["patch"]))
    said = {test: played.verdicts[test].sentence for test in played.lost()}
    assert played.lost() == answer["loses"], said


@pytest.mark.skipif(not ALL, reason="minutes: 'make test-assignments' and the weekly workflow grade each assignment")
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_grading_itself_gives_full_marks_and_none_with_variants(path, tmp_path):
    assignment, secret = source.read(path), tmp_path / "secret"
    secret.write_text("for variants that nobody has")
    answers = {
        "blank": {},
        **{name: {cell.grade_id: cell.source for cell in assignment.of("answer")} for name in ("ann", "bob")},
    }
    for student, own in answers.items():
        seeds = variants.Seeds(variants.secret(secret), assignment.name, student)
        notebook = release.student(assignment, seeds.variant)
        for cell in notebook.cells:
            cell.source = own.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
        notebooks.write(notebook, tmp_path / "submitted" / student / path.name)
    opened = course.opened(ROOT, tmp_path / "submitted", tmp_path / "out", secret, None)
    grade.grade(tmp_path / "submitted", opened, tmp_path / "out", grade.How(isolation.best()))
    for student, own in answers.items():
        record = gradebook.kept(tmp_path / "out" / "records" / student / f"{path.stem}.json")
        wrong = {name: test["said"] for name, test in record["tests"].items() if bool(test["points"]) != bool(own)}
        assert wrong == {}, student


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_there_are_enough_typical_answers(path):
    assert len({answer["name"] for answer in typical(path)}) == len(typical(path))
    assert all(np.greater_equal(counted([path]), (WRONG, RIGHT)))
    assert min(counted([path], ci=True)) >= CI_EACH


def test_there_are_enough_typical_answers_of_all_assignments_together():
    assert all(np.greater_equal(counted(PATHS), (ALL_WRONG, ALL_RIGHT)))
    assert min(counted(PATHS, ci=True)) >= CI_ALL
