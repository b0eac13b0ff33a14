"""Optimizers as pure functions, to be differentiated through."""

from .base import (
    Moments,
    Momentum,
    Optimizer,
    chain,
    clip,
    clip_by_global_norm,
    descend,
    scale_by_adam,
    scale_by_rms,
    trace,
)
from .hypergradient import Hypergradient, hypergradient
from .named import adam, momentum, rmsprop, sgd
from .optimistic import Optimism, optimistic
from .schedules import constant, cosine_decay, linear_decay

__all__ = [
    "Hypergradient", "Moments", "Momentum", "Optimism", "Optimizer", "adam", "chain", "clip", "clip_by_global_norm",
    "constant", "cosine_decay", "descend", "hypergradient", "linear_decay", "momentum", "optimistic", "rmsprop",
    "scale_by_adam", "scale_by_rms", "sgd", "trace",
]  # fmt: skip
