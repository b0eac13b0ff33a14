"""What a notebook does with its reader: claims that are checked, predictions before a picture, and its profile."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

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


class Prediction(NamedTuple):
    """An answer that was committed to before the experiment; ``choice`` is ``None`` as long as there is none."""

    options: tuple
    choice: int | None

    def score(self, answer: int) -> None:
        """Print what is right (the number of an option, from 1), and whether that was predicted."""
        _option("answer", answer, self.options)
        said = "no prediction was made" if self.choice is None else f"you predicted {self.choice}"
        mark = "" if self.choice is None else (" – right" if self.choice == answer else " – not this time")
        print(f"It is {answer}: {self.options[answer - 1]} ({said}{mark})")


def _option(name, number, options):
    if number not in range(1, len(options) + 1):
        raise ValueError(f"{name} must be a number from 1 to {len(options)}, not {number!r}.")


def predict(question: str, *options: str, choice: int | None = None) -> Prediction:
    """Ask before you plot: print a question with numbered options; set ``choice`` to the number of yours.

    Returns a :class:`Prediction`, whose ``score`` says later who was right. ``ValueError`` for a choice that is no
    option.
    """
    if choice is not None:
        _option("choice", choice, options)
    print(question, *(f"  {i}. {option}" for i, option in enumerate(options, 1)), sep="\n")
    return Prediction(options, choice)
