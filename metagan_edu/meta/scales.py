"""Learned scales: theta is how large each tensor of a fixed start is, one factor for each.

    φ⁰ = exp(theta) · φ_fresh

With the outer loss :func:`gradient_quotient` it is MetaInit (Dauphin & Schoenholz 2019), which asks that the field
change little along its own direction; with :func:`after_one_step` it is GradInit (Zhu et al. 2021), which asks for low
losses after one step of bounded length. Both judge the start itself, so their estimator is
:func:`~metagan_edu.meta.at_start`. Neither was made for games; what changes there is said at each.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from .. import autodiff, checks, seeds, trees
from ..dynamics import field
from ..games import Game, Hyper, Players
from ..rules import Rule, joint
from ..values import by_value
from .base import MetaLearner, drawn


@by_value
def learned_scales(game: Game, rule: Rule, *, batches: Callable | None = None) -> MetaLearner:
    """The learner whose theta is ``Players(gen, disc)``, log-factors on the tensors that ``game.init`` draws, from 0.

    A tensor that starts at 0, such as a bias, stays there whatever its factor. ``batches``: by default ``drawn(20)``.
    """

    def init(seed):
        fresh = game.init(seeds.make(seed))
        return trees.map(lambda x: tf.zeros((), x.dtype), joint.params(fresh))

    def players(theta, seed):
        return Players(*map(_scaled, theta, game.init(seed)))

    return MetaLearner(game, init, players, lambda theta: rule, batches or drawn(20))


def _scaled(log_scale, player):
    return player._replace(params=trees.map(lambda s, x: tf.exp(s) * x, log_scale, player.params))


@by_value
def gradient_quotient(epsilon: float = 1e-3) -> Callable:
    """MetaInit's outer loss: ``1/N ‖(v + Jv) / (v + ε sign v) - 1‖₁``, the field's relative change along itself.

    ``v + Jv`` is the field after a step of length 1 along it, to first order; N: the number of parameters. For one
    player ``v = -g`` and ``J = -H``, which gives the paper's ``(g - Hg)/(g + ε sign g)``. In a game ``J`` is not
    symmetric, so it must be ``Jv`` and not the ``Jᵀv`` that the gradient of ``½‖v‖²`` would give. Public code has
    ε = 1e-5; in a game of ReLU networks the few weights with hardly any gradient then make up the whole mean, and
    nothing is learned (notebook 08). (Dauphin & Schoenholz 2019; sign 0 = 1 there and here.)
    """

    def outer(game, theta, players, task, seed):
        params = joint.params(players)

        def vector(params):
            return field(game, joint.with_params(players, params), task.support, seed)

        v = vector(params)
        turned = autodiff.jvp(vector, params, v)

        def change(v, jv):
            sign = tf.where(v >= 0, tf.ones_like(v), -tf.ones_like(v))
            return tf.reduce_sum(tf.abs((v + jv) / (v + epsilon * sign) - 1))

        count = sum(x.shape.num_elements() for x in trees.leaves(params))
        return tf.add_n(trees.leaves(trees.map(change, v, turned))) / count

    return outer


def _signed_step(player, grads, lr):
    moved = trees.map(lambda x, g: x - lr * tf.stop_gradient(tf.sign(g)), player.params, grads)
    return player._replace(params=moved)


@by_value
def after_one_step(lr: float, max_norm: float) -> Callable:
    """GradInit's outer loss, one for each player: ``L(φ - lr sign g)``, or ``‖g‖₁`` while that is above ``max_norm``.

    ``g``: the player's own gradient, held constant in the step, as in the authors' code; the step is Adam's first.
    In a game both players take it before either loss is looked at. (Zhu et al. 2021, algorithm 1.)
    """
    checks.number("lr", lr, above=0), checks.number("max_norm", max_norm, above=0)

    def outer(game, theta, players, task, seed):
        g = trees.scale(-1.0, field(game, players, task.support, seed))
        moved = Players(*(_signed_step(player, own, lr) for player, own in zip(players, g, strict=True)))
        after = [loss(moved, task.support, seed, Hyper())[0] for loss in (game.gen_loss, game.disc_loss)]
        norms = [tf.add_n([tf.reduce_sum(tf.abs(x)) for x in trees.leaves(own)]) for own in g]
        return Players(*(tf.where(n > max_norm, n, loss) for n, loss in zip(norms, after, strict=True)))

    return outer
