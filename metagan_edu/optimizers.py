"""Optimizers as pure functions, to be differentiated through.

``Optimizer(init, update)``: ``init(params) -> slots`` and ``update(grads, slots) -> (updates, slots)``; the step is
``params + updates``. (``keras.optimizers`` assign to variables, which cuts the gradient that meta-learning needs; the
tests hold these equal to Keras' on the same problems.)
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from . import trees


class Optimizer(NamedTuple):
    """``init(params) -> slots``; ``update(grads, slots) -> (updates, slots)``."""

    init: Callable
    update: Callable


class Momentum(NamedTuple):
    """The velocity ``m``, of the parameters' structure."""

    velocity: tuple


class Moments(NamedTuple):
    """Running means of the gradient (``mean``) and of its square (``square``), of the parameters' structure."""

    mean: tuple
    square: tuple


def chain(*parts):
    """Apply several transformations in order, each to the output of the one before; slots are a tuple of theirs."""

    def update(grads, slots):
        new = []
        for part, own in zip(parts, slots, strict=True):
            grads, own = part.update(grads, own)
            new.append(own)
        return grads, tuple(new)

    return Optimizer(lambda params: tuple(part.init(params) for part in parts), update)


def _stateless(transform):
    return Optimizer(lambda params: (), lambda grads, slots: (transform(grads), slots))


def _rate(lr):
    if not (lr >= 0 and math.isfinite(lr)):
        raise ValueError(f"a learning rate must be finite and at least 0, not {lr}.")
    return lr


def _above_zero(**values):
    for name, value in values.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be a finite number above 0, not {value}.")


def _in_range(name, value, low, high):
    if not low <= value < high:
        raise ValueError(f"{name} must be in [{low}, {high}), not {value}.")


def descend(lr):
    """``g -> -lr(t) · g``: ``lr`` is a number or a schedule, a function of the number ``t`` of steps taken so far."""
    if callable(lr):
        return Optimizer(lambda params: tf.zeros((), tf.int32), lambda grads, t: (trees.scale(-lr(t), grads), t + 1))
    _rate(lr)
    return _stateless(lambda grads: trees.scale(-lr, grads))


def clip(grads, max_norm):
    """``g · min(1, max_norm/‖g‖)``, with the norm over all entries together; ``max_norm`` may be a tensor, or infinite.

    (Pascanu et al. 2013, algorithm 1.)
    """
    norm = trees.norm(grads)
    return trees.scale(1 / tf.maximum(norm / trees.as_type(max_norm, norm.dtype), 1.0), grads)


def clip_by_global_norm(max_norm):
    """:func:`clip` as a part of a :func:`chain`; ``ValueError`` for a threshold that is not above 0."""
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive, not {max_norm}.")
    return _stateless(lambda grads: clip(grads, max_norm))


def trace(decay):
    """``m ← decay · m + g``, and ``m`` is handed on."""

    def update(grads, slots):
        velocity = trees.add(trees.scale(decay, slots.velocity), grads)
        return velocity, Momentum(velocity)

    return Optimizer(lambda params: Momentum(trees.zeros(params)), update)


def scale_by_rms(decay=0.9, eps=1e-7):
    """``v ← decay · v + (1 - decay) g²``, and ``g/√(v + eps)`` is handed on (Tieleman & Hinton 2012)."""
    _in_range("decay", decay, 0, 1)

    def update(grads, square):
        square = trees.map(lambda v, g: decay * v + (1 - decay) * g * g, square, grads)
        return trees.map(lambda g, v: g * tf.math.rsqrt(v + eps), grads, square), square

    return Optimizer(trees.zeros, update)


def scale_by_adam(beta1=0.5, beta2=0.999, eps=1e-8, eps_root=1e-16):
    """Adam's direction ``m̂/(√(v̂ + eps_root) + eps)`` (Kingma & Ba 2015, algorithm 1).

    ``m̂ = m/(1 - β₁ᵗ)``, ``v̂ = v/(1 - β₂ᵗ)``. ``eps_root > 0`` is needed to differentiate through it: the slope of the
    root at 0 is infinite, and one unit that never fires would turn the whole meta-gradient into NaN.
    """
    _in_range("beta1", beta1, 0, 1)
    _in_range("beta2", beta2, 0, 1)

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


def sgd(lr):
    """``w ← w - lr · g``. On a whole data set this is gradient descent, on a batch stochastic gradient descent."""
    return descend(lr)


def momentum(lr, beta=0.9):
    """Heavy ball: ``m ← β m + g``, ``w ← w - lr · m``, β in (-1, 1) (Polyak 1964; negative in games, Gidel et al.
    2019)."""
    _in_range("beta", beta, -1, 1)
    return chain(trace(beta), descend(lr))


def rmsprop(lr, decay=0.9, eps=1e-7):
    """``w ← w - lr · g/√(v + eps)`` with ``v`` a running mean of ``g²`` (:func:`scale_by_rms`)."""
    return chain(scale_by_rms(decay, eps), descend(lr))


def adam(lr, beta1=0.5, beta2=0.999, eps=1e-8):
    """``w ← w - lr · m̂/(√v̂ + eps)`` (:func:`scale_by_adam`); β₁ = 0.5 is what Radford et al. (2016) chose for
    GANs."""
    return chain(scale_by_adam(beta1, beta2, eps), descend(lr))


def constant(lr):
    """The schedule ``lr(t) = lr``. (All schedules: ``ValueError`` for a rate, factor or length out of range.)"""
    _rate(lr)
    return lambda t: tf.convert_to_tensor(lr, tf.float32)


def step_decay(lr, every, factor=0.5):
    """The schedule ``lr · factor^⌊t/every⌋``."""
    _rate(lr), _above_zero(every=every, factor=factor)
    return lambda t: lr * tf.cast(factor, tf.float32) ** tf.cast(t // every, tf.float32)


def exponential_decay(lr, rate, over):
    """The schedule ``lr · rate^(t/over)``: multiplied by ``rate`` every ``over`` steps."""
    _rate(lr), _above_zero(rate=rate, over=over)
    return lambda t: lr * tf.cast(rate, tf.float32) ** (tf.cast(t, tf.float32) / over)


def linear_decay(lr, num_steps, final=0.0):
    """The schedule that goes in a straight line from ``lr`` to ``final · lr`` in ``num_steps`` steps, and stays
    there."""
    _rate(lr), _rate(final), _above_zero(num_steps=num_steps)
    return lambda t: lr * (1 - (1 - final) * tf.minimum(tf.cast(t, tf.float32) / num_steps, 1.0))


def cosine_decay(lr, num_steps, final=0.0):
    """The schedule ``lr · (final + (1 - final)(1 + cos(πt/num_steps))/2)``, constant after ``num_steps``."""
    _rate(lr), _rate(final), _above_zero(num_steps=num_steps)

    def schedule(t):
        progress = tf.minimum(tf.cast(t, tf.float32) / num_steps, 1.0)
        return lr * (final + (1 - final) * 0.5 * (1 + tf.cos(math.pi * progress)))

    return schedule
