"""Meta-SGD: theta is where both players start *and* how fast each of their tensors, or parameters, learns.

    φ⁰ = theta.start,    φᵏ⁺¹ = φᵏ - exp(theta.log_lr) ∘ ∂L(φᵏ)/∂φ

Learned are the logarithms, so that a rate stays above 0. (Li, Zhou, Chen & Li 2017, eq. 3–4, with one step and one
loss; their rates, one per parameter, may turn negative. Here each player descends its own loss, for many steps.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import checks, optimizers, rules, seeds, trees
from ..games import Game, Hyper, Players
from ..rules import Rule, under
from ..values import by_value
from .base import MetaLearner, drawn
from .initialization import started, starts


class MetaSGD(NamedTuple):
    """``start``: ``Players`` of parameters, empty for a player that starts afresh; ``log_lr``: ``Players`` of trees."""

    start: Any
    log_lr: Any


def per_parameter(params: Any) -> Any:
    """One rate for each parameter: zeros of the structure and shapes of ``params``."""
    return trees.zeros(params)


def per_tensor(params: Any) -> Any:
    """One rate for each tensor (each layer's kernel, each bias): scalar zeros of the structure of ``params``."""
    return trees.map(lambda x: tf.zeros((), x.dtype), params)


def per_player(params: Any) -> tf.Tensor:
    """One rate for all: a scalar zero."""
    return tf.zeros((), trees.leaves(params)[0].dtype)


@by_value
def meta_sgd(
    game: Game, lr: float | Players = 1e-3, *, per: Callable = per_tensor, rule: Rule | None = None,
    of: tuple[str, ...] = Players._fields, batches: Callable | None = None,
) -> MetaLearner:  # fmt: skip
    """The learner whose theta is a :class:`MetaSGD`.

    ``lr``: the rate of every tensor before meta-training, or a pair ``Players`` of them; ``per``: what has a rate of
    its own; ``rule``: the rule that the rates are factors on, by default alternating SGD at rate 1 (with Adam at rate 1
    the learned numbers are Adam's rates, which is no longer Meta-SGD); ``of``: whose start is learned (none: rates
    only, from ``game.init``); ``batches``: by default ``drawn(20)``. Raises ``ValueError`` for a rate that is not above
    0, or where ``of`` names no players.
    """
    of = tuple(of)
    if not set(of) <= set(Players._fields):
        raise ValueError(f"of must hold 'gen', 'disc', both or none, not {of!r}.")
    lr = lr if isinstance(lr, Players) else Players(lr, lr)
    for rate in lr:
        checks.number("lr", rate, above=0)
    rule = rules.alternating(optimizers.sgd(1.0), optimizers.sgd(1.0)) if rule is None else rule

    def init(seed):
        fresh = game.init(seeds.make(seed))
        log_lr = [
            trees.map(lambda zero, rate=rate: zero + tf.math.log(tf.constant(rate, zero.dtype)), per(player.params))
            for rate, player in zip(lr, fresh, strict=True)
        ]
        return MetaSGD(starts(fresh, of), Players(*log_lr))

    def players(theta, seed):
        return started(game.init(seed), theta.start, of)

    def at_rates(theta):
        return under(rule, Hyper(lr=Players(*(trees.map(tf.exp, log_lr) for log_lr in theta.log_lr))))

    return MetaLearner(game, init=init, players=players, rule=at_rates, batches=batches or drawn(20))
