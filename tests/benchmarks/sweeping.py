"""Sweeps: what two processes with a thread each gain over one after the other, and what a run costs besides itself."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import pathlib
import tempfile
import time

import joblib
from ratios import Ratio, Report, dense_game

import metagan_edu as mg
from metagan_edu import jobs

SETTINGS = {f"K = {k}": {"num_unroll": k} for k in (0, 1, 2)}
SEEDS, NUM_STEPS, EMPTY = range(8), 1200, 50


def short_run(seed, num_unroll, num_steps=NUM_STEPS):
    """A short run of the 2-D game."""
    adam = mg.optimizers.adam(1e-3)
    rule = mg.rules.unrolled(adam, adam, num_unroll=num_unroll)
    batches = mg.data.ring().batches(256)
    result = mg.train(dense_game(), rule, batches, num_steps=num_steps, seed=seed, progress=False)
    return {"gen_loss": result.history.scalars["gen_loss"][-1]}


def nothing(seed):
    """A run that does nothing."""
    return {"seed": seed}


def _one_after_the_other():
    """Seconds of all runs in one process with one thread, and their results."""
    share, spawned = (1, os.getpid(), True), multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawned) as pool:
        pool.submit(jobs._attempt, "", jobs.sent(nothing, {"a": {}}), "a", 0, share).result()
        payload, began = jobs.sent(short_run, SETTINGS), time.perf_counter()
        ends = [pool.submit(jobs._attempt, "", payload, name, seed, share) for name in SETTINGS for seed in SEEDS]
        losses = [end.result()[1]["result"]["gen_loss"] for end in ends]
        return time.perf_counter() - began, losses


def _two_at_a_time():
    """The same by a sweep; and the seconds of a run that does nothing, kept in a file as all are."""
    with tempfile.TemporaryDirectory() as folder:
        folder, options = pathlib.Path(folder), {"n_jobs": 2, "progress": False}
        mg.experiments.sweep(nothing, {"a": {}}, range(4), **options)
        began = time.perf_counter()
        record = mg.experiments.sweep(short_run, SETTINGS, SEEDS, folder=folder / "short", **options)
        middle = time.perf_counter()
        mg.experiments.sweep(nothing, {"a": {}}, range(EMPTY), folder=folder / "empty", **options)
        empty = (time.perf_counter() - middle) / EMPTY
    return middle - began, empty, [loss for found in record["results"].values() for loss in found["gen_loss"]]


def sweeps():
    """24 runs of some 3 s, with one thread each: by two processes against one. Processes are started before the clock
    is; what they compile counts, on both sides."""
    if joblib.cpu_count() < 2:
        print("There is one core here, so that there is nothing to be gained.")
        return Report({}, "s", [])
    two, empty, losses = _two_at_a_time()
    one, same = _one_after_the_other()
    assert losses == same, "the runs are not the same runs"
    numbers = {"one after the other": one, "two at a time": two, "a run that does nothing": empty, "a second": 1.0}
    return Report(numbers, "s", [
        Ratio("one after the other", "two at a time", one / two, least=1.6),
        Ratio("a run that does nothing", "a second", empty, most=0.3),
    ])  # fmt: skip
