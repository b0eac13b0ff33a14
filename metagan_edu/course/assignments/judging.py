"""The grader's own side of a test: ``judged`` on plain values, beside the set-up and the variant, and what it says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from . import cells, hidden, variants
from .source import SETUP, VARIANT, Assignment, Cell

LONGEST = 600  # characters of a sentence


class Verdict(NamedTuple):
    """Points that were given, the sentence where they were not, and scores for a leaderboard where there are any."""

    points: float
    sentence: str = ""
    scores: Mapping[str, float] = {}


def background(assignment: Assignment, seeds: variants.Seeds) -> dict[str, Any]:
    """The names of the set-up and of the student's variant, with those that only the lecturer has."""
    return cells.run_all(assignment.of(SETUP, VARIANT), {}, variant=seeds.variant)


def judge(test: Cell, seed: int, values: Mapping[str, Any], names: Mapping[str, Any]) -> Verdict:
    """All points of a test or none, by its ``judged`` on ``values``; ``names`` is what :func:`background` returned."""
    assert test.hidden is not None
    try:
        namespace = cells.run(test.hidden.judging(seed), dict(names))
        namespace["_values"] = dict(values)
        returned = cells.run(f"_returned = {hidden.JUDGED}(**_values)", namespace)["_returned"]
        scores = {str(name): float(value) for name, value in (returned or {}).items()}
    except AssertionError as error:
        return Verdict(0, said(error) or "not as asked.")
    except Exception as error:
        return Verdict(0, f"could not be compared: {told(error)}")
    return Verdict(test.points, scores={name: value for name, value in scores.items() if math.isfinite(value)})


def told(error: BaseException) -> str:
    """An error's name and words in one line, not too long."""
    return f"{type(error).__name__}: {said(error)}"


def said(error: BaseException) -> str:
    """An error's words in one line, not too long."""
    return " ".join(str(error).split())[:LONGEST]
