"""Functions that the tests of sweeps run; and a sweep that is killed again and again.

``python swept.py FOLDER JOBS KILLS`` imports TensorFlow without using it and forks: each child carries on the sweep in
FOLDER and is killed at a random moment after its first new run; the last one is left to finish. The functions are those
of ``__main__`` there, as in a notebook.
"""

import os
import pathlib
import random
import signal
import sys
import threading
import time

import numpy as np
from joblib.externals.loky import get_reusable_executor

import metagan_edu as mg

FACTOR = 2.0


def scaled(x):
    return FACTOR * x


def product(seed, x, log=None, wait=0.0):
    """Leaves a file in ``log`` for each time that it is called."""
    if log is not None:
        (pathlib.Path(log) / f"{x} {seed} {time.time_ns()}").touch()
    time.sleep(wait)
    return {"y": scaled(x) + seed, "pid": os.getpid()}


def unless_there(seed, x, log):
    """Fails from odd seeds while there is a file ``broken``."""
    if (pathlib.Path(log) / "broken").exists() and seed % 2:
        raise ArithmeticError(f"there is no {x}")
    return product(seed, x, log)


def dies(seed, x):
    """Takes its process with it from one of its seeds."""
    if seed == x:
        os._exit(9)
    return {"y": seed}


def returns(seed, what):
    values = {
        "a list": [1], "words": {"y": "many"}, "nothing": None, "numbers": {"nan": float("nan"), "inf": -float("inf")},
        "arrays": {"a": np.arange(3), "b": {"c": [1.5, (2,)]}},
        "by seed": {f"y{seed}": 1}, "own seconds": {"seconds": 7, "gradients": 3.0, "y": 1},
    }  # fmt: skip
    return values[what]


def threads(seed):
    """How many threads TensorFlow and the libraries under NumPy have, and where."""
    import tensorflow as tf

    tf.constant(1.0)
    limits = tf.config.threading
    return {
        "intra": limits.get_intra_op_parallelism_threads(), "inter": limits.get_inter_op_parallelism_threads(),
        "openmp": int(os.environ.get("OMP_NUM_THREADS", 0)), "pid": os.getpid(),
    }  # fmt: skip


def trained(seed, lr):
    """Two steps of the Dirac game."""
    sgd = mg.optimizers.sgd(lr)
    game, rule = mg.games.dirac(), mg.rules.simultaneous(sgd, sgd)
    result = mg.train(game, rule, mg.games.no_data, num_steps=2, seed=seed, progress=False)
    return {"gen": result.players.gen.params, **mg.experiments.costs(result.history)}


def apply(seed, function, x):
    return {"y": function(x)}


def anything(seed, **arguments):
    return {"y": seed}


LOCK = threading.Lock()


def locking(seed):
    with LOCK:
        return {"y": seed}


def closing_over(factor):
    def closure(seed):
        return {"y": factor * seed}

    return closure


def child(folder, jobs, kill_after=None):
    """Fork a child that carries the sweep on; kill it so many seconds after its first new run. Returns its status."""
    before = set((folder / "kept").glob("*.json"))
    pid = os.fork()
    if pid == 0:
        seeds, setting = range(60), {"x": 1.0, "log": str(folder / "log"), "wait": 0.05}
        mg.experiments.sweep(product, {"one": setting}, seeds, folder=folder / "kept", n_jobs=jobs, progress=False)
        get_reusable_executor().shutdown()
        os._exit(0)
    if kill_after is not None:
        while len(set((folder / "kept").glob("*.json")) - before) < 1 and os.waitpid(pid, os.WNOHANG) == (0, 0):
            time.sleep(0.005)
        time.sleep(kill_after)
        os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


if __name__ == "__main__":
    folder, jobs, kills = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    (folder / "log").mkdir()
    moments = random.Random(0)
    print("killed", sum(child(folder, jobs, moments.uniform(0, 0.3)) == signal.SIGKILL for _ in range(kills)))
    sys.exit(child(folder, jobs))
