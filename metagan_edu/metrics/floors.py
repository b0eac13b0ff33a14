"""A floor and a ceiling for any metric: what samples without structure get, and what held-out real data get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from .. import checks
from .images import checked_images


def floor_and_ceiling(metric: Callable[[Any, Any], Any], real: Any, held_out: Any, *, seed: int = 0) -> dict[str, Any]:
    """Return what a metric says of samples that learned nothing, and of real data, as name -> value.

    Floors: "noise", "shuffled", "mean", as ``floors`` makes them. Ceiling: "held-out real". Each is
    ``metric(real, fake)`` with as many samples as ``held_out`` has, so that the bias for few samples is the same. A
    sampler is worth what it gets between the two; whether the ceiling is the higher or the lower end is the metric's
    (``fid``: lower is better). For a score of one set, write ``lambda real, fake: classifier_score(fake, clf)``.

    metric: ``(real, fake) ->`` a number or a NamedTuple. real, held_out: points (n, d), or images (n, s, s, c) in
    [-1, 1] or uint8, of which the metric gets the floats. Deterministic in ``seed``. Raises ValueError for other
    shapes, for values that are not finite, and with the name of the samples where the metric does.
    """
    if not callable(metric):
        raise ValueError(f"metric must be a function (real, fake) -> number, not {metric!r}.")
    real, held_out = _data("real", real), _data("held_out", held_out)
    if real.shape[1:] != held_out.shape[1:]:
        raise ValueError(f"real has shape {real.shape} and held_out {held_out.shape}; their samples must be alike.")
    samples = floors(real, len(held_out), seed=seed) | {"held-out real": held_out}
    values = {}
    for name, fake in samples.items():
        try:
            values[name] = metric(real, fake)
        except ValueError as error:
            raise ValueError(f"the metric cannot be computed of the samples {name!r}: {error}") from error
    return {name: float(v) if tf.is_tensor(v) or isinstance(v, np.generic) else v for name, v in values.items()}


def floors(real: Any, num_samples: int, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return samples of three samplers without structure, as name -> samples of the shape of ``real``.

    ============  ==========================================  ====================================================
    name          images (n, s, s, c)                         points (n, d)
    ============  ==========================================  ====================================================
    "noise"       uniform pixels in the data's range          Gaussian with the data's mean and covariance
    "shuffled"    real images, the pixels of each in an       real points, each coordinate drawn from another point:
                  order of their own: right gray values       right in each coordinate, without their dependence
    "mean"        the mean image, again and again             the mean point, again and again
    ============  ==========================================  ====================================================

    real: n >= 2; num_samples: at least 2. Deterministic in ``seed``, a whole number. Raises ValueError for other
    shapes, and for values that are not finite.
    """
    real, num_samples = _data("real", real), checks.whole("num_samples", num_samples, 2)
    noise, order, rows = np.random.default_rng(checks.whole("seed", seed, 0)).spawn(3)
    some = real[rows.choice(len(real), num_samples, replace=num_samples > len(real))]
    if real.ndim == 4:
        random = noise.uniform(real.min(), real.max(), some.shape).astype(np.float32)
        pixels = some.reshape(num_samples, -1, some.shape[-1])  # the channels of a pixel stay together
        moved = order.random(pixels.shape[:2]).argsort(axis=1)
        shuffled = np.take_along_axis(pixels, moved[..., None], axis=1).reshape(some.shape)
    else:
        covariance = np.atleast_2d(np.cov(real, rowvar=False))
        random = noise.multivariate_normal(real.mean(axis=0), covariance, num_samples, "ignore", method="eigh")
        shuffled = order.permuted(some, axis=0)
    return {"noise": random, "shuffled": shuffled, "mean": np.repeat(real.mean(axis=0)[None], num_samples, axis=0)}


def _data(name: str, value: Any) -> np.ndarray:
    """Return points as float64 (n, d) or images as float32 (n, s, s, c), n >= 2, or raise ValueError."""
    shape = np.shape(value)
    if len(shape) not in (2, 4) or shape[0] < 2:
        raise ValueError(f"{name} has shape {shape}; expected points (n, d) or images (n, s, s, c) with n >= 2.")
    return checks.rows(name, value) if len(shape) == 2 else checked_images(value, name=f"{name} images")
