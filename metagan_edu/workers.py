"""Several processes that train as one: who comes, who writes, and what all must agree on.

Each worker runs the same script under one ``tf.distribute`` strategy. The first, the *chief*, alone calls hooks, shows
progress and writes checkpoints; the others play the same steps and follow its decisions.
"""

from __future__ import annotations

import errno
import functools
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from . import checks, replicas, trees

LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError, tf.errors.CancelledError)


def join(addresses: Sequence[str], index: int, *, wait: float = 60.0) -> tf.distribute.MultiWorkerMirroredStrategy:
    """The strategy of ``len(addresses)`` processes of which this is number ``index``, once all of them are there.

    ``addresses``: ``"host:port"`` of each worker, the same list in all of them, the chief first; ``wait``: seconds. To
    be called before anything else of TensorFlow. Raises ``ValueError`` for addresses that are none, an index out of
    range, or a port that is taken here, and ``TimeoutError``, with the worker named, where one does not come.
    """
    places = _places(addresses)
    checks.whole("index", index, 0)
    if index >= len(places):
        raise ValueError(f"index must be below {len(places)}, the number of addresses, not {index}.")
    checks.number("wait, in seconds,", wait, above=0)
    _meet(places, index, time.monotonic() + wait, wait)
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(addresses)}), task_type="worker", task_id=index, rpc_layer="grpc"
    )
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    except RuntimeError as error:
        raise ValueError(
            "workers must be joined before TensorFlow computes anything: call mg.workers.join at the top of the "
            f"script, once ({str(error).splitlines()[0]})"
        ) from error


def _places(addresses):
    if isinstance(addresses, str) or not isinstance(addresses, Sequence) or not addresses:
        raise ValueError(f'addresses must be a list such as ["10.0.0.1:9000", "10.0.0.2:9000"], not {addresses!r}.')
    places = []
    for address in addresses:
        host, _, port = str(address).rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 2**16:
            raise ValueError(f'the address of a worker is "host:port", with a port below 65536, not {address!r}.')
        places.append((host, int(port)))
    if len(set(places)) < len(places):
        raise ValueError(f"each worker needs an address of its own; {list(addresses)} holds one twice.")
    return places


def _meet(places, index, deadline, wait):
    """Return once every other worker has been reached, and has reached this one, at the ports that they will use."""
    host, port = places[index]
    try:
        door = socket.create_server(("", port))
    except OSError as error:
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be opened ({error.strerror})"
        raise ValueError(f"port {port} of this worker, {host}:{port}, {why}; name another, in all workers.") from error
    others = [number for number in range(len(places)) if number != index]
    came: set[int] = set()

    def welcome():
        while len(came) < len(others):
            try:
                guest, _ = door.accept()
            except OSError:  # closed
                return
            with guest:
                guest.settimeout(5)
                try:
                    number = int(guest.recv(16).decode() or -1)
                except (OSError, ValueError):
                    continue
                if number in others:
                    came.add(number)

    with door:
        threading.Thread(target=welcome, daemon=True).start()
        reached: set[int] = set()
        while len(reached) < len(others) or len(came) < len(others):
            for number in set(others) - reached:
                try:
                    with socket.create_connection(places[number], timeout=1) as line:
                        line.sendall(str(index).encode())
                    reached.add(number)
                except OSError:
                    pass
            if time.monotonic() > deadline:
                number = min(set(others) - (reached & came))
                raise TimeoutError(f"worker {number} of {len(places)}, {':'.join(map(str, places[number]))}, did not "
                                   f"come within {wait:g} s; start it, or correct its address.")  # fmt: skip
            time.sleep(0.05)


def count(strategy: Any) -> int:
    """How many processes a strategy has: 1 without one."""
    return 1 if strategy is None else strategy.num_replicas_in_sync // replicas.local(strategy)


def is_chief(strategy: Any) -> bool:
    """Whether this process is the one that writes."""
    return count(strategy) == 1 or bool(strategy.extended.should_checkpoint)


def agreed(strategy: Any, tree: Any) -> Any:
    """The chief's ``tree`` of tensors or numbers, on every worker; it must have the same structure on all of them."""
    if count(strategy) == 1:
        return tree
    leaves = _agreeing(strategy)([tf.convert_to_tensor(x) for x in trees.leaves(tree)])
    return trees.like(tree, leaves)


@functools.lru_cache(maxsize=4)
def _agreeing(strategy):
    def own(*leaves):
        first = tf.equal(tf.distribute.get_replica_context().replica_id_in_sync_group, 0)
        numbers = [tf.cast(x, tf.int32) if x.dtype == tf.bool else x for x in leaves]
        given = [tf.where(first, x, tf.zeros_like(x)) for x in numbers]
        found = replicas.reduced(tf.distribute.ReduceOp.SUM, given)
        return [tf.cast(x, like.dtype) for x, like in zip(found, leaves, strict=True)]

    @tf.function(autograph=False, reduce_retracing=True)
    def run(leaves):
        return [strategy.experimental_local_results(x)[0] for x in strategy.run(own, args=tuple(leaves))]

    return run
