"""Metrics from nearest neighbors: precision and recall, density and coverage, and copies of the training images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .. import checks

BLOCK_PAIRS = 4_000_000  # distances held at once: 32 MB


class DensityCoverage(NamedTuple):
    """What ``density_coverage`` measures."""

    density: float  # >= 0; expected 1 for equal distributions
    coverage: float  # in [0, 1]; about 1 - 2^-k for equal distributions and sizes


class PrecisionRecall(NamedTuple):
    """What ``precision_recall`` measures; both in [0, 1]."""

    precision: float  # share of the fake points among the real ones
    recall: float  # share of the real points among the fake ones


def precision_recall(real: Any, fake: Any, *, k: int = 3) -> PrecisionRecall:
    """Return the shares of ``fake`` that lies where ``real`` does (precision), and the other way round (recall).

    A set of points occupies the union of the closed balls around each point up to its k-th nearest other point:
    precision = 1/M sum_j 1[min_i (|fake_j - real_i| - r_i) <= 0], with r_i that of real_i, and recall the same with
    the roles exchanged (Kynkäänniemi et al., NeurIPS 2019, eqs. 1-2). Higher is better. Equal distributions do not
    reach 1: compare with what held-out real points get. Read both: one typical point, repeated, has precision 1 and
    recall 0. A set's outlier has a wide ball and so raises the other set's share; ``density_coverage`` mends that.

    real: (N, ...), fake: (M, ...), flattened; best on features. Raises ValueError unless 1 <= k < min(N, M), for
    widths that disagree, or for values that are not finite.
    """
    real, fake = checks.rows("real", real), checks.rows("fake", fake)
    checks.same_width("real", real, "fake", fake)
    real_radii, fake_radii = _radii(real, k, "real"), _radii(fake, k, "fake")
    precise, recalled = np.zeros(len(fake), bool), 0
    for rows, block in _distances(real, fake):
        precise |= (block <= real_radii[rows, None]).any(axis=0)
        recalled += int(np.count_nonzero((block <= fake_radii).any(axis=1)))
    return PrecisionRecall(float(precise.mean()), recalled / len(real))


def _radii(points: np.ndarray, k: int, name: str) -> np.ndarray:
    """Return the distance (n,) of each point to its k-th nearest other point of the set."""
    if not checks.is_whole(k) or not 1 <= k < len(points):
        most = len(points) - 1
        raise ValueError(f"k is {k!r}; it must be a whole number from 1 to {most}, one below the {name} points.")
    # The smallest distance is that of a point to itself, so position k is its k-th other neighbor.
    # (A copy of that column: a view would keep every block.)
    return np.concatenate([np.partition(block, k, axis=1)[:, k].copy() for _, block in _distances(points, points)])


def density_coverage(real: Any, fake: Any, *, k: int = 5) -> DensityCoverage:
    """Return how densely ``fake`` lies around ``real``, and the share of ``real`` that it reaches.

    With B_i the open ball around real_i up to its k-th nearest other real point, N real and M fake points:
    density = 1/(kM) sum_j sum_i 1[fake_j in B_i], coverage = 1/N sum_i 1[some fake_j in B_i]
    (Naeem et al., ICML 2020, section 3). For equal distributions the expected density is 1 and the
    expected coverage 1 - prod_{l=1..k} (N - l) / (N + M - l), 96.9 % at k = 5 and N = M.

    real: (N, ...), fake: (M, ...), flattened; best on features. Raises ValueError unless 1 <= k < N, for
    widths that disagree, or for values that are not finite.
    """
    real, fake = checks.rows("real", real), checks.rows("fake", fake)
    checks.same_width("real", real, "fake", fake)
    radii = _radii(real, k, "real")
    hits, covered = 0, 0
    for rows, block in _distances(real, fake):
        inside = block < radii[rows, None]
        hits += int(np.count_nonzero(inside))
        covered += int(np.count_nonzero(inside.any(axis=1)))
    return DensityCoverage(hits / (k * len(fake)), covered / len(real))


def copies(samples: Any, support: Any, held_out: Any) -> float:
    """Return the share of ``samples`` that copy a support image, in [0, 1].

    A sample is a copy if its nearest neighbor among support and held-out images is a support image, and
    if it is nearer to it than any held-out image is to the support. New drawings of the class score at
    most 1 / (h + 1) on average (h held-out images): the sample is as likely as each of them to be the
    nearest to the support. A generator that returns its support scores 1.

    samples: (n, ...), support: (s, ...), held_out: (h, ...), images of one class, in pixels or features,
    Euclidean distance. Raises ValueError for widths that disagree or values that are not finite.
    """
    samples = checks.rows("samples", samples)
    support, held_out = checks.rows("support", support), checks.rows("held_out", held_out)
    checks.same_width("samples", samples, "support", support)
    checks.same_width("support", support, "held_out", held_out)
    to_support = _nearest(samples, support)
    closer = (to_support < _nearest(samples, held_out)) & (to_support < _nearest(held_out, support).min())
    return float(closer.mean())


def _nearest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the distance (n,) of each point to the nearest of ``others``."""
    return np.concatenate([block.min(axis=1) for _, block in _distances(points, others)])


def _distances(points: np.ndarray, others: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the matrix of distances in blocks of rows, each with the slice of ``points`` that it is for."""
    from scipy.spatial.distance import cdist

    step = max(1, BLOCK_PAIRS // len(others))
    for start in range(0, len(points), step):
        rows = slice(start, start + step)
        yield rows, cdist(points[rows], others)
