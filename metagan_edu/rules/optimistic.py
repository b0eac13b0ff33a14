"""Expect the next update to differ from this one as this one did from the last.

    w ← w + u_t + (u_t - u_{t-1}) = w + 2 u_t - u_{t-1}

``u_t`` is the update of the player's optimizer: ``-η g(w_t)`` with SGD, Adam's with Adam (Optimistic Adam). The past
update is reused, so a step costs what a plain one does; before the first step it is 0. (Daskalakis, Ilyas, Syrgkanis &
Zeng 2018; with SGD, ``w_t`` are the points ``w_{t+½}`` of Popov's 1980 extragradient from the past.)
"""

from typing import Any, NamedTuple

from .. import trees
from ..optimizers import Optimizer
from .simultaneous import simultaneous


class Optimism(NamedTuple):
    """``slots``: of the optimizer inside; ``past``: its last update."""

    slots: Any
    past: Any


def optimistic(gen_optimizer, disc_optimizer):
    """The optimistic rule: the simultaneous one, each optimizer made optimistic."""
    return simultaneous(_expecting(gen_optimizer), _expecting(disc_optimizer))


def _expecting(optimizer):
    def update(grads, slots):
        now, inner = optimizer.update(grads, slots.slots)
        return trees.sub(trees.scale(2, now), slots.past), Optimism(inner, now)

    return Optimizer(lambda params: Optimism(optimizer.init(params), trees.zeros(params)), update)
