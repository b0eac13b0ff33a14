"""What a notebook does with its reader: claims that are checked, a game to be played by hand, and its profile."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

PROFILES = ("laptop", "gpu")


def profile() -> str:
    """What ``METAGAN_PROFILE`` names: "laptop" (default) or "gpu" (full size). ``ValueError`` for another word."""
    name = os.environ.get("METAGAN_PROFILE", "laptop")
    if name not in PROFILES:
        raise ValueError(f"METAGAN_PROFILE is {name!r}; it must be 'laptop' or 'gpu'.")
    return name


def claim(text: str, verdict: Any, expected: Any = True) -> None:
    """Print one line that says whether a claim holds; ``AssertionError`` where that is not what the course expects.

    ``expected=False`` is for a lesson whose point is that something does *not* hold.
    """
    verdict, expected = (_truth(name, value) for name, value in (("verdict", verdict), ("expected", expected)))
    line = f"{'holds' if verdict else 'does not hold'}: {text}"
    print(line)
    if verdict is not expected:
        raise AssertionError(f"{line} (the course expects that it {'holds' if expected else 'does not hold'})")


def stepper(data: str = "dirac", **choices: Any) -> Any:
    """A game to be played by hand, with buttons and sliders; the last line of a cell shows it.

    ``data`` and ``choices`` are those of :class:`metagan_edu.stepping.Choices`, which the reader can change then. Where
    no kernel is, a picture stands in its place that plays some steps. Raises ``ValueError`` for choices that do not
    fit, and ``ModuleNotFoundError`` where ipywidgets is not installed.
    """
    from .stepping import chosen

    asked = chosen(data, **choices)
    try:
        from .stepping.controls import Stepper
    except ModuleNotFoundError as error:
        if error.name != "ipywidgets":
            raise
        raise ModuleNotFoundError(
            "the stepper needs ipywidgets: write %pip install ipywidgets, and start anew."
        ) from error
    return Stepper(asked)


def _truth(name, value):
    """``value`` as a bool; ``ValueError`` for several truths, and for what is none: a number, NaN, a text, a list."""
    truth = np.asarray(value)
    if truth.dtype != bool or truth.size != 1:
        raise ValueError(
            f"the {name} of a claim is one truth value, not {value!r}; compare, or write .all() or .any()."
        )
    return bool(truth.item())
