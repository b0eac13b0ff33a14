"""Each player moves as if it knew how the other answers: competitive gradient descent, for zero-sum games.

    a - η² D D' a = g_G - η D g_D,    b = g_D - η D' a,    φ_G ← φ_G - η a,    φ_D ← φ_D - η b

``g`` is the pair of own gradients, ``D = ∂g_G/∂φ_D`` and ``D' = ∂g_D/∂φ_G`` its mixed derivatives; together it is
``w ← w - η (I + η J_mixed)⁻¹ g``, the Nash equilibrium of the game's bilinear approximation with steps penalized by
``‖·‖²/2η``. Where ``L_D = -L_G``, ``D' = -Dᵀ``: the system is symmetric and positive, and the conjugate gradient solves
it; what differentiates a step differentiates the solution, which few iterations may leave some way off. (Schäfer &
Anandkumar 2019, algorithm 1; for a general game the system has no such form, and the rule refuses it.)
"""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .. import autodiff, checks, replicas, trees
from ..games import Players
from ..optimizers import Optimizer
from ..values import by_value
from . import base, joint


@by_value
def competitive(
    gen_optimizer: Optimizer, disc_optimizer: Optimizer, *, reaction: float, num_iterations: int = 4
) -> base.Rule:
    """The rule with ``reaction`` = η in the system; the directions (a, b) go to the optimizers as gradients.

    With ``sgd(reaction)`` for both it is the paper's rule; Adam makes another one of it. Terms of one player alone,
    such as R1, may be added to a zero-sum game. ``num_iterations``: of the conjugate gradient; a step takes ``2 + 2 ·
    num_iterations`` second-order products. Raises ``ValueError`` for a reaction below 0 or no iterations, and
    ``tf.errors.InvalidArgumentError`` in a step whose mixed derivatives are not those of a zero-sum game (XLA leaves
    that check out).
    """
    checks.number("reaction", reaction, least=0), checks.whole("num_iterations", num_iterations)
    optimizers = base.pair(gen_optimizer, disc_optimizer)
    solver = functools.partial(conjugate_gradient, num_iterations=num_iterations)

    def step(game, state, batches, seed, hyper):
        batch, noise = joint.draw(batches, seed)
        losses, states, g = joint.gradients(game, state.players, batch, noise, hyper)

        def react(who, players, direction):
            return trees.scale(reaction, _mixed(game, who, players, batch, noise, hyper, direction))

        def system(players, a):
            return trees.sub(a, react("gen", players, react("disc", players, a)))

        pull = react("gen", state.players, g.disc)
        a = autodiff.solve(system, trees.sub(g.gen, pull), state.players, solver)
        push = react("disc", state.players, a)
        _assert_zero_sum(a, pull, g.disc, push)
        directions = Players(a, trees.sub(g.disc, push))
        products = 2 + 2 * num_iterations
        state = joint.move(optimizers, state, directions, states, hyper)
        return state, base.info(game, losses, [batch], products=products)

    return base.Rule(base.init(optimizers), step, base.view)


def _mixed(game, who, players, batch, seed, hyper, direction):
    """``∂g_who/∂(other's parameters) · direction``."""
    other = "disc" if who == "gen" else "gen"
    # Each product passes through the networks anew, after the one that it needs. With the forward pass shared,
    # TensorFlow's remapper ties convolutions with bias in knots ("nodes in a cycle", seen with 2.21).
    with tf.control_dependencies(trees.leaves(direction)):
        players = trees.map(tf.identity, players)

    def own_gradient(params):
        theirs = getattr(players, other)._replace(params=params)
        return base.local_gradient(game, who, players._replace(**{other: theirs}), batch, seed, hyper)[1]

    return replicas.mean(autodiff.jvp(own_gradient, getattr(players, other).params, direction))


def conjugate_gradient(matrix: Callable, right: Any, num_iterations: int) -> Any:
    """``x`` with ``matrix(x) ≈ right``, for a symmetric positive linear function of trees (Hestenes & Stiefel 1952).

    Iterations after the exact solution leave it as it is. It is not to be differentiated: that is ``autodiff.solve``.
    """
    right, unflatten = trees.flatten(right)
    start = tf.reduce_sum(right * right)

    def iterate(state):
        x, residual, direction, square = state
        image = trees.flatten(matrix(unflatten(direction)))[0]
        going = square > 1e-20 * start
        length = tf.where(going, square / tf.where(going, tf.reduce_sum(direction * image), 1), 0)
        residual = residual - length * image
        new = tf.reduce_sum(residual * residual)
        turn = tf.where(going, new / tf.where(going, square, 1), 0)
        return x + length * direction, residual, residual + turn * direction, new

    x, *_ = autodiff.unroll(iterate, (tf.zeros_like(right), right, right, start), num_iterations)
    return unflatten(x)


def _assert_zero_sum(a, pull, b, push):
    """``⟨a, D b⟩ = -⟨D' a, b⟩`` up to rounding, with ``pull = ηDb`` and ``push = ηD'a``; NaN is left to the loop."""
    excess = tf.abs(trees.dot(a, pull) + trees.dot(push, b))
    size = trees.norm(a) * trees.norm(pull) + trees.norm(push) * trees.norm(b)
    tf.debugging.Assert(
        tf.logical_not(excess > 1e-3 * size),
        ["competitive needs a zero-sum game, L_D = -L_G up to terms of one player alone (losses.minimax is one): the "
         "mixed derivatives of the two losses are not opposite; their products, which should be equal, differ by",
         excess, "of", size],
    )  # fmt: skip
