"""Arithmetic on nested parameters: a *tree* is a tensor, or a tuple, list, NamedTuple or dict of trees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .roots import root


def map(fn: Callable, *trees: Any) -> Any:  # read as trees.map
    """Apply ``fn`` leaf by leaf to trees of one structure."""
    return tf.nest.map_structure(fn, *trees)


def leaves(tree: Any) -> list[Any]:
    """The tensors of a tree, in a fixed order."""
    return tf.nest.flatten(tree)


def like(tree: Any, values: Any) -> Any:
    """The tree with the structure of ``tree`` and the given leaves."""
    return tf.nest.pack_sequence_as(tree, values)


def zeros(tree: Any) -> Any:
    """A tree of zeros."""
    return map(tf.zeros_like, tree)


def add(x: Any, y: Any) -> Any:
    """x + y."""
    return map(tf.add, x, y)


def sub(x: Any, y: Any) -> Any:
    """x - y."""
    return map(tf.subtract, x, y)


def as_type(number: Any, dtype: Any) -> tf.Tensor:
    """A number or tensor in ``dtype``. (``tf.cast`` alone would round a Python float to float32 on its way to
    float64.)"""
    return tf.cast(number, dtype) if tf.is_tensor(number) else tf.convert_to_tensor(number, dtype)


def scale(factor: Any, tree: Any) -> Any:
    """factor · tree, where the factor is a number or a tree of factors of the same structure."""
    if tf.nest.is_nested(factor):
        return map(lambda f, x: as_type(f, x.dtype) * x, factor, tree)
    return map(lambda x: as_type(factor, x.dtype) * x, tree)


def lerp(x: Any, y: Any, weight: Any) -> Any:
    """x + weight · (y - x): ``x`` at weight 0, ``y`` at weight 1."""
    return map(lambda a, b: a + as_type(weight, a.dtype) * (b - a), x, y)


def dot(x: Any, y: Any) -> tf.Tensor:
    """The sum over all entries of x · y, a scalar."""
    return tf.add_n([tf.reduce_sum(a * b) for a, b in zip(leaves(x), leaves(y), strict=True)])


def norm(tree: Any) -> tf.Tensor:
    """The Euclidean norm over all entries; its gradient at zero is zero, not NaN."""
    return root(dot(tree, tree))


def where(condition: Any, x: Any, y: Any) -> Any:
    """``x`` where the condition holds, else ``y``, leaf by leaf: what is not chosen may be NaN."""
    return map(lambda a, b: tf.where(condition, a, b), x, y)


def all_finite(tree: Any) -> tf.Tensor:
    """Whether no entry of a floating-point leaf is NaN or infinite: a scalar boolean.

    One sum over all entries says so, as it is finite only where they all are (or where finite ones overflow it). Leaves
    of one shape (a parameter and its slots) are added first: fewer operations, of which a step of a small game is made.
    """
    groups: dict[Any, list[tf.Tensor]] = {}
    for x in leaves(tree):
        if x.dtype.is_floating:
            groups.setdefault((x.dtype, tuple(x.shape) if x.shape.is_fully_defined() else id(x)), []).append(x)
    sums = [tf.reduce_sum(tf.add_n(alike)) for alike in groups.values()]
    if not sums:
        return tf.constant(True)
    return tf.math.is_finite(tf.add_n([x if x.dtype == tf.float32 else tf.cast(x, tf.float32) for x in sums]))


def flatten(tree: Any) -> tuple[tf.Tensor, Callable]:
    """All entries as one vector ``(n,)``, and the function that turns such a vector into a tree again."""
    values = leaves(tree)
    shapes = [x.shape for x in values]

    def unflatten(vector):
        parts = tf.split(vector, [s.num_elements() for s in shapes])
        return like(tree, [tf.reshape(p, s) for p, s in zip(parts, shapes, strict=True)])

    return tf.concat([tf.reshape(x, [-1]) for x in values], 0), unflatten
