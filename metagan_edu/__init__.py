"""What does learning-to-learn do for training GANs, and what does it cost? The package under the course.

``import metagan_edu as mg``, then for example ``mg.games.gan``, ``mg.rules.unrolled``, ``mg.train``.
"""

from .quiet import import_tensorflow

import_tensorflow()  # before any other module does, and its log with it

from . import (
    autodiff,
    controllers,
    data,
    experiments,
    games,
    hypergradient,
    losses,
    meta,
    metrics,
    networks,
    normalization,
    optimizers,
    plotting,
    rules,
    saddles,
    seeds,
    trees,
)
from .experiments import claim, predict, profile
from .meta import meta_train
from .training import Diverged, every, sample, train

__version__ = "0.2.0"

__all__ = [
    "Diverged", "autodiff", "claim", "controllers", "data", "every", "experiments", "games", "hypergradient",
    "losses", "meta", "meta_train", "metrics", "networks", "normalization", "optimizers", "plotting", "predict",
    "profile", "rules", "saddles", "sample", "seeds", "train", "trees",
]  # fmt: skip
