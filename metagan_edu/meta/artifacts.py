"""What was learned, kept in a small file: theta, with the words that say how it was made."""

import numpy as np
import tensorflow as tf

from .. import checkpoints, trees


def save_theta(path, theta, made):
    """Write ``theta`` to a safetensors file, whole or not at all; ``made``: words that say how (command, seed, …)."""
    arrays = {f"theta/{i:05d}": np.asarray(x) for i, x in enumerate(trees.leaves(theta))}
    checkpoints.write(path, arrays, {name: str(word) for name, word in made.items()})


def load_theta(path, like):
    """``(theta, made)`` of a file of :func:`save_theta`; ``like``: any theta of the same learner, for its structure.

    Raises ``FileNotFoundError`` where there is no file, and ``ValueError`` where it is damaged or holds a theta of
    another structure.
    """
    arrays, made = checkpoints.read(path)
    found = [tf.constant(arrays[name]) for name in sorted(arrays)]
    there, wanted = ([tuple(x.shape) for x in tensors] for tensors in (found, trees.leaves(like)))
    if there != wanted:
        raise ValueError(f"{path} holds another theta: tensors of shapes {there}, and not {wanted}.")
    return trees.like(like, found), made
