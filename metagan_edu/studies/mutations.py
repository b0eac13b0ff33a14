"""Which claims of the notebooks fail where what they are about is made false?

Each notebook is run once for each mutation, as in ``audit``: in the records every contender has the results of the next
one; players that never move; gradients of the wrong sign. ``results[notebook: mutation][claim]`` is 1 where the claim
still comes out as the course expects. One that does so under all three says nothing of records or of play: it is one of
mathematics by hand, or it cannot fail.
"""

from __future__ import annotations

from typing import Any

import metagan_edu as mg
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
MUTATIONS = {"records mixed up": RECORDS, "players that stand still": STILL, "gradients of the wrong sign": SIGN}


def run(seed: int, notebook: str, digest: str, mutation: str) -> dict[str, int]:
    """Claim -> whether it comes out as expected under a mutation."""
    return audit.played(notebook, digest, MUTATIONS[mutation])


def make() -> dict[str, Any]:
    """The record: a contender for each notebook and mutation, a metric for each claim; prints those that never fail."""
    settings = {
        f"{name}: {mutation}": setting | {"mutation": mutation}
        for name, setting in audit.all_notebooks().items()
        for mutation in MUTATIONS
    }
    record = mg.experiments.sweep(run, settings, [0], folder=runs("mutations"))
    for name, claim in never(record["results"]):
        print(f"{name}: never failed: {claim}")
    return record | {"config": {"set_up": __doc__}}


def never(results: dict[str, Any]) -> list[tuple[str, str]]:
    """(notebook, claim) of those that come out as expected under every mutation."""
    names = {name.partition(": ")[0]: results[name] for name in results}
    return [
        (name, claim)
        for name, claims in names.items()
        for claim in claims
        if all(results[f"{name}: {mutation}"][claim][0] for mutation in MUTATIONS)
    ]
