"""The Fréchet distance of two sets of features, as in the Fréchet inception distance."""

from __future__ import annotations

import numpy as np

from metagan_edu import checks


def frechet_distance(features_x, features_y) -> float:
    """Return |mu_x - mu_y|^2 + tr(S_x + S_y - 2 (S_x S_y)^(1/2)) (Heusel et al., NeurIPS 2017, eq. 6).

    It is the squared 2-Wasserstein distance of the Gaussians with the features' means mu and covariances
    S. It sees nothing beyond these, and it is biased upward by O(1/n): compare only at one n.

    features_x: (n, d), features_y: (m, d). At least 0, in squared units of the features. Raises
    ValueError unless n > d and m > d (else a covariance cannot have full rank), for widths that disagree,
    or for values that are not finite.
    """
    x = checks.rows("features_x", features_x)
    y = checks.rows("features_y", features_y)
    checks.same_width("features_x", x, "features_y", y)
    for name, values in (("features_x", x), ("features_y", y)):
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


def _psd_sqrt(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
