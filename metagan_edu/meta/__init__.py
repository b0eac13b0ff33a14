"""Learning to learn: techniques (where theta enters an inner run) × estimators (how its gradient is obtained)."""

from . import coordinatewise, outer
from .artifacts import load_theta, save_theta
from .base import Curve, Inner, MetaLearner, adapt, check_task, drawn, everything
from .estimators import (
    Estimate,
    Estimator,
    at_start,
    backprop,
    each_step,
    first_order,
    last,
    over_tasks,
    reptile,
    tangents,
)
from .evolution import evolution_strategies, persistent_evolution_strategies
from .initialization import learned_initialization
from .learned_optimizer import learned_optimizer, log_field_norm, minimax_optimizer, restart
from .meta_sgd import MetaSGD, meta_sgd, per_parameter, per_player, per_tensor
from .scales import after_one_step, gradient_quotient, learned_scales
from .schedule import learned_schedule
from .train import MetaResult, MetaState, meta_train
from .truncated import truncated_backprop

__all__ = [
    "Curve",
    "Estimate",
    "Estimator",
    "Inner",
    "MetaLearner",
    "MetaResult",
    "MetaSGD",
    "MetaState",
    "adapt",
    "after_one_step",
    "at_start",
    "backprop",
    "check_task",
    "coordinatewise",
    "drawn",
    "each_step",
    "everything",
    "evolution_strategies",
    "first_order",
    "gradient_quotient",
    "last",
    "learned_initialization",
    "learned_optimizer",
    "learned_scales",
    "learned_schedule",
    "load_theta",
    "log_field_norm",
    "meta_sgd",
    "meta_train",
    "minimax_optimizer",
    "outer",
    "over_tasks",
    "per_parameter",
    "per_player",
    "per_tensor",
    "persistent_evolution_strategies",
    "reptile",
    "restart",
    "save_theta",
    "tangents",
    "truncated_backprop",
]  # fmt: skip
