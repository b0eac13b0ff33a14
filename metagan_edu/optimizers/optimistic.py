"""Expect the next update to differ from this one as this one did from the last.

    w ← w + u_t + (u_t - u_{t-1}) = w + 2 u_t - u_{t-1}

``u_t`` is the update of the optimizer inside: ``-η g(w_t)`` with SGD, Adam's with Adam (Optimistic Adam). The past
update is reused, so a step costs what a plain one does; before the first step it is 0. (Daskalakis, Ilyas, Syrgkanis &
Zeng 2018; with SGD, ``w_t`` are the points ``w_{t+½}`` of Popov's 1980 extragradient from the past.)
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import trees
from ..values import by_value
from .base import Optimizer


class Optimism(NamedTuple):
    """``slots``: of the optimizer inside; ``past``: its last update."""

    slots: Any
    past: Any


@by_value
def optimistic(optimizer: Optimizer) -> Optimizer:
    """``optimizer``, with updates ``2 u_t - u_{t-1}``."""

    def update(grads, slots):
        now, inner = optimizer.update(grads, slots.slots)
        return trees.sub(trees.scale(2, now), slots.past), Optimism(inner, now)

    return Optimizer(lambda params: Optimism(optimizer.init(params), trees.zeros(params)), update, optimizer.counts)
