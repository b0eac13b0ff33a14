"""The IDX format of MNIST and its relatives, plain or in gzip: a magic number, the sizes of the axes, bytes."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from pathlib import Path

import numpy as np

KINDS = {1: "labels (1 axis)", 3: "images (3 axes)"}


def read_idx(path: Path, *, axes: int, sha256: str | None = None) -> np.ndarray:
    """The unsigned bytes in an IDX file, as a uint8 array with ``axes`` axes: 1 for labels, 3 for images.

    Layout: 0, 0, type (8: unsigned byte), number of axes; the size of each axis as a big-endian 32-bit number; values
    with the last axis running fastest. ``sha256`` is the checksum of the unpacked content, checked last so that the
    message is of what is wrong with it. Raises ``ValueError`` that names the file and what was found.
    """
    content = _unpack(path)
    if len(content) < 4 or content[:2] != b"\0\0":
        raise ValueError(f"{path} is not an IDX file: it starts with {content[:4].hex(' ') or 'nothing'}, not 00 00.")
    if content[2] != 8:
        raise ValueError(f"{path} holds values of IDX type 0x{content[2]:02x}; only unsigned bytes (0x08) are read.")
    if content[3] != axes:
        kind = KINDS.get(content[3], f"{content[3]} axes")
        raise ValueError(f"{path} holds {kind} where {KINDS[axes]} are expected.")
    start = 4 + 4 * axes
    if len(content) < start:
        raise ValueError(f"{path} is cut short: its header needs {start} bytes and there are {len(content)}.")
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", axes, offset=4))
    expected, found = math.prod(shape), len(content) - start
    if expected != found:
        fault = "is cut short" if found < expected else "has bytes to spare"
        sizes = " x ".join(map(str, shape))
        raise ValueError(f"{path} {fault}: its header says {sizes} = {expected} values, and there are {found}.")
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(
            f"{path} is not the published file: the SHA-256 of its unpacked content is "
            f"{hashlib.sha256(content).hexdigest()}, not {sha256}. Delete it and fetch it again."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def header(array: np.ndarray) -> bytes:
    """The bytes before the values of an IDX file of the uint8 ``array``."""
    return bytes([0, 0, 8, array.ndim]) + np.asarray(array.shape, ">u4").tobytes()


def _unpack(path: Path) -> bytes:
    content = path.read_bytes()
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"{path} cannot be unpacked ({error}): it was cut short or altered. Delete it and fetch it again."
        ) from error
