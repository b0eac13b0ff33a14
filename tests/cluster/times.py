"""``python times.py NAME``: 24 short runs of the 2-D game by two processes of joblib, and two workers of a cluster."""

import contextlib
import pathlib
import sys
import time
from importlib.metadata import version

import joblib
import numpy as np
import there
from joblib.externals.loky import get_reusable_executor

import metagan_edu as mg

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "benchmarks"))
import sweeping

SETTINGS = {name: setting | {"num_steps": 300} for name, setting in sweeping.SETTINGS.items()}
EMPTY = 50


def measured(backend, cluster):
    """Print seconds: of the start with a first sweep, of 24 runs, and of runs that do nothing. Returns the results."""
    times, options = [time.perf_counter()], {"n_jobs": there.WORKERS, "progress": False}
    with cluster, joblib.parallel_config(backend=backend):
        mg.experiments.sweep(sweeping.nothing, {"a": {}}, range(4), **options)
        times.append(time.perf_counter())
        record = mg.experiments.sweep(sweeping.short_run, SETTINGS, sweeping.SEEDS, **options)
        times.append(time.perf_counter())
        mg.experiments.sweep(sweeping.nothing, {"a": {}}, range(EMPTY), **options)
        times.append(time.perf_counter())
    first, short, empty = np.diff(times)
    held = max(max(each) for each in record["peak_memory_gb"].values())
    print(f"{backend:8}{first:8.1f} s to start {short:8.1f} s for 24 runs "
          f"{empty:8.2f} s for {EMPTY} that do nothing {held:6.2f} GB in a worker", flush=True)  # fmt: skip
    return record["results"]


if __name__ == "__main__":
    name = sys.argv[1]
    print(", ".join(f"{package} {version(package)}" for package in ("joblib", name)))
    here = measured("loky", contextlib.nullcontext())
    assert measured(name, there.CLUSTERS[name]()) == here, "the runs are not the same runs"
    get_reusable_executor().shutdown()
