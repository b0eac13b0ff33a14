"""A strategy that watches training: each step's losses set the rates, the penalty and the clipping of the next step.

    (players, info_t) ← step(players, hyper_t),    (c, hyper_{t+1}) ← update(c, info_t)

``c`` is what the controller remembers. What it sets is combined with the ``hyper`` that the rule is given from outside:
factors are multiplied, and of two clipping thresholds the smaller one counts. A schedule is a controller that only
counts; adjusting rates by hand in this way is a strategy, and not yet meta-learning: nothing is learned over tasks.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import trees
from ..games import Players
from .base import Rule


class Controller(NamedTuple):
    """A strategy as two pure functions.

    ``init(game, players) -> (c, hyper)``: its memory (any tree), and the :class:`~metagan_edu.games.Hyper` of the first
    step
    ``update(c, info) -> (c, hyper)``: after each step, from its :class:`Info`; ``hyper`` keeps its structure
    """

    init: Callable
    update: Callable


class ControlledState(NamedTuple):
    """``inner``: the state of the rule inside; ``memory``: the controller's; ``hyper``: for the step that comes."""

    inner: Any
    memory: Any
    hyper: Any


def controlled(rule, controller):
    """``rule`` with its rates, penalty and clipping set by a :class:`Controller` (controllers can be nested)."""

    def init(game, players):
        memory, hyper = controller.init(game, players)
        return ControlledState(rule.init(game, players), memory, trees.map(tf.convert_to_tensor, hyper))

    def step(game, state, batches, seed, hyper):
        inner, info = rule.step(game, state.inner, batches, seed, combine(hyper, state.hyper))
        memory, following = controller.update(state.memory, info)
        return ControlledState(inner, memory, trees.map(tf.convert_to_tensor, following)), info

    return Rule(init, step, lambda state: rule.view(state.inner))


def under(rule, hyper):
    """``rule`` with a fixed :class:`~metagan_edu.games.Hyper` on top of what comes from outside; its state is as is."""

    def step(game, state, batches, seed, outside):
        return rule.step(game, state, batches, seed, combine(outside, hyper))

    return rule._replace(step=step)


def combine(first, second):
    """Two :class:`~metagan_edu.games.Hyper` in one: products of the factors, the smaller one of two thresholds."""
    clip = first.clip or second.clip
    if first.clip and second.clip:
        clip = Players(*(tf.minimum(*_alike(a, b)) for a, b in zip(first.clip, second.clip, strict=True)))
    return first._replace(
        lr=Players(*(_times(a, b) for a, b in zip(first.lr, second.lr, strict=True))),
        penalty=_times(first.penalty, second.penalty),
        clip=clip,
    )


def _times(a, b):
    """The product of two factors, each a number or a tree of factors."""
    if tf.nest.is_nested(a):
        return trees.map(_times, a, b) if tf.nest.is_nested(b) else _times(b, a)
    if tf.nest.is_nested(b):
        return trees.map(lambda x: _times(a, x), b)
    a, b = _alike(a, b)
    return a * b


def _alike(a, b):
    """Two numbers in the dtype of the one that is a tensor (of the wider one, where both are)."""
    dtypes = [x.dtype for x in (a, b) if tf.is_tensor(x)]
    dtype = tf.float64 if tf.float64 in dtypes else (dtypes or [tf.float32])[0]
    return trees.as_type(a, dtype), trees.as_type(b, dtype)
