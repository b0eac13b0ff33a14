"""Sweeps: one function, many settings, several seeds; on all cores, kept run by run, so that nothing is computed twice.

A run is a pure function of its *description*: the function and the code that it uses, its arguments, its seed, and the
version of this package. What it returned is kept in a file that is named by the digest of the description. So a sweep
that was stopped goes on, one that grew computes what is new, and one that changed computes what changed, and says so.
Runs are handed out by joblib: to its own processes, or to whatever ``joblib.parallel_config`` names, such as Dask.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import os
import pathlib
import platform
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from . import checkpoints, checks, descriptions, files, jobs
from .progress import bar

SPENT = ("seconds", "peak_memory_gb", "gradients", "examples", "products")
PLAN = "sweep.json"


class RunsFailed(RuntimeError):
    """Some runs of a sweep failed.

    ``failures``: (setting, seed) -> the traceback, as text; ``record``: that of the sweep, with NaN for those runs.
    """

    def __init__(self, message: str, failures: dict[tuple[str, int], str], record: dict[str, Any]):
        super().__init__(message)
        self.failures, self.record = failures, record


def sweep(
    run: Callable[..., dict[str, Any]], settings: dict[str, dict[str, Any]], seeds: Iterable[int], *,
    folder: Any = None, n_jobs: int | None = None, progress: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """Call ``run(seed=seed, **setting)`` for every setting and every seed: a record, a dict that JSON can hold.

    ``run``: a function that can be imported, or a ``functools.partial`` of one (one typed in a notebook may use what is
    defined there, but not close over anything); it returns a dict of numbers, or of lists, arrays and dicts of numbers.
    ``settings``: name -> arguments, which JSON can hold, or which are functions as ``run`` is. ``folder``: where every
    run that is done is kept, whole or not at all; the next call computes only what is not there. ``n_jobs``: how many
    runs at a time, by default what ``joblib.parallel_config`` says, else as many as there are cores, which they share;
    with 1 they run in this process.

    ``results[setting][metric]`` has one value per seed, and so have ``seconds`` and ``peak_memory_gb`` (1e9 bytes; the
    most that the process of the run had held by its end), and ``gradients``, ``examples`` and ``products`` where the
    run returns them (:func:`costs`); "seconds" that it returns take the place of those of the whole call.

    Raises ``ValueError`` for bad arguments before anything runs, and for a folder that holds another sweep or is in
    use; :class:`RunsFailed` at the end where runs raised an error or broke off: the others are done and kept, and the
    next call tries those again. Warns where something has changed since the runs in the folder were made.
    """
    seeds = _checked(settings, seeds)
    plan = descriptions.plan(run, settings)
    at_once = jobs.count(n_jobs)
    digests = {(name, seed): descriptions.digest(plan, name, seed) for name in settings for seed in seeds}
    with _kept_in(folder, plan) as keep:
        done = {digest: found for digest in digests.values() if (found := keep.found(digest))}
        todo = {digest: place for place, digest in digests.items() if digest not in done}
        payload = jobs.sent(run, settings)
        failed: dict[str, dict] = {}
        with bar(len(done) + len(todo), initial=len(done), disable=not progress, unit="run") as shown:
            for digest, outcome in jobs.outcomes(payload, todo, at_once):
                keep.add(digest, outcome | {"description": descriptions.of_run(plan, *todo[digest])})
                (failed if "error" in outcome else done)[digest] = outcome
                shown.update(1, **({"failed": len(failed)} if failed else {}))
    record = {"seeds": seeds, "settings": plan["settings"], **_columns(digests, done, settings, seeds), **provenance()}
    if failed:
        raise _said(failed, digests, folder, record)
    return record


def costs(history: Any) -> dict[str, float]:
    """What a :class:`~metagan_edu.training.History` cost in all: "gradients" (of both players, a product counted as
    two), "examples" and "products"."""
    cost = history.cost
    return {
        name: float(np.sum(getattr(cost, name), dtype=np.float64)) for name in ("gradients", "examples", "products")
    }


def provenance() -> dict[str, Any]:
    """Versions, machine and time, for a record."""
    import keras
    import tensorflow as tf

    gpus = len(tf.config.list_physical_devices("GPU"))
    versions = {"python": platform.python_version(), "tensorflow": tf.__version__, "keras": keras.__version__}
    return {
        "versions": versions | {"metagan_edu": descriptions.version()},
        "machine": f"{os.cpu_count()} CPU cores, {platform.machine()}, {gpus} GPU",
        "created": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
    }


def _checked(settings, seeds):
    """The seeds as a list; ``ValueError`` where there are none, or no settings."""
    seeds = [checks.whole("a seed", seed, 0) for seed in seeds]
    if not isinstance(settings, dict) or not settings:
        raise ValueError(
            f"settings must be a dict of at least one, such as {{'plain': {{'lr': 0.1}}}}, not {settings!r}."
        )
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be different whole numbers, at least one, such as range(1, 4), not {seeds}.")
    for name, setting in settings.items():
        if not isinstance(name, str) or not isinstance(setting, dict) or not all(isinstance(k, str) for k in setting):
            raise ValueError(f"a setting is a name and a dict of arguments, not {name!r}: {setting!r}.")
    return seeds


# --- Keeping ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _kept_in(folder, plan):
    """Inside, runs are kept in ``folder`` by this sweep alone; ``None``: they are not kept."""
    if folder is None:
        yield _Nowhere()
        return
    folder = pathlib.Path(folder)
    checkpoints.check_writable(folder)
    with checkpoints.locked(folder):
        text = descriptions.joined(folder / PLAN, plan)
        for part in folder.glob(".*.json.*.part"):  # of a writer that was killed
            part.unlink(missing_ok=True)
        files.replace(folder / PLAN, text.encode())
        yield _Folder(folder)


class _Nowhere:
    def found(self, digest):
        return None

    def add(self, digest, outcome):
        pass


class _Folder:
    """A file for each run that is done, ``DIGEST.json``, and for each that failed, ``DIGEST.failed.json``."""

    def __init__(self, folder):
        self.folder = folder

    def found(self, digest):
        """The outcome of a run that is done, or ``None``: also where the file is not what was written."""
        try:
            outcome = json.loads((self.folder / f"{digest}.json").read_text())
            return outcome if descriptions.sha256(outcome["description"]) == digest and outcome["result"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def add(self, digest, outcome):
        failed = self.folder / f"{digest}.failed.json"
        if "error" in outcome:
            files.replace(failed, _json(outcome))
        else:
            files.replace(self.folder / f"{digest}.json", _json(outcome))
            failed.unlink(missing_ok=True)


def _json(outcome):
    """With NaN and Infinity, which Python's reader knows: a run that is read again is the run that was made."""
    return (json.dumps(outcome, indent=1) + "\n").encode()


# --- The record -------------------------------------------------------------------------------------------------------


def _columns(digests, done, settings, seeds):
    """``results`` and what was spent, by setting: a list with one value per seed."""
    columns: dict[str, dict] = {field: {} for field in (*SPENT, "results")}
    for name in settings:
        runs = {seed: done[digests[name, seed]]["result"] for seed in seeds if digests[name, seed] in done}
        known = next(iter(runs.values()), {})
        for seed, result in runs.items():
            if result.keys() != known.keys():
                raise ValueError(f"{name!r} measured {sorted(result)} from seed {seed}, but {sorted(known)} before.")
        columns["results"][name] = {}
        for metric in known:
            values = [runs[seed][metric] if seed in runs else math.nan for seed in seeds]
            if metric in SPENT:
                columns[metric][name] = values
            else:
                columns["results"][name][metric] = values
    return {field: column for field, column in columns.items() if column or field == "results"}


def _said(failed, digests, folder, record):
    """The error at the end of a sweep in which runs failed."""
    places = {place: failed[digest] for place, digest in digests.items() if digest in failed}
    (name, seed), first = next(iter(places.items()))
    others = f" and {len(places) - 1} more" if len(places) > 1 else ""
    where = f"kept in {folder}; call again to try these anew" if folder is not None else "in the error's record"
    message = f"{len(places)} of {len(digests)} runs failed, {name!r} from seed {seed}{others}; the others are {where}."
    message += f" The first failed with {first['error']}"
    return RunsFailed(message, {place: outcome["traceback"] for place, outcome in places.items()}, record)
