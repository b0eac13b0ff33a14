"""A learned schedule: theta turns the state of training into both players' rates, the penalty's weight, and clipping.

    log(rate factors, penalty factor, thresholds / their values at first) = policy(theta, state of training)

The state of training is how far it has come and what the losses do. The factors multiply what the rule has configured,
so that ``theta = 0`` is the rule itself: a schedule is learned on top of the one that was tuned by hand. A
:func:`network` sees all of the state, :func:`phases` only how far training has come.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import seeds, trees
from ..controllers import dtype_of
from ..games import Hyper, Players
from ..rules.base import whole
from ..rules.controlled import Controller, controlled
from .base import drawn, learner

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


def log_like(x):
    """``asinh(x)``: log(2x) for large x, and defined at 0 and below, where losses of a game may be."""
    return tf.asinh(x)


def network(hidden=8, limit=10.0):
    """``log(limit) · tanh(W₂ tanh(W₁ x + b₁) + b₂)``: factors within [1/limit, limit]. It starts at 1: ``W₂ = 0``."""
    whole("hidden", hidden, 1)
    if not limit > 1:
        raise ValueError(f"limit must be above 1, not {limit}.")

    def init(seed, outputs):
        first = tf.random.stateless_normal([FEATURES, hidden], seeds.make(seed)) / FEATURES**0.5
        return first, tf.zeros([hidden]), tf.zeros([hidden, outputs]), tf.zeros([outputs])

    def apply(theta, features):
        w1, b1, w2, b2 = theta
        h = tf.tanh(tf.linalg.matvec(w1, features, transpose_a=True) + b1)
        scale = tf.math.log(tf.constant(limit, w2.dtype))
        return scale * tf.tanh(tf.linalg.matvec(w2, h, transpose_a=True) + b2)

    return Policy(init, apply)


def phases(count=5):
    """Log-factors at ``count`` equally spaced times, theta ``(count, outputs)``, with straight lines between them.

    With one phase they are constants: the plain rates, which can so be tuned by the same means as everything else.
    """
    whole("count", count, 1)

    def apply(theta, features):
        place = features[0] * (count - 1) - tf.range(count, dtype=features.dtype)
        return tf.linalg.matvec(theta, tf.nn.relu(1 - tf.abs(place)), transpose_a=True)

    return Policy(lambda seed, outputs: tf.zeros([count, outputs]), apply)


def controller(policy, theta, *, num_steps, clip=()):
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
        losses = log_like(tf.cast(tf.stack([info.gen_loss, info.disc_loss]), seen.means.dtype))
        keep = tf.constant(MEMORY, losses.dtype)[:, None]
        return read(Seen(seen.t + 1, losses, keep * seen.means + (1 - keep) * losses))

    return Controller(init, update)


def learned_schedule(game, rule, *, num_steps, policy=None, clip=(), batches=None):
    """The learner whose theta is that of ``policy`` (default: :func:`network`), played on ``rule`` from ``game.init``.

    ``num_steps``: the length of an inner run, to which the schedule is laid out; ``clip``: a pair of thresholds for the
    players' gradient norms that are then scheduled too, or empty; ``batches``: by default ``drawn(20)``. Its gradient
    goes through the losses that the policy sees, too. Raises ``ValueError`` for values out of range.
    """
    whole("num_steps", num_steps, 1)
    if clip and not all(norm > 0 for norm in clip):
        raise ValueError(f"clip must be a pair of thresholds above 0, or empty, not {clip!r}.")
    policy = network() if policy is None else policy

    def scheduled(theta):
        return controlled(rule, controller(policy, theta, num_steps=num_steps, clip=clip))

    return learner(
        game, init=lambda seed: policy.init(seed, 5 if clip else 3), players=lambda theta, seed: game.init(seed),
        rule=scheduled, batches=batches or drawn(20),
    )  # fmt: skip
