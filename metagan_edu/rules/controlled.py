"""A strategy that watches training: each step's losses set the rates, the penalty and the clipping of the next step.

    (players, info_t) ← step(players, hyper_t),    (c, hyper_{t+1}) ← update(c, info_t)

``c`` is what the controller remembers. What it sets is combined with the ``hyper`` that the rule is given from outside:
factors are multiplied, and of two clipping thresholds the smaller one counts. A schedule is a controller that only
counts; adjusting rates by hand in this way is a strategy, and not yet meta-learning: nothing is learned over tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import trees
from ..games import Hyper, Players
from ..values import by_value
from .base import Rule, inside


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


@by_value
def controlled(rule: Rule, controller: Controller) -> Rule:
    """``rule`` with its rates, penalty and clipping set by a :class:`Controller` (controllers can be nested)."""

    def init(game, players):
        memory, hyper = controller.init(game, players)
        return ControlledState(rule.init(game, players), memory, trees.map(tf.convert_to_tensor, hyper))

    def step(game, state, batches, seed, hyper):
        together = combine(hyper, state.hyper)
        inner, info = rule.step(game, state.inner, batches, seed, together)
        memory, following = controller.update(state.memory, info)
        info = info._replace(scalars=watched(together) | info.scalars)
        return ControlledState(inner, memory, trees.map(tf.convert_to_tensor, following)), info

    return Rule(init, step, lambda state: rule.view(state.inner), inside(rule))


def under(rule: Rule, hyper: Hyper) -> Rule:
    """``rule`` with a fixed :class:`~metagan_edu.games.Hyper` on top of what comes from outside; its state is as is."""

    def step(game, state, batches, seed, outside):
        return rule.step(game, state, batches, seed, combine(outside, hyper))

    return rule._replace(step=step)


def watched(hyper: Hyper) -> dict[str, Any]:
    """What :class:`~metagan_edu.rules.Info` shows of the factors that a controller has set: those that are scalars."""
    named = {"gen_lr": hyper.lr.gen, "disc_lr": hyper.lr.disc, "penalty": hyper.penalty, **hyper.more}
    named |= {f"{who}_clip": norm for who, norm in zip(Players._fields, hyper.clip, strict=bool(hyper.clip))}
    return {name: value for name, value in named.items() if tf.is_tensor(value) and value.shape.rank == 0}


def combine(first: Hyper, second: Hyper) -> Hyper:
    """Two :class:`~metagan_edu.games.Hyper` in one: products of the factors, the smaller one of two thresholds."""
    clip = first.clip or second.clip
    if first.clip and second.clip:
        clip = Players(*(tf.minimum(*_alike(a, b)) for a, b in zip(first.clip, second.clip, strict=True)))
    return first._replace(
        lr=Players(*(_times(a, b) for a, b in zip(first.lr, second.lr, strict=True))),
        penalty=_times(first.penalty, second.penalty),
        clip=clip,
        more={name: _times(first.more.get(name, 1.0), second.more.get(name, 1.0))
              for name in {**first.more, **second.more}},
    )  # fmt: skip


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
