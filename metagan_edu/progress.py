"""Progress of a long run, in one line that leaves nothing behind: text on a terminal, a display in a notebook.

A notebook's widgets live in its kernel: one that is saved and opened again shows an error where they were. Here it is
plain text, which is emptied at the end.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

DELAY = 2.0  # seconds: what is done before then shows nothing
INTERVAL = 0.2  # seconds between two updates in a notebook, each of which is a message to the browser


@contextlib.contextmanager
def bar(total: int, *, initial: int = 0, disable: bool = False, unit: str = "step") -> Iterator[Any]:
    """Show how far a run of ``total`` is: ``with progress.bar(1000) as bar: bar.update(100, gen_loss=0.69)``.

    ``initial``: where a resumed run starts. ``update(n, **numbers)`` is called after every ``n`` more; the rate, the
    time that is left and the last given numbers are shown, from two seconds on, until the block is left in any way.
    """
    shown: Any
    if disable:
        shown = _Nothing()
    elif _in_kernel():
        shown = _Display(total, initial, unit)
    else:
        shown = _Terminal(total, initial, unit)
    try:
        yield shown
    finally:
        shown.close()


def _in_kernel():
    """Is there a notebook at the other end? Where there is one, IPython has been imported."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None


def _numbers(numbers):
    return ", ".join(f"{name} {float(value):.3g}" for name, value in numbers.items())


class _Nothing:
    def update(self, n, **numbers):
        pass

    def close(self):
        pass


class _Terminal:
    def __init__(self, total, initial, unit):
        self.bar = tqdm(total=total, initial=initial, delay=DELAY, leave=False, unit=unit, dynamic_ncols=True)

    def update(self, n, **numbers):
        self.bar.set_postfix_str(_numbers(numbers), refresh=False)
        self.bar.update(n)

    def close(self):
        self.bar.close()


class _Display:
    """One output of a cell, made when there is something to show and emptied by ``close``."""

    def __init__(self, total, initial, unit):
        self.total, self.done, self.unit = total, initial, unit
        self.began = self.written = time.monotonic()
        self.first = None  # when the first update came, and with how much: before it the program was compiled
        self.handle = None

    def update(self, n, **numbers):
        now = time.monotonic()
        self.done += n
        self.first = self.first or (now, self.done)
        if now - self.began >= DELAY and (self.handle is None or now - self.written >= INTERVAL):
            self.written = now
            self._show(self._line(now, numbers))

    def _line(self, now, numbers):
        at, done = self.first
        parts = [f"{self.done} of {self.total} {self.unit}s"]
        if self.done > done and now > at:
            rate = (self.done - done) / (now - at)
            parts += [f"{rate:.3g} per second", f"{_duration((self.total - self.done) / rate)} left"]
        return " · ".join([*parts, *([_numbers(numbers)] if numbers else [])])

    def _show(self, text):
        from IPython.display import display

        bundle = {"text/plain": text}
        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)

    def close(self):
        if self.handle is not None:
            self._show("")


def _duration(seconds):
    minutes, seconds = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
