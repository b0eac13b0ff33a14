"""The game under way, as values: every step gives another model, and the one before is still there to go back to."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from .. import checks, seeds, training, trees
from ..games import Hyper, Players
from . import choices as chosen
from . import looks
from .choices import Choices, Setting

MOVERS = ("disc", "gen", "both")
KEPT = 200  # moments that can be gone back to: of a shape one takes some 60 kB


class Moment(NamedTuple):
    """``step``: steps of the rule so far; ``who``: who moved to get here ("" at the start); ``state``: the rule's;
    ``look``: what can be seen; ``sound``: whether the last step's numbers were finite (else it was not taken)."""

    step: int
    who: str
    state: Any
    look: looks.Look
    sound: bool = True


class Model(NamedTuple):
    """``setting``: what is played; ``past``: the last moments before ``now``; ``curves``: for every moment from the
    start its step, both losses and what :mod:`~metagan_edu.stepping.looks` measures, a tuple of rows."""

    setting: Setting
    past: tuple[Moment, ...]
    now: Moment
    curves: tuple[tuple[float, ...], ...]

    def step(self, who: str = "both", count: int = 1) -> Model:
        """The model after ``count`` steps (1 to 100) in which ``who`` moves: "disc", "gen" or "both".

        The steps of "both" are those of :func:`metagan_edu.train`, to the last bit. Of one player alone: the same step
        with the other held. Where a number is not finite any more, the model stays before that step and says so.
        """
        checks.one_of("who", who, MOVERS)
        if checks.whole("count", count) > training.STEPS_PER_CALL:
            raise ValueError(f"at most {training.STEPS_PER_CALL} steps at a time, not {count}.")
        setting, before = self.setting, self.now
        state, done = _advanced(setting, before, who, count)
        if not done:
            return self._replace(now=before._replace(sound=False))
        now = Moment(before.step + done, who, state, looks.look(setting, setting.rule.view(state)), done == count)
        return Model(setting, (*self.past, before)[-KEPT:], now, (*self.curves, looks.row(now.step, now.look)))

    def back(self) -> Model:
        """The model before the last call of :meth:`step`; at the start, and ``KEPT`` calls back, as it is."""
        if not self.past:
            return self
        return self._replace(past=self.past[:-1], now=self.past[-1], curves=self.curves[:-1])

    def reset(self) -> Model:
        """The model at the start of its game."""
        return begin(self.setting.choices)

    @property
    def history(self) -> np.ndarray:
        """The curves as an array (moments, columns)."""
        return np.array(self.curves)


def begin(choices: Choices) -> Model:
    """The model of these choices before the first step; ``ValueError`` for choices that do not fit."""
    setting = chosen.setting(choices)
    state = setting.rule.init(setting.game, setting.players)
    now = Moment(0, "", state, looks.look(setting, setting.rule.view(state)))
    return Model(setting, (), now, (looks.row(0, now.look),))


def _advanced(setting, before, who, count):
    """The rule's state after up to ``count`` steps, and how many were finite, by the loop of ``mg.train``.

    A player that is held keeps all that is its own in the rule's state. Where the players move in turns its rate is 0,
    too, so that the other answers it as it stands; several steps of one player are taken one by one.
    """
    loop = training.compiled(training.playing(setting.game, setting.rule, setting.batches))
    noise = seeds.fold_in(seeds.make(setting.choices.seed), "train")
    in_turns = chosen.TECHNIQUES[setting.choices.technique].in_turns
    hyper = trees.map(tf.convert_to_tensor, _rates(who) if in_turns else Hyper())
    state, done = before.state, 0
    while done < count:
        at_once = count if who == "both" else 1
        at = tf.constant(before.step + done), tf.constant(at_once)
        moved, _, finite = looks.called(loop, state, hyper, noise, *at)
        state = moved if who == "both" else held(state, moved, "gen" if who == "disc" else "disc")
        done += int(finite)
        if int(finite) < at_once:
            break
    return state, done


def _rates(who):
    return Hyper(lr=Players(float(who != "disc"), float(who != "gen")))


def held(before: Any, after: Any, who: str) -> Any:
    """The state ``after`` a step, with all that is the player ``who``'s as it was ``before``.

    Rules keep what is a player's own in pairs :class:`~metagan_edu.games.Players`: of each the held half is put back.
    """
    if isinstance(after, Players):
        return after._replace(**{who: getattr(before, who)})
    if isinstance(after, tuple) and hasattr(after, "_fields"):
        return type(after)(*map(functools.partial(held, who=who), before, after))
    return after
