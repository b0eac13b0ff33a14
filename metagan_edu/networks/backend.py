"""Says in one sentence that Keras must run on TensorFlow, before an import from inside Keras fails on another."""

from __future__ import annotations

import os

REMEDY = "unset KERAS_BACKEND (or set it to tensorflow) and start Python again"


def require(name: str | None = None) -> None:
    """``ImportError`` unless Keras' backend, by default the one that is set, is TensorFlow."""
    name = name or os.environ.get("KERAS_BACKEND") or "tensorflow"
    if name != "tensorflow":
        raise ImportError(f"metagan_edu computes with TensorFlow, but Keras' backend is {name!r}; {REMEDY}.")


require()  # before Keras is imported, which fails by itself where that backend is not installed

import keras  # noqa: E402

require(keras.backend.backend())  # from Keras' own file of settings
