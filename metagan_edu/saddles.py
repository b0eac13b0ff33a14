"""Families of two-player zero-sum games on a few numbers: small worlds in which to learn how to play a game.

Each game is ``min_x max_y V(x, y; c)``: the generator holds x and minimizes ``L_G = V``, the discriminator holds y and
minimizes ``L_D = -V``. Its *batch* is the task's coefficients ``c``, so one :class:`~metagan_edu.games.Game` plays
every task of its family. Games stand side by side: with ``games = n``, x and y have shape (n, d), ``c`` has n rows, and
row i is a game of its own (``V`` is the sum over rows). The families are those of Shen et al. (2021, "Twin-L2O").

A sampler of tasks, ``seed -> Task(support=c, query=())``, has the ranges of its coefficients as arguments: a narrow one
to learn on and a wide one to see what was learned outside it are two samplers.
"""

import math

import tensorflow as tf

from . import games, seeds, trees
from .data import base

CANDIDATES = 16  # matrices drawn for each one that is wanted: of 16, all are singular about once in 10^7


def _family(value, dims, num_games, start):
    """The zero-sum game of ``value(x, y, coefficients) -> (games,)``, with starts from U[-start, start]."""
    num_games = base.positive("games", num_games)
    if not (start > 0 and math.isfinite(start)):
        raise ValueError(f"start must be a finite number above 0, not {start!r}.")

    def init(seed):
        parts = zip(dims, seeds.split(seed, 2), strict=True)
        return games.Players(
            *(games.Player(tf.random.stateless_uniform([num_games, d], s, -start, start)) for d, s in parts)
        )

    def total(players, coefficients):
        x, y = players.gen.params, players.disc.params
        coefficients = tf.convert_to_tensor(coefficients)
        if coefficients.shape[0] not in (num_games, None):
            raise ValueError(f"{num_games} games need as many rows of coefficients, not {coefficients.shape[0]}.")
        return tf.reduce_sum(value(x, y, tf.cast(coefficients, x.dtype)))

    return games.Game(
        init=init,
        gen_loss=lambda players, batch, seed, hyper: (total(players, batch), ()),
        disc_loss=lambda players, batch, seed, hyper: (-total(players, batch), ()),
    )


def rotated_saddle(*, games=1, start=0.5):
    """``V = a x² - b y² + 2xy``; coefficients (games, 2): a and b. For a, b > 0 its one stationary point is (0, 0)."""

    def value(x, y, c):
        return c[:, 0] * x[:, 0] ** 2 - c[:, 1] * y[:, 0] ** 2 + 2 * x[:, 0] * y[:, 0]

    return _family(value, (1, 1), games, start)


def seesaw(*, games=1, start=0.5):
    """``V = -b y sin(aπx)``; coefficients (games, 2): a and b. It is stationary at y = 0, x = k/a for every whole k."""

    def value(x, y, c):
        return -c[:, 1] * y[:, 0] * tf.sin(math.pi * c[:, 0] * x[:, 0])

    return _family(value, (1, 1), games, start)


def matrix_game(*, games=1, size=5, start=0.5):
    """``V = xᵀAy``; coefficients (games, size, size): A. Stationary where ``Ay = 0`` and ``Aᵀx = 0``."""
    size = base.positive("size", size)
    return _family(lambda x, y, c: tf.einsum("gi,gij,gj->g", x, c, y), (size, size), games, start)


def scalar_tasks(*, games=1, low=0.9, high=1.0):
    """Tasks of :func:`rotated_saddle` and :func:`seesaw`: a, b ~ U[low, high), independent, coefficients (games, 2)."""
    num_games = base.positive("games", games)
    if not 0 < low <= high < math.inf:
        raise ValueError(f"the range of the coefficients must have 0 < low <= high, not [{low}, {high}].")

    def sample(seed):
        return base.Task(tf.random.stateless_uniform([num_games, 2], seeds.make(seed), low, high), ())

    return sample


def matrix_tasks(*, games=1, size=5, density=0.5, scale=1.0, least=0.0):
    """Tasks of :func:`matrix_game`: entries Bernoulli(density) · U[-scale, scale), coefficients (games, size, size).

    ``least``: the least singular value that a matrix may have. About a third of the 5x5 matrices of density 0.5 are
    singular; with ``least = 1e-3``, say, these are left out: of :data:`CANDIDATES` draws the first that is good enough
    is taken (the one with the largest least singular value, where none is).
    """
    num_games, size = base.positive("games", games), base.positive("size", size)
    if not 0 < density <= 1:
        raise ValueError(f"density must be in (0, 1], not {density!r}.")
    if not (scale > 0 and math.isfinite(scale)):
        raise ValueError(f"scale must be a finite number above 0, not {scale!r}.")
    if not 0 <= least < scale:
        raise ValueError(f"least must be at least 0 and below the scale {scale}, not {least!r}.")

    def sample(seed):
        which, value = seeds.split(seed, 2)
        shape = [num_games, CANDIDATES, size, size]
        kept = tf.random.stateless_uniform(shape, which) < density
        matrices = tf.where(kept, tf.random.stateless_uniform(shape, value, -scale, scale), 0.0)
        smallest = smallest_singular_value(matrices)
        good = smallest >= least
        first, best = tf.argmax(tf.cast(good, tf.int32), axis=1), tf.argmax(smallest, axis=1)
        chosen = tf.where(tf.reduce_any(good, axis=1), first, best)
        return base.Task(tf.gather(matrices, chosen, batch_dims=1), ())

    return sample


def smallest_singular_value(matrices):
    """The smallest singular value of each matrix of (…, n, n): shape (…). Zero, up to rounding, says singular."""
    return tf.linalg.svd(matrices, compute_uv=False)[..., -1]


def game_norm(tree):
    """The Euclidean norm over all entries of each game: leaves (games, d) -> (games, 1); its gradient at 0 is 0."""
    square = tf.add_n([tf.reduce_sum(x * x, axis=1, keepdims=True) for x in trees.leaves(tree)])
    positive = square > 0
    return tf.where(positive, tf.sqrt(tf.where(positive, square, tf.ones_like(square))), tf.zeros_like(square))


def field_norm(game, players, coefficients):
    """``‖(∂L_G/∂x, ∂L_D/∂y)‖`` of each game, shape (games,): zero exactly at a stationary point.

    It scores a run where the distance to a solution cannot: a seesaw has many stationary points.
    """
    return game_norm(games.field(game, players, coefficients))[:, 0]
