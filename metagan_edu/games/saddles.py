"""Families of two-player zero-sum games on a few numbers: small worlds in which to learn how to play a game.

Each game is ``min_x max_y V(x, y; c)``: the generator holds x and minimizes ``L_G = V``, the discriminator holds y and
minimizes ``L_D = -V``. Its *batch* is the task's coefficients ``c``, so one :class:`~metagan_edu.games.Game` plays
every task of its family. Games stand side by side: with ``games = n``, x and y have shape (n, d), ``c`` has n rows, and
row i is a game of its own (``V`` is the sum over rows). The families are those of Shen et al. (2021, "Twin-L2O").

A sampler of tasks, ``seed -> Task(support=c, query=())``, has the ranges of its coefficients as arguments: a narrow one
to learn on and a wide one to see what was learned outside it are two samplers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .. import checks, seeds
from ..data import base
from ..values import by_value
from .base import Game, Player, Players

CANDIDATES = 16  # matrices drawn for each one that is wanted: of 16, all are singular about once in 10^7


def _family(value, dims, num_games, start):
    """The zero-sum game of ``value(x, y, coefficients) -> (games,)``, with starts from U[-start, start]."""
    num_games = checks.whole("games", num_games)
    checks.number("start", start, above=0)

    def init(seed):
        parts = zip(dims, seeds.split(seed, 2), strict=True)
        return Players(*(Player(seeds.uniform([num_games, d], s, -start, start)) for d, s in parts))

    def total(players, coefficients):
        x, y = players.gen.params, players.disc.params
        coefficients = tf.convert_to_tensor(coefficients)
        if coefficients.shape[0] not in (num_games, None):
            raise ValueError(f"{num_games} games need as many rows of coefficients, not {coefficients.shape[0]}.")
        return tf.reduce_sum(value(x, y, tf.cast(coefficients, x.dtype)))

    return Game(
        init=init,
        gen_loss=lambda players, batch, seed, hyper: (total(players, batch), ()),
        disc_loss=lambda players, batch, seed, hyper: (-total(players, batch), ()),
    )


def _saddle(x, y, c):
    return c[:, 0] * x[:, 0] * x[:, 0] - c[:, 1] * y[:, 0] * y[:, 0] + 2 * x[:, 0] * y[:, 0]


def _sine(x, y, c):
    return -c[:, 1] * y[:, 0] * tf.sin(math.pi * c[:, 0] * x[:, 0])


def _matrix(x, y, c):
    return tf.einsum("gi,gij,gj->g", x, c, y)


@by_value
def rotated_saddle(*, games: int = 1, start: float = 0.5) -> Game:
    """``V = a x² - b y² + 2xy``; coefficients (games, 2): a and b. For a, b > 0 its one stationary point is (0, 0)."""
    return _family(_saddle, (1, 1), games, start)


@by_value
def seesaw(*, games: int = 1, start: float = 0.5) -> Game:
    """``V = -b y sin(aπx)``; coefficients (games, 2): a and b. It is stationary at y = 0, x = k/a for every whole k."""
    return _family(_sine, (1, 1), games, start)


@by_value
def matrix_game(*, games: int = 1, size: int = 5, start: float = 0.5) -> Game:
    """``V = xᵀAy``; coefficients (games, size, size): A. Stationary where ``Ay = 0`` and ``Aᵀx = 0``."""
    size = checks.whole("size", size)
    return _family(_matrix, (size, size), games, start)


@by_value
def mixed(*, games: int = 3, size: int = 5, start: float = 0.5) -> Game:
    """All three at once, so that one optimizer can learn on them: row i is a rotated saddle, a seesaw or a matrix game.

    Coefficients (games, 5 + size²): which of the three (one 1 and two 0), a and b, and the entries of A. The scalar
    games use the first entries of x and y; the others do not move.
    """
    size = checks.whole("size", size)

    def value(x, y, c):
        parts = _saddle(x, y, c[:, 3:5]), _sine(x, y, c[:, 3:5]), _matrix(x, y, tf.reshape(c[:, 5:], [-1, size, size]))
        return tf.add_n([c[:, i] * part for i, part in enumerate(parts)])

    return _family(value, (size, size), games, start)


@by_value
def mixed_tasks(
    *, games: int = 3, size: int = 5, low: float = 0.9, high: float = 1.0, **matrices: float
) -> Callable[[Any], base.Task]:
    """Tasks of :func:`mixed`: the families in turn, coefficients as :func:`scalar_tasks` and :func:`matrix_tasks` draw
    them (``matrices``: its ``density``, ``scale`` and ``least``)."""
    numbers, entries = scalar_tasks(games=games, low=low, high=high), matrix_tasks(games=games, size=size, **matrices)
    which = tf.one_hot(tf.range(games) % 3, 3)

    def sample(seed):
        first, second = seeds.split(seed, 2)
        matrix = tf.reshape(entries(second).support, [games, -1])
        return base.Task(tf.concat([which, numbers(first).support, matrix], 1), ())

    return sample


@by_value
def scalar_tasks(*, games: int = 1, low: float = 0.9, high: float = 1.0) -> Callable[[Any], base.Task]:
    """Tasks of :func:`rotated_saddle` and :func:`seesaw`: a, b ~ U[low, high), independent, coefficients (games, 2)."""
    num_games = checks.whole("games", games)
    if not 0 < low <= high < math.inf:
        raise ValueError(f"the range of the coefficients must have 0 < low <= high, not [{low}, {high}].")

    def sample(seed):
        return base.Task(seeds.uniform([num_games, 2], seed, low, high), ())

    return sample


@by_value
def matrix_tasks(
    *, games: int = 1, size: int = 5, density: float = 0.5, scale: float = 1.0, least: float = 0.0
) -> Callable[[Any], base.Task]:
    """Tasks of :func:`matrix_game`: entries Bernoulli(density) · U[-scale, scale), coefficients (games, size, size).

    ``least``: the least singular value that a matrix may have. About a third of the 5x5 matrices of density 0.5 are
    singular; with ``least = 1e-3``, say, these are left out: of :data:`CANDIDATES` draws the first that is good enough
    is taken (the one with the largest least singular value, where none is).
    """
    num_games, size = checks.whole("games", games), checks.whole("size", size)
    if not 0 < density <= 1:
        raise ValueError(f"density must be in (0, 1], not {density!r}.")
    checks.number("scale", scale, above=0)
    if not 0 <= least < scale:
        raise ValueError(f"least must be at least 0 and below the scale {scale}, not {least!r}.")

    def sample(seed):
        which, value = seeds.split(seed, 2)
        shape = [num_games, CANDIDATES, size, size]
        kept = seeds.uniform(shape, which) < density
        matrices = tf.where(kept, seeds.uniform(shape, value, -scale, scale), 0.0)
        if least == 0:
            return base.Task(matrices[:, 0], ())
        smallest = smallest_singular_value(matrices)
        good = smallest >= least
        first, best = tf.argmax(tf.cast(good, tf.int32), axis=1), tf.argmax(smallest, axis=1)
        chosen = tf.where(tf.reduce_any(good, axis=1), first, best)
        return base.Task(tf.gather(matrices, chosen, batch_dims=1), ())

    return sample


def smallest_singular_value(matrices: tf.Tensor) -> tf.Tensor:
    """The smallest singular value of each matrix of (…, n, n): shape (…). Zero, up to rounding, says singular."""
    return tf.linalg.svd(matrices, compute_uv=False)[..., -1]


def game_gram(stacks: list[tf.Tensor]) -> tf.Tensor:
    """Inner products within each game: tensors (k, games, d) that stack k trees, leaf by leaf -> (k, k, games, 1)."""
    return tf.add_n([tf.einsum("igd,jgd->ijg", x, x) for x in stacks])[..., None]
