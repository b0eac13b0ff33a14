"""The optimizers by the names that the field knows them by, each a chain of a direction and a rate."""

from __future__ import annotations

from collections.abc import Callable

from .. import checks
from ..values import by_value
from .base import Optimizer, chain, descend, scale_by_adam, scale_by_rms, trace


@by_value
def sgd(lr: float | Callable) -> Optimizer:
    """``w ← w - lr · g``. On a whole data set this is gradient descent, on a batch stochastic gradient descent."""
    return descend(lr)


@by_value
def momentum(lr: float | Callable, beta: float = 0.9) -> Optimizer:
    """Heavy ball: ``m ← β m + g``, ``w ← w - lr · m``, β in (-1, 1) (Polyak 1964; negative in games, Gidel et al.
    2019)."""
    checks.number("beta", beta, above=-1, below=1)
    return chain(trace(beta), descend(lr))


@by_value
def rmsprop(lr: float | Callable, decay: float = 0.9, eps: float = 1e-7) -> Optimizer:
    """``w ← w - lr · g/√(v + eps)`` with ``v`` a running mean of ``g²`` (:func:`scale_by_rms`)."""
    return chain(scale_by_rms(decay, eps), descend(lr))


@by_value
def adam(lr: float | Callable, beta1: float = 0.5, beta2: float = 0.999, eps: float = 1e-8) -> Optimizer:
    """``w ← w - lr · m̂/(√v̂ + eps)`` (:func:`scale_by_adam`); β₁ = 0.5 is what Radford et al. (2016) chose for
    GANs."""
    return chain(scale_by_adam(beta1, beta2, eps), descend(lr))
