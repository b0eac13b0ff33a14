"""Measures of samples against data: on 2-D mixtures, on any points or features, and through a classifier."""

from metagan_edu.metrics.coverage import ModeCoverage, mode_coverage
from metagan_edu.metrics.discrepancies import energy_distance, kid, mmd
from metagan_edu.metrics.frechet import frechet_distance
from metagan_edu.metrics.image_classifier import (
    Classifier,
    classifier,
    load_classifier,
    save_classifier,
    train_classifier,
)
from metagan_edu.metrics.image_scores import (
    class_histogram,
    class_probability,
    classifier_score,
    diversity,
    features,
    fid,
    probabilities,
)
from metagan_edu.metrics.neighbors import DensityCoverage, copies, density_coverage
from metagan_edu.metrics.stacked import StackedCoverage, stacked_coverage
from metagan_edu.metrics.two_sample import c2st

__all__ = [
    "Classifier",
    "DensityCoverage",
    "ModeCoverage",
    "StackedCoverage",
    "c2st",
    "class_histogram",
    "class_probability",
    "classifier",
    "classifier_score",
    "copies",
    "density_coverage",
    "diversity",
    "energy_distance",
    "features",
    "fid",
    "frechet_distance",
    "kid",
    "load_classifier",
    "mmd",
    "mode_coverage",
    "probabilities",
    "save_classifier",
    "stacked_coverage",
    "train_classifier",
]
