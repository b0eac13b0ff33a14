"""What runs beside a submission: its cells in order, in a shell of IPython, and ``asked()`` of each test.

This file is copied into the sandbox and started there by its path. It imports nothing of the package, since a notebook
says itself what it needs. It leaves, in ``results``: ``progress``, the number of the cell that runs; for each test the
values of ``asked()`` as one safetensors file, with nothing pickled; and what a cell said where it stopped.
"""

from __future__ import annotations

import contextlib
import json
import linecache
import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors.numpy import save

RESULTS, JOB, PROGRESS = "results", "job.json", "progress"
LONGEST = 600  # characters of what is said


def pack(values: Any) -> bytes:
    """A dict of numbers, arrays and strings as the bytes of a safetensors file, strings as its metadata.

    Raises ``ValueError``, in a sentence for the student, where a value is none of these.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"asked() must return a dict, not {type(values).__name__}.")
    strings = {str(name): str(value) for name, value in values.items() if isinstance(value, str)}
    arrays = {str(name): _array(name, value) for name, value in values.items() if not isinstance(value, str)}
    return save(arrays, strings)


def _array(name, value):
    if value is None or value is ...:
        raise ValueError(f"{name} is {value}: nothing was returned or assigned.")
    try:
        array = np.array(value, order="C")
    except Exception as error:  # whatever a student's object raises
        raise ValueError(f"{name} is no array ({type(error).__name__}).") from error
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise ValueError(f"{name} is {type(value).__name__} of {array.dtype}: it must be numbers, or a string.")
    return array


def said(error: BaseException) -> str:
    """What a student reads of an error, in one line."""
    if isinstance(error, NotImplementedError):
        return "not answered yet."
    words = " ".join(str(error).split())
    return (
        words[:LONGEST]
        if type(error) is ValueError and "asked" in words
        else f"{type(error).__name__}: {words}"[:LONGEST]
    )


def telling(shown: BaseException | None, error: BaseException) -> BaseException:
    """Which says more: the error at which the shown part of a test stopped, if it did, or that of ``asked()``."""
    return shown if isinstance(shown, AssertionError) else error


def asked(source: str, namespace: Mapping[str, Any], file: str) -> Any:
    """What a test's ``asked()`` returns, in a copy of the notebook's names."""
    names = dict(namespace)
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)  # where AutoGraph looks
    exec(compile(source, file, "exec"), names)
    return names["asked"]()


def main() -> None:
    """Play the job that lies in the current folder."""
    with open(JOB, encoding="utf-8") as file:
        job = json.load(file)
    results = os.path.abspath(RESULTS)
    _limit(job["limits"])
    shell = _shell()
    for number, cell in enumerate(job["cells"]):
        if number in job["skip"]:
            continue
        _write(results, PROGRESS, str(number).encode())
        problem = _run(shell, cell["run"])
        if cell["ask"] is not None:
            shown, problem = problem, None
            try:
                content = pack(asked(cell["ask"], shell.user_ns, f"<test {number}>"))
                if len(content) > job["limits"]["result"]:
                    raise ValueError(f"asked() returned {len(content) / 1e6:.0f} MB, more than a result may have.")
                _write(results, f"{number}.safetensors", content)
            except BaseException as error:
                problem = telling(shown, error)
        if problem is not None:
            _write(results, f"{number}.said", said(problem).encode("utf-8", "replace"))
    _write(results, PROGRESS, b"done")
    sys.stdout.flush()
    os._exit(0)  # whatever threads and exit handlers the notebook left


def _limit(limits):
    import resource

    wanted = {
        resource.RLIMIT_FSIZE: limits["file"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: limits["cpu"],  # should nobody watch any more
        resource.RLIMIT_NPROC: limits["processes"],
        resource.RLIMIT_NOFILE: limits["open"],
    }
    for what, most in wanted.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def _shell():
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    shell = InteractiveShell.instance(config=config)
    sys.modules["__main__"].__dict__.setdefault("__builtins__", __builtins__)
    return shell


def _run(shell, source):
    """Run one cell; the error that stopped it, or None."""
    result = shell.run_cell(source, store_history=False)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    return result.error_before_exec or result.error_in_exec


def _write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path + ".part", "wb") as file:
        file.write(content)
    os.replace(path + ".part", path)


if __name__ == "__main__":
    main()
