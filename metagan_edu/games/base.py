"""What a game of two players is: two losses and nothing that changes; parameters are values that a rule moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Player(NamedTuple):
    """``params``: trainable values; ``state``: non-trainable values, such as moving statistics."""

    params: Any
    state: Any = ()


class Players(NamedTuple):
    """Something of each player: their :class:`Player` values, optimizers, slots, rates, …"""

    gen: Any
    disc: Any


class Hyper(NamedTuple):
    """What may change while training goes on, set by a schedule, a controller or a meta-learner, read by rules and
    losses.

    *Factors* on what was configured, 1 meaning "as configured": ``lr`` on each player's update (a scalar, or a tree of
    the parameters' structure); ``penalty`` on the penalty; and in ``more``, by name, whatever else a loss of yours
    reads (``hyper.more["strength"]``). ``clip`` is no factor: a pair :class:`Players` of thresholds above 0 on the norm
    of each player's gradient, or empty, so that a rule without clipping does not pay for it. ``step``: how many steps
    of the rule came before, which the loop sets.
    """

    lr: Any = Players(1.0, 1.0)
    penalty: Any = 1.0
    clip: Any = ()
    more: Any = {}  # noqa: RUF012 - never changed in place
    step: Any = 0


class Game(NamedTuple):
    """A game, as pure functions.

    ``init(seed) -> Players``
    ``gen_loss, disc_loss (players, batch, seed, hyper) -> (scalar, the mover's new state)``: each player minimizes its
    own
    ``generate(players, n, seed) -> samples``; ``score(players, x) -> logits`` (``None`` in games without samples)
    ``cost``: what one gradient of each player's loss costs, in gradients of the loss without its penalty.
    """

    init: Callable
    gen_loss: Callable
    disc_loss: Callable
    generate: Callable | None = None
    score: Callable | None = None
    cost: Players = Players(1.0, 1.0)


def no_data(seed: Any) -> tuple:
    """The batches of a game that needs no data."""
    return ()
