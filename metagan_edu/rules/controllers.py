"""Update strategies made by hand, for :func:`~metagan_edu.rules.controlled`: schedules, and one that watches a loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import checks, trees
from ..games import Hyper, Players
from ..values import by_value
from .controlled import Controller


class Balance(NamedTuple):
    """``loss``: running mean of D's loss; ``tilt``: above 0 where D is held back, below 0 where G is."""

    loss: Any
    tilt: Any


def dtype_of(players: Players) -> tf.DType:
    """The dtype of the players' parameters, in which a controller keeps its memory."""
    return trees.leaves(players.gen.params)[0].dtype


@by_value
def schedule(gen: Callable, disc: Callable | None = None, penalty: Callable | None = None) -> Controller:
    """Factors on the rates (and on the penalty) that depend on the number of the rule's steps alone, functions of t.

    ``gen``, ``disc``, ``penalty``: schedules, such as ``optimizers.cosine_decay(1.0, num_steps)``; the discriminator's
    is the generator's by default, the penalty's is 1.
    """
    disc = gen if disc is None else disc

    def at(t):
        return t, Hyper(lr=Players(gen(t), disc(t)), penalty=1.0 if penalty is None else penalty(t))

    return Controller(lambda game, players: at(tf.zeros((), tf.int32)), lambda t, info: at(t + 1))


@by_value
def balance(
    low: Any = 1.0, high: Any = 1.5, *, speed: Any = 0.02, memory: Any = 0.9, limit: Any = 3.0, clip: Any = ()
) -> Controller:
    """Hold back the player that is winning, judged by the discriminator's loss ``L_D``; decay and the like go on top.

        m ← memory · m + (1 - memory) L_D
        b ← b + speed if m < low,    b - speed if m > high,    (1 - speed) b in between;    b kept in [-limit, limit]
        factor on D's rate: exp(-max(b, 0)),    on G's: exp(-max(-b, 0))

    ``clip``: a pair of thresholds on the gradients' norms, or empty; each is multiplied by its player's factor too.
    The defaults are for the minimax and the non-saturating loss, where ``L_D = 2 log 2 = 1.386`` in equilibrium and
    ``L_D = 0`` where D has won, so that the band lies around the former; ``L_D`` includes the penalty. The two losses
    are not driven towards each other, as FSCO's reward ``-|L_G - L_D|`` does (Wang et al. 2025): in equilibrium the
    non-saturating ``L_G`` is ``log 2``. It is a strategy for avoiding that one player runs away, and no more:
    ``L_D = 2 log 2`` is also the loss of a discriminator that knows nothing.
    All may be tensors, for a search or to be learned. Raises ``ValueError`` for numbers out of range.
    """
    checks.number("speed", speed, least=0, most=1), checks.number("memory", memory, least=0, below=1)
    checks.number("limit", limit, least=0), checks.number("low", low), checks.number("high", high)
    if not any(map(tf.is_tensor, (low, high))) and not low < high:
        raise ValueError(f"a balance needs low < high, not {low} and {high}.")
    thresholds_of(clip)

    def read(c):
        factors = Players(tf.exp(-tf.nn.relu(-c.tilt)), tf.exp(-tf.nn.relu(c.tilt)))
        thresholds = Players(*(norm * f for norm, f in zip(clip, factors, strict=True))) if clip else ()
        return c, Hyper(lr=factors, clip=thresholds)

    def init(game, players):
        dtype = dtype_of(players)
        return read(Balance(trees.as_type((low + high) / 2, dtype), tf.constant(0.0, dtype)))

    def update(c, info):
        loss = memory * c.loss + (1 - memory) * tf.cast(info.scalars["disc_loss"], c.loss.dtype)
        push = tf.cast(loss < low, loss.dtype) - tf.cast(loss > high, loss.dtype)
        tilt = tf.where(push == 0, (1 - speed) * c.tilt, c.tilt + speed * push)
        return read(Balance(loss, tf.clip_by_value(tilt, -limit, limit)))

    return Controller(init, update)


def thresholds_of(clip: Any) -> None:
    """``ValueError`` unless ``clip`` is a pair of thresholds above 0, or empty."""
    if not isinstance(clip, tuple) or len(clip) not in (0, 2):
        raise ValueError(f"clip must be a pair of thresholds above 0, or empty, not {clip!r}.")
    for norm in clip:
        checks.number("a threshold of clip", norm, above=0)
