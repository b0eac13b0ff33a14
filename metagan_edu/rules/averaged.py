"""Evaluate an average of the generators that training passed through.

    φ̄ ← d φ̄ + (1 - d) φ    after each step of the rule inside,    d = min(decay, (1 + t)/(10 + t))

Training itself is unchanged; only what ``view`` shows is. The shorter memory at the start keeps φ̄ from being dominated
by the initial values. (Yazıcı et al. 2019 study the average for GANs.)
"""

from typing import Any, NamedTuple

import tensorflow as tf

from .. import checks, trees
from ..values import by_value
from .base import Rule, inside


class AveragedState(NamedTuple):
    """``inner``: the state of the rule inside; ``average``: φ̄; ``t``: steps taken."""

    inner: Any
    average: Any
    t: Any


@by_value
def averaged(rule: Rule, decay: float = 0.999) -> Rule:
    """``rule``, evaluated at the exponential average of the generator's parameters. Decay in [0, 1)."""
    checks.number("decay", decay, least=0, below=1)

    def init(game, players):
        return AveragedState(rule.init(game, players), players.gen.params, tf.zeros((), tf.int32))

    def step(game, state, batches, seed, hyper):
        inner, info = rule.step(game, state.inner, batches, seed, hyper)
        t = tf.cast(state.t, tf.float32)
        weight = 1 - tf.minimum(decay, (1 + t) / (10 + t))
        average = trees.lerp(state.average, rule.view(inner).gen.params, weight)
        return AveragedState(inner, average, state.t + 1), info

    def view(state):
        players = rule.view(state.inner)
        return players._replace(gen=players.gen._replace(params=state.average))

    return Rule(init, step, view, inside(rule))
