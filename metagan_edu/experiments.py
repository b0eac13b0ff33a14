"""Fair comparisons: rules × seeds at equal cost, kept as records; see also :mod:`metagan_edu.sweeps`.

The unit of cost is chosen by a *budget*, a function ``(game, rule, batches) -> number of steps``:
:func:`steps`, :func:`gradient_evaluations` or :func:`seconds`.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import math
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from . import checkpoints, checks, descriptions, files, training
from . import seeds as seeds_module
from .games import Game, Hyper, Players
from .rules import Rule
from .statistics import summary
from .sweeps import SPENT, RunsFailed, costs, provenance, sweep
from .tables import Table

__all__ = [
    "RunsFailed", "check_folder", "compare", "costs", "gradient_evaluations", "load_record", "merge", "provenance",
    "save_record", "seconds", "steps", "sweep", "table",
]  # fmt: skip

check_folder = checkpoints.check_writable


def steps(num_steps: int) -> Callable:
    """The budget of a given number of steps."""
    return functools.partial(_steps, checks.whole("num_steps", num_steps))


def _steps(num_steps, game, rule, batches):
    return num_steps


def gradient_evaluations(total: float) -> Callable:
    """The budget of so many gradients of a player's loss, both players' counted: as many steps as these pay for.

    A second-order product counts as two gradients, so that a step unrolled K ≥ 1 times costs 1 + 3K where a plain one
    costs 2; a gradient of a loss with a penalty counts as what it was measured to cost
    (:class:`~metagan_edu.rules.Cost`).

    Raises ``ValueError`` where they do not pay for one step.
    """
    return functools.partial(_gradient_evaluations, total)


def _gradient_evaluations(total, game, rule, batches):
    _, info = rule.step(game, rule.init(game, game.init(0)), batches, seeds_module.make(0), Hyper())
    cost = float(info.cost.gradients)
    if not total >= cost:
        raise ValueError(f"a budget of {total} gradients does not pay for one step, which takes {cost:.4g}.")
    return int(total // cost)


def seconds(total: float) -> Callable:
    """The budget of a wall-clock time on this machine, compiling not counted: measured on two calls of the loop.

    Raises ``ValueError`` for a time that is not positive.
    """
    return functools.partial(_seconds, checks.number("a budget of time, in seconds,", total, above=0))


def _seconds(total, game, rule, batches):
    _run(game, rule, batches, 1, 0)
    result, _ = _run(game, rule, batches, 2 * training.STEPS_PER_CALL, 0)
    return max(1, int(total / result.history.seconds * max(1, len(result.history.cost.gen_grads))))


def _run(game: Game, rule: Rule, batches: Callable, num_steps: int, seed: int) -> tuple[training.Result, bool]:
    """The result of a run, and whether it diverged: then the result is that of its last finite state."""
    try:
        return training.train(game, rule, batches, num_steps=num_steps, seed=seed, progress=False), False
    except training.Diverged as error:
        return error.result, True


def compare(
    contenders: dict[str, Any], batches: Callable | None = None, *, budget: Callable, seeds: Iterable[int],
    measure: Callable[[Game, Players, Any], dict[str, float]], name: str = "", command: str = "",
    config: dict[str, Any] | None = None, folder: Any = None, n_jobs: int | None = None, progress: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """Train every contender from every seed at equal cost and measure it: a record, a dict that JSON can hold.

    ``contenders``: name -> a function without arguments that returns ``(game, rule, batches)``, one that can be
    imported or a ``functools.partial`` of one, called where the run is; or a pair ``(game, rule)`` that is played on
    ``batches``: where there is one, all runs take place in this process and cannot be kept. ``budget``: see this
    module; ``measure(game, players, seed) -> dict`` of numbers. A run that diverges is measured at its last finite
    state, and ``diverged`` says so (1, else 0). ``folder, n_jobs, progress``, and what is raised: see :func:`sweep`,
    which this is, once for the numbers of steps and once for the runs.

    The record has the fields ``name, command, config, seeds, num_steps`` (by contender), ``seconds`` (of training; the
    first of a process with compiling), ``peak_memory_gb, gradients, examples, products, results, versions, machine,
    created``; ``results[contender][metric]``, ``seconds[contender]`` and so on are lists with one value per seed.
    """
    seeds = list(seeds)
    if not contenders or not seeds:
        raise ValueError(f"a comparison needs contenders and seeds, not {len(contenders)} and {len(seeds)} of them.")
    how: dict[str, Any] = {"n_jobs": n_jobs, "progress": progress}
    with contextlib.ExitStack() as held:
        if not all(callable(contender) for contender in contenders.values()):
            if folder is not None:
                raise ValueError("a comparison that is kept in a folder needs functions that return (game, rule, "
                                 "batches) as its contenders, not games and rules.")  # fmt: skip
            how["n_jobs"] = 1
            measure, budget = held.enter_context(_here(measure)), held.enter_context(_here(budget))
            contenders = {
                key: held.enter_context(_here(it if callable(it) else functools.partial(_pair, it, batches)))
                for key, it in contenders.items()
            }
        settings = {key: {"contender": contender} for key, contender in contenders.items()}
        plan = sweep(functools.partial(_budgeted, budget=budget), settings, [0], folder=_within(folder, "num_steps"),
                     **how | {"progress": False})  # fmt: skip
        num_steps = {key: plan["results"][key]["num_steps"][0] for key in contenders}
        settings = {key: setting | {"num_steps": num_steps[key]} for key, setting in settings.items()}
        run = functools.partial(_contest, measure=measure)
        record = sweep(run, settings, seeds, folder=_within(folder, "runs"), **how)
    del record["settings"]
    first = {"name": name, "command": command, "config": config or {}, "seeds": record["seeds"], "num_steps": num_steps}
    return first | record


def _within(folder, name):
    return None if folder is None else pathlib.Path(folder) / name


def _budgeted(seed, contender, budget):
    return {"num_steps": budget(*_made(contender))}


def _contest(seed, contender, num_steps, measure):
    """Train a contender and measure it: a run of a comparison."""
    game, rule, batches = _made(contender)
    result, diverged = _run(game, rule, batches, num_steps, seed)
    measured = measure(game, result.players, seeds_module.fold_in(seed, "measure"))
    for metric, value in measured.items():
        if metric in SPENT:
            raise ValueError(f"the metric {metric!r} has the name of a field of the record; give it another.")
        if not isinstance(value, int):
            try:
                measured = measured | {metric: float(value)}
            except (TypeError, ValueError) as error:
                raise ValueError(f"the metric {metric!r} is {value!r}; it must be a number.") from error
    spent = {"seconds": round(result.history.seconds, 2)} | costs(result.history)
    return {**measured, "diverged": int(diverged), **spent}


@functools.lru_cache(maxsize=16)
def _made(contender):
    """What a contender's function returns, once in a process: its runs share what was compiled."""
    made = contender()
    if not isinstance(made, tuple) or len(made) != 3:
        raise ValueError(f"a contender's function returns (game, rule, batches), not {type(made).__name__}.")
    return made


def _pair(pair, batches):
    return *pair, batches


HERE: dict[int, Any] = {}  # what cannot be sent to another process, while it is used in this one


@contextlib.contextmanager
def _here(value):
    """A function that can be described and calls ``value``, in this process and within the block."""
    key = next(COUNT)
    HERE[key] = value
    try:
        yield functools.partial(_call_here, key)
    finally:
        del HERE[key]


COUNT = itertools.count()


def _call_here(key, *arguments):
    return HERE[key](*arguments)


def merge(*records: dict[str, Any]) -> dict[str, Any]:
    """One record with the contenders of several, of the same seeds; all other fields are those of the first.

    Raises ``ValueError`` where seeds differ, or a contender is in two of them.
    """
    if not records:
        raise ValueError("there is no record to be merged.")
    merged = dict(records[0])
    for record in records[1:]:
        if record["seeds"] != merged["seeds"]:
            raise ValueError(f"records of seeds {merged['seeds']} and {record['seeds']} cannot be merged.")
        twice = merged["results"].keys() & record["results"].keys()
        if twice:
            raise ValueError(f"records that are merged have contenders of their own, but {sorted(twice)} are in two.")
        fields = [field for field in ("num_steps", *SPENT, "results") if field in merged and field in record]
        merged |= {field: merged[field] | record[field] for field in fields}
    return merged


def _without_infinity(tree: Any) -> Any:
    """Nested dicts and lists with ``None`` for numbers that are not finite, which JSON lacks."""
    if isinstance(tree, dict):
        return {str(key): _without_infinity(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_without_infinity(value) for value in tree]
    if isinstance(tree, (float, np.floating)):
        return float(tree) if math.isfinite(tree) else None
    return int(tree) if isinstance(tree, np.integer) else tree


def save_record(path: Any, record: dict[str, Any]) -> None:
    """Write a record as JSON, whole or not at all, with the digest of what it says; a number that is not finite is
    ``null`` there."""
    said = {key: value for key, value in _without_infinity(record).items() if key != "sha256"}
    said["sha256"] = descriptions.sha256(said)
    files.replace(path, (json.dumps(said, indent=1, allow_nan=False) + "\n").encode())


def load_record(path: Any) -> dict[str, Any]:
    """Read a record; what is ``null`` among its results is NaN.

    ``FileNotFoundError`` says how it is made; ``ValueError`` where the file is not a record, or not as it was written.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no record {path}; `make records ONLY={path.stem}` makes it.")
    try:
        record = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is not a record: {error}.") from error
    if not isinstance(record, dict) or not isinstance(record.get("results"), dict):
        raise ValueError(f"{path} is not a record: it has no field 'results'.")
    digest = record.pop("sha256", None)
    if digest != descriptions.sha256(record):
        raise ValueError(f"{path} is not as it was written: it was changed by hand, or is damaged; "
                         f"`make records ONLY={path.stem}` makes it anew.")  # fmt: skip
    return record | {"results": _with_nan(record["results"])}


def _with_nan(tree):
    if isinstance(tree, dict):
        return {key: _with_nan(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [math.nan if value is None else _with_nan(value) for value in tree]
    return tree


def table(record: dict[str, Any], metrics: Sequence[str] | None = None) -> Table:
    """A :class:`Table` of a record: one row per contender, the :func:`~metagan_edu.statistics.summary` of each
    metric (default: all that every contender has).

    Up to ten values are shown; of more there is an interval. Values that are not finite are counted beside the others.
    "seconds", the time of a run, can be among the metrics. The numbers of steps, where the record has them, are a
    column before them; where runs diverged, a last one says how many.
    """
    steps = record.get("num_steps", {})
    results = {
        name: values | {"seconds": record["seconds"].get(name, [])} for name, values in record["results"].items()
    }
    known = [m for m in next(iter(results.values())) if m != "diverged" and all(m in own for own in results.values())]
    metrics = metrics or [m for m in known if m != "seconds"]
    for metric in metrics:
        if metric not in known:
            raise ValueError(f"this record has no metric {metric!r}; it has {', '.join(known)}.")
    counts = {name: sum(values.get("diverged", ())) for name, values in results.items()}
    rows = tuple(
        (
            name, *([steps[name]] if steps else []), *(str(summary(values[metric])) for metric in metrics),
            *([f"{counts[name]} of {len(values.get('diverged', ()))}"] if any(counts.values()) else []),
        )
        for name, values in results.items()
    )  # fmt: skip
    return Table(("", *(["steps"] if steps else []), *metrics, *(["diverged"] if any(counts.values()) else [])), rows)
