"""Samples of a game's generator."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import checks, seeds
from .base import Game, Players


def sample(game: Game, players: Players, n: int, *, seed: Any, chunk: int = 1000) -> np.ndarray:
    """``n`` samples of a game's generator as a NumPy array ``(n, …)``, in evaluation mode, from ``seed``."""
    checks.whole("n", n), checks.whole("chunk", chunk)
    if game.generate is None:
        raise ValueError("this game has no generator to draw samples from.")
    sizes = [min(chunk, n - start) for start in range(0, n, chunk)]
    parts = [game.generate(players, size, seeds.fold_in(seed, i)) for i, size in enumerate(sizes)]
    return np.concatenate([part.numpy() for part in parts])
