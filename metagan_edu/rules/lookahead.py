"""Every k steps both players go back part of the way they came.

    k steps of the rule inside lead from w_slow to w;    w_slow ← w_slow + α (w - w_slow),    w ← w_slow

Both players go back at once, which turns the rule's circles into a spiral inward; the optimizers' slots are kept. What
is evaluated are the slow weights. α = 1 is the rule inside. (Zhang et al. 2019; for games Chavdarova et al. 2021,
algorithm 1.)
"""

from typing import Any, NamedTuple

import tensorflow as tf

from .. import trees
from ..games import Players
from . import base, joint


class LookaheadState(NamedTuple):
    """``inner``: the state of the rule inside; ``slow``: the pair of slow weights; ``t``: steps taken."""

    inner: Any
    slow: Players
    t: Any


def lookahead(rule, *, every, alpha=0.5):
    """``rule``, with both players taken back to ``w_slow + alpha (w - w_slow)`` after ``every`` steps (k above).

    The rule inside may be any that keeps the players it moves as ``players``, itself or in the ``inner`` of a rule
    around a rule. ``ValueError`` unless ``every`` is a whole number from 1 and alpha in (0, 1].
    """
    base.whole("every", every, 1)
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha must be in (0, 1], not {alpha}.")

    def init(game, players):
        return LookaheadState(rule.init(game, players), joint.params(players), tf.zeros((), tf.int32))

    def step(game, state, batches, seed, hyper):
        inner, info = rule.step(game, state.inner, batches, seed, hyper)
        back = (state.t + 1) % every == 0
        fast = joint.params(_players(inner))
        slow = _choose(back, trees.lerp(state.slow, fast, alpha), state.slow)
        fast = _choose(back, slow, fast)
        return LookaheadState(_with_params(inner, fast), slow, state.t + 1), info

    def view(state):
        return joint.with_params(rule.view(state.inner), state.slow)

    return base.Rule(init, step, view)


def _players(state):
    """The players that a rule moves, however deep they lie."""
    return state.players if hasattr(state, "players") else _players(state.inner)


def _with_params(state, params):
    if hasattr(state, "players"):
        return state._replace(players=joint.with_params(state.players, params))
    return state._replace(inner=_with_params(state.inner, params))


def _choose(condition, one, other):
    return trees.map(lambda a, b: tf.where(condition, a, b), one, other)
