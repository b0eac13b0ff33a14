"""Fair comparisons: rules × seeds at equal cost, kept as records with intervals.

The unit of cost is chosen by a *budget*, a function ``(game, rule, batches) -> number of steps``:
:func:`steps`, :func:`gradient_evaluations` or :func:`seconds`.
"""

from __future__ import annotations

import datetime
import json
import math
import os
import pathlib
import platform
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from . import checkpoints, checks, files, training
from . import seeds as seeds_module
from .games import Game, Hyper, Players
from .rules import Rule
from .statistics import summary
from .tables import Table

__all__ = [
    "check_folder", "compare", "gradient_evaluations", "load_record", "merge", "provenance", "save_record", "seconds",
    "steps", "table",
]  # fmt: skip

check_folder = checkpoints.check_writable


def steps(num_steps: int) -> Callable:
    """The budget of a given number of steps."""
    checks.whole("num_steps", num_steps)
    return lambda game, rule, batches: num_steps


def gradient_evaluations(total: float) -> Callable:
    """The budget of so many gradients of a player's loss, both players' counted: as many steps as these pay for.

    A second-order product counts as two gradients, so that a step unrolled K times costs 2 + 3K where a plain one costs
    2; a gradient of a loss with a penalty counts as what it was measured to cost (:class:`~metagan_edu.rules.Cost`).

    Raises ``ValueError`` where they do not pay for one step.
    """

    def num_steps(game, rule, batches):
        _, info = rule.step(game, rule.init(game, game.init(0)), batches, seeds_module.make(0), Hyper())
        cost = float(info.cost.gradients)
        if not total >= cost:
            raise ValueError(f"a budget of {total} gradients does not pay for one step, which takes {cost:.4g}.")
        return int(total // cost)

    return num_steps


def seconds(total: float) -> Callable:
    """The budget of a wall-clock time on this machine, compiling not counted: measured on two calls of the loop.

    Raises ``ValueError`` for a time that is not positive.
    """
    checks.number("a budget of time, in seconds,", total, above=0)

    def num_steps(game, rule, batches):
        _run(game, rule, batches, 1, 0)
        result, _ = _run(game, rule, batches, 2 * training.STEPS_PER_CALL, 0)
        return max(1, int(total / result.history.seconds * max(1, len(result.history.cost.gen_grads))))

    return num_steps


def _run(game: Game, rule: Rule, batches: Callable, num_steps: int, seed: int) -> tuple[training.Result, bool]:
    """The result of a run, and whether it diverged: then the result is that of its last finite state."""
    try:
        return training.train(game, rule, batches, num_steps=num_steps, seed=seed, progress=False), False
    except training.Diverged as error:
        return error.result, True


def compare(
    contenders: dict[str, tuple[Game, Rule]], batches: Callable, *, budget: Callable, seeds: Iterable[int],
    measure: Callable[[Game, Players, Any], dict[str, float]], name: str = "", command: str = "",
    config: dict[str, Any] | None = None, save: Any = None,
) -> dict[str, Any]:  # fmt: skip
    """Train every contender from every seed at equal cost and measure it: a record, a dict that JSON can hold.

    ``contenders``: name -> (game, rule); ``budget``: see this module; ``measure(game, players, seed) -> dict`` of
    numbers. A run that diverges is measured at its last finite state, and ``diverged`` says so (1, else 0). The record
    has the fields ``name, command, config, seeds, num_steps, seconds, results, versions, machine, created``;
    ``results[contender][metric]`` and ``seconds[contender]`` (the first with compiling) are lists with one value per
    seed. ``save``: a file to which the record is written after each run; a comparison that was stopped goes on from
    there, with the runs that it has. Raises ``ValueError`` where there is no contender or no seed, where runs measure
    different things, or where the file holds another comparison.
    """
    seeds = [checks.whole("a seed", seed, 0) for seed in seeds]
    if not contenders or not seeds:
        raise ValueError(f"a comparison needs contenders and seeds, not {len(contenders)} and {len(seeds)} of them.")
    record = {"name": name, "command": command, "config": config or {}, "seeds": seeds}
    record |= {"num_steps": {}, "seconds": {}, "results": {}}
    record = _begun(record, save)
    for contender, (game, rule) in contenders.items():
        num_steps = budget(game, rule, batches)
        if record["num_steps"].setdefault(contender, num_steps) != num_steps:
            raise ValueError(f"{save} has {contender!r} at {record['num_steps'][contender]} steps, not {num_steps}; "
                             "delete it, or name another file.")  # fmt: skip
        times, results = (
            record[field].setdefault(contender, empty) for field, empty in (("seconds", []), ("results", {}))
        )
        for seed in seeds[len(times) :]:
            result, diverged = _run(game, rule, batches, num_steps, seed)
            measured = measure(game, result.players, seeds_module.fold_in(seed, "measure"))
            _add(results, {**measured, "diverged": int(diverged)}, contender, seed, len(times))
            times.append(round(result.history.seconds, 2))
            if save is not None:
                save_record(save, record | provenance())
    return record | provenance()


def _begun(record, save):
    """``record``, or what a stopped comparison of the same name, settings and seeds has left in the file ``save``."""
    if save is None or not pathlib.Path(save).exists():
        return record
    found = load_record(save)
    for field in ("name", "command", "config", "seeds"):
        if json.loads(json.dumps(record[field])) != found.get(field):
            raise ValueError(f"{save} holds another comparison: its {field} is {found.get(field)!r}, not "
                             f"{record[field]!r}. Delete it, or name another file.")  # fmt: skip
    return record | {field: found[field] for field in ("num_steps", "seconds", "results")}


def _add(results, measured, contender, seed, done):
    """Append what one run measured; ``ValueError`` where it is no number, or not what the runs before it measured."""
    if done and measured.keys() != results.keys():
        raise ValueError(f"{contender!r} measured {sorted(measured)} from seed {seed}, but {sorted(results)} before.")
    for metric, value in measured.items():
        try:
            results.setdefault(metric, []).append(value if isinstance(value, int) else float(value))
        except (TypeError, ValueError) as error:
            raise ValueError(f"the metric {metric!r} of {contender!r} is {value!r}; it must be a number.") from error


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
        merged |= {field: merged[field] | record[field] for field in ("num_steps", "seconds", "results")}
    return merged


def provenance() -> dict[str, Any]:
    """Versions, machine and time, for a record."""
    import keras
    import tensorflow as tf

    gpus = len(tf.config.list_physical_devices("GPU"))
    return {
        "versions": {"python": platform.python_version(), "tensorflow": tf.__version__, "keras": keras.__version__},
        "machine": f"{os.cpu_count()} CPU cores, {platform.machine()}, {gpus} GPU",
        "created": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
    }


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
    """Write a record as JSON, whole or not at all; a number that is not finite is ``null`` there."""
    files.replace(path, (json.dumps(_without_infinity(record), indent=1, allow_nan=False) + "\n").encode())


def load_record(path: Any) -> dict[str, Any]:
    """Read a record; what is ``null`` among its results is NaN.

    ``FileNotFoundError`` says how it is made; ``ValueError`` where the file is not a record.
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
    return record | {"results": _with_nan(record["results"])}


def _with_nan(tree):
    if isinstance(tree, dict):
        return {key: _with_nan(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [math.nan if value is None else _with_nan(value) for value in tree]
    return tree


def table(record: dict[str, Any], metrics: Sequence[str] | None = None) -> Table:
    """A :class:`Table` of a record: one row per contender, mean and 95 % interval of each metric (default: all).

    One value alone has no interval. Values that are not finite are counted beside the mean of the others. "seconds",
    the time of a run, can be among the metrics. Where runs diverged, a last column says how many.
    """
    results = {
        name: values | {"seconds": record["seconds"].get(name, [])} for name, values in record["results"].items()
    }
    metrics = metrics or [m for m in next(iter(record["results"].values())) if m != "diverged"]
    for metric in metrics:
        if any(metric not in values for values in results.values()):
            known = [m for m in next(iter(results.values())) if m != "diverged"]
            raise ValueError(f"this record has no metric {metric!r}; it has {', '.join(known)}.")
    counts = {name: sum(values.get("diverged", ())) for name, values in results.items()}
    rows = tuple(
        (
            name, record["num_steps"][name], *(str(summary(values[metric])) for metric in metrics),
            *([f"{counts[name]} of {len(values.get('diverged', ()))}"] if any(counts.values()) else []),
        )
        for name, values in results.items()
    )  # fmt: skip
    return Table(("", "steps", *metrics, *(["diverged"] if any(counts.values()) else [])), rows)
