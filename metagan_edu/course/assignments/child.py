"""What runs beside a submission: values of ``asked()`` as one safetensors file, and nothing pickled.

This file is started by its path, in the sandbox, and imports nothing of the package: a notebook says what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors.numpy import save


def pack(values: Any) -> bytes:
    """A dict of numbers, arrays and strings as the bytes of a safetensors file, strings as its metadata.

    Raises ``ValueError``, in a sentence for the student, where a value is none of these.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"asked() must return a dict, not {type(values).__name__}.")
    strings = {str(name): value for name, value in values.items() if isinstance(value, str)}
    arrays = {str(name): _array(name, value) for name, value in values.items() if not isinstance(value, str)}
    return save(arrays, strings)


def _array(name, value):
    if value is None or value is ...:
        raise ValueError(f"{name} is {value}: nothing was returned or assigned.")
    try:
        array = np.array(value, order="C")
    except Exception as error:  # whatever a student's object raises
        raise ValueError(f"{name} is no array ({type(error).__name__}).") from error
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise ValueError(f"{name} is {type(value).__name__} of {array.dtype}: it must be numbers, or a string.")
    return array
