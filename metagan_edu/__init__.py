"""What does learning-to-learn do for training GANs, and what does it cost? The package under the course.

``import metagan_edu as mg``, then for example ``mg.games.gan``, ``mg.rules.unrolled``, ``mg.train``.
"""

from .quiet import import_tensorflow

import_tensorflow()  # before any other module does, and its log with it

from . import (
    autodiff,
    clinic,
    contest,
    data,
    dynamics,
    experiments,
    games,
    lab,
    losses,
    meta,
    metrics,
    networks,
    normalization,
    optimizers,
    plotting,
    rules,
    seeds,
    statistics,
    stepping,
    studies,
    trees,
    turns,
    workers,
)
from .games import sample
from .lab import claim, profile
from .meta import meta_train
from .tables import Table
from .training import Diverged, Interrupted, every, stop, train
from .turns import your_turn

__version__ = "0.4.0"

__all__ = [
    "Diverged", "Interrupted", "Table", "autodiff", "claim", "clinic", "contest", "data", "dynamics", "every",
    "experiments", "games", "lab", "losses", "meta", "meta_train", "metrics", "networks", "normalization", "optimizers",
    "plotting", "profile", "rules", "sample", "seeds", "statistics", "stepping", "stop", "studies", "train", "trees",
    "turns", "workers", "your_turn",
]  # fmt: skip
