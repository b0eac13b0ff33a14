"""Schedules: learning rates that are functions of a number of steps ``t``.

In an optimizer ``t`` counts the moves of that optimizer's player, which are several per step of a rule that lets the
discriminator move more often. A schedule of the *rule's* steps is :func:`metagan_edu.rules.controllers.schedule`. All
raise ``ValueError`` for a rate, factor or length out of range.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import tensorflow as tf

from .. import checks
from ..values import by_value


@by_value
def constant(lr: float) -> Callable:
    """The schedule ``lr(t) = lr``."""
    checks.number("lr", lr, least=0)
    return lambda t: tf.convert_to_tensor(lr, tf.float32)


@by_value
def linear_decay(lr: float, num_steps: int, final: float = 0.0) -> Callable:
    """The schedule that goes in a straight line from ``lr`` to ``final · lr`` in ``num_steps``, and stays there."""
    _in_range(lr, num_steps, final)
    return lambda t: lr * (1 - (1 - final) * _progress(t, num_steps))


@by_value
def cosine_decay(lr: float, num_steps: int, final: float = 0.0) -> Callable:
    """The schedule ``lr · (final + (1 - final)(1 + cos(πt/num_steps))/2)``, constant after ``num_steps``."""
    _in_range(lr, num_steps, final)
    return lambda t: lr * (final + (1 - final) * 0.5 * (1 + tf.cos(math.pi * _progress(t, num_steps))))


def _in_range(lr, num_steps, final):
    checks.number("lr", lr, least=0), checks.number("final", final, least=0)
    checks.number("num_steps", num_steps, above=0)


def _progress(t, num_steps):
    return tf.minimum(tf.cast(t, tf.float32) / num_steps, 1.0)
