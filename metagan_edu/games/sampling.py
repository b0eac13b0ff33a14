"""Samples of a game's generator, and ways through its noise."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import checks, seeds
from .base import Game, Players


def sample(game: Game, players: Players, n: int, *, seed: Any, labels: Any = None, chunk: int = 1000) -> np.ndarray:
    """``n`` samples of a game's generator as a NumPy array ``(n, …)``, in evaluation mode, from ``seed``.

    ``labels``: in a conditional game one label for all samples, or ``(n,)`` of them; by default they are drawn
    uniformly from ``seed``.
    """
    checks.whole("n", n), checks.whole("chunk", chunk)
    if game.generate is None:
        raise ValueError("this game has no generator to draw samples from.")
    if labels is not None:
        labels = _labels(game, labels, n)
    parts = []
    for i, start in enumerate(range(0, n, chunk)):
        given = {} if labels is None else {"labels": labels[start : start + chunk]}
        parts.append(game.generate(players, min(chunk, n - start), seeds.fold_in(seed, i), **given).numpy())
    return np.concatenate(parts)


def _labels(game: Game, labels: Any, n: int) -> np.ndarray:
    if getattr(game.generate, "condition", None) is None:
        raise ValueError("this game has no labels; make it with gan(..., condition=number of classes).")
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.shape not in ((), (n,)):
        raise ValueError(
            f"labels must be one whole number or {n} of them, not an array {labels.shape} of type {labels.dtype}."
        )
    return np.broadcast_to(labels, (n,))


def between(start: Any, end: Any, num: int) -> np.ndarray:
    """``num`` noises from ``start`` to ``end``, both (d,), along a great circle: float32 ``(num, d)``, ends included.

    ``z(t) = (sin((1 - t) ω) start + sin(t ω) end) / sin ω`` with the angle ω between them (White 2016): noise
    ``N(0, I)`` of many dimensions lies near a sphere of radius √d, which a straight way leaves for its middle. Raises
    ``ValueError`` for noises of other shapes, for fewer than two, and where they lie on one line through 0.
    """
    start, end = (np.asarray(z, np.float64) for z in (start, end))
    if start.ndim != 1 or start.shape != end.shape or checks.whole("num", num) < 2:
        raise ValueError(f"two noises (d,) and num of 2 or more are needed, not {start.shape}, {end.shape} and {num}.")
    cosine = np.clip(start @ end / max(np.linalg.norm(start) * np.linalg.norm(end), 1e-12), -1, 1)
    if abs(cosine) > 1 - 1e-9 or not start.any() or not end.any():
        raise ValueError("the noises lie on one line through 0, so that no great circle joins them.")
    angle, t = np.arccos(cosine), np.linspace(0, 1, num)[:, None]
    return ((np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)).astype(np.float32)
