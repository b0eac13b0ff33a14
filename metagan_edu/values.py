"""Functions that are compared by value: what is built twice from equal arguments is one and the same thing.

The loop keeps a compiled graph for each game, rule and sampler that it is handed. These are closures, which Python
compares by identity; a factory marked with :func:`by_value` returns the closure that it made before, so that a call
written twice compiles once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

Made = TypeVar("Made", bound=Callable)

KEPT = 128


def by_value(factory: Made, kept: int = KEPT) -> Made:
    """``factory``, which returns the same object for equal (and equally typed) arguments that can be hashed.

    For arguments that cannot, such as tensors and arrays, each call makes anew. ``kept``: how many are remembered.
    """
    remembered = functools.lru_cache(maxsize=kept, typed=True)(factory)

    @functools.wraps(factory)
    def made(*args, **kwargs):
        try:
            hash((args, tuple(kwargs.values())))
        except TypeError:
            return factory(*args, **kwargs)
        return remembered(*args, **kwargs)

    factory_by_value: Any = made
    factory_by_value.forget = remembered.cache_clear
    return factory_by_value
