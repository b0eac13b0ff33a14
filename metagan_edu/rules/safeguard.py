"""Optimizers of both players at once as rules: as they are, or with a safeguard that takes back what raised the field.

A learned optimizer knows nothing outside what it was trained on. The safeguard keeps the best point ``w*`` so far, that
of the smallest norm ``n* = ‖g(w*)‖``, and watches the norm, which costs nothing, as the gradient is there anyway:

* while ``n_t ≤ growth · n*``, and ``n*`` has fallen within the last ``patience`` steps, the optimizer is trusted;
* otherwise its last step is taken back (``w ← w*``), and for a while, twice as long each time, the hand-made
  extragradient step ``w ← w - r g(w - r g(w))`` is taken in its place, and taken back in the same way; its rate ``r``
  rises a little after each new best and falls after other steps. Then the optimizer is tried again.

What is shown is ``w*``, so the norm never rises, whatever the optimizer does. (After the safeguarded variant of Shen et
al. 2021 and Heaton et al. 2020; this form is the course's own.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import checks, trees
from ..games import Players
from ..optimizers import Optimizer
from ..roots import root
from ..values import by_value
from . import base, joint

RAISE, LOWER = 1.1, 0.7  # the rate by hand, after a step that reached a new best, and after one that did not


def whole_gram(stacks: list[tf.Tensor]) -> tf.Tensor:
    """The inner products over all parameters: tensors (k, …) that stack k trees, leaf by leaf -> (k, k)."""
    flat = [tf.reshape(x, [x.shape[0], -1]) for x in stacks]
    return tf.add_n([tf.matmul(x, x, transpose_b=True) for x in flat])


def square(gram: Callable, tree: Any) -> tf.Tensor:
    """``‖tree‖²`` by the inner products ``gram``."""
    return gram([x[None] for x in trees.leaves(tree)])[0, 0]


@by_value
def jointly(optimizer: Optimizer) -> base.Rule:
    """The rule in which one ``optimizer`` moves both players at once: gradients and updates are pairs ``Players``."""
    base.optimizer_of(optimizer)

    def init(game, players):
        return base.State(players, optimizer.init(joint.params(players)))

    def step(game, state, batches, seed, hyper):
        batch, losses, states, grads = _gradients(game, state.players, batches, seed, hyper)
        updates, slots = optimizer.update(grads, state.slots)
        w = trees.add(joint.params(state.players), _scaled(updates, hyper))
        return base.State(joint.players(w, states), slots), base.info(game, losses, [batch])

    return base.Rule(init, step, base.view)


class Guarded(NamedTuple):
    """``players``: where the gradient is taken next; ``slots``: the optimizer's. Pairs of parameters: ``best`` w*, and
    ``origin``, from which an extragradient step is under way, each with its gradient. Numbers for each game: ``norm``
    n*; ``since``: steps since it fell; ``rate`` r; ``rest``, ``left``: half steps by hand, next time and yet to go."""

    players: Players
    slots: Any
    best: tuple
    origin: tuple
    norm: Any
    since: Any
    rate: Any
    rest: Any
    left: Any


@by_value
def safeguarded(
    optimizer: Optimizer, *, gram: Callable = whole_gram, growth: float = 4.0, patience: int = 40, rate: float = 0.1,
    restart: Callable | None = None,
) -> base.Rule:  # fmt: skip
    """The rule :func:`jointly` with the safeguard described above; a step takes one gradient of each player.

    (An extragradient step takes two steps of this rule, so costs the same per step.) ``gram``: over what the norm is
    taken, see :func:`~metagan_edu.meta.minimax_optimizer`; games side by side are guarded one by one, and what the
    optimizer keeps must then have each game's own along the same axes. ``restart(old, new) -> slots``: with which the
    optimizer is tried again; by default new ones. Raises ``ValueError`` unless growth ≥ 1, patience ≥ 1 and the rate
    is above 0.
    """
    restart = (lambda old, new: new) if restart is None else restart
    base.optimizer_of(optimizer), checks.whole("patience", patience)
    checks.number("growth", growth, least=1), checks.number("rate", rate, above=0)

    def init(game, players):
        w = joint.params(players)
        number = square(gram, w) * 0
        here = (w, trees.zeros(w))
        far = number + float("inf")
        return Guarded(players, optimizer.init(w), here, here, far, number, number + rate, number + 4, number)

    def step(game, state, batches, seed, hyper):
        batch, losses, states, grads = _gradients(game, state.players, batches, seed, hyper)
        here = joint.params(state.players), grads
        norm = root(square(gram, grads))
        halfway = tf.math.floormod(state.left, 2) > 0.5  # the gradient is that of the point looked at, not of a step
        better = norm < state.norm
        best, least = trees.where(better, here, state.best), tf.where(better, norm, state.norm)
        since = tf.where(better, tf.zeros_like(norm), state.since + 1)
        failed = ~halfway & ~(norm <= growth * least)  # not (a ≤ b): true for NaN too
        trusted = state.left < 0.5
        trouble = trusted & (failed | (since > patience))
        origin = trees.where(halfway, state.origin, trees.where(failed | trouble, best, here))
        change = tf.where(failed, 0.5, tf.where(halfway, 1.0, tf.where(better, RAISE, LOWER)))
        rate = tf.where(trusted, state.rate, tf.cast(change, norm.dtype) * state.rate)
        left = tf.where(trouble, state.rest, tf.maximum(state.left, 0))
        by_hand = left > 0.5
        updates, slots = optimizer.update(grads, state.slots)
        learned = trees.add(here[0], _scaled(updates, hyper))
        towards = trees.where(halfway, grads, origin[1])
        hand = trees.map(lambda w, g: w - rate * g, origin[0], towards)
        fresh = restart(state.slots, optimizer.init(here[0]))
        w = trees.where(by_hand, hand, learned)
        new = Guarded(
            joint.players(w, states), trees.where(by_hand, fresh, slots), best, origin,
            least, tf.where(by_hand, tf.zeros_like(since), since), rate, tf.where(trouble, 2 * state.rest, state.rest),
            tf.where(by_hand, left - 1, left),
        )  # fmt: skip
        return new, base.info(game, losses, [batch])

    def view(state):
        return joint.with_params(state.players, state.best[0])

    return base.Rule(init, step, view)


def _gradients(game, players, batches, seed, hyper):
    batch, noise = joint.draw(batches, seed)
    losses, states, grads = joint.gradients(game, players, batch, noise, hyper)
    if hyper.clip:
        grads = Players(*(base.clip(g, limit) for g, limit in zip(grads, hyper.clip, strict=True)))
    return batch, losses, states, grads


def _scaled(updates, hyper):
    return Players(*(trees.scale(lr, own) for lr, own in zip(hyper.lr, updates, strict=True)))
