"""Grade a folder of submissions: each in a sandbox, judged here, and kept as one record, so that grading can go on."""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import hmac
import json
import os
import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ... import files
from . import gradebook, isolation, judges, sandbox, submissions
from .course import Course
from .source import GIVEN, SETUP, VARIANT, WRITTEN, Assignment
from .submissions import Submission

JUDGED = 60.0  # seconds of a verdict
TRIES = 3  # where a cell of the course is stopped: the machine was busy, or the submission makes it look so
BUSY = (
    f"that is a cell of the course: the next command grades again, {TRIES} times in all; on a busy machine give it "
    "fewer --jobs, a longer --cell and --whole."
)


class How(NamedTuple):
    """The kind of isolation, the limits of a submission, and the seconds of a verdict."""

    kind: str
    limits: sandbox.Limits = sandbox.Limits()
    judged: float = JUDGED


def grade(
    folder: Path,
    course: Course,
    out: Path,
    how: How | None = None,
    *,
    jobs: int = 1,
    say: Callable[[str], None] = print,
) -> int:
    """Grade what lies in ``folder``, ``jobs`` at a time, and write records, feedback and tables to ``out``.

    What was graded before, and is as it was, is not graded again, unless a cell of the course was stopped. Returns how
    many submissions there are.
    """
    if os.name == "nt":
        raise ValueError("Grading needs Linux or macOS, for its limits; on Windows run it under WSL.")
    how = how or How(isolation.best())
    found = submissions.find(folder, course.found)
    marks = gradebook.read_written(folder / gradebook.WRITTEN, course.found, {one.student for one in found})
    say(f"{len(found)} submissions. {isolation.PROTECTION[how.kind]}")
    free: queue.SimpleQueue[judges.Judge] = queue.SimpleQueue()
    with contextlib.ExitStack() as stack:
        for _ in range(jobs):
            free.put(stack.enter_context(judges.Judge(how.judged, how.limits.memory)))

        def one(submission: Submission) -> Path:
            judge = free.get()
            try:
                return _graded(submission, course, out, judge, how, max(1, _cores() // jobs), say)
            finally:
                free.put(judge)

        workers = concurrent.futures.ThreadPoolExecutor(jobs)
        stack.callback(workers.shutdown, cancel_futures=True)
        paths = list(workers.map(one, found))
    gradebook.write(paths, marks, course.found, out)
    return len(found)


def _graded(submission, course, out, judge, how, threads, say):
    """Grade one submission, unless that was done before; where its record is."""
    name, assignment = submission.assignment or "unknown", course.found.get(submission.assignment)
    path, problem, handed, content = out / "records" / submission.student / f"{name}.json", "", [], b""
    try:
        content = submissions.content(submission.path)
        handed = submissions.cells(content)
        if assignment is None:
            raise ValueError("it is of no assignment: neither the file's name nor the ids of its cells are known.")
    except ValueError as error:
        problem = str(error)
    record = {"student": submission.student, "assignment": name, "isolation": how.kind,
              "digest": _digest(submission, content, problem, course, how)}  # fmt: skip
    kept = gradebook.kept(path)
    left = kept.get("left", 0) if kept.get("digest") == record["digest"] else TRIES
    if not left:
        return path
    if problem:
        record |= _nothing(assignment, course, problem)
    else:
        try:
            played, busy = _played(handed, assignment, course, submission.student, judge, how, threads)
            record |= played | {"left": left - 1 if busy else 0}
        except Exception as error:  # whatever it was, the others are graded, and this one again with the next command
            why = f"it could not be graded: {type(error).__name__}: {error}"
            record |= _nothing(assignment, course, why) | {"left": left}
    if submission.more:
        record["remarks"].append(f"there are {1 + submission.more} notebooks of it: the first by name was graded.")
    files.replace(path, json.dumps(record, indent=1, ensure_ascii=False).encode("utf-8", "replace"))
    points = sum(test["points"] for test in record["tests"].values())
    say("  ".join([submission.student, name, f"{points:g} points", *record["remarks"]]))
    return path


def _played(handed, assignment: Assignment, course, student, judge, how, threads) -> tuple[dict[str, Any], bool]:
    """What a submission is worth, put together, run and judged; and whether a cell of the course was stopped."""
    own, hiding = course.seeds(assignment.name, student)
    tests = course.tests(assignment)
    seeds = {test.grade_id: hiding.hidden(test.grade_id) for test in tests}
    literals = judge.variant(assignment, own)
    rebuilt = submissions.rebuild(assignment, handed, literals, course.private.get(assignment.name, ()), seeds)
    ran = sandbox.run(rebuilt.steps, how.limits, kind=how.kind, hidden=course.hidden, threads=threads)
    graded, number = {}, rebuilt.number
    for test in tests:
        i = number[test.grade_id]
        if i in ran.values and i not in ran.said:
            verdict = judge.judge(assignment, own, test, seeds[test.grade_id], ran.values[i])
            graded[test.grade_id] = _entry(verdict.points, test, verdict.sentence, verdict.scores)
        else:
            graded[test.grade_id] = _entry(0, test, ran.said.get(i, "the notebook did not come so far."), {})
    stopped = {name: ran.said[i] for name, i in number.items() if i in ran.said and name not in graded}
    given = {cell.grade_id for cell in assignment.of(SETUP, VARIANT, GIVEN)}
    busy = any(rebuilt.steps[i].name in given for i in ran.stopped)
    return {"tests": graded, "written": _written(assignment), "answers": rebuilt.answers, "stopped": stopped,
            "output": ran.output, "remarks": [*rebuilt.remarks, *ran.remarks, *[BUSY] * busy]}, busy  # fmt: skip


def _nothing(assignment, course, problem):
    """Of a submission that could not be run."""
    tests = course.tests(assignment) if assignment else []
    return {"tests": {test.grade_id: _entry(0, test, "", {}) for test in tests},
            "written": _written(assignment) if assignment else {}, "answers": {}, "stopped": {}, "output": "",
            "isolation": "not run", "remarks": [problem]}  # fmt: skip


def _entry(points, test, said, scores):
    return {"points": points, "of": test.points, "said": said, "scores": dict(scores)}


def _written(assignment):
    return {cell.grade_id: cell.points for cell in assignment.of(WRITTEN)}


def _digest(submission, content, problem, course, how):
    """Over all that a grade depends on; of the secret only what does not give it away."""
    name, student = submission.assignment, submission.student
    seeds = hmac.new(course.secret, f"{course.varied}/{name}/{student}".encode(), hashlib.sha256).hexdigest()
    parts = [hashlib.sha256(content).hexdigest(), submission.more, problem, course.digests.get(name, ""), seeds, how]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
