"""Samples of a game's generator."""

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
