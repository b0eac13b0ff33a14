"""The grader's own process for what is judged: the course's code on plain values, stopped where it takes too long."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import signal
import time
from collections.abc import Mapping
from typing import Any

import psutil

from . import judging, variants
from .source import Assignment, Cell

STARTS = 600.0  # seconds in which the process, with TensorFlow, is there and has run a set-up, on a busy machine
STOPPED = "could not be compared: {}."


class Judge:
    """A process that judges; a fresh one where it had to be stopped. Close it, or use it in ``with``.

    ``seconds`` and ``memory`` (bytes) are the limits of one verdict.
    """

    def __init__(self, seconds: float, memory: float) -> None:
        self.seconds, self.memory = seconds, memory
        self._process: Any = None
        self._pipe: Any = None

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = None

    def variant(self, assignment: Assignment, seeds: variants.Seeds) -> str:
        """The student's variant as literals; ``ValueError`` where the source's variant cannot be written so."""
        kind, found = self._ask(STARTS, "variant", _light(assignment), seeds)
        if kind == "error":
            raise ValueError(found)
        return found

    def judge(
        self, assignment: Assignment, seeds: variants.Seeds, test: Cell, seed: int, values: Mapping[str, Any]
    ) -> judging.Verdict:
        """The verdict of ``test`` on what a submission returned."""
        try:
            kind, found = self._ask(self.seconds, "judge", _light(assignment), seeds, test, seed, values)
        except ValueError as error:
            return judging.Verdict(0, str(error))
        return found if kind == "found" else judging.Verdict(0, STOPPED.format(found))

    def _ask(self, seconds, *request):
        """The answer to a request; the set-up and the variant, the same for all of a student's tests, do not count."""
        if self._process is None:
            self._start()
        try:
            self._pipe.send(request)
            self._received(STARTS)
            return self._received(seconds)
        except (EOFError, OSError, TimeoutError) as error:
            self.close()
            why = str(error) if isinstance(error, TimeoutError) else "the grader's own process ended"
            raise ValueError(STOPPED.format(why)) from error

    def _start(self):
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def _received(self, seconds):
        """What comes next through the pipe, within the limits."""
        ends = time.monotonic() + seconds
        while not self._pipe.poll(0.1):
            if time.monotonic() > ends:
                raise TimeoutError(f"it took longer than {seconds:g} s")
            with contextlib.suppress(psutil.Error):
                if psutil.Process(self._process.pid).memory_info().rss > self.memory:
                    raise TimeoutError(f"it needed more than {self.memory / 1e9:g} GB of memory")
        return self._pipe.recv()


def _light(assignment):
    """Without the notebook's outputs."""
    return assignment._replace(notebook=None)


def _serve(pipe):
    """In the process: answer requests, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the process that asks
    while True:
        try:
            what, assignment, seeds, *rest = pipe.recv()
        except EOFError:
            return
        try:
            names = _background(assignment, seeds)
        except Exception as error:
            names = error
        pipe.send("ready")
        pipe.send(_answer(what, assignment, seeds, rest, names))


@functools.lru_cache(maxsize=1)
def _background(assignment, seeds):
    """The names of one student's assignment: the last one's are kept for that one's next test."""
    return judging.background(assignment, seeds)


def _answer(what, assignment, seeds, rest, names):
    try:
        if isinstance(names, Exception):
            raise names
        if what == "variant":
            return "found", variants.literals(assignment, seeds.variant)
        return "found", judging.judge(*rest, names)
    except Exception as error:
        return "error", judging.told(error)
