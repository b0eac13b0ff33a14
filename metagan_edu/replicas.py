"""What N replicas of a ``tf.distribute`` strategy must agree on, and nothing else of the package knows of them.

Every replica holds its share of one global batch. Means over the batch are means of the replicas' means, so the
gradient of a *parameter* is averaged where a player's or a meta-learner's gradient is taken; what is differentiated
inside a loss, a penalty or a product belongs to single examples, and is not. Draws for examples (rows of data, noise)
are made for the global batch and each replica takes its share, so that N replicas see what one process with the whole
batch sees. Outside a strategy all of this changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from . import trees


def count() -> int:
    """How many replicas play together: 1 outside a strategy."""
    if tf.distribute.in_cross_replica_context():
        return 1
    return tf.distribute.get_replica_context().num_replicas_in_sync


def mean(tree: Any) -> Any:
    """The mean over replicas, leaf by leaf; it can be differentiated. The tree itself outside a strategy."""
    if count() == 1:
        return tree
    context = tf.distribute.get_replica_context()
    return trees.map(lambda x: context.all_reduce(tf.distribute.ReduceOp.MEAN, x), tree)


def share(draw: Callable[[Any], tf.Tensor], size: Any) -> tf.Tensor:
    """This replica's ``size`` rows of ``draw(global size) -> (global size, …)``: rows of one draw for all replicas."""
    total = count()
    if total == 1:
        return draw(size)
    first = tf.distribute.get_replica_context().replica_id_in_sync_group * size
    return draw(total * size)[first : first + size]


def split(size: int) -> int:
    """How many of a global batch of ``size`` examples a replica has; ``ValueError`` where they do not go round."""
    if size % count():
        raise ValueError(f"a batch of {size} examples cannot be shared by {count()} replicas; take a multiple of it.")
    return size // count()
