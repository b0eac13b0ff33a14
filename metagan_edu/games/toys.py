"""Games of a few numbers, on which everything can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .. import losses
from ..networks import Network
from ..values import by_value
from .base import Game, Player, Players
from .gan import gan


def _scalar_network(function: Callable, start: float) -> Network:
    def apply(params, state, x, training=True):
        return function(params, x), state

    return Network(lambda seed: (tf.constant(start), ()), apply, (1,), (1,), None)


@by_value
def dirac(loss: losses.Loss | None = None, *, penalty: losses.Penalty | None = None, start: tuple = (1.0, 1.0)) -> Game:
    """The Dirac-GAN: real data is the point 0, ``G(z) = φ_G``, ``D(x) = φ_D x`` (Mescheder et al. 2018, def. 2.1).

    It is :func:`gan` with two one-parameter networks, so every rule, loss and penalty runs on it unchanged. The
    equilibrium is (φ_G, φ_D) = (0, 0); ``start`` is where ``init`` puts the players. It needs no batches
    (:func:`no_data`).
    """
    point = _scalar_network(lambda place, z: place + 0 * z, float(start[0]))
    line = _scalar_network(lambda slope, x: slope * x, float(start[1]))
    game = gan(point, line, loss=loss, penalty=penalty)

    def on_the_point(loss):
        def at_zero(players, batch, seed, hyper):
            return loss(players, tf.zeros([1, 1], players.gen.params.dtype), seed, hyper)

        return at_zero

    return game._replace(gen_loss=on_the_point(game.gen_loss), disc_loss=on_the_point(game.disc_loss))


@by_value
def bilinear(matrix: Any = ((1.0,),), *, start: tuple | None = None) -> Game:
    """The bilinear game ``min_x max_y xᵀAy``: ``L_G = xᵀAy``, ``L_D = -xᵀAy``, with ``A`` of shape (m, n).

    ``start``: a pair of vectors; by default all ones. The equilibrium of an invertible A is (0, 0).
    """
    matrix = tf.convert_to_tensor(matrix, tf.float32)
    if matrix.shape.rank != 2:
        raise ValueError(f"the matrix of a bilinear game has two axes, not shape {tuple(matrix.shape)}.")
    start = (tf.ones(matrix.shape[0]), tf.ones(matrix.shape[1])) if start is None else start
    start = Players(*(tf.convert_to_tensor(value, tf.float32) for value in start))
    if (start.gen.shape, start.disc.shape) != (matrix.shape[:1], matrix.shape[1:]):
        raise ValueError(f"a matrix {tuple(matrix.shape)} needs vectors of these lengths to start from, not of shapes "
                         f"{tuple(start.gen.shape)} and {tuple(start.disc.shape)}.")  # fmt: skip

    def value(players):
        x, y = players.gen.params, players.disc.params
        return tf.reduce_sum(x[:, None] * tf.cast(matrix, x.dtype) * y[None, :])

    return Game(
        init=lambda seed: Players(*(Player(value) for value in start)),
        gen_loss=lambda players, batch, seed, hyper: (value(players), ()),
        disc_loss=lambda players, batch, seed, hyper: (-value(players), ()),
    )
