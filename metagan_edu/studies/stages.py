"""One run, measured at several numbers of steps: rows of a record that would else be runs of their own.

A row at equal steps and one at equal cost are the same run, seen earlier and later.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import metagan_edu as mg


@functools.lru_cache(maxsize=16)
def _made(contender):
    return contender()


def run(seed: int, contender: Callable, points: list[int], measure: Callable) -> dict[str, Any]:
    """Train a contender to the last of ``points``, and ``measure(game, players, seed)`` at each.

    What diverged is measured at its last finite state, and "diverged" says so, as in ``experiments.compare``.
    """
    game, rule, batches = _made(contender)
    draw, found = mg.seeds.fold_in(seed, "measure"), {}

    def look(step, players):
        if step in points:
            found[step] = measure(game, players, draw) | {"diverged": 0}

    try:
        hook = mg.every(math.gcd(*points), look)
        result = mg.train(game, rule, batches, num_steps=points[-1], seed=seed, hooks=[hook], progress=False)
    except mg.Diverged as error:
        result = error.result
        last = measure(game, result.players, draw) | {"diverged": 1}
        found = {point: found.get(point, last) for point in points}
    at = {str(point): found[point] for point in points}
    return {"at": at, "seconds": result.history.seconds, **mg.experiments.costs(result.history)}


def compare(
    contenders: dict[str, tuple[Callable, dict[str, int]]], *, seeds: Iterable[int], measure: Callable,
    config: dict[str, Any], folder: Any,
) -> dict[str, Any]:  # fmt: skip
    """The record of ``experiments.compare``, with a row for each stage of each contender.

    ``contenders``: name -> (a function that returns (game, rule, batches), {name of the row: number of steps}). The
    rows of a contender share one run, so its time and its gradients are divided in proportion to the steps.
    """
    settings = {
        name: {"contender": function, "points": sorted(set(rows.values()))}
        for name, (function, rows) in contenders.items()
    }
    made = mg.experiments.sweep(functools.partial(run, measure=measure), settings, seeds, folder=folder)
    record = {"name": "", "command": "", "config": config, "seeds": made["seeds"], "num_steps": {}, "results": {}}
    spent = [field for field in ("seconds", "gradients", "examples", "products") if field in made]
    record |= {field: {} for field in spent} | {field: made[field] for field in ("versions", "machine", "created")}
    for name, (_, rows) in contenders.items():
        last = settings[name]["points"][-1]
        for row, steps in rows.items():
            seen = [at[str(steps)] for at in made["results"][name]["at"]]
            record["num_steps"][row] = steps
            record["results"][row] = {metric: [values[metric] for values in seen] for metric in seen[0]}
            for field in spent:
                record[field][row] = [round(value * steps / last, 2) for value in made[field][name]]
    return record


def bounds(
    samplers: dict[str, Callable], *, seeds: Iterable[int], measure: Callable, folder: Any
) -> dict[str, Any]:  # fmt: skip
    """A record with a row for each sampler ``seed -> samples`` that learns nothing: floors, and real data.

    ``measure(samples) -> dict``; the number of steps and what was spent are 0.
    """
    settings = {name: {"sampler": sampler} for name, sampler in samplers.items()}
    made = mg.experiments.sweep(functools.partial(_bound, measure=measure), settings, seeds, folder=folder)
    nothing = {field: {name: [0.0] * len(made["seeds"]) for name in samplers}
               for field in ("seconds", "gradients", "examples", "products")}  # fmt: skip
    return made | nothing | {"num_steps": dict.fromkeys(samplers, 0)}


def _bound(seed, sampler, measure):
    return measure(np.asarray(sampler(seed), np.float32)) | {"diverged": 0}
