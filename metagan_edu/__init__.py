"""What does learning-to-learn do for training GANs, and what does it cost? The package under the course.

``import metagan_edu as mg``, then for example ``mg.games.gan``, ``mg.rules.unrolled``, ``mg.train``.
"""

from . import (
    autodiff,
    data,
    dynamics,
    experiments,
    games,
    losses,
    meta,
    metrics,
    networks,
    normalization,
    optimizers,
    plotting,
    rules,
    seeds,
    studies,
    trees,
)
from .experiments import claim, predict, profile
from .games import sample
from .meta import meta_train
from .training import Diverged, Interrupted, every, stop, train

__version__ = "0.3.0"

__all__ = [
    "Diverged", "Interrupted", "autodiff", "claim", "data", "dynamics", "every", "experiments", "games", "losses",
    "meta", "meta_train", "metrics", "networks", "normalization", "optimizers", "plotting", "predict", "profile",
    "rules", "sample", "seeds", "stop", "studies", "train", "trees",
]  # fmt: skip
