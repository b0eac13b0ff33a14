"""What a notebook does with its reader: claims that are checked, and its profile."""

from __future__ import annotations

import os
from typing import Any

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


def _truth(name, value):
    """``value`` as a bool; ``ValueError`` for what is several truths, or none."""
    try:
        return bool(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the {name} of a claim is one truth value, not {value!r}; write .all() or .any().") from error
