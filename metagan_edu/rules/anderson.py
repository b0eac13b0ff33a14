"""Acceleration with memory: from the last m steps of a rule, guess where it comes to rest, and step from there.

    f(w) = step(w) - w,    sⱼ = wⱼ₊₁ - wⱼ,    yⱼ = f(wⱼ₊₁) - f(wⱼ),
    γ = argmin ‖f(w) - Σ γⱼ yⱼ‖,    w ← (w - Σ γⱼ sⱼ) + (f(w) - Σ γⱼ yⱼ)

``w = (φ_G, φ_D)``. Were the rule linear, ``f(w) - Σ γⱼ yⱼ`` would be its move at ``w - Σ γⱼ sⱼ``: of all points that
the memory reaches, that with the smallest one. So it does on a linear game what GMRES does, and ends after n + 1 steps
where the memory holds all n numbers to be found, unless a step on the way gains nothing. (Anderson 1965; type II of
Walker & Ni 2011, theorem 2.2.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import checks, trees
from ..values import by_value
from . import base, joint
from .safeguard import whole_gram

EPSILON = 1e-12  # added to the cosines between changes, so that what repeats, or is not there yet, has a solution


class Memory(NamedTuple):
    """``inner``: the state of the rule; ``before``: the pair (w, f) of the last step; ``changes``: the last m changes
    of that pair, the newest first; ``count``: of steps."""

    inner: Any
    before: Any
    changes: Any
    count: Any


@by_value
def anderson(rule: base.Rule, *, memory: int = 10, gram: Callable = whole_gram) -> base.Rule:
    """The rule around ``rule`` with so many changes kept; a step costs one of ``rule``.

    ``gram``: over what γ is fitted, all parameters or each game's where games stand side by side
    (:func:`~metagan_edu.games.saddles.game_gram`). It is made for moves without noise. The rule's own slots go their
    way: with momentum or Adam inside the moves are no function of w. Raises ``ValueError`` for no memory.
    """
    checks.whole("memory", memory)

    def init(game, players):
        w = joint.params(players)
        none = trees.map(lambda x: tf.zeros([memory, *x.shape], x.dtype), (w, w))
        return Memory(rule.init(game, players), (w, trees.zeros(w)), none, tf.constant(0))

    def step(game, state, batches, seed, hyper):
        w = joint.params(rule.players(state.inner))
        inner, info = rule.step(game, state.inner, batches, seed, hyper)
        moved = rule.players(inner)
        here = w, trees.sub(joint.params(moved), w)
        change = trees.where(state.count > 0, trees.sub(here, state.before), trees.zeros(here))
        changes = trees.map(lambda new, kept: tf.concat([new[None], kept[:-1]], 0), change, state.changes)
        w, f = trees.sub(here, _explained(here[1], changes, gram))
        inner = rule.players(inner, joint.with_params(moved, trees.add(w, f)))
        return Memory(inner, here, changes, state.count + 1), info

    return base.Rule(init, step, lambda state: rule.view(state.inner), base.inside(rule))


def _explained(f, changes, gram):
    """``(Σ γⱼ sⱼ, Σ γⱼ yⱼ)`` with the γ that fits the move ``f`` best, found in double precision."""
    stacks = [tf.concat([x[None], y], 0) for x, y in zip(trees.leaves(f), trees.leaves(changes[1]), strict=True)]
    products = gram([tf.cast(x, tf.float64) for x in stacks])  # (1 + m, 1 + m, …), of f and all yⱼ
    products = tf.transpose(products, [*range(2, products.shape.rank), 0, 1])
    squares, memory = tf.linalg.diag_part(products)[..., 1:], products.shape[-1] - 1
    there = squares > 0
    scale = tf.where(there, 1 / tf.sqrt(tf.where(there, squares, 1)), 0)
    cosines = products[..., 1:, 1:] * scale[..., None] * scale[..., None, :]
    cosines = tf.linalg.set_diag(cosines, tf.ones_like(scale) + EPSILON)
    # Of stacked games one that has left all bounds must not stop the others: its own weights are NaN.
    finite = tf.reduce_all(tf.math.is_finite(products), (-2, -1), keepdims=True)
    cosines = tf.where(finite, cosines, tf.eye(memory, dtype=cosines.dtype))
    aims = tf.where(finite, products[..., 1:, :1] * scale[..., None], math.nan)
    weights = tf.linalg.solve(cosines, aims)[..., 0] * scale
    weights = tf.transpose(weights, [weights.shape.rank - 1, *range(weights.shape.rank - 1)])  # (m, …)

    def combined(stack):
        own = tf.reshape(weights, [*weights.shape, *[1] * (stack.shape.rank - weights.shape.rank)])
        return tf.reduce_sum(tf.cast(own, stack.dtype) * stack, 0)

    return trees.map(combined, changes)
