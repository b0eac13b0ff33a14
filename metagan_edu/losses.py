"""The losses of the two players, on logits, and the penalties that regularize the discriminator.

Convention, here and everywhere: ``D`` is a logit, high on real data; ``σ`` is the sigmoid and ``sp(a) = log(1 + eᵃ)``
the softplus, so that ``-log σ(a) = sp(-a)`` and ``-log(1 - σ(a)) = sp(a)``. Both losses are minimized.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from . import autodiff, checks, replicas, seeds
from .values import by_value

sp = tf.math.softplus
# What the gradient of a penalty on ∂D/∂x costs, in gradients of L_D in D's parameters, the generated batch given: 0.75
# to 0.9 where arithmetic dominates (MLP 3 x 128, batch 512: 0.83). Small networks hide a part of it (0.4 to 0.75), as
# does a step that counts G's forward pass too; the larger figure is counted, so that a penalty is not flattered.
GRADIENT_OF_D = 0.87


class Loss(NamedTuple):
    """Two functions ``(real logits, fake logits) -> scalar``, one to be minimized by each player."""

    gen: Callable
    disc: Callable


def _mean(x):
    return tf.reduce_mean(x if x.dtype == tf.float64 else tf.cast(x, tf.float32))


def _cross_entropy(real, fake):
    return _mean(sp(-real)) + _mean(sp(fake))


@by_value
def minimax() -> Loss:
    """The zero-sum (saturating) game: ``L_D = E sp(-D(x)) + E sp(D(G(z)))``, ``L_G = -L_D``.

    ``L_D = -V(D, G)`` of Goodfellow et al. (2014, eq. 1). The slope of ``L_G`` in a fake logit ``a`` is ``-σ(a)``:
    it vanishes where the discriminator rejects a sample with confidence.
    """
    return Loss(gen=lambda real, fake: -_cross_entropy(real, fake), disc=_cross_entropy)


@by_value
def non_saturating() -> Loss:
    """``L_D`` as in :func:`minimax`; ``L_G = E sp(-D(G(z)))`` (Goodfellow et al. 2014, section 3).

    The slope of ``L_G`` in a fake logit ``a`` is ``-σ(-a)``: it is largest where the discriminator rejects a sample.
    """
    return Loss(gen=lambda real, fake: _mean(sp(-fake)), disc=_cross_entropy)


@by_value
def least_squares() -> Loss:
    """``L_D = ½E(D(x) - 1)² + ½E D(G(z))²``, ``L_G = ½E(D(G(z)) - 1)²`` (Mao et al. 2017, eq. 9)."""
    return Loss(
        gen=lambda real, fake: 0.5 * _mean(tf.square(fake - 1)),
        disc=lambda real, fake: 0.5 * _mean(tf.square(real - 1)) + 0.5 * _mean(tf.square(fake)),
    )


@by_value
def hinge() -> Loss:
    """``L_D = E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))``, ``L_G = -E D(G(z))`` (Lim & Ye 2017)."""
    return Loss(
        gen=lambda real, fake: -_mean(fake),
        disc=lambda real, fake: _mean(tf.nn.relu(1 - real)) + _mean(tf.nn.relu(1 + fake)),
    )


@by_value
def wasserstein() -> Loss:
    """``L_D = E D(G(z)) - E D(x)``, ``L_G = -E D(G(z))`` (Arjovsky et al. 2017, eq. 2–3).

    It estimates a distance only where ``D`` is 1-Lipschitz: add :func:`gradient_penalty`.
    """
    return Loss(gen=lambda real, fake: -_mean(fake), disc=lambda real, fake: _mean(fake) - _mean(real))


@by_value
def relativistic() -> Loss:
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
def r1(gamma: float) -> Penalty:
    """``γ/2 · E‖∇D(x)‖²`` on real data (Mescheder et al. 2018, eq. 9)."""
    checks.number("the weight of a penalty", gamma, least=0)

    def penalty(critic, real, fake, seed, hyper):
        return 0.5 * gamma * _mean(tf.reduce_sum(tf.square(_input_gradient(critic, real)), -1))

    return Penalty(penalty, GRADIENT_OF_D)


@by_value
def r2(gamma: float) -> Penalty:
    """``γ/2 · E‖∇D(G(z))‖²`` on generated data (Mescheder et al. 2018, eq. 10)."""
    on_real = r1(gamma)
    return on_real._replace(
        value=lambda critic, real, fake, seed, hyper: on_real.value(critic, fake, real, seed, hyper)
    )


@by_value
def gradient_penalty(weight: float = 10.0, target: float = 1.0) -> Penalty:
    """``λ · E(‖∇D(x̂)‖ - target)²`` at random points between real and generated examples (Gulrajani et al. 2017, eq. 3).

    The norm is over the whole image; a tiny constant under the root keeps its slope finite at zero.
    """
    checks.number("the weight of a penalty", weight, least=0)

    def penalty(critic, real, fake, seed, hyper):
        own = seeds.fold_in(seed, "between")
        ones = [1] * (real.shape.rank - 1)
        t = replicas.share(lambda n: seeds.uniform([n, *ones], own, dtype=real.dtype), tf.shape(real)[0])
        squares = tf.reduce_sum(tf.square(_input_gradient(critic, real + t * (fake - real))), -1)
        return weight * _mean(tf.square(tf.sqrt(squares + 1e-12) - target))

    return Penalty(penalty, GRADIENT_OF_D)


@by_value
def penalties(*terms: Penalty) -> Penalty:
    """The sum of several penalties."""

    terms = tuple(map(as_penalty, terms))
    if not terms:
        raise ValueError("penalties takes at least one penalty, such as mg.losses.penalties(mg.losses.r1(0.1)).")

    def penalty(critic, real, fake, seed, hyper):
        return tf.add_n([term.value(critic, real, fake, seed, hyper) for term in terms])

    return Penalty(penalty, sum(term.gradients for term in terms))


@by_value
def lazily(penalty: Penalty, every: int = 16) -> Penalty:
    """``penalty`` at one step in ``every``, times ``every``: the same mean for a fraction of the cost.

    The other steps do not compute it (Karras et al. 2020, StyleGAN2, "lazy regularization"). Steps are those of the
    rule, as the loop counts them in ``hyper.step``; where nothing counts (``step`` is no tensor) the penalty is applied
    each time, as it is. Raises ``ValueError`` where ``every`` is not a whole number above 0.
    """
    every, penalty = checks.whole("every", every), as_penalty(penalty)

    def value(critic, real, fake, seed, hyper):
        dtype = _zero(critic, real, fake, seed, hyper).dtype

        def full():
            return tf.cast(penalty.value(critic, real, fake, seed, hyper), dtype)

        if not tf.is_tensor(hyper.step):
            return full()
        turn = tf.equal(hyper.step % every, 0)
        return tf.cond(turn, lambda: every * full(), lambda: tf.zeros((), dtype))

    return Penalty(value, penalty.gradients / every)


LOSSES = (minimax, non_saturating, least_squares, hinge, wasserstein, relativistic)


def as_loss(loss: Any) -> Loss:
    """A :class:`Loss`, from one or from the function that makes it; ``None``: non-saturating. Else ``ValueError``."""
    if loss is None:
        return non_saturating()
    if isinstance(loss, Loss):
        return loss
    if any(loss is made for made in LOSSES):
        return loss()
    names = [made.__name__ for made in LOSSES]
    line = f"loss=mg.losses.{loss if isinstance(loss, str) and loss in names else 'hinge'}()"
    raise ValueError(
        f"loss must be one of mg.losses, or Loss(gen, disc) of two functions (real logits, fake logits) -> scalar, not "
        f"{loss!r}; write {line}."
    )


def as_penalty(penalty: Any) -> Penalty:
    """A :class:`Penalty`, from one or from a function ``(critic, real, fake, seed)``, which counts as free.

    ``None``: no penalty. Raises ``ValueError``, with the line to write, for anything else.
    """
    if penalty is None:
        return no_penalty
    if isinstance(penalty, Penalty):
        return penalty
    if penalty is gradient_penalty:
        return gradient_penalty()
    lines = {r1: "r1(0.1)", r2: "r2(0.1)", gradient_penalty: "gradient_penalty()"}
    lines |= {lazily: "lazily(mg.losses.r1(0.1))", penalties: "penalties(mg.losses.r1(0.1))"}
    for made, line in lines.items():
        if penalty is made or penalty == made.__name__:
            raise ValueError(f"the penalty {made.__name__} needs its arguments; write penalty=mg.losses.{line}.")
    if callable(penalty) and _takes(penalty, 5):
        return Penalty(penalty)
    if callable(penalty) and _takes(penalty, 4):
        return _without_hyper(penalty)
    raise ValueError(
        f"penalty must be one of mg.losses, such as mg.losses.r1(0.1), or a function (critic, real, fake, seed) -> "
        f"scalar, not {penalty!r}."
    )


def _takes(fn: Callable, count: int) -> bool:
    try:
        inspect.signature(fn).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


@by_value
def _without_hyper(fn: Callable) -> Penalty:
    return Penalty(lambda critic, real, fake, seed, hyper: fn(critic, real, fake, seed))
