"""What is done while a run goes on, and how it may end: hooks, a stop, a divergence, an interrupt."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from . import checks

DEFAULT_EVERY = 100


class Hook(NamedTuple):
    """``measure(step, subject)``, called after every ``every`` steps with the players (in meta-training: theta).

    It returns a dict of numbers or arrays to be recorded, ``None``, or :data:`stop`.
    """

    every: int
    measure: Callable


class Stop:
    """What a hook returns to end the run with what it has: ``mg.stop``, or ``mg.stop({"score": 0.9})`` to record what
    it measured, too. A run that is resumed goes on until the hook stops it again."""

    def __init__(self, metrics: Any = None):
        self.metrics = metrics

    def __call__(self, metrics: dict[str, Any]) -> Stop:
        return Stop(metrics)

    def __repr__(self) -> str:
        return "mg.stop"


stop = Stop()


class Diverged(FloatingPointError):
    """Training met a value that is not finite. ``step``: the step at fault (from 0); ``result``: before that step."""

    def __init__(self, message: str, step: int, result: Any):
        super().__init__(message)
        self.step, self.result = step, result


class Interrupted(KeyboardInterrupt):
    """A run was stopped by Ctrl-C, the stop button or SIGTERM; ``result``: what it had. It has been saved, if it was
    given a folder."""

    def __init__(self, message: str, result: Any):
        super().__init__(message)
        self.result = result


def every(num_steps: int, measure: Callable) -> Hook:
    """A hook for :func:`~metagan_edu.train` that calls ``measure(step, players)`` after every ``num_steps`` steps."""
    if not callable(measure):
        raise ValueError(f"a hook measures by a function (step, players) -> dict, not {type(measure).__name__}.")
    return Hook(checks.whole("every", num_steps), measure)


def as_hooks(hooks: Any, num_steps: int) -> tuple[Hook, ...]:
    """One hook or several, functions among them, as a tuple of :class:`Hook`."""
    several = hooks if isinstance(hooks, (list, tuple)) and not isinstance(hooks, Hook) else [hooks]
    found = []
    for hook in several:
        if isinstance(hook, Hook):
            found.append(hook)
        elif callable(hook):
            found.append(every(min(DEFAULT_EVERY, num_steps), hook))
        else:
            raise ValueError(f"a hook is mg.every(num_steps, f) or a function f(step, players), not {hook!r}.")
    return tuple(found)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Inside, SIGTERM is an interrupt like Ctrl-C; a handler of the program's own is left in place."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def interrupt(number, frame):
        raise KeyboardInterrupt("SIGTERM")

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
