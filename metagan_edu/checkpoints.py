"""The files of a run: its newest checkpoints, written whole or not at all, checked when read, in a folder of its own.

A checkpoint is one safetensors file ``step-XXXXXXXXX.safetensors``. Its words hold a digest of all that it says, so
that a file that was cut short or altered is recognized, and the name of its run. The newest two are kept.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from . import files

KEPT = 2
LOCK = ".run.lock"


def check_writable(folder: Any) -> None:
    """Make ``folder``, and see before a long run begins that it can be written; otherwise ``ValueError``."""
    probe = pathlib.Path(folder) / f".writable-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        files.replace(probe, b"")
        probe.unlink()
    except OSError as error:
        raise ValueError(f"{folder} cannot be written ({error.strerror}); name a folder that can.") from error


@contextlib.contextmanager
def locked(folder: Any) -> Iterator[None]:
    """Inside, no other run of any process may keep its files in ``folder``; ``ValueError`` where one does.

    The lock is the operating system's, so that it is gone with the process that held it, however that ended.
    """
    path = pathlib.Path(folder) / LOCK
    handle = _opened(path)
    if handle is None:
        raise ValueError(f"another run is using {folder} right now; wait for its end, or name another folder.")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(handle)


def _opened(path):
    """The descriptor of the locked file, or ``None`` where another has it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(handle)
        except OSError:
            os.close(handle)
            return None
        try:
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        except FileNotFoundError:  # its holder removed it while we waited for it: that lock is nobody's
            pass
        os.close(handle)


def _lock(handle):
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def steps(folder: Any) -> list[tuple[int, pathlib.Path]]:
    """The checkpoints in ``folder``: a list of ``(step, path)``, oldest first."""
    found = {path: path.stem.removeprefix("step-") for path in pathlib.Path(folder).glob("step-*.safetensors")}
    return sorted((int(step), path) for path, step in found.items() if step.isdecimal())


def save(folder: Any, step: int, arrays: Mapping[str, Any], words: Mapping[str, str]) -> None:
    """Write the checkpoint of ``step`` and remove all but the newest :data:`KEPT`, and what killed writers left."""
    path = pathlib.Path(folder) / f"step-{step:09d}.safetensors"
    files.write_arrays(path, arrays, words)
    for _, old in steps(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    for part in pathlib.Path(folder).glob(".step-*.safetensors.*.part"):
        part.unlink(missing_ok=True)


def latest(folder: Any) -> tuple[dict, dict] | None:
    """``(arrays, words)`` of the newest intact checkpoint, or ``None`` where there is none at all.

    A damaged one is named in a warning; ``ValueError`` where none is intact, or where they are of two runs.
    """
    found, damaged = [], []
    for _, path in reversed(steps(folder)):
        try:
            found.append(files.read_arrays(path))
        except ValueError as error:
            damaged.append(str(error))
    if damaged and not found:
        raise ValueError(f"{damaged[0]} There is no intact checkpoint beside it: delete what is there to begin anew.")
    for text in damaged:
        warnings.warn(f"{text} The checkpoint before it is used.", stacklevel=5)
    if len({words.get("run") for _, words in found}) > 1:
        raise ValueError(f"{folder} holds checkpoints of two runs; keep those of one, and move the others away.")
    return found[0] if found else None
