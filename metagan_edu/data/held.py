"""One tensor per data set: arrays of equal content share their place in TensorFlow's memory while anything uses it."""

from __future__ import annotations

import hashlib
import threading
import weakref

import numpy as np
import tensorflow as tf

ALIGNMENT = 64  # bytes; TensorFlow takes over a buffer so aligned as it is, and copies any other once more


class Held:
    """An array (n, …) on this device; ``key``: the digest of its content, and the device.

    Rows of bytes are held eight to an int64 where they can be: TensorFlow gathers no uint8 on a GPU, and would fetch
    the whole data set from there for each batch.
    """

    __slots__ = ("__weakref__", "_row", "_tensor", "key")

    def __init__(self, key: tuple[str, str], array: np.ndarray):
        self.key, self._row = key, array.shape[1:]
        packed = array.dtype == np.uint8 and array[0].nbytes % 8 == 0
        self._tensor = _tensor(array.reshape(len(array), -1).view(np.int64) if packed else array)

    def rows(self, which: tf.Tensor) -> tf.Tensor:
        """The rows at the positions ``which`` (…), (…, *row), in the array's type."""
        taken = tf.gather(self._tensor, which)
        if taken.dtype == tf.int64:
            taken = tf.reshape(tf.bitcast(taken, tf.uint8), (*which.shape, *self._row))
        return taken


_held: weakref.WeakValueDictionary[tuple[str, str], Held] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def held(array: np.ndarray) -> Held:
    """The one :class:`Held` of this content, type (uint8, int32, float32) and shape, freed when nothing refers to it.

    The digest is SHA-256 over all bytes (1.5 GB/s), taken at each call: an array may have been changed.
    """
    array = np.ascontiguousarray(array)
    digest = hashlib.sha256(f"{array.dtype} {array.shape} ".encode())
    digest.update(array.data.cast("B"))
    with tf.init_scope(), _lock:
        key = (digest.hexdigest(), tf.zeros([]).device)
        found = _held.get(key)
        if found is None:
            found = _held[key] = Held(key, array)
    return found


def _tensor(array: np.ndarray) -> tf.Tensor:
    """A tensor of its own, by one copy: ``tf.constant`` makes two, so that a data set would take three times its size.

    It is an eager tensor, which a graph refers to as an input: one made inside the graph would be a copy in each.
    """
    room = np.empty(array.nbytes + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    copy = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    np.copyto(copy, array)
    on_host = tf.experimental.dlpack.from_dlpack(copy.__dlpack__())
    return tf.identity(on_host)  # onto the accelerator, where there is one; no copy otherwise
