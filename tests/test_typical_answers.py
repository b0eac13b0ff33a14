"""Every assignment's own tests: full marks for its solution, none for a blank one, and what typical answers lose.

``make test`` plays those marked ``ci``; ``make test-assignments`` plays all of them.
"""

import functools
import os
from pathlib import Path

import pytest

from metagan_edu.course.assignments import rehearsal, source

ROOT = Path(__file__).resolve().parents[1]
ALL = os.environ.get("METAGAN_EDU_ASSIGNMENTS") == "all"
PATHS = sorted(source.folder(ROOT).glob("*.ipynb"))
WRONG, RIGHT = 10, 3  # typical answers of each assignment, at least


def typical(path):
    return rehearsal.typical(ROOT / "tests" / "assignments" / f"{path.stem}.json")


@functools.lru_cache(maxsize=1)
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
    assignment = source.read(path)
    assert rehearsal.play(assignment, rehearsal.blank(assignment)).lost() == [c.grade_id for c in assignment.of("test")]


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


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_there_are_enough_typical_answers(path):
    answers = typical(path)
    assert len({answer["name"] for answer in answers}) == len(answers)
    assert sum(bool(answer["loses"]) for answer in answers) >= WRONG
    assert sum(not answer["loses"] for answer in answers) >= RIGHT
