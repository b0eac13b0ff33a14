"""Measures of samples against data: on 2-D mixtures, on any points or features, and through a classifier."""

from metagan_edu.metrics.coverage import ModeCoverage, mode_coverage
from metagan_edu.metrics.discrepancies import energy_distance, kid, mmd
from metagan_edu.metrics.frechet import frechet_distance
from metagan_edu.metrics.neighbors import DensityCoverage, copies, density_coverage
from metagan_edu.metrics.two_sample import c2st

__all__ = [
    "DensityCoverage",
    "ModeCoverage",
    "c2st",
    "copies",
    "density_coverage",
    "energy_distance",
    "frechet_distance",
    "kid",
    "mmd",
    "mode_coverage",
]
