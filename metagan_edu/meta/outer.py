"""Outer losses: how well did an inner run go? Each is ``outer(game, theta, players, task, seed)``.

A GAN has no likelihood to compare on a query set, so that this is a choice. One number is minimized in all of theta;
a pair ``Players(gen, disc)`` is a game of its own: each player's part of theta minimizes its own number.
"""

import tensorflow as tf

from .. import autodiff, metrics, seeds
from ..games import Hyper, Players
from ..rules import base
from ..rules.base import whole


def meta_game():
    """The game's own two losses, on the query set: ``Players(L_G, L_D)``, a game between the parts of theta.

    What Reptile and MAML for GANs do implicitly (Clouâtre & Demers 2019): a low ``L_G`` says that *this* D is fooled.
    """

    def outer(game, theta, players, task, seed):
        losses = (loss(players, task.query, seed, Hyper())[0] for loss in (game.gen_loss, game.disc_loss))
        return Players(*losses)

    return outer


def adapted_discriminator(optimizer, num_steps=10):
    """``L_G`` on the query set against a discriminator that was trained ``num_steps`` further, with G held fixed.

    The answer of Liang, Liu & Liu (2020): G is judged by a D that has caught up. The gradient goes through D's steps.
    """
    whole("num_steps", num_steps, 1)
    optimizers = Players(None, optimizer)

    def outer(game, theta, players, task, seed):
        state = base.State(players, Players((), optimizer.init(players.disc.params)))
        draws = tf.stack(seeds.split(seed, num_steps))

        def step(carry):
            state, t = carry
            return base.turn(game, "disc", optimizers, state, task.query, draws[t], Hyper())[0], t + 1

        state, _ = autodiff.unroll(step, (state, tf.constant(0)), num_steps)
        return game.gen_loss(state.players, task.query, seed, Hyper())[0]

    return outer


def energy_distance(num_samples=None):
    """The energy distance of ``num_samples`` generated samples (default: as many as queries) to the query set."""
    if num_samples is not None:
        whole("num_samples", num_samples, 2)

    def outer(game, theta, players, task, seed):
        made = game.generate(players, num_samples or tf.shape(task.query)[0], seed)
        return metrics.energy_distance(made, tf.cast(task.query, made.dtype))

    return outer


def features(classifier, num_samples=None):
    """The energy distance in the feature space of an image classifier (made for *training* classes), not in pixels."""

    def outer(game, theta, players, task, seed):
        made = game.generate(players, num_samples or tf.shape(task.query)[0], seed)
        return metrics.energy_distance(classifier.model(made)[0], classifier.model(task.query)[0])

    return outer
