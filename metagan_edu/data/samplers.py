"""What a sampler must be: a pure function of its seed, which a compiled loop can play."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from .. import seeds, trees


def check_sampler(batches: Any, what: str = "batches") -> Any:
    """What ``batches`` draws first; ``ValueError``, with the line to write, for what is no pure function of a seed.

    It is called twice with one seed: what draws by NumPy, or moves an iterator, gives two results, and inside a
    compiled loop would be frozen at its first.
    """
    if not callable(batches):
        raise ValueError(f"{what} must be a function seed -> batch, not {type(batches).__name__}: {_instead(batches)}.")
    first, again = (_drawn(batches, what) for _ in range(2))
    same = len(first) == len(again) and all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    if not same:
        raise ValueError(
            f"{what} drew two different things from one seed: it draws by NumPy or moves an iterator, and a compiled "
            "loop would see its first draw alone, for ever. Draw from the seed: mg.data.batches(array, batch_size), or "
            "seeds.integers, seeds.uniform and seeds.normal."
        )
    return batches


def _drawn(batches: Callable, what: str) -> list[np.ndarray]:
    drawn = batches(seeds.fold_in(seeds.make(0), "look"))
    try:
        return [tf.convert_to_tensor(x).numpy() for x in trees.leaves(drawn)]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} must draw tensors, not {type(drawn).__name__} ({error}).") from error


def _instead(batches: Any) -> str:
    if isinstance(batches, (np.ndarray, list)) or tf.is_tensor(batches):
        return "write mg.data.batches(array, batch_size)"
    if hasattr(batches, "batches"):
        return "write .batches(batch_size) after it"
    if isinstance(batches, tf.data.Dataset):
        return (
            "a tf.data.Dataset cannot be drawn from by a seed; write mg.data.batches(array, batch_size) for its array, "
            "or mg.data.from_reader(read, n) where it does not fit in memory"
        )
    return "every data set has .batches(batch_size)"
