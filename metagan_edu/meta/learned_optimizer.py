"""A learned minimax optimizer: theta is a network that decides, parameter by parameter, how both players move.

    w ← w - 1/L · Σ_k c_k ∘ b_k,    b = (g_t, g_{t-1}, g_{t-2}, L u_{t-1}, L u_{t-2}, mean of g),
    c = network(theta; b/‖g_t‖, state of the game)

``w = (φ_G, φ_D)`` are both players' parameters, ``g`` their own gradients, ``u`` past updates, and ``L`` the steepness
that was measured, ``‖g_t - g_{t-1}‖/‖u_{t-1}‖``, or what is left of an earlier, larger one. What the network sees has
no units, so that a loss or parameters multiplied by a number do not matter from the second step on. It starts at
``c = (0.8, -0.4, 0, …)``, an optimistic step. Each player has a network of its own, and a step takes one gradient of
each. (Learned per parameter: Andrychowicz et al. 2016, Metz et al. 2022; for two players: Shen et al. 2021. The basis
and the features are this course's own.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import checks, dynamics, seeds, trees
from ..games import Game, Players, saddles
from ..optimizers import Optimizer
from ..roots import root
from ..rules import jointly, safeguard
from ..values import by_value
from .base import MetaLearner, everything
from .coordinatewise import Body, beside, mlp

FORGET, MEAN, TINY = 0.8, 0.9, 1e-20
PAIRS = [6 * i + j for i in range(6) for j in range(i, 6)]  # each inner product of the basis once
LIMITS = 1e-6, 1e6  # of the steepness: where nothing moves any more, it is rounding


class Theta(NamedTuple):
    """``weights``: ``Players`` of the networks' weights; ``log_lr``: of the first step, when no L is known yet."""

    weights: Players
    log_lr: Any


class Memory(NamedTuple):
    """Pairs of trees: ``grads`` g_{t-1}, g_{t-2}; ``moves`` u_{t-1}, u_{t-2}; ``mean`` of g. Numbers for each game:
    ``steepness`` L; ``norm`` ‖g_{t-1}‖; ``t``. And ``cells``: what the networks keep for each tensor."""

    grads: tuple
    moves: tuple
    mean: Any
    steepness: Any
    norm: Any
    t: Any
    cells: Players


def minimax_optimizer(
    theta: Theta, body: Body, *, gram: Callable = safeguard.whole_gram, hold: Callable = tf.stop_gradient
) -> Optimizer:
    """The learned optimizer of *both* players at once: gradients, updates and slots are pairs ``Players``.

    ``gram``: the inner products by which the state of the game is measured: over all parameters, or over each game's
    (:func:`~metagan_edu.games.saddles.game_gram`) where games stand side by side. ``hold``: what is done to the
    features and to L; by default they are constants in the meta-gradient, which is cheaper and steadier
    (``tf.identity``: exact).
    """

    def init(params):
        zero, number = trees.zeros(params), safeguard.square(gram, params) * 0
        cells = Players(*(tuple(body.start(x) for x in trees.leaves(player)) for player in params))
        return Memory((zero, zero), (zero, zero), zero, number, number, number, cells)

    def update(grads, memory):
        columns, world, memory = observe(theta, grads, memory, gram, hold)
        scale, moves, cells = hold(memory.norm) + TINY, [], []
        for who, weights in zip(Players._fields, theta.weights, strict=True):
            own, kept = [], []
            for b, cell in zip(getattr(columns, who), getattr(memory.cells, who), strict=True):
                c, cell = body.apply(weights, tf.tanh(hold(b / scale)), world, cell)
                own.append(-tf.reduce_sum(c * b, 0) / memory.steepness), kept.append(cell)
            moves.append(trees.like(getattr(grads, who), own)), cells.append(tuple(kept))
        moves = Players(*moves)
        return moves, memory._replace(moves=(moves, memory.moves[0]), cells=Players(*cells))

    return Optimizer(init, update)


def restart(old: Memory, new: Memory) -> Memory:
    """The memory of a second attempt, for :func:`~metagan_edu.rules.safeguarded`: new, but for the game's steepness."""
    return new._replace(steepness=old.steepness)


def observe(theta: Theta, grads: Players, memory: Memory, gram: Callable, hold: Callable) -> tuple[Any, Any, Memory]:
    """The basis b of each tensor ``(6, …)``, the state of the game ``(34, …)``, and the memory but for its moves."""
    first, second = memory.t < 0.5, memory.t < 1.5
    before = trees.where(first, grads, memory.grads[0])
    earlier = trees.where(second, before, memory.grads[1])
    mean = trees.map(lambda m, g: MEAN * m + (1 - MEAN) * g, memory.mean, grads)
    seen = (grads, before, earlier, *memory.moves, mean, trees.sub(grads, before))
    stacks = [[tf.stack(b) for b in zip(*(trees.leaves(x[i]) for x in seen), strict=True)] for i in range(2)]
    gen, disc = (gram(stack) for stack in stacks)
    products = gen + disc
    norm, moved, changed = (root(products[i, i]) for i in (0, 3, 6))
    now = tf.clip_by_value((changed + TINY) / (moved + TINY), *LIMITS)
    now = tf.where(first, tf.exp(-theta.log_lr), now)
    steepness = hold(tf.maximum(now, FORGET * memory.steepness))
    one = tf.ones_like(norm)
    units = tf.stack([one, one, one, steepness, steepness, one])  # so that all columns are gradients
    columns = Players(*([beside(units, b[:6]) * b[:6] for b in stack] for stack in stacks))
    pairs = tf.reshape(products[:6, :6] * units[:, None] * units, [36, *norm.shape])
    numbers = tf.concat([tf.gather(pairs, PAIRS), gen[0, :6] * units], 0)
    growth = tf.clip_by_value(tf.math.log((norm + TINY) / (memory.norm + TINY)), -3, 3)
    rest = tf.stack([
        *(own[3, 6] / (moved * changed + TINY) for own in (gen, disc)),
        tf.where(first, 0 * norm, growth), tf.math.log(now / steepness),
        tf.cast(first, norm.dtype), tf.exp(-memory.t / 3), 1 - 2 * tf.math.floormod(memory.t, 2),
    ])  # fmt: skip
    world = hold(tf.concat([tf.tanh(numbers / (tf.square(norm) + TINY) / 2), rest], 0))
    new = memory._replace(grads=(grads, before), mean=mean, steepness=steepness, norm=norm, t=memory.t + 1)
    return columns, world, new


@by_value
def learned_optimizer(
    game: Game, *, body: Body | None = None, gram: Callable = safeguard.whole_gram, hold: Callable = tf.stop_gradient,
    batches: Callable = everything,
) -> MetaLearner:  # fmt: skip
    """The learner whose theta is the networks' weights and the first step's rate; every run starts at ``game.init``.

    ``body``: the network, by default :func:`~metagan_edu.meta.coordinatewise.mlp` (or ``lstm``); ``gram``, ``hold``: as
    in :func:`minimax_optimizer`; ``batches``: by default the whole support set, as the saddle families need it. It is
    meta-trained with ``outer=log_field_norm()`` and an estimator that judges each step, such as
    :func:`~metagan_edu.meta.truncated_backprop`.
    """
    body = mlp() if body is None else body

    def init(seed):
        draws = seeds.split(seed, 2)
        return Theta(Players(*(body.init(own) for own in draws)), tf.math.log(0.1))

    def rule(theta):
        return jointly(minimax_optimizer(theta, body, gram=gram, hold=hold))

    return MetaLearner(game, init, lambda theta, seed: game.init(seed), rule, batches)


@by_value
def log_field_norm(floor: float = 1e-4) -> Callable:
    """The outer loss ``mean over games of log(‖field‖ + floor)``: every step is worth what it divides the norm by.

    Below ``floor`` nothing is gained any more. For the games of :mod:`metagan_edu.games.saddles`. Raises ``ValueError``
    for a floor that is not above 0.
    """
    checks.number("floor", floor, above=0)

    def outer(game, theta, players, task, seed):
        norm = dynamics.field_norm(game, players, task.support, gram=saddles.game_gram)
        return tf.reduce_mean(tf.math.log(tf.minimum(norm, 1e6) + floor))

    return outer
