"""What a sampler must be: a pure function of its seed, which a compiled loop can play.

The samplers of the package are compared by value, so that ``ring.batches(16)`` written twice is one sampler to the
loop, which compiles once for both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import tensorflow as tf

from .. import replicas, seeds, trees
from ..values import by_value


@dataclasses.dataclass(frozen=True)
class Sampler:
    """A function ``seed -> what is drawn``; two of equal ``key`` are equal, and must draw the same from each seed.

    ``seed``: a whole number or an ``int32[2]`` tensor. ``key``: the kind, its numbers, and digests of the data.
    """

    draw: Callable[[Any], Any] = dataclasses.field(compare=False, repr=False)
    key: Hashable

    def __call__(self, seed: Any) -> Any:
        return self.draw(seed)


def check_sampler(batches: Any, what: str = "batches") -> Any:
    """``batches`` as it is; ``ValueError``, with the line to write, for what is no pure function of a seed.

    A function of yours is called twice with one seed, and traced: what draws by NumPy or by TensorFlow's global
    generator, or moves an iterator, gives two results, or none in a graph. (A constant is fine: it is the whole batch.)
    It may draw a tensor, or a tuple of them, such as ``(images, labels)``.
    """
    if isinstance(batches, Sampler):
        return batches
    if isinstance(batches, type) or not callable(batches):
        given = batches.__name__ if isinstance(batches, type) else type(batches).__name__
        raise ValueError(f"{what} must be a function seed -> batch, not {given}: {_instead(batches)}.")
    first, again = (_drawn(batches, what) for _ in range(2))
    same = len(first) == len(again) and all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    if not same:
        raise ValueError(
            f"{what} drew two different things from one seed: it draws by NumPy or a global generator, or moves an "
            "iterator, and a compiled loop would see its first draw alone, for ever, or could not be resumed. Draw "
            "from the seed: mg.data.batches(array, batch_size), or seeds.integers, seeds.uniform and seeds.normal."
        )
    _traced(batches, what)
    return batches


def shared(batches: Callable) -> Callable:
    """``batches`` for the replicas of a strategy: one that does not share its draws by itself is sliced.

    (The samplers of the package draw each replica's rows alone, and so read no others.)
    """
    return batches if isinstance(batches, Sampler) else _sliced(batches)


@by_value
def _sliced(batches):
    return lambda seed: replicas.rows(batches(seed), "a batch of {} examples")


def _drawn(batches: Callable, what: str) -> list[np.ndarray]:
    drawn = batches(seeds.fold_in(seeds.make(0), "look"))
    try:
        return [tf.convert_to_tensor(x).numpy() for x in trees.leaves(drawn)]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} must draw tensors, not {type(drawn).__name__} ({error}).") from error


def _traced(batches: Callable, what: str) -> None:
    """``ValueError`` where ``batches`` cannot be made into a graph, or draws there what is no tensor."""
    drawn: list[Any] = []

    def look(seed):
        drawn[:] = [batches(seed)]

    try:
        tf.function(look, autograph=False).get_concrete_function(tf.TensorSpec([2], tf.int32))
    except Exception as error:
        raise ValueError(
            f"{what} cannot be compiled ({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}): "
            "inside the loop its seed has no value for NumPy or Python to see. Draw by TensorFlow from the seed: "
            "mg.data.batches(array, batch_size), or seeds.integers, seeds.uniform and seeds.normal."
        ) from error
    other = [type(x).__name__ for x in trees.leaves(drawn[0]) if not tf.is_tensor(x)]
    if other and not hasattr(drawn[0], "support"):  # a task of arrays: what learns from it makes tensors of them
        raise ValueError(f"{what} must draw tensors, not {other[0]}: write tf.constant(...) around what it returns.")


def _instead(batches: Any) -> str:
    if isinstance(batches, (np.ndarray, list)) or tf.is_tensor(batches):
        return "write mg.data.batches(array, batch_size)"
    if hasattr(batches, "batches"):
        return "write .batches(batch_size) after it"
    if isinstance(batches, tf.data.Dataset):
        return (
            "a tf.data.Dataset cannot be drawn from by a seed; write mg.data.batches(array, batch_size) for its array, "
            "or mg.data.from_reader(read, n).batches(batch_size) where it does not fit in memory"
        )
    return "every data set has .batches(batch_size)"
