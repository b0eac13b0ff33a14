"""What N replicas of a ``tf.distribute`` strategy must agree on, and nothing else of the package knows of them.

All replicas hold the same state, and take the same step of it: each has its share of one global batch. Means over the
batch are means of the replicas' means, so the gradient of a *parameter* is averaged where a player's gradient is taken;
what is differentiated inside a loss, a penalty or a product belongs to single examples, and is not. Draws for examples
(rows of data, noise) are made for the global batch and each replica takes its share, so that N replicas see what one
process with the whole batch sees. The tasks of a meta-step are shared instead: a replica plays its own :func:`alone`.
Outside a strategy all of this changes nothing.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from . import trees

_here = threading.local()  # a MirroredStrategy traces each replica in a thread of its own


def count() -> int:
    """How many replicas play together: 1 outside a strategy, and :func:`alone`."""
    if getattr(_here, "alone", False) or tf.distribute.in_cross_replica_context():
        return 1
    return tf.distribute.get_replica_context().num_replicas_in_sync


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Inside, a replica plays for itself: nothing is shared or averaged."""
    before, _here.alone = getattr(_here, "alone", False), True
    try:
        yield
    finally:
        _here.alone = before


def mean(tree: Any) -> Any:
    """The mean over replicas, leaf by leaf; it can be differentiated. The tree itself outside a strategy."""
    if count() == 1:
        return tree
    return trees.like(tree, reduced(tf.distribute.ReduceOp.MEAN, trees.leaves(tree)))


def reduced(how: Any, leaves: list[tf.Tensor]) -> list[tf.Tensor]:
    """The leaves reduced over replicas, those of one dtype at once."""
    context, result = tf.distribute.get_replica_context(), list(leaves)
    for dtype in dict.fromkeys(x.dtype for x in leaves):
        which = [i for i, x in enumerate(leaves) if x.dtype == dtype]
        for i, x in zip(which, context.all_reduce(how, [leaves[i] for i in which]), strict=True):
            result[i] = x
    return result


def total(tree: Any) -> Any:
    """The sum over replicas, leaf by leaf."""
    return trees.scale(float(count()), mean(tree))


def share(draw: Callable[[Any], tf.Tensor], size: Any) -> tf.Tensor:
    """This replica's ``size`` rows of ``draw(global size) -> (global size, …)``: rows of one draw for all replicas."""
    if count() == 1:
        return draw(size)
    first = _index() * size
    return draw(count() * size)[first : first + size]


def split(size: int, what: str = "a batch of {} examples") -> int:
    """How many of ``size`` things a replica has; ``ValueError`` where they do not go round."""
    if size % count():
        raise ValueError(f"{what.format(size)} cannot be shared by {count()} replicas; take a multiple of it.")
    return size // count()


def rows(tree: Any, what: str) -> Any:
    """This replica's share of the leading axis of every leaf, which all replicas hold whole.

    Raises ``ValueError`` for a leaf without such an axis, or with one whose length is not known, or does not go round.
    """
    if count() == 1:
        return tree

    def own(x):
        if not x.shape.rank or x.shape[0] is None:
            raise ValueError(f"replicas share {what.format('n')} by its leading axis, but a value of shape {x.shape} "
                             "has none of known length; tf.ensure_shape can say how long it is.")  # fmt: skip
        size = split(x.shape[0], what)
        return x[_index() * size : (_index() + 1) * size]

    return trees.map(own, tree)


def gathered(tree: Any) -> Any:
    """The shares of all replicas, one after the other along the leading axis: the inverse of :func:`rows`."""
    if count() == 1:
        return tree
    context = tf.distribute.get_replica_context()
    return trees.map(lambda x: tf.ensure_shape(context.all_gather(x, 0), [count() * x.shape[0], *x.shape[1:]]), tree)


def _index():
    return tf.distribute.get_replica_context().replica_id_in_sync_group


def everywhere(strategy: Any, step: Callable) -> Callable:
    """``step(state, *given) -> (state, seen)`` on every replica: ``(states, *given) -> (states, seen)``.

    ``states``: one for each replica of this process, all alike; ``seen`` is that of the first. Without a strategy there
    is one, and the step is taken as it is.
    """

    def here(states, *given):
        state, seen = step(states[0], *given)
        return (state,), seen

    def on_all(states, *given):
        def own(*given):
            index = tf.get_static_value(_index())
            return step(states[index % len(states)], *given)

        result = strategy.run(own, args=given)
        each = [trees.map(lambda x, i=i: strategy.experimental_local_results(x)[i], result) for i in range(len(states))]
        return tuple(state for state, _ in each), each[0][1]

    return here if strategy is None else on_all


def local(strategy: Any) -> int:
    """How many replicas of a strategy are in this process; 1 without one."""
    return 1 if strategy is None else len(strategy.extended.worker_devices)
