"""One sentence on what just happened, made of what was measured."""

from __future__ import annotations

import numpy as np

from .choices import TWO_NUMBERS
from .model import Model

NAMES = {"disc": "D", "gen": "G"}


def sentence(model: Model) -> str:
    """What the last call of :meth:`~metagan_edu.stepping.Model.step` did: who moved, what became of its loss, where the
    points are pulled. Losses are on one batch that stays the same, so that they can be compared."""
    now = model.now
    if not now.sound:
        return f"After step {now.step} a number is no longer finite: the step was not taken. Lower a rate, or go back."
    if not model.past:
        begun = "The start" if now.step == 0 else f"Step {now.step}, the first that is kept"
        losses = now.look.losses
        return f"{begun}: D's loss is {_number(losses.disc)}, G's {_number(losses.gen)}; {_where(model)}."
    taken = now.step - model.past[-1].step
    steps = f"Step {now.step}" if taken == 1 else f"Steps {now.step - taken + 1} to {now.step}"
    return f"{steps}: {_moved(model)}; {_where(model)}."


def _moved(model):
    before, after = model.past[-1].look.losses, model.now.look.losses
    change = {who: _change(getattr(before, who), getattr(after, who)) for who in NAMES}
    if model.now.who == "both":
        return f"both moved; D's loss {change['disc']}, and G's {change['gen']}"
    who = model.now.who
    other = "gen" if who == "disc" else "disc"
    return f"{NAMES[who]} moved, and its loss {change[who]} (that of {NAMES[other]}, held, {change[other]})"


def _change(before, after):
    said = _number(before), _number(after)
    if said[0] == said[1]:
        return f"stayed at {said[1]}"
    return f"{'fell' if after < before else 'rose'} from {said[0]} to {said[1]}"


def _where(model):
    look = model.now.look
    if model.setting.choices.data in TWO_NUMBERS:
        gen, disc = look.place
        at = f"({_number(gen, 2)}, {_number(disc, 2)})"
        return f"the point {at} is {_number(look.measure[0])} from the equilibrium" + _nearer(model)
    pull, (met, near) = np.linalg.norm(look.snapshot.pull, axis=1).mean(), look.measure
    count = len(model.setting.mixture.centers)
    return (
        f"D pulls a generated point by {_number(pull)} on average; {met:.0f} of {count} clumps "
        f"{'is' if met == 1 else 'are'} met, and {near:.0%} of the points lie in a clump"
    )


def _nearer(model):
    if not model.past:
        return ""
    change = model.now.look.measure[0] - model.past[-1].look.measure[0]
    if _number(change) == _number(0):
        return ", as before"
    return f", {_number(abs(change))} {'farther than' if change > 0 else 'nearer than'} before"


def _number(value, places=3):
    """The value with so many places, a large one by its power of ten; never "-0.000"."""
    return f"{value:.3g}" if abs(value) >= 1e5 else f"{round(float(value), places) + 0.0:.{places}f}"
