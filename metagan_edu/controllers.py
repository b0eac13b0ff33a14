"""Update strategies made by hand, for :func:`~metagan_edu.rules.controlled`: schedules, and one that watches a loss."""

from typing import Any, NamedTuple

import tensorflow as tf

from . import trees
from .games import Hyper, Players
from .rules.controlled import Controller


class Balance(NamedTuple):
    """``loss``: running mean of D's loss; ``tilt``: above 0 where D is held back, below 0 where G is."""

    loss: Any
    tilt: Any


def dtype_of(players):
    """The dtype of the players' parameters, in which a controller keeps its memory."""
    return trees.leaves(players.gen.params)[0].dtype


def schedule(gen, disc=None, penalty=None):
    """Factors on the rates (and on the penalty) that depend on the number of steps alone: functions of ``t``.

    ``gen``, ``disc``, ``penalty``: schedules, such as ``optimizers.cosine_decay(1.0, num_steps)``; the discriminator's
    is the generator's by default, the penalty's is 1.
    """
    disc = gen if disc is None else disc

    def at(t):
        return t, Hyper(lr=Players(gen(t), disc(t)), penalty=1.0 if penalty is None else penalty(t))

    return Controller(lambda game, players: at(tf.zeros((), tf.int32)), lambda t, info: at(t + 1))


def balance(low=1.0, high=1.5, *, speed=0.02, memory=0.9, limit=3.0, clip=()):
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
    if not any(tf.is_tensor(value) for value in (low, high, speed, memory, limit)):  # a tensor's value may not be known
        _in_range(low, high, speed, memory, limit)
    if clip and not all(threshold > 0 for threshold in clip):
        raise ValueError(f"clip must be a pair of thresholds above 0, or empty, not {clip!r}.")

    def read(c):
        factors = Players(tf.exp(-tf.nn.relu(-c.tilt)), tf.exp(-tf.nn.relu(c.tilt)))
        thresholds = Players(*(norm * f for norm, f in zip(clip, factors, strict=True))) if clip else ()
        return c, Hyper(lr=factors, clip=thresholds)

    def init(game, players):
        dtype = dtype_of(players)
        return read(Balance(trees.as_type((low + high) / 2, dtype), tf.constant(0.0, dtype)))

    def update(c, info):
        loss = memory * c.loss + (1 - memory) * tf.cast(info.disc_loss, c.loss.dtype)
        push = tf.cast(loss < low, loss.dtype) - tf.cast(loss > high, loss.dtype)
        tilt = tf.where(push == 0, (1 - speed) * c.tilt, c.tilt + speed * push)
        return read(Balance(loss, tf.clip_by_value(tilt, -limit, limit)))

    return Controller(init, update)


def _in_range(low, high, speed, memory, limit):
    ranges = {"low": low < high, "speed": 0 <= speed <= 1, "memory": 0 <= memory < 1, "limit": limit >= 0}
    for name, fits in ranges.items():
        if not fits:
            raise ValueError("a balance needs low < high, speed in [0, 1], memory in [0, 1) and limit of at least 0; "
                             f"{name} does not fit: {low}, {high}, {speed}, {memory}, {limit}.")  # fmt: skip
