"""What an optimizer is, and the transformations of a gradient that optimizers are chained from.

``Optimizer(init, update)``: ``init(params) -> slots`` and ``update(grads, slots) -> (updates, slots)``; the step is
``params + updates``. (``keras.optimizers`` assign to variables, which cuts the gradient that meta-learning needs; the
tests hold these equal to Keras' on the same problems.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import checks, trees
from ..values import by_value


class Optimizer(NamedTuple):
    """``init(params) -> slots``; ``update(grads, slots) -> (updates, slots)``.

    ``counts``: whether its rate depends on how often it has moved, as that of a schedule does.
    """

    init: Callable
    update: Callable
    counts: bool = False


class Momentum(NamedTuple):
    """The velocity ``m``, of the parameters' structure."""

    velocity: Any


class Moments(NamedTuple):
    """Running means of the gradient (``mean``) and of its square (``square``), of the parameters' structure."""

    mean: Any
    square: Any


@by_value
def chain(*parts: Optimizer) -> Optimizer:
    """Apply several transformations in order, each to the output of the one before; slots are a tuple of theirs."""

    def update(grads, slots):
        new = []
        for part, own in zip(parts, slots, strict=True):
            grads, own = part.update(grads, own)
            new.append(own)
        return grads, tuple(new)

    init = lambda params: tuple(part.init(params) for part in parts)  # noqa: E731 - one line of the equation
    return Optimizer(init, update, any(part.counts for part in parts))


def _stateless(transform):
    return Optimizer(lambda params: (), lambda grads, slots: (transform(grads), slots))


@by_value
def descend(lr: float | Callable) -> Optimizer:
    """``g -> -lr(t) · g``: ``lr`` is a number or a schedule, a function of the number ``t`` of moves taken so far."""
    if callable(lr):
        start = lambda params: tf.zeros((), tf.int32)  # noqa: E731
        return Optimizer(start, lambda grads, t: (trees.scale(-lr(t), grads), t + 1), counts=True)
    checks.number("a learning rate", lr, least=0)
    return _stateless(lambda grads: trees.scale(-lr, grads))


def clip(grads: Any, max_norm: Any) -> Any:
    """``g · min(1, max_norm/‖g‖)``, with the norm over all entries together; ``max_norm`` may be a tensor, or infinite.

    (Pascanu et al. 2013, algorithm 1.)
    """
    norm = trees.norm(grads)
    return trees.scale(1 / tf.maximum(norm / trees.as_type(max_norm, norm.dtype), 1.0), grads)


@by_value
def clip_by_global_norm(max_norm: float) -> Optimizer:
    """:func:`clip` as a part of a :func:`chain`; ``ValueError`` for a threshold that is not above 0."""
    checks.number("max_norm", max_norm, above=0)
    return _stateless(lambda grads: clip(grads, max_norm))


@by_value
def trace(decay: float) -> Optimizer:
    """``m ← decay · m + g``, and ``m`` is handed on."""

    def update(grads, slots):
        velocity = trees.add(trees.scale(decay, slots.velocity), grads)
        return velocity, Momentum(velocity)

    return Optimizer(lambda params: Momentum(trees.zeros(params)), update)


@by_value
def scale_by_rms(decay: float = 0.9, eps: float = 1e-7) -> Optimizer:
    """``v ← decay · v + (1 - decay) g²``, and ``g/√(v + eps)`` is handed on (Tieleman & Hinton 2012)."""
    checks.number("decay", decay, least=0, below=1), checks.number("eps", eps, above=0)

    def update(grads, square):
        square = trees.map(lambda v, g: decay * v + (1 - decay) * g * g, square, grads)
        return trees.map(lambda g, v: g * tf.math.rsqrt(v + eps), grads, square), square

    return Optimizer(trees.zeros, update)


@by_value
def scale_by_adam(beta1: float = 0.5, beta2: float = 0.999, eps: float = 1e-8, eps_root: float = 1e-16) -> Optimizer:
    """Adam's direction ``m̂/(√(v̂ + eps_root) + eps)`` (Kingma & Ba 2015, algorithm 1).

    ``m̂ = m/(1 - β₁ᵗ)``, ``v̂ = v/(1 - β₂ᵗ)``. ``eps_root > 0`` is needed to differentiate through it: the slope of the
    root at 0 is infinite, and one unit that never fires would turn the whole meta-gradient into NaN.
    """
    checks.number("beta1", beta1, least=0, below=1), checks.number("beta2", beta2, least=0, below=1)
    checks.number("eps", eps, least=0), checks.number("eps_root", eps_root, above=0)

    def init(params):
        return Moments(trees.zeros(params), trees.zeros(params)), tf.zeros((), tf.int32)

    def update(grads, slots):
        moments, t = slots
        mean = trees.map(lambda m, g: beta1 * m + (1 - beta1) * g, moments.mean, grads)
        square = trees.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, moments.square, grads)
        steps = tf.cast(t + 1, tf.float64)

        def direction(m, v):
            correct1 = tf.cast(1 - tf.constant(beta1, tf.float64) ** steps, m.dtype)
            correct2 = tf.cast(1 - tf.constant(beta2, tf.float64) ** steps, m.dtype)
            return m / correct1 / (tf.sqrt(v / correct2 + eps_root) + eps)

        return trees.map(direction, mean, square), (Moments(mean, square), t + 1)

    return Optimizer(init, update)
