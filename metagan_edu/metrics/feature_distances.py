"""FID and KID: distances of two sets in the space of a classifier's features, or of features that are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import checks
from .classifiers import Classifier, forward

BLOCK_PAIRS = 4_000_000  # values of a kernel held at once: 32 MB


def fid(real: Any, fake: Any, clf: Classifier | None = None) -> float:
    """Return the Fréchet inception distance, |mu_r - mu_f|^2 + tr(S_r + S_f - 2 (S_r S_f)^(1/2)), of features.

    With a classifier, real (n, s, s, c) and fake (m, s, s, c) are images in [-1, 1], or uint8, and the features are the
    classifier's; without one they are features (n, d) and (m, d) themselves. At least 0, lower is better; biased upward
    by O(1/n): values compare only for one classifier and one n. (Heusel et al., NeurIPS 2017, eq. 6.)

    Raises ValueError unless n > d and m > d, for shapes that disagree, and for values that are not finite.
    """
    return frechet_distance(*_features(real, fake, clf))


def kid(real: Any, fake: Any, clf: Classifier | None = None) -> float:
    """Return the kernel inception distance: unbiased MMD^2 of features with the kernel k(x, y) = (x.y / d + 1)^3.

    E k(r, r') + E k(f, f') - 2 E k(r, f) over pairs of different points. Images or features as for ``fid``, with
    n, m >= 2. Lower is better, 0 in expectation for equal distributions at any n, below it by chance; its unit is that
    of the features to the sixth power, so values compare only on the same features. (Bińkowski et al., ICLR 2018,
    section 3.)

    Raises ValueError for shapes that disagree or values that are not finite.
    """
    real, fake = _features(real, fake, clf)
    within = sum(_kernel_sum(x, x, own=True) / (len(x) * (len(x) - 1)) for x in (real, fake))
    return float(within - 2.0 * _kernel_sum(real, fake) / (len(real) * len(fake)))


def frechet_distance(real: Any, fake: Any) -> float:
    """Return |mu_x - mu_y|^2 + tr(S_x + S_y - 2 (S_x S_y)^(1/2)) (Heusel et al., NeurIPS 2017, eq. 6).

    It is the squared 2-Wasserstein distance of the Gaussians with the points' means mu and covariances S. It sees
    nothing beyond these, and it is biased upward by O(1/n): compare only at one n.

    real: (n, d), fake: (m, d) points or features; symmetric. At least 0, lower is better, in squared units of the
    points. Raises ValueError unless n > d and m > d (else a covariance cannot have full rank), for widths that
    disagree, or for values that are not finite.
    """
    x, y = checks.rows("real", real), checks.rows("fake", fake)
    checks.same_width("real", x, "fake", y)
    for name, values in (("real", x), ("fake", y)):
        if values.shape[0] <= values.shape[1]:
            raise ValueError(
                f"{name} has {values.shape[0]} samples for {values.shape[1]} features; "
                f"at least {values.shape[1] + 1} are needed for a covariance of full rank."
            )
    shift = x.mean(axis=0) - y.mean(axis=0)
    cov_x, cov_y = np.atleast_2d(np.cov(x, rowvar=False)), np.atleast_2d(np.cov(y, rowvar=False))
    root_x = _psd_sqrt(cov_x)
    # S_x S_y has the eigenvalues of the symmetric root_x S_y root_x, which eigvalsh finds without complex parts.
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root_x @ cov_y @ root_x), 0.0)).sum()
    return float(max(0.0, shift @ shift + np.trace(cov_x) + np.trace(cov_y) - 2.0 * cross))


def _features(real: Any, fake: Any, clf: Classifier | None) -> tuple[np.ndarray, np.ndarray]:
    """Return both sets' features, float64 (n, d) and (m, d) with n, m >= 2: the classifier's, or those given."""
    if clf is not None:
        real, fake = (forward(x, clf, output=0, name=f"{name} images") for name, x in (("real", real), ("fake", fake)))
    else:
        for name, x in (("real", real), ("fake", fake)):
            if np.ndim(x) > 2:
                raise ValueError(
                    f"{name} has shape {np.shape(x)}; without a classifier it must be features (n, d): give clf, the "
                    "third argument, to compare images."
                )
    real, fake = checks.rows("real", real, least=2), checks.rows("fake", fake, least=2)
    checks.same_width("real", real, "fake", fake)
    return real, fake


def _kernel_sum(x: np.ndarray, y: np.ndarray, *, own: bool = False) -> float:
    """Return the sum of (x_i.y_j / d + 1)^3 over all i, j, in blocks of rows; with ``own``, over i != j alone."""
    step, total = max(1, BLOCK_PAIRS // len(y)), 0.0
    for start in range(0, len(x), step):
        total += np.sum((x[start : start + step] @ y.T / x.shape[1] + 1.0) ** 3)
    return total - np.sum((np.sum(x * x, axis=1) / x.shape[1] + 1.0) ** 3) if own else total


def _psd_sqrt(matrix: np.ndarray) -> np.ndarray:
    """Return the symmetric square root of a positive semi-definite matrix; what rounding put below 0 counts as 0."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
