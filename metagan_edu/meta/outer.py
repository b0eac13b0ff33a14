"""Outer losses: how well did an inner run go? Each is ``outer(game, theta, players, task, seed)``.

A GAN has no likelihood to compare on a query set, so that this is a choice. One number is minimized in all of theta;
a pair ``Players(gen, disc)`` is a game of its own: each player's part of theta minimizes its own number.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from .. import autodiff, checks, metrics, seeds
from ..games import Hyper, Players
from ..metrics import Classifier
from ..optimizers import Optimizer
from ..rules import base
from ..values import by_value


@by_value
def meta_game() -> Callable:
    """The game's own two losses, on the query set: ``Players(L_G, L_D)``, a game between the parts of theta.

    A low ``L_G`` says that *this* D is fooled. (Reptile for GANs, as of Clouâtre & Demers 2019, follows the game's own
    training on the support set; its direction is not the gradient of this.)
    """

    def outer(game, theta, players, task, seed):
        losses = (loss(players, task.query, seed, Hyper())[0] for loss in (game.gen_loss, game.disc_loss))
        return Players(*losses)

    return outer


@by_value
def adapted_discriminator(optimizer: Optimizer, num_steps: int = 10) -> Callable:
    """``L_G`` on the query set against a discriminator that was trained ``num_steps`` further, with G held fixed.

    The answer of Liang, Liu & Liu (2020): G is judged by a D that has caught up. The gradient goes through D's steps.
    """
    checks.whole("num_steps", num_steps)
    optimizers = base.pair(optimizer, optimizer)

    def outer(game, theta, players, task, seed):
        state = base.State(players, Players((), optimizer.init(players.disc.params)))
        draws = tf.stack(seeds.split(seed, num_steps))

        def step(carry):
            state, t = carry
            return base.turn(game, "disc", optimizers, state, task.query, draws[t], Hyper())[0], t + 1

        state, _ = autodiff.unroll(step, (state, tf.constant(0)), num_steps)
        return game.gen_loss(state.players, task.query, seed, Hyper())[0]

    return outer


@by_value
def energy_distance(num_samples: int | None = None) -> Callable:
    """The energy distance of ``num_samples`` generated samples (default: as many as queries) to the query set."""
    if num_samples is not None:
        checks.whole("num_samples", num_samples, 2)

    def outer(game, theta, players, task, seed):
        made = game.generate(players, num_samples or tf.shape(task.query)[0], seed)
        return metrics.energy_distance(made, tf.cast(task.query, made.dtype))

    return outer


@by_value
def features(classifier: Classifier, num_samples: int | None = None) -> Callable:
    """The energy distance in the feature space of an image classifier (made for *training* classes), not in pixels."""

    def outer(game, theta, players, task, seed):
        made = game.generate(players, num_samples or tf.shape(task.query)[0], seed)
        return metrics.energy_distance(classifier.model(made)[0], classifier.model(task.query)[0])

    return outer
