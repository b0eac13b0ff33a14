"""What a turn is, and the checks that turns are made of: each takes an answer and returns one sentence, or None.

A sentence says what is missing, and never what the answer is. A check reads any answer, also a string, None, a wrong
shape or a function that raises.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Check = Callable[[Any], "str | None"]
OPEN = "..."  # what a check returns where a function is still to be written
NUMBER, CLOSE, EXACT, NEARLY = "a number", 1e-2, 1e-5, 4


class Turn(NamedTuple):
    """One thing to do: ``check(answer)`` is None where ``answer`` is right, else a sentence that says what is missing.

    ``ask``: what is asked, a phrase without a full stop; ``right``: what a right answer shows, one sentence;
    ``solution``: an answer that is right; ``wrong``: typical answers that are not, each with a phrase of its sentence.
    """

    ask: str
    check: Check
    right: str
    solution: Any
    wrong: tuple[tuple[Any, str], ...]


class _Odd(Exception):
    """An answer that is not of the kind that is asked for; its text is the sentence."""


def near(
    value: Any, *, otherwise: str, slips: Sequence[tuple[Any, str]] = (), logs: bool = False, within: float = CLOSE
) -> Check:
    """Whether an answer is ``value``, a number or an array, up to ``within`` times its largest entry.

    ``slips``: (wrong value, sentence) for mistakes that are typical here. A sign, a factor 2, a reciprocal, percent,
    exchanged axes, another order and, with ``logs``, a logarithm to base 2 or 10 are recognized by themselves; for any
    other value the sentence is ``otherwise``.
    """
    value = np.asarray(value, float)

    def check(answer):
        try:
            given = _numbers(answer)
        except _Odd as odd:
            return str(odd)
        if given.size == value.size == 1:
            given = given.reshape(value.shape)
        if given.shape == value.shape and _same(given, value, within):
            return None
        for slip, sentence in [*slips, *_usual(value, logs)]:
            slip = np.asarray(slip, float)
            if given.shape == slip.shape and _same(given, slip, within):
                return sentence
        if given.shape != value.shape:
            return f"it should have {_shape(value.shape)}, and has {_shape(given.shape)}."
        return "nearly: round less." if _same(given, value, NEARLY * within) else otherwise

    return check


def parts(**checks: Check) -> Check:
    """Whether an answer is a sequence of as many parts as ``checks``, each of which passes its own, in this order."""
    names = ", ".join(checks)

    def check(answer):
        try:
            several = list(answer)
        except Exception:
            return f"it should be {len(checks)} values: ({names})."
        if len(several) != len(checks):
            return f"it should be {len(checks)} values, ({names}), and has {len(several)}."
        found = [(name, check(part)) for (name, check), part in zip(checks.items(), several, strict=True)]
        return next((f"{name}: {sentence}" for name, sentence in found if sentence), None)

    return check


def option(right: str, **others: str) -> Check:
    """Whether an answer is the letter ``right``; ``others`` has a sentence for each other letter."""
    letters = sorted([right, *others])

    def check(answer):
        letter = answer.strip(" ().").lower() if isinstance(answer, str) else answer
        if not isinstance(letter, str) or letter not in letters:
            return f"it should be one of the letters {', '.join(repr(each) for each in letters)}."
        return others.get(letter)

    return check


def computes(
    reference: Callable, draw: Callable, *, otherwise: str, slips: Sequence[tuple[Callable, str]] = (), draws: int = 3
) -> Check:
    """Whether an answer is a function that agrees with ``reference`` on ``draws`` random arguments, ``draw(rng)``.

    ``slips``: (wrong function, sentence). Values are held against each other as in :func:`near`, to ``1e-5``.
    """

    def check(answer):
        if not callable(answer):
            return f"a function is asked for, not {_kind(answer)}."
        for seed in range(draws):
            args = draw(np.random.default_rng(seed))
            try:
                given = answer(*(np.copy(a) if isinstance(a, np.ndarray) else a for a in args))
            except Exception as error:
                return f"the function raises {type(error).__name__}: {_short(error)}."
            if is_open(given):
                return OPEN
            if given is None:
                return "the function returns None: does it end with `return`?"
            compared = [(slip(*args), sentence) for slip, sentence in slips]
            sentence = near(reference(*args), otherwise=otherwise, slips=compared, within=EXACT)(given)
            if sentence:
                return sentence
        return None

    return check


def is_open(answer: Any) -> bool:
    """Whether an answer is still ``...``, or has a part that is."""
    return answer is ... or (isinstance(answer, (list, tuple)) and any(is_open(part) for part in answer))


def missing(turn: Turn, answer: Any) -> str | None:
    """The one sentence of ``turn`` on ``answer``; None where it is right, ``OPEN`` where nothing was filled in."""
    if is_open(answer):
        return OPEN
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # of the reader's own function, on arguments that it did not choose
            return turn.check(answer)
    except Exception as error:  # an answer's own methods may raise anything, and a notebook must run on
        return f"the answer cannot be read ({type(error).__name__}: {_short(error)})."


def _numbers(answer):
    if answer is None or callable(answer) or isinstance(answer, (str, bytes, bool)):
        raise _Odd(f"{NUMBER} is asked for, not {_kind(answer)}.")
    try:
        array = np.asarray(answer)
        if array.dtype.kind in "bSUmM":
            raise TypeError
        if array.dtype.kind == "c" and not np.any(array.imag):
            array = array.real
        array = array.astype(float, casting="unsafe" if array.dtype.kind in "OV" else "same_kind")
    except Exception:
        raise _Odd(f"{NUMBER} is asked for, not {_kind(answer)}.") from None
    if not np.isfinite(array).all():
        raise _Odd("it is not finite.")
    return array


def _same(given, value, within):
    return bool(np.all(np.abs(given - value) <= within * max(np.max(np.abs(value), initial=0), 1e-9)))


def _usual(value, logs):
    """(wrong value, sentence) for the slips that are made everywhere."""
    slips = [(-value, "the sign is the other way round.")]
    if value.ndim == 2:
        slips += [(value.T, "its rows and columns are exchanged.")]
    if value.ndim == 1:
        slips += [(np.roll(value, shift), "these are the numbers, in another order.") for shift in range(1, value.size)]
    if logs:
        slips += [(value / math.log(base), f"take the natural logarithm, not that to base {base}.") for base in (2, 10)]
    slips += [(2 * value, "it is twice as large as it should be."), (value / 2, "it is half of what it should be.")]
    if value.ndim == 0 and value != 0:
        slips += [(1 / value, "it is upside down.")]
    return [*slips, (100 * value, "give it as a number, not in percent.")]


def _shape(shape):
    return f"the shape {shape}" if shape else "no axes"


def _kind(answer):
    if answer is None or isinstance(answer, bool):
        return str(answer)
    if isinstance(answer, (str, bytes)):
        return "a text"
    return "a function" if callable(answer) else f"a value of type {type(answer).__name__}"


def _short(error):
    return " ".join(str(error).split()).rstrip(".")[:100]
