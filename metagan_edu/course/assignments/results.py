"""Read what a submission left: regular files of its result folder, sizes checked first, plain values or nothing."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.numpy import load

from . import child

NAMES, STRINGS, HEADER = 2_000, 1_000_000, 2_000_000  # of one result: entries, bytes of strings, bytes of the header
DTYPES = {"BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F16", "F32", "F64"}
REFUSED = "what came back could not be read: {}."


class Found(NamedTuple):
    """By number of the cell: the values of ``asked()``, and the sentence where there are none."""

    values: dict[int, dict[str, Any]]
    said: dict[int, str]


def read(folder: Path, cells: int, asked: Collection[int], most: int) -> Found:
    """What lies in the result folder for ``cells`` cells: what was said, and of those ``asked`` the values, ``most``
    bytes of all together."""
    values, said = {}, {}
    for number in range(cells):
        content = _content(folder, f"{number}.said", 4 * child.LONGEST)
        if content is not None:
            said[number] = _line(content)
        content = _content(folder, f"{number}.safetensors", most) if number in asked else None
        if content is not None:
            most -= len(content)
            try:
                values[number] = unpack(content)
            except ValueError as error:
                said[number] = REFUSED.format(error)
    return Found(values, said)


def progress(folder: Path, cells: int) -> str:
    """What the heartbeat says: the number of one of ``cells`` cells, "done", or nothing."""
    text = (_content(folder, child.PROGRESS, 32) or b"").decode("ascii", "replace")
    return text if text == "done" or (text.isascii() and text.isdigit() and int(text) < cells) else ""


def unpack(content: bytes) -> dict[str, Any]:
    """What ``child.pack`` packed: arrays, numbers as NumPy's scalars, and strings.

    Raises ``ValueError`` for bytes that are no safetensors file, or one with too many names, other types, or an array
    without numbers, which NumPy finds close to any other.
    """
    size = int.from_bytes(content[:8], "little")
    if not 2 <= size <= min(len(content) - 8, HEADER):
        raise ValueError("its header has a wrong length")
    try:
        header = json.loads(content[8 : 8 + size])
        strings = header.pop("__metadata__", {})
        types = {entry["dtype"] for entry in header.values()}
        words = list(strings.values())
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError) as error:
        raise ValueError("its header is none") from error
    if len(header) + len(strings) > NAMES or types - DTYPES:
        raise ValueError("it holds too many values, or other than numbers and strings")
    if not all(isinstance(value, str) for value in words) or sum(map(len, words)) > STRINGS:
        raise ValueError("its strings are too long")
    try:
        arrays = load(content)
    except Exception as error:  # the library's own errors, and NumPy's
        raise ValueError(f"its arrays are malformed ({type(error).__name__})") from error
    if not all(array.size for array in arrays.values()):
        raise ValueError("an array without numbers is there")
    return {**strings, **{name: array[()] for name, array in arrays.items()}}


def _content(folder: Path, name: str, most: int) -> bytes | None:
    """The bytes of a regular file in ``folder``, of which no part of the path is a link; None where it is none."""
    with contextlib.suppress(OSError):
        inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=inside)
        finally:
            os.close(inside)
        with os.fdopen(file, "rb") as opened:
            status = os.fstat(opened.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_size <= most:
                return opened.read(most)
    return None


def _line(content: bytes) -> str:
    """One line of printable words."""
    text = "".join(letter if letter.isprintable() else " " for letter in content.decode("utf-8", "replace"))
    return " ".join(text.split())[: child.LONGEST]
