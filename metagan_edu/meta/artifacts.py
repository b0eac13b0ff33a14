"""What was learned, kept in a small file: theta, with the words that say how it was made."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .. import files, trees


def save_theta(path: Any, theta: Any, made: dict[str, Any]) -> None:
    """Write ``theta`` to a safetensors file, whole or not at all; ``made``: words that say how (command, seed, …)."""
    arrays = {f"theta/{i:05d}": np.asarray(x) for i, x in enumerate(trees.leaves(theta))}
    files.write_arrays(path, arrays, {name: str(word) for name, word in made.items()})


def load_theta(path: Any, like: Any) -> tuple[Any, dict[str, str]]:
    """``(theta, made)`` of a file of :func:`save_theta`; ``like``: any theta of the same learner, for its structure.

    Raises ``FileNotFoundError`` where there is no file, and ``ValueError`` where it is damaged or holds a theta of
    another structure.
    """
    arrays, made = files.read_arrays(path)
    found = [tf.constant(arrays[name]) for name in sorted(arrays)]
    there, wanted = ([tuple(x.shape) for x in tensors] for tensors in (found, trees.leaves(like)))
    if there != wanted:
        raise ValueError(f"{path} holds another theta: tensors of shapes {there}, and not {wanted}.")
    return trees.like(like, found), made
