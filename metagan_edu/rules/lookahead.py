"""Every k steps both players go back part of the way they came.

    k steps of the rule inside lead from w_slow to w;    w_slow ← w_slow + α (w - w_slow),    w ← w_slow

Both players go back at once, which turns the rule's circles into a spiral inward; the optimizers' slots are kept. What
is evaluated are the slow weights. α = 1 is the rule inside. (Zhang et al. 2019; for games Chavdarova et al. 2021,
algorithm 1.)
"""

from typing import Any, NamedTuple

import tensorflow as tf

from .. import checks, trees
from ..games import Players
from ..values import by_value
from . import base, joint


class LookaheadState(NamedTuple):
    """``inner``: the state of the rule inside; ``slow``: the pair of slow weights; ``t``: steps taken."""

    inner: Any
    slow: Players
    t: Any


@by_value
def lookahead(rule: base.Rule, *, every: int, alpha: float = 0.5) -> base.Rule:
    """``rule``, with both players taken back to ``w_slow + alpha (w - w_slow)`` after ``every`` steps (k above).

    ``ValueError`` unless ``every`` is a whole number from 1 and alpha in (0, 1].
    """
    checks.whole("every", every), checks.number("alpha", alpha, above=0, most=1)

    def init(game, players):
        return LookaheadState(rule.init(game, players), joint.params(players), tf.zeros((), tf.int32))

    def step(game, state, batches, seed, hyper):
        inner, info = rule.step(game, state.inner, batches, seed, hyper)
        back = (state.t + 1) % every == 0
        players = rule.players(inner)
        fast = joint.params(players)
        slow = trees.where(back, trees.lerp(state.slow, fast, alpha), state.slow)
        inner = rule.players(inner, joint.with_params(players, trees.where(back, slow, fast)))
        return LookaheadState(inner, slow, state.t + 1), info

    def view(state):
        return joint.with_params(rule.view(state.inner), state.slow)

    return base.Rule(init, step, view, base.inside(rule))
