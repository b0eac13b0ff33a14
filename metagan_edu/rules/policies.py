"""Controllers with numbers of their own: a policy turns the state of training into rates, penalty and clipping.

    log(rate factors, penalty factor, thresholds / their values at first) = policy(theta, state of training)

The state of training is how far it has come and what the losses do. The factors multiply what the rule has configured,
so that ``theta = 0`` is the rule itself: a schedule is learned on top of the one that was tuned by hand. A
:func:`network` sees all of the state, :func:`phases` only how far training has come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import checks, seeds, trees
from ..games import Hyper, Players
from ..values import by_value
from .controlled import Controller
from .controllers import dtype_of

FEATURES = 7
MEMORY = (0.9, 0.98)  # of the two running means of each loss: some 10 and 50 steps long


class Policy(NamedTuple):
    """``init(seed, outputs) -> theta``; ``apply(theta, features) -> (outputs,)`` log-factors, from ``(7,)`` features:
    the share of the steps that are done, the last losses, and two running means of each (see :func:`log_like`)."""

    init: Callable
    apply: Callable


class Seen(NamedTuple):
    """The controller's memory: steps taken; the last losses ``(2,)``; their running means ``(2, 2)``."""

    t: Any
    losses: Any
    means: Any


def log_like(x: tf.Tensor) -> tf.Tensor:
    """``asinh(x)``: log(2x) for large x, and defined at 0 and below, where losses of a game may be."""
    return tf.asinh(x)


@by_value
def network(hidden: int = 8, limit: float = 10.0) -> Policy:
    """``log(limit) · tanh(W₂ tanh(W₁ x + b₁) + b₂)``: factors within [1/limit, limit]. It starts at 1: ``W₂ = 0``."""
    checks.whole("hidden", hidden), checks.number("limit", limit, above=1)

    def init(seed, outputs):
        first = seeds.normal([FEATURES, hidden], seed) / FEATURES**0.5
        return first, tf.zeros([hidden]), tf.zeros([hidden, outputs]), tf.zeros([outputs])

    def apply(theta, features):
        w1, b1, w2, b2 = theta
        h = tf.tanh(tf.linalg.matvec(w1, features, transpose_a=True) + b1)
        scale = tf.math.log(tf.constant(limit, w2.dtype))
        return scale * tf.tanh(tf.linalg.matvec(w2, h, transpose_a=True) + b2)

    return Policy(init, apply)


@by_value
def phases(count: int = 5) -> Policy:
    """Log-factors at ``count`` equally spaced times, theta ``(count, outputs)``, with straight lines between them.

    With one phase they are constants: the plain rates, which can so be tuned by the same means as everything else.
    """
    checks.whole("count", count)

    def apply(theta, features):
        place = features[0] * (count - 1) - tf.range(count, dtype=features.dtype)
        return tf.linalg.matvec(theta, tf.nn.relu(1 - tf.abs(place)), transpose_a=True)

    return Policy(lambda seed, outputs: tf.zeros([count, outputs]), apply)


def controller(policy: Policy, theta: Any, *, num_steps: int, clip: Any = ()) -> Controller:
    """The :class:`~metagan_edu.rules.Controller` that plays ``policy`` at ``theta`` in a run of ``num_steps``."""

    def read(seen):
        progress = tf.minimum(tf.cast(seen.t, seen.means.dtype) / num_steps, 1)
        features = tf.concat([progress[None], seen.losses, tf.reshape(seen.means, [-1])], 0)
        features = tf.cast(features, trees.leaves(theta)[0].dtype)
        gen, disc, penalty, *norms = tf.unstack(tf.exp(policy.apply(theta, features)))
        thresholds = Players(*(norm * value for norm, value in zip(norms, clip, strict=True))) if clip else ()
        return seen, Hyper(Players(gen, disc), penalty, thresholds)

    def init(game, players):
        dtype = dtype_of(players)
        return read(Seen(tf.zeros((), tf.int32), tf.ones(2, dtype), tf.ones([2, 2], dtype)))

    def update(seen, info):
        losses = log_like(tf.cast(tf.stack([info.scalars["gen_loss"], info.scalars["disc_loss"]]), seen.means.dtype))
        keep = tf.constant(MEMORY, losses.dtype)[:, None]
        return read(Seen(seen.t + 1, losses, keep * seen.means + (1 - keep) * losses))

    return Controller(init, update)
