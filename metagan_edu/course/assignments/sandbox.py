"""Run a submission and watch it: seconds, resident memory, processes, disk and output; nothing of it is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from . import child, isolation, results

TOKEN = "METAGAN_EDU_SUBMISSION"  # in the environment of all that a submission starts
LOOK = 0.1  # seconds between two looks
STEP = 65536  # bytes read at once
OPEN = 4096  # files of one process: each holds memory of the kernel, which no process is charged with
RERUNS = 3  # without the cells that had to be stopped


class Limits(NamedTuple):
    """Seconds of a cell and of all, bytes of memory, of disk, of results and of kept output, processes and threads."""

    cell: float = 120.0
    whole: float = 600.0
    memory: float = 4e9
    disk: float = 5e8
    result: int = 64_000_000
    output: int = 20_000
    processes: int = 400


class Step(NamedTuple):
    """A cell to run: its id (or what it is, for the student's own), its code, and for a test what defines ``asked``."""

    name: str
    run: str
    ask: str | None = None


class Ran(NamedTuple):
    """What came of a submission: for each step its values, or the sentence why there are none; its output's end; and
    which steps broke a limit."""

    values: dict[int, dict[str, Any]]
    said: dict[int, str]
    output: str
    remarks: tuple[str, ...]
    stopped: frozenset[int]


def run(steps: Sequence[Step], limits: Limits, *, kind: str, hidden: Iterable[Path] = (), threads: int = 1) -> Ran:
    """Run ``steps`` in a fresh process of its own, isolated by ``kind`` (``isolation``), without sight of ``hidden``.

    A cell that takes too long, or takes the process with it, is left out when all others are run again, at most
    ``RERUNS`` times and within the limit of the whole.
    """
    ends = time.monotonic() + limits.whole
    asked = {number for number, step in enumerate(steps) if step.ask is not None}
    stopped: dict[int, str] = {}
    while True:
        folder = Path(tempfile.mkdtemp(prefix="submission-"))
        try:
            why, number, output = _once(folder, steps, stopped, limits, ends, (kind, list(hidden), threads))
            found = results.read(folder / "work" / child.RESULTS, len(steps), asked, limits.result)
        finally:
            _remove(folder)
        if why and number is not None:
            stopped[number] = why
        if not why or number is None or len(stopped) > RERUNS or time.monotonic() >= ends:
            break
    names = [f"{steps[number].name}: {sentence}" for number, sentence in stopped.items()]
    remarks = tuple(names if number is not None or not why else [*names, why])
    return Ran(found.values, found.said | stopped, output, remarks, frozenset(stopped))


def _once(folder, steps, skip, limits, ends, how):
    """One run: why it had to be stopped (empty where it was not), in which cell, and the end of its output."""
    kind, hidden, threads = how
    isolation.prepare(folder)
    work = folder / "work"
    shutil.copyfile(child.__file__, work / "child.py")
    file, processes = min(limits.disk, 1e9), limits.processes + _threads_now()
    job = {
        "cells": [{"run": step.run, "ask": step.ask} for step in steps],
        "skip": list(skip),
        "limits": {
            "file": int(file),
            "processes": processes,
            "result": limits.result,
            "cpu": int(4 * limits.whole * threads) + 60,
            "open": OPEN,
        },
    }
    (work / child.JOB).write_text(json.dumps(job), encoding="utf-8")
    token, inside = secrets.token_hex(16), isolation.inside(kind, folder)
    argv = isolation.command(kind, folder, hidden, [sys.executable, "-B", str(inside / "child.py")])
    process = subprocess.Popen(
        argv,
        cwd=work,
        env=_environment(inside, token, threads),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        watch = _Watch(process, work, len(steps), limits, ends)
        while process.poll() is None and not watch.why:
            watch.look()
        return watch.ended()
    finally:
        _kill(process, token)


class _Watch:
    """Looks at a running submission until it ends or breaks a limit."""

    def __init__(self, process, work, cells, limits, ends):
        self.process, self.work, self.cells, self.limits, self.ends = process, work, cells, limits, ends
        self.why, self.progress, self.since, self.next = "", "", time.monotonic(), 0.0
        self.kept, self.open = bytearray(), True
        os.set_blocking(process.stdout.fileno(), False)

    def look(self):
        self._read()
        now = time.monotonic()
        if now < self.next:
            return
        progress = results.progress(self.work / child.RESULTS, self.cells)
        if progress != self.progress:
            self.progress, self.since = progress, now
        self.why = self._broken(now)
        self.next = time.monotonic() + LOOK

    def _broken(self, now):
        limits = self.limits
        if now > self.ends:
            return f"stopped: the notebook took longer than {limits.whole:g} s."
        if self._cell() is not None and now - self.since > limits.cell:
            return f"stopped: it took longer than {limits.cell:g} s."
        family = _family(self.process.pid)
        if len(family) > limits.processes:
            return f"stopped: it started more than {limits.processes} processes."
        if sum(_resident(one) for one in family) > limits.memory:
            return f"stopped: it needed more than {limits.memory / 1e9:g} GB of memory."
        if _size(self.work, limits.disk) + _unnamed(family) > limits.disk:
            return f"stopped: it wrote more than {limits.disk / 1e9:g} GB to disk."
        return ""

    def _cell(self):
        return int(self.progress) if self.progress.isdigit() else None

    def _read(self, wait=LOOK):
        """Take what was printed, and keep its end; wait a little where there is nothing. False where none is left."""
        if not self.open:
            time.sleep(wait)
            return False
        ready, _, _ = select.select([self.process.stdout], [], [], wait)
        if not ready:
            return False
        piece = os.read(self.process.stdout.fileno(), STEP)
        self.open = bool(piece)
        self.kept += piece
        del self.kept[: -self.limits.output]
        return self.open

    def ended(self):
        for _ in range(self.limits.output // STEP + 2):  # what lies in the pipe
            if not self._read(wait=0):
                break
        self.progress = results.progress(self.work / child.RESULTS, self.cells)
        why, cell = self.why, self._cell()
        if not why and self.progress != "done":
            why = (
                "stopped: it ended the process that ran it."
                if cell is not None
                else "the notebook could not be started."
            )
        return why, cell, self.kept.decode("utf-8", "replace")


def _environment(inside, token, threads):
    home = str(inside / "home")
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {
        "PATH": f"{os.path.dirname(sys.executable)}:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": home, "IPYTHONDIR": home, "MPLCONFIGDIR": home, "XDG_CACHE_HOME": home, "KERAS_HOME": home,
        "TMPDIR": str(inside / "tmp"), "LANG": "C.UTF-8", "USER": "student", "MPLBACKEND": "Agg",
        "PYTHONPATH": str(Path(isolation.package()).parent), "PYTHONHASHSEED": "0", "TF_CPP_MIN_LOG_LEVEL": "2",
        "CUDA_VISIBLE_DEVICES": "", TOKEN: token,
        **dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), str(threads)),
    }  # fmt: skip


def _threads_now():
    """Threads of this user: the system's limit counts them together."""
    total = 0
    for one in psutil.process_iter(["uids", "num_threads"]):
        if one.info["uids"] and one.info["uids"].real == os.getuid():
            total += one.info["num_threads"] or 0
    return total


def _family(pid):
    with contextlib.suppress(psutil.Error):
        whole = psutil.Process(pid)
        return [whole, *whole.children(recursive=True)]
    return []


def _resident(process):
    with contextlib.suppress(psutil.Error):
        return process.memory_info().rss
    return 0


def _size(folder, most):
    """Bytes on disk below a folder, as far as ``most``; no link is followed.

    A folder that is closed, or too deep to be looked into, counts as infinite, so that nothing is hidden there.
    """
    total, folders = 0, [folder]
    while folders and total <= most:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                        status = entry.stat(follow_symlinks=False)
                        total += max(status.st_blocks * 512, 1024)  # many empty files fill a disk, too
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return float("inf")
    return total


def _unnamed(family):
    """Bytes of files without a name that processes hold open: deleted ones, and those that lie in memory (Linux)."""
    found = {}
    for one in family:
        with contextlib.suppress(OSError), os.scandir(f"/proc/{one.pid}/fd") as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    status = entry.stat()
                    if stat.S_ISREG(status.st_mode) and not status.st_nlink:
                        found[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(found.values())


def _kill(process, token):
    """End all that the submission started: its tree, its session, and whatever carries its token."""
    for _ in range(20):
        alive = {one.pid: one for one in (*_family(process.pid), *_carrying(token))}
        if process.poll() is not None:
            alive.pop(process.pid, None)
        if not any(_is_alive(one) for one in alive.values()):
            break
        for one in alive.values():
            with contextlib.suppress(psutil.Error):
                one.send_signal(signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK)
    process.stdout.close()
    process.wait()


def _carrying(token):
    for one in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.Error):
            if one.environ().get(TOKEN) == token:
                yield one


def _is_alive(process):
    with contextlib.suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def _remove(folder):
    """Remove a folder, however deep it is (Python's own way recurses) and whatever it forbids; no link is followed."""
    for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        subprocess.run([*command, "--", str(folder)], stderr=subprocess.DEVNULL, check=False)
