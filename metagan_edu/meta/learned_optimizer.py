"""A learned minimax optimizer: theta is a network that decides, parameter by parameter, how both players move.

    w ← w - 1/L · Σ_k c_k ∘ b_k,    b = (g_t, g_{t-1}, g_{t-2}, L u_{t-1}, L u_{t-2}, mean of g),
    c = network(theta; b/‖g_t‖, state of the game)

``w = (θ, ψ)`` are both players' parameters, ``g`` their own gradients, ``u`` past updates, and ``L`` the steepness that
was measured, ``‖g_t - g_{t-1}‖/‖u_{t-1}‖``, or what is left of an earlier, larger one. What the network sees has no
units, so that a loss or parameters multiplied by a number do not matter from the second step on. It starts at
``c = (0.8, -0.4, 0, …)``, an optimistic step. Each player has a network of its own, and a step takes one gradient of
each. (Learned per parameter: Andrychowicz et al. 2016, Metz et al. 2022; for two players: Shen et al. 2021. The basis
and the features are this course's own.)
"""

from typing import Any, NamedTuple

import tensorflow as tf

from .. import saddles, seeds, trees
from ..games import Players
from ..optimizers import Optimizer
from .base import everything, learner
from .coordinatewise import mlp
from .safeguard import either, jointly

FORGET, MEAN, TINY = 0.8, 0.9, 1e-20
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


def optimizer(theta, body, *, dot=trees.dot, hold=tf.stop_gradient):
    """The learned optimizer of *both* players at once: gradients, updates and slots are pairs ``Players``.

    ``dot``: the inner product by which the state of the game is measured: over all parameters, or over each game's
    (:func:`~metagan_edu.saddles.game_dot`) where games stand side by side. ``hold``: what is done to the features and
    to L; by default they are constants in the meta-gradient, which is cheaper and steadier (``tf.identity``: exact).
    """

    def init(params):
        zero, number = trees.zeros(params), tf.zeros_like(dot(params, params))
        cells = Players(*(tuple(body.start(x) for x in trees.leaves(player)) for player in params))
        return Memory((zero, zero), (zero, zero), zero, number, number, number, cells)

    def update(grads, memory):
        basis, world, memory = look(theta, grads, memory, dot, hold)
        scale, moves, cells = hold(memory.norm) + TINY, [], []
        for who, weights in zip(Players._fields, theta.weights, strict=True):
            columns = [tf.stack(b) for b in zip(*(trees.leaves(getattr(b, who)) for b in basis), strict=True)]
            seen = [tf.tanh(hold(b / scale)) for b in columns]
            kept = getattr(memory.cells, who)
            c, kept = zip(
                *(body.apply(weights, x, world, cell) for x, cell in zip(seen, kept, strict=True)), strict=True
            )
            own = [-tf.reduce_sum(a * b, 0) / memory.steepness for a, b in zip(c, columns, strict=True)]
            moves.append(trees.like(getattr(grads, who), own)), cells.append(kept)
        moves = Players(*moves)
        return moves, memory._replace(moves=(moves, memory.moves[0]), cells=Players(*cells))

    return Optimizer(init, update)


def restart(old, new):
    """The memory of a second attempt, for :func:`~metagan_edu.meta.safeguarded`: new, but for how steep the game is."""
    return new._replace(steepness=old.steepness)


def look(theta, grads, memory, dot, hold):
    """The basis b, the state of the game ``(34, …)``, and the memory but for its moves and cells."""
    first, second = memory.t < 0.5, memory.t < 1.5
    before = either(first, grads, memory.grads[0])
    mean = trees.map(lambda m, g: MEAN * m + (1 - MEAN) * g, memory.mean, grads)
    change = trees.sub(grads, before)
    norm, moved, changed = (_root(dot(x, x)) for x in (grads, memory.moves[0], change))
    now = tf.clip_by_value((changed + TINY) / (moved + TINY), *LIMITS)
    now = tf.where(first, tf.exp(-theta.log_lr), now)
    steepness = hold(tf.maximum(now, FORGET * memory.steepness))
    basis = [grads, before, either(second, before, memory.grads[1])]
    basis += [*(trees.map(lambda u: steepness * u, moves) for moves in memory.moves), mean]

    def product(x, y):
        return tf.tanh(dot(x, y) / (norm**2 + TINY) / 2)

    numbers = [product(x, y) for i, x in enumerate(basis) for y in basis[i:]]
    numbers += [product(x.gen, grads.gen) for x in basis]
    numbers += [dot(*pair) / (moved * changed + TINY) for pair in zip(change, memory.moves[0], strict=True)]
    growth = tf.clip_by_value(tf.math.log((norm + TINY) / (memory.norm + TINY)), -3, 3)
    numbers += [tf.where(first, tf.zeros_like(norm), growth), tf.math.log(now / steepness)]
    numbers += [tf.cast(first, norm.dtype), tf.exp(-memory.t / 3), 1 - 2 * tf.math.floormod(memory.t, 2)]
    new = memory._replace(grads=(grads, before), mean=mean, steepness=steepness, norm=norm, t=memory.t + 1)
    return basis, hold(tf.stack(numbers)), new


def learned_optimizer(game, *, body=None, dot=trees.dot, hold=tf.stop_gradient, batches=everything):
    """The learner whose theta is the networks' weights and the first step's rate; every run starts at ``game.init``.

    ``body``: the network, by default :func:`~metagan_edu.meta.coordinatewise.mlp` (or ``lstm``); ``dot``, ``hold``: see
    :func:`optimizer`; ``batches``: by default the whole support set, as the saddle families need it. Meta-trained with
    ``outer=log_field_norm()`` and an estimator that judges each step, such as
    :func:`~metagan_edu.meta.truncated_backprop`.
    """
    body = mlp() if body is None else body

    def init(seed):
        draws = seeds.split(seed, 2)
        return Theta(Players(*(body.init(own) for own in draws)), tf.math.log(0.1))

    def rule(theta):
        return jointly(optimizer(theta, body, dot=dot, hold=hold))

    return learner(game, init=init, players=lambda theta, seed: game.init(seed), rule=rule, batches=batches)


def log_field_norm(floor=1e-4):
    """The outer loss ``mean over games of log(‖field‖ + floor)``: every step is worth what it divides the norm by.

    Below ``floor`` nothing is gained any more. For the games of :mod:`metagan_edu.saddles`. Raises ``ValueError`` for a
    floor that is not above 0.
    """
    if not 0 < floor < float("inf"):
        raise ValueError(f"floor must be a finite number above 0, not {floor!r}.")

    def outer(game, theta, players, task, seed):
        norm = saddles.field_norm(game, players, task.support)
        return tf.reduce_mean(tf.math.log(tf.minimum(norm, 1e6) + floor))

    return outer


def _root(square):
    positive = square > 0
    return tf.where(positive, tf.sqrt(tf.where(positive, square, tf.ones_like(square))), tf.zeros_like(square))
