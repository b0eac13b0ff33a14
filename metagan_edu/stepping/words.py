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
        return f"{begun}: D's loss is {now.look.losses.disc:.3f}, G's {now.look.losses.gen:.3f}; {_where(model)}."
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
    if f"{before:.3f}" == f"{after:.3f}":
        return f"stayed at {after:.3f}"
    return f"{'fell' if after < before else 'rose'} from {before:.3f} to {after:.3f}"


def _where(model):
    look = model.now.look
    if model.setting.choices.data in TWO_NUMBERS:
        gen, disc = look.place
        return f"the point ({gen:.2f}, {disc:.2f}) is {look.measure[0]:.3f} from the equilibrium" + _nearer(model)
    pull, (met, near) = np.linalg.norm(look.snapshot.pull, axis=1).mean(), look.measure
    return (
        f"D pulls a generated point by {pull:.3f} on average; {met:.0f} of {len(model.setting.mixture.centers)} clumps "
        f"{'is' if met == 1 else 'are'} met, and {near:.0%} of the points lie in a clump"
    )


def _nearer(model):
    if not model.past:
        return ""
    change = model.now.look.measure[0] - model.past[-1].look.measure[0]
    if f"{abs(change):.3f}" == "0.000":
        return ", as before"
    return f", {abs(change):.3f} {'farther than' if change > 0 else 'nearer than'} before"
