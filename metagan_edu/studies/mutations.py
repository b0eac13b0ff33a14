"""Which claims of the notebooks fail where what they are about is made false?

Each notebook is run once for each mutation, as in ``audit``: in the records every contender has the results of the next
one, and live players never move (a claim is of a record or of play: one run for both); gradients of the wrong sign; and
lines of its own made false, a small change for a claim, which `tests/falsehoods.json` lists.
``results[notebook: mutation][claim]`` is 1 where the claim still comes out as the course expects, or where the run did
not come so far; 0 where it is seen to fail. One that fails under none has its reason in that file.
"""

from __future__ import annotations

import json
from typing import Any

import metagan_edu as mg
from metagan_edu.course import place
from metagan_edu.studies import audit, runs

RECORDS = """
from metagan_edu import experiments
_load = experiments.load_record
def _others(found, names):
    if not isinstance(found, dict):
        return found
    if set(found) != set(names):
        return {key: _others(value, names) for key, value in found.items()}
    return {name: found[names[i - 1]] for i, name in enumerate(names)}
def _mixed(path):
    record = _load(path)
    return _others(record, list(record["results"]))
experiments.load_record = _mixed
"""
STILL = """
from metagan_edu.optimizers import named
_descend = named.descend
named.descend = lambda lr: _descend(0.0)
"""
SIGN = """
from metagan_edu import autodiff, trees
_value_and_grad = autodiff.value_and_grad
def _wrong(fn):
    def value_and_grad(*args):
        value, grads = _value_and_grad(fn)(*args)
        return value, trees.scale(-1.0, grads)
    return value_and_grad
autodiff.value_and_grad = _wrong
"""
MUTATIONS = {"records mixed up, players that stand still": RECORDS + STILL, "gradients of the wrong sign": SIGN}


OWN = "lines of its own"


def run(seed: int, notebook: str, digest: str, before: str, lines: list[list[str]]) -> dict[str, int]:
    """Claim -> 0 where it is seen to fail in a notebook whose ``lines`` are made false, after the cell ``before``."""
    return audit.played(notebook, digest, before, lines, unreached=1)


def make() -> dict[str, Any]:
    """The record: a contender for each notebook and mutation, a metric for each claim; prints those that never fail."""
    settings = {
        f"{name}: {mutation}": setting | {"before": before, "lines": lines}
        for name, setting in audit.all_notebooks().items()
        for mutation, before, lines in mutations(name)
    }
    record = mg.experiments.sweep(run, settings, [0], folder=runs("mutations"))
    for name, claim in never(record["results"]):
        if claim not in falsehoods().get(name, {}).get("reasons", {}):
            print(f"{name}: never failed: {claim}")
    return record | {"config": {"set_up": __doc__}}


def falsehoods() -> dict[str, dict[str, Any]]:
    """Notebook -> ``lines``, (old, new) pieces of its code, a list for each run; and ``reasons``, claim -> why none."""
    return json.loads((place.find() / "tests" / "falsehoods.json").read_text(encoding="utf-8"))


def mutations(notebook: str) -> list[tuple[str, str, list[list[str]]]]:
    """(name, code that runs before, lines made false) of each mutation of a notebook."""
    own = falsehoods().get(notebook, {}).get("lines", [])
    return [(name, before, []) for name, before in MUTATIONS.items()] + [
        (f"{OWN}, {i}", "", lines) for i, lines in enumerate(own, 1)
    ]


def never(results: dict[str, Any]) -> list[tuple[str, str]]:
    """(notebook, claim) of those that are seen to fail under no mutation."""
    fails: dict[tuple[str, str], bool] = {}
    for contender, claims in results.items():
        name = contender.partition(": ")[0]
        for claim, held in claims.items():
            fails[name, claim] = fails.get((name, claim), False) or not held[0]
    return [claim for claim, failed in fails.items() if not failed]
