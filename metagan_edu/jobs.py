"""Runs in other processes: handed out by joblib, with their share of the cores, and what came of each."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import pathlib
import pickle
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator

import numpy as np

from . import checks, descriptions

WATCH = 0.2  # seconds between two looks at whether the process is still wanted


def peak_memory_gb() -> float:
    """The most memory that this process has held so far, in gigabytes of 1e9 bytes; NaN where the system cannot say."""
    with contextlib.suppress(OSError, StopIteration):  # Linux: its ru_maxrss is at least what the parent once held
        status = pathlib.Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * 1024 / 1e9
    try:
        import resource
    except ImportError:  # Windows
        return math.nan
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def count(n_jobs: int | None) -> int:
    """How many runs at a time: ``n_jobs``, or by default what joblib was configured to, or all that its backend has.

    Raises ``ValueError`` unless that is a whole number from 1 to what there is, and one that the backend keeps to.
    """
    import joblib
    from joblib.parallel import get_active_backend

    most, (backend, active) = joblib.effective_n_jobs(-1), get_active_backend()
    wanted = joblib.effective_n_jobs(-1 if active is None else active) if n_jobs is None else n_jobs
    if not checks.is_whole(wanted) or not 1 <= wanted <= most:
        raise ValueError(f"n_jobs must be a whole number from 1 to {most}, the cores or workers that there are, not "
                         f"{wanted!r}; leave it out for all of them.")  # fmt: skip
    if backend.effective_n_jobs(wanted) != wanted:
        raise ValueError(f"{type(backend).__name__} of joblib takes {most} runs at a time, as many as it has workers, "
                         f"not n_jobs={wanted}: leave it out, or start so many workers.")  # fmt: skip
    return int(wanted)


def sent(run: Callable, settings: dict[str, dict]) -> bytes:
    """The function and its settings as bytes, for other processes; ``ValueError`` where they cannot be sent."""
    import joblib

    try:
        return pickle.dumps(joblib.wrap_non_picklable_objects((run, settings), keep_wrapper=False))
    except Exception as error:  # whatever an object that is in the way raises
        why = f"{type(error).__name__}: {error}".rstrip(".")
        raise ValueError(f"{descriptions.name(run)} cannot be sent to another process ({why}); make what is in the way "
                         "inside the function.") from error  # fmt: skip


def outcomes(payload: bytes, todo: dict[str, tuple[str, int]], jobs: int) -> Iterator[tuple[str, dict]]:
    """(digest, outcome) of each run of ``todo`` (digest -> name of the setting, seed), as they end, ``jobs`` at a time.

    An outcome is ``{"result": what it returned, with what it spent}`` or ``{"error", "traceback"}``. A run that takes
    its process with it is found by its backend, or else by trying again, each alone, those that were under way.
    """
    import joblib
    from joblib.parallel import get_active_backend

    share, backend = _share(jobs), get_active_backend()[0]
    # A process that has grown is replaced by a fresh one, after its run: that is meant, and loses nothing.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)

    # Ray and joblib's "multiprocessing" give no run before all are done: they get as many at a time as they can do.
    one_by_one = getattr(backend, "supports_return_generator", False)
    how = {"return_as": "generator_unordered"} if one_by_one else {}

    def carried_out(digests, given):
        def calls(block):
            for digest in block:
                given.append(digest)
                yield joblib.delayed(_attempt)(digest, payload, *todo[digest], share)

        size = len(digests) if one_by_one else jobs
        with joblib.Parallel(n_jobs=jobs, batch_size=1, max_nbytes=None, **how) as workers:
            for first in range(0, len(digests), size):
                yield from workers(calls(digests[first : first + size]))

    left = dict.fromkeys(todo)
    with _told(backend):
        while left:
            given: list[str] = []
            try:
                for digest, outcome in carried_out(list(left), given):
                    del left[digest]
                    yield digest, outcome
            except Exception:  # a process died, and others with it: each run that was under way is tried alone
                if not given:
                    raise
                for digest in [digest for digest in given if digest in left]:
                    del left[digest]
                    try:
                        yield from carried_out([digest], [])
                    except Exception as error:
                        yield digest, _lost(error)


@contextlib.contextmanager
def _told(backend):
    """Inside, a run that ``backend`` gives up, as Dask does after four of its processes died, ends with that error; its
    joblib backend says nothing of it, and joblib would wait for ever."""
    submit = backend.submit

    def submitted(calls, callback):
        def end(task):
            if not task.cancelled() and task.exception() is not None:
                callback([(calls.items[0][1][0], _lost(task.exception()))])  # joblib itself was first where it knows

        task = submit(calls, callback)
        if hasattr(task, "add_done_callback"):
            task.add_done_callback(end)
        return task

    backend.submit = submitted
    try:
        yield
    finally:
        del backend.submit


def _lost(error):
    """The outcome of a run that did not come back."""
    lost = "the run was lost, as where its process dies or memory runs out"
    return {"error": f"{lost} ({type(error).__name__}).", "traceback": f"{lost}: {type(error).__name__}: {error}"}


def _share(jobs):
    """What a process for runs gets: threads, where nobody else has said how many; and the process that asks for them,
    with whether it is to end with that."""
    import joblib
    from joblib.parallel import get_active_backend

    own = isinstance(get_active_backend()[0], joblib.parallel.BACKENDS["loky"])
    return max(1, joblib.cpu_count() // jobs), os.getpid(), own


def _attempt(digest, payload, name, seed, share):
    """One run, wherever it is: its digest and what it returned, or its error."""
    began = time.perf_counter()
    try:
        _settle(*share)
        run, settings = _received(payload)
        result = _plain(run(seed=seed, **settings[name]), "what a run returns")
        if not isinstance(result, dict):
            raise ValueError(f"a run returns a dict of numbers, not {result!r}.")
    except Exception as error:
        return digest, {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
    spent = {"seconds": round(time.perf_counter() - began, 3), "peak_memory_gb": round(peak_memory_gb(), 3)}
    return digest, {"result": spent | result}


@functools.lru_cache(maxsize=2)
def _received(payload):
    """The function and its settings, the same objects for all runs of a process: what one compiled, the next has."""
    return pickle.loads(payload)


@functools.cache
def _settle(threads, asking, own):
    """Give TensorFlow so many threads, or as many as OMP_NUM_THREADS says, which joblib, Dask and Ray set, and no more
    of a GPU than it needs. Not where it has begun in this process, nor in the one that asks for the runs."""
    import tensorflow as tf

    if os.getpid() == asking:
        return
    if own:
        threading.Thread(target=_end_with, args=[asking], daemon=True).start()
    threads = int(os.environ.get("OMP_NUM_THREADS", threads))
    with contextlib.suppress(RuntimeError):
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def _end_with(parent):
    """End this process when its parent has ended, as it does where that is killed: nobody waits for its runs."""
    while os.getppid() == parent:
        time.sleep(WATCH)
    os._exit(1)


def _plain(value, where):
    """``value`` with Python's own numbers, lists and dicts; ``ValueError`` where something in it is none of them."""
    if isinstance(value, dict):
        return {str(key): _plain(item, f"the metric {key!r}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, where) for item in value]
    if isinstance(value, (bool, int, float)):
        return value
    try:
        array = np.asarray(value)
        if array.dtype.kind in "fiub":
            return array.tolist()
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{where} is {value!r}; it must be a number.")
