"""An optimizer that learns its rate by gradient descent while it runs (Baydin et al. 2018)."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from .. import checks, trees
from ..values import by_value
from .base import Optimizer


class Hypergradient(NamedTuple):
    """``inner``: slots of what gives the direction; ``lr``: the rate, a scalar; ``last``: the last direction."""

    inner: Any
    lr: Any
    last: Any


@by_value
def hypergradient(
    lr: Any, *, beta: float, bounds: tuple[float, float], direction: Optimizer | None = None
) -> Optimizer:
    """Hypergradient descent: ``w_t = w_{t-1} - η_t u_t`` with a rate ``η`` that follows its own gradient.

        η_t = clip(η_{t-1} + β g_t · u_{t-1}, low, high),    since    ∂f(w_{t-2} - η u_{t-1})/∂η = -g_t · u_{t-1}

    ``g_t``: the gradient at ``w_{t-1}``; ``u_t``: the direction that ``direction`` makes of it: the gradient itself by
    default (SGD-HD), ``optimizers.scale_by_adam()`` for Adam-HD. No second derivative is needed, only
    a copy of ``u``. The dot product is over all tensors of the player, and the rate moves once per step: updating a
    shared rate inside the loop over tensors would make the result depend on their order. ``lr``: ``η_0``, a number or a
    scalar tensor; ``beta``: β ≥ 0; ``bounds``: ``(low, high)``, which is asked for because nothing else keeps the rate
    from turning negative or exploding, as it does in a game that rotates. Raises ``ValueError`` for values out of
    range.

    Baydin, Cornish, Martínez Rubio, Schmidt & Wood 2018 (arXiv:1703.04782).
    """
    direction = Optimizer(lambda params: (), lambda g, slots: (g, slots)) if direction is None else direction
    low, high = bounds
    if not 0 <= low <= high:
        raise ValueError(f"bounds must be 0 <= low <= high, not {bounds}.")
    checks.number("beta", beta, least=0)
    if not (tf.is_tensor(lr) or low <= lr <= high):
        raise ValueError(f"lr must lie within the bounds {bounds}, not {lr}.")

    def init(params):
        dtype = trees.leaves(params)[0].dtype
        return Hypergradient(direction.init(params), trees.as_type(lr, dtype), trees.zeros(params))

    def update(grads, slots):
        rate = slots.lr + trees.as_type(beta, slots.lr.dtype) * trees.dot(grads, slots.last)
        rate = tf.clip_by_value(rate, trees.as_type(low, rate.dtype), trees.as_type(high, rate.dtype))
        new, inner = direction.update(grads, slots.inner)
        return trees.scale(-rate, new), Hypergradient(inner, rate, new)

    return Optimizer(init, update, direction.counts)
