"""A GAN as a sheet of short formulas: its game, a run of it, and what a chart shows, for a clinic of broken GANs.

A sheet says line by line, as text, how a small GAN is trained on points in the plane:

==========  =====================================================  =====================================
line        what it says                                           what it may use
==========  =====================================================  =====================================
``noise``   the noise of a step, such as ``normal(seed)``          ``seed``, and ``first``, that of step 0
``reach``   a number r: samples are r tanh(G(z) / r), or, for
            ``inf``, G(z)
``logit``   what D says of points, such as ``D(x)``                ``x``, ``standard``
``loss_G``  what G minimizes, of logits                            ``on_real``, ``on_fake``
``loss_D``  what D minimizes, of logits                            ``on_real``, ``on_fake``
``gamma``   a number: the weight of R1 in D's loss
``step_G``  G's optimizer, such as ``adam(0.003)``
``step_D``  D's optimizer
``rounds``  a number: how many steps D takes before each of G
==========  =====================================================  =====================================

Besides: ``mean``, ``sp(a)`` = log(1 + eᵃ), ``sigmoid``, ``adam``, ``sgd``, ``stop`` (what it holds counts as constant),
and ``standard(x)``, a batch less its mean, over its standard deviation.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from . import autodiff, losses, networks, optimizers, rules, seeds, trees
from .games import Game, Player, Players
from .training import every, train

LINES = ("noise", "reach", "logit", "loss_G", "loss_D", "gamma", "step_G", "step_D", "rounds")
LATENT, BATCH, STEPS, EVERY, SHOWN = 16, 128, 1000, 40, 256


class Chart(NamedTuple):
    """What was seen at ``steps`` (k,): of 256 real points, always the same, and of points that G makes."""

    steps: np.ndarray
    paid: np.ndarray  # (k, 2): the losses of G and of D
    slope: np.ndarray  # (k,): the norm of G's gradient
    real: np.ndarray  # (k, 256): logits of the real points
    fake: np.ndarray  # (k, 256): of ``practiced``
    mixed: np.ndarray  # (k, 128): of the first 128 real points, in one batch with 128 of ``practiced``
    practiced: np.ndarray  # (k, 256, 2): points of noise as training draws it in this step
    samples: np.ndarray  # (k, 256, 2): points of noise that training does not see, always the same


def _standard(x):
    return (x - tf.reduce_mean(x, 0)) / tf.sqrt(tf.math.reduce_variance(x, 0) + 1e-3)


WORDS = {
    "mean": tf.reduce_mean, "sp": tf.math.softplus, "sigmoid": tf.sigmoid, "stop": tf.stop_gradient,
    "standard": _standard, "adam": optimizers.adam, "sgd": optimizers.sgd,
}  # fmt: skip


NUMBERS: dict[str, tuple[Callable, Callable, str]] = {  # how it is read, what is allowed, and this in words
    "reach": (float, lambda value: value > 0, "a number above 0, or inf"),
    "gamma": (float, lambda value: 0 <= value < math.inf, "a finite number of at least 0"),
    "rounds": (int, lambda value: value >= 1, "a whole number of at least 1"),
}


def _read(sheet, line, **names):
    """The value of a formula; ``ValueError`` with the line that has none."""
    try:
        return eval(sheet[line], {"__builtins__": {}}, WORDS | names)
    except Exception as error:
        raise ValueError(f"the line {line} is {sheet[line]!r}, which cannot be read: {error}") from error


def _refusal(sheet, line, words):
    return ValueError(f"the line {line} is {sheet[line]!r}; it must be {words}.")


def _tensor(sheet, line, shape, words, **names):
    """The value of a formula; ``ValueError`` with the line whose value has not this shape."""
    value = _read(sheet, line, **names)
    if not (tf.is_tensor(value) and value.shape.is_compatible_with(shape)):
        raise _refusal(sheet, line, words)
    return value


def _number(sheet, line):
    kind, allowed, words = NUMBERS[line]
    with contextlib.suppress(ValueError):
        if allowed(value := kind(str(sheet[line]))):
            return value
    raise _refusal(sheet, line, words)


def _leaky(x):
    return tf.maximum(x, 0.2 * x)


def nets() -> Players:
    """The networks of every sheet: G from 16 numbers to a point, D from a point to a number; 2 x 64, leaky ReLU."""
    gen, disc = (networks.mlp(n, (64, 64), m, activation=_leaky) for n, m in ((LATENT, 2), (2, 1)))
    return Players(gen, disc)


def generate(weights: Any, reach: float, z: Any) -> tf.Tensor:
    """What a generator of these weights makes of noise ``z`` (n, 16): points (n, 2), ``r tanh(G(z) / r)``."""
    x = nets().gen.apply(weights, (), z)[0]
    return x if math.isinf(reach) else reach * tf.tanh(x / reach)


def game(sheet: Mapping[str, str]) -> Game:
    """The game of a sheet, on batches of points (n, 2).

    Raises ``ValueError`` for a sheet of other lines; with the line that cannot be read, or is out of range, here or
    when it is traced; and for data that are no points in the plane.
    """
    if not isinstance(sheet, Mapping) or set(sheet) != set(LINES):
        raise ValueError(f"a sheet is a dict of the lines {', '.join(LINES)}, not {sheet!r}.")
    both, gamma, reach = nets(), _number(sheet, "gamma"), _number(sheet, "reach")
    penalty = losses.r1(gamma) if gamma else losses.no_penalty  # which costs nothing

    def made(players, n, seed):
        known = {"seed": seed, "first": seeds.make(0), "normal": lambda own: seeds.normal([n, LATENT], own)}
        words = f"noise of {LATENT} numbers for each sample, such as normal(seed)"
        return generate(players.gen.params, reach, _tensor(sheet, "noise", (n, LATENT), words, **known))

    def score(players, x):
        if not x.shape.is_compatible_with((None, 2)):
            raise ValueError(f"the clinic's data are points (n, 2), not of shape {x.shape}.")
        known = {"x": x, "D": lambda x: both.disc.apply(*players.disc, x)[0]}
        return _tensor(sheet, "logit", (None, 1), "one number for each point, such as D(x)", **known)

    def paid(line, players, real, seed):
        logits = {"on_real": score(players, real), "on_fake": score(players, made(players, real.shape[0], seed))}
        return _tensor(sheet, line, (), "one number, such as the mean of what each logit costs", **logits)

    def gen_loss(players, real, seed, hyper):
        return paid("loss_G", players, real, seed), ()

    def disc_loss(players, real, seed, hyper):
        steep = penalty.value(lambda x: score(players, x), real, real, seed, hyper)
        return paid("loss_D", players, real, seed) + steep, ()

    def init(seed):
        return Players(*(Player(*net.init(own)) for net, own in zip(both, seeds.split(seed, 2), strict=True)))

    return Game(init, gen_loss, disc_loss, made, score)


def _rule(sheet):
    steps = {line: _read(sheet, line) for line in ("step_G", "step_D")}
    for line, optimizer in steps.items():
        if not isinstance(optimizer, optimizers.Optimizer):
            raise _refusal(sheet, line, "an optimizer, such as adam(0.003)")
    return rules.alternating(*steps.values(), disc_steps=_number(sheet, "rounds"))


def play(sheet: Mapping[str, str], data: Any, *, seed: int, look: Callable | None = None) -> list[np.ndarray]:
    """Train by ``sheet`` on the mixture ``data`` for 1,000 steps in batches of 128, D before G: G's weights.

    ``look``: a function ``(step, players)`` to be called every 40 steps. Raises ``ValueError`` as :func:`game`.
    """
    hooks = [every(EVERY, look)] if look else []
    batches = data.batches(BATCH)
    result = train(game(sheet), _rule(sheet), batches, num_steps=STEPS, seed=seed, hooks=hooks, progress=False)
    return [np.array(value) for value in result.players.gen.params]


def chart(sheet: Mapping[str, str], data: Any, *, seed: int) -> Chart:
    """What is seen of a run of :func:`play`, at 25 moments. Raises ``ValueError`` as :func:`game`."""
    played, reach, seen = game(sheet), _number(sheet, "reach"), []
    own = seeds.fold_in(seeds.make(seed), "chart")
    real, shown = data.sample(SHOWN, own), seeds.normal([SHOWN, LATENT], own)

    @tf.function(autograph=False)
    def seen_at(players, noise):
        practiced, half = played.generate(players, SHOWN, noise), SHOWN // 2

        def gen_loss(params):
            return played.gen_loss(players._replace(gen=Player(params)), real, noise, None)[0]

        paid = tf.stack([gen_loss(players.gen.params), played.disc_loss(players, real, noise, None)[0]])
        mixed = played.score(players, tf.concat([real[:half], practiced[:half]], 0))[:half, 0]
        logits = [played.score(players, x)[:, 0] for x in (real, practiced)]
        slope = trees.norm(autodiff.grad(gen_loss)(players.gen.params))
        return paid, slope, *logits, mixed, practiced, generate(players.gen.params, reach, shown)

    def look(step, players):
        seen.append((step, *seen_at(players, seeds.fold_in(own, step))))

    play(sheet, data, seed=seed, look=look)
    return Chart(*(np.array(part) for part in zip(*seen, strict=True)))
