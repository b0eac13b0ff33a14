"""A learned schedule: theta is the numbers of a policy that sets both players' rates, the penalty, and clipping.

    hyper_t = exp(policy(theta, state of training)),    (players, info) ← rule(players, hyper_t)

The policies are those of :mod:`metagan_edu.rules.policies`; ``theta = 0`` of a network is the rule itself, clipped at
``clip`` where that is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import checks
from ..games import Game
from ..rules import Rule, controlled, controllers, policies
from ..values import by_value
from .base import MetaLearner, drawn


@by_value
def learned_schedule(
    game: Game, rule: Rule, *, num_steps: int, policy: policies.Policy | None = None, clip: Any = (),
    batches: Callable | None = None,
) -> MetaLearner:  # fmt: skip
    """The learner whose theta is that of ``policy``, played on ``rule`` from ``game.init``.

    ``num_steps``: the length of an inner run, to which the schedule is laid out; ``policy``: by default
    :func:`~metagan_edu.rules.policies.network`; ``clip``: a pair of thresholds for the players' gradient norms that are
    then scheduled too, or empty; ``batches``: by default ``drawn(20)``. Its gradient goes through the losses that the
    policy sees, too. Raises ``ValueError`` for values out of range.
    """
    checks.whole("num_steps", num_steps)
    controllers.thresholds_of(clip)
    policy = policies.network() if policy is None else policy

    def scheduled(theta):
        return controlled(rule, policies.controller(policy, theta, num_steps=num_steps, clip=clip))

    return MetaLearner(
        game, init=lambda seed: policy.init(seed, 5 if clip else 3), players=lambda theta, seed: game.init(seed),
        rule=scheduled, batches=batches or drawn(20),
    )  # fmt: skip
