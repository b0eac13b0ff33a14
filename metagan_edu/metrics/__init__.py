"""Measures of samples against data: on 2-D mixtures, on any points or features, and through an image classifier.

Order of arguments: what compares two sets takes ``(real, fake)``, real first; what scores one set takes it first, and
then what it is judged by (a mixture, a classifier, other images).

=====================================  ==============================  ===============================
measure                                better                          perfect
=====================================  ==============================  ===============================
``energy_distance, mmd, kid``          lower                           0 (below it by chance)
``fid, frechet_distance``              lower                           0, and above it for few samples
``precision_recall``                   higher                          what held-out real data get
``density_coverage``                   higher                          1 and about 1 - 2^-k
``c2st``                               lower                           1/2
``mode_coverage, stacked_coverage``    more modes, lower reverse KL    all modes, 0
``classifier_score``                   higher                          what held-out real data get
``share_of_real, diversity``           higher, up to 1                 1
``copies``                             lower                           at most 1 / (h + 1)
=====================================  ==============================  ===============================

``floor_and_ceiling`` says for any of them what samples without structure get, and what held-out real data get.
"""

from .classifier_files import classifier, load_classifier, save_classifier
from .classifiers import Classifier, train_classifier
from .coverage import ModeCoverage, mode_coverage
from .discrepancies import energy_distance, mmd
from .feature_distances import fid, frechet_distance, kid
from .floors import floor_and_ceiling, floors
from .image_scores import (
    class_histogram,
    class_probability,
    classifier_score,
    diversity,
    features,
    probabilities,
    share_of_real,
)
from .neighbors import DensityCoverage, PrecisionRecall, copies, density_coverage, precision_recall
from .stacked import StackedCoverage, stacked_coverage
from .two_sample import c2st

__all__ = [
    "Classifier",
    "DensityCoverage",
    "ModeCoverage",
    "PrecisionRecall",
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
    "floor_and_ceiling",
    "floors",
    "frechet_distance",
    "kid",
    "load_classifier",
    "mmd",
    "mode_coverage",
    "precision_recall",
    "probabilities",
    "save_classifier",
    "share_of_real",
    "stacked_coverage",
    "train_classifier",
]
