"""Mode coverage on mixtures with known centers (VEEGAN, arXiv:1705.07761; PacGAN, arXiv:1712.04086)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import checks

HIGH_QUALITY_RADIUS = 3.0  # in sd
ENOUGH_SAMPLES = 20


class ModeCoverage(NamedTuple):
    """What ``mode_coverage`` measures; every field is a Python number."""

    modes: int  # modes with at least 1 high-quality sample (the published, lax count)
    modes20: int  # modes with at least 20
    high_quality: float  # share of the samples within 3 sd of their nearest center, in [0, 1]
    reverse_kl: float  # KL(p_hat || weights) in nats over the high-quality samples; inf without any
    reverse_kl_all: float  # the same over all samples


def mode_coverage(samples: Any, mixture: Any) -> ModeCoverage:
    """Count the modes of a mixture that ``samples`` reach, and how evenly.

    Each sample belongs to its nearest center; it is of high quality if its Euclidean distance to it is
    at most 3 sd, with sd the standard deviation per coordinate. In 2-D a perfect sampler therefore has
    high_quality = 1 - exp(-4.5) = 98.9 %, not 100 %. The reverse KL is
    sum_i p_hat_i log(p_hat_i / weights_i), 0 when the samples are spread as the mixture is and log(k)
    when all are in one of k equal modes. It is ``inf``, and the only metric here that may be, where no sample is of
    high quality (there is nothing to compare, and ``inf`` ranks last), or where a mode of weight 0 has samples;
    ``reverse_kl_all`` is ``inf`` for the latter alone. Means over seeds count it apart (``statistics.summary``).

    samples: (n, d), 2,500 of them in the published tables; mixture: has ``centers`` (k, d), ``sd`` (a number
    or (k,)) and ``weights`` (k,). A sampler collapsed on one mode has high_quality near 1: read it beside
    ``modes20``. Raises ValueError for wrong shapes, non-finite samples, or weights that do not sum to 1.
    """
    samples = checks.rows("samples", samples)
    centers, sd, weights = _mixture_arrays(mixture)
    checks.same_width("samples", samples, "mixture.centers", centers)
    squared = np.zeros((len(samples), len(centers)))
    for axis in range(samples.shape[1]):  # one (n, k) array at a time, exact for tight modes far from 0
        squared += np.square(samples[:, axis, None] - centers[None, :, axis])
    nearest = squared.argmin(axis=1)
    good = squared[np.arange(len(samples)), nearest] <= np.square(HIGH_QUALITY_RADIUS * sd[nearest])
    good_counts = np.bincount(nearest[good], minlength=len(centers))
    return ModeCoverage(
        modes=int(np.count_nonzero(good_counts >= 1)),
        modes20=int(np.count_nonzero(good_counts >= ENOUGH_SAMPLES)),
        high_quality=float(good.mean()),
        reverse_kl=_reverse_kl(good_counts, weights),
        reverse_kl_all=_reverse_kl(np.bincount(nearest, minlength=len(centers)), weights),
    )


def _mixture_arrays(mixture: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return centers (k, d), sd (k,) and weights (k,) of sum 1, or raise ValueError."""
    centers = checks.rows("mixture.centers", mixture.centers)
    weights = np.asarray(mixture.weights, dtype=np.float64)
    sd = np.asarray(mixture.sd, dtype=np.float64)
    if weights.shape != (len(centers),) or sd.shape not in ((), (len(centers),)):
        raise ValueError(
            f"mixture has {len(centers)} centers, weights of shape {weights.shape} and sd of shape "
            f"{sd.shape}; weights must be one number per center, and sd one number or one per center."
        )
    if not np.all(weights >= 0) or abs(weights.sum() - 1) > 1e-3:
        raise ValueError(f"mixture.weights sum to {weights.sum():g}; they must be >= 0 and sum to 1.")
    if not (np.all(np.isfinite(sd)) and np.all(sd > 0)):
        raise ValueError(f"mixture.sd is {mixture.sd!r}; it must be finite and above 0.")
    return centers, np.broadcast_to(sd, weights.shape), weights / weights.sum()


def _reverse_kl(counts: np.ndarray, weights: np.ndarray) -> float:
    """KL(counts / sum || weights) in nats; ``inf`` without any count."""
    if counts.sum() == 0:
        return float("inf")
    seen = counts > 0  # 0 log 0 = 0
    p_hat = counts[seen] / counts.sum()
    with np.errstate(divide="ignore"):
        return float(max(0.0, np.sum(p_hat * (np.log(p_hat) - np.log(weights[seen])))))
