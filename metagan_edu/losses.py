"""The losses of the two players, on logits, and the penalties that regularize the discriminator.

Convention, here and everywhere: ``D`` is a logit, high on real data; ``σ`` is the sigmoid and ``sp(a) = log(1 + eᵃ)``
the softplus, so that ``-log σ(a) = sp(-a)`` and ``-log(1 - σ(a)) = sp(a)``. Both losses are minimized.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from . import autodiff, checks, replicas, seeds
from .values import by_value

sp = tf.math.softplus


class Loss(NamedTuple):
    """Two functions ``(real logits, fake logits) -> scalar``, one to be minimized by each player."""

    gen: Callable
    disc: Callable


def _mean(x):
    return tf.reduce_mean(x if x.dtype == tf.float64 else tf.cast(x, tf.float32))


def _cross_entropy(real, fake):
    return _mean(sp(-real)) + _mean(sp(fake))


@by_value
def minimax():
    """The zero-sum (saturating) game: ``L_D = E sp(-D(x)) + E sp(D(G(z)))``, ``L_G = -L_D``.

    ``L_D = -V(D, G)`` of Goodfellow et al. (2014, eq. 1). The slope of ``L_G`` in a fake logit ``a`` is ``-σ(a)``:
    it vanishes where the discriminator rejects a sample with confidence.
    """
    return Loss(gen=lambda real, fake: -_cross_entropy(real, fake), disc=_cross_entropy)


@by_value
def non_saturating():
    """``L_D`` as in :func:`minimax`; ``L_G = E sp(-D(G(z)))`` (Goodfellow et al. 2014, section 3).

    The slope of ``L_G`` in a fake logit ``a`` is ``-σ(-a)``: it is largest where the discriminator rejects a sample.
    """
    return Loss(gen=lambda real, fake: _mean(sp(-fake)), disc=_cross_entropy)


@by_value
def least_squares():
    """``L_D = ½E(D(x) - 1)² + ½E D(G(z))²``, ``L_G = ½E(D(G(z)) - 1)²`` (Mao et al. 2017, eq. 9)."""
    return Loss(
        gen=lambda real, fake: 0.5 * _mean((fake - 1) ** 2),
        disc=lambda real, fake: 0.5 * _mean((real - 1) ** 2) + 0.5 * _mean(fake**2),
    )


@by_value
def hinge():
    """``L_D = E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))``, ``L_G = -E D(G(z))`` (Lim & Ye 2017)."""
    return Loss(
        gen=lambda real, fake: -_mean(fake),
        disc=lambda real, fake: _mean(tf.nn.relu(1 - real)) + _mean(tf.nn.relu(1 + fake)),
    )


@by_value
def wasserstein():
    """``L_D = E D(G(z)) - E D(x)``, ``L_G = -E D(G(z))`` (Arjovsky et al. 2017, eq. 2–3).

    It estimates a distance only where ``D`` is 1-Lipschitz: add :func:`gradient_penalty`.
    """
    return Loss(gen=lambda real, fake: -_mean(fake), disc=lambda real, fake: _mean(fake) - _mean(real))


@by_value
def relativistic():
    """``L_D = E sp(-(D(x) - D(G(z))))``, ``L_G = E sp(-(D(G(z)) - D(x)))`` over pairs (Jolicoeur-Martineau 2019)."""
    return Loss(gen=lambda real, fake: _mean(sp(real - fake)), disc=lambda real, fake: _mean(sp(fake - real)))


def _input_gradient(critic, x):
    """``∂D(x)/∂x``, one row for each example, flattened: the whole image is one vector."""
    grads = autodiff.grad(lambda x: tf.reduce_sum(tf.cast(critic(x), x.dtype)))(x)
    return tf.reshape(grads, [tf.shape(x)[0], -1])


class Penalty(NamedTuple):
    """``value(critic, real, fake, seed, hyper) -> scalar``, added to ``L_D``; ``critic``: x -> logits of these
    parameters of D.

    ``gradients``: what a gradient of it costs, in gradients of ``L_D`` without it, as measured (``make bench``).
    """

    value: Callable
    gradients: float = 0.0


def _zero(critic, real, fake, seed, hyper):
    return tf.zeros((), tf.float32 if real.dtype != tf.float64 else tf.float64)


no_penalty = Penalty(_zero)


@by_value
def r1(gamma):
    """``γ/2 · E‖∇D(x)‖²`` on real data (Mescheder et al. 2018, eq. 9)."""
    checks.number("the weight of a penalty", gamma, least=0)

    def penalty(critic, real, fake, seed, hyper):
        return 0.5 * gamma * _mean(tf.reduce_sum(_input_gradient(critic, real) ** 2, -1))

    return Penalty(penalty, 0.87)


@by_value
def r2(gamma):
    """``γ/2 · E‖∇D(G(z))‖²`` on generated data (Mescheder et al. 2018, eq. 10)."""
    on_real = r1(gamma)
    return on_real._replace(value=lambda critic, real, fake, seed, hyper: on_real.value(critic, fake, real, seed, hyper))


@by_value
def gradient_penalty(weight=10.0, target=1.0):
    """``λ · E(‖∇D(x̂)‖ - target)²`` at random points between real and generated examples (Gulrajani et al. 2017, eq. 3).

    The norm is over the whole image; a tiny constant under the root keeps its slope finite at zero.
    """
    checks.number("the weight of a penalty", weight, least=0)

    def penalty(critic, real, fake, seed, hyper):
        own = seeds.fold_in(seed, "between")
        ones = [1] * (real.shape.rank - 1)
        t = replicas.share(lambda n: seeds.uniform([n, *ones], own, dtype=real.dtype), tf.shape(real)[0])
        squares = tf.reduce_sum(_input_gradient(critic, real + t * (fake - real)) ** 2, -1)
        return weight * _mean((tf.sqrt(squares + 1e-12) - target) ** 2)

    return Penalty(penalty, 0.87)


@by_value
def penalties(*terms):
    """The sum of several penalties."""

    def penalty(critic, real, fake, seed, hyper):
        return tf.add_n([term.value(critic, real, fake, seed, hyper) for term in terms])

    return Penalty(penalty, sum(term.gradients for term in terms))
