"""Files that are written whole or not at all, and arrays on disk that are checked when read: never a pickle."""

from __future__ import annotations

import hashlib
import os
import pathlib
import secrets
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

DIGEST = "sha256"


def replace(path: Any, content: bytes) -> None:
    """Write bytes to ``path``, whole or not at all; its folder is made.

    The content goes to a file of a name of its own in the same folder, then one rename puts it in place: of several
    writers the last one wins, and a reader sees one of them whole. Raises ``OSError``, such as for a full disk or a
    folder that cannot be written, and then leaves nothing behind.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def digest(arrays: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """SHA-256 over the names, types, shapes and bytes of arrays, and over words, as a hexadecimal string."""
    total = hashlib.sha256(repr(sorted((k, v) for k, v in words.items() if k != DIGEST)).encode())
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        total.update(f"{name} {array.dtype} {array.shape} ".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def write_arrays(path: Any, arrays: Mapping[str, Any], words: Mapping[str, str]) -> None:
    """Write named arrays and words (names and values are strings) to a safetensors file, as :func:`replace` does."""
    from safetensors.numpy import save

    arrays = {name: np.array(value, order="C") for name, value in arrays.items()}
    replace(path, save(arrays, {**words, DIGEST: digest(arrays, words)}))


def read_arrays(path: Any) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The ``(arrays, words)`` of a file of :func:`write_arrays`.

    Raises ``FileNotFoundError`` where there is none, and ``ValueError`` where its content is not as it was written.
    """
    from safetensors import SafetensorError, safe_open

    if not pathlib.Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    try:
        with safe_open(str(path), "numpy") as file:
            words = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, struct.error, ValueError) as error:
        raise ValueError(f"{path} is not a complete safetensors file ({error}).") from error
    if words.pop(DIGEST, None) != digest(arrays, words):
        raise ValueError(f"{path} was altered after it was written: its content does not match its digest.")
    return arrays, words
