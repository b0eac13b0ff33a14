"""Omniglot, handwritten characters of many alphabets, read straight from its upstream zip files, or unpacked."""

from __future__ import annotations

import functools
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .archives import ARCHIVES, fetch, find
from .base import Characters, as_characters
from .picture_files import Unfit, flattened
from .pixels import check_size, resize

SIDE = 105  # pixels of an upstream picture
PEN = 3  # pixels: the usual width of an upstream stroke
STROKE = 0.9  # pixels that a stroke is given after the reduction, else it fades (at 16 pixels to 0.46)
MAX_BYTES = 100_000  # of one unpacked picture; upstream's have some hundred
INK = (0.001, 0.5)  # share of a picture that a drawing covers; upstream's cover 1.7 to 19 %


class Entry(NamedTuple):
    """One file of an archive: its name with its folders, the size that it says it has, and a function that reads it."""

    name: str
    size: int
    read: Callable[[], bytes]


def omniglot(size: int = 16, archive: str = "images_background_small1") -> Characters:
    """``Characters`` of one archive, 20 drawings each, bright ink on dark ground, ordered by alphabet and character.

    ``archive``: "images_background" (30 alphabets, 964 characters), "images_evaluation" (20, 659), or the parts
    "images_background_small1" (5, 136) and "images_background_small2" (5, 156). ``size``: 8 to 64, divisible by 4.
    Strokes are widened before the reduction, to 0.9 pixels of the result. Found offline (packed or not, also as
    torchvision lays it out) or downloaded. Raises ``FileNotFoundError`` if it cannot be had, ``ValueError`` for a
    damaged or unsafe archive, another archive or size. Source: Lake et al. 2015 (MIT).
    """
    name, size = _name(archive), check_size(size)
    path = fetch(name)
    return read_folder(path, size=size) if path.is_dir() else read_zip(path, size=size)


def at_hand(archive: str = "images_background_small1") -> bool:
    """Whether the archive can be read without network."""
    return find(_name(archive)) is not None


def read_zip(path: Path, *, size: int = 16) -> Characters:
    """``Characters`` from a zip of ``folder/Alphabet/character/drawing.png`` of 105x105 pixels, dark ink on white.

    Nothing is written to disk. Raises ``ValueError`` naming the file and the entry: not a zip or cut short, an entry
    that leaves its folder, a picture of another size or kind, one that is nearly all ink or has none, or characters
    with unequal numbers of drawings.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [
                Entry(entry.filename, entry.file_size, functools.partial(archive.read, entry))
                for entry in archive.infolist()
            ]
            return _characters(path, entries, size)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path} cannot be unpacked ({error}). Delete it and fetch it again.") from error


def read_folder(path: Path, *, size: int = 16) -> Characters:
    """``Characters`` from a folder ``Alphabet/character/drawing.png``, as :func:`read_zip`."""
    entries = [
        Entry(file.relative_to(path.parent).as_posix(), file.stat().st_size, file.read_bytes)
        for file in path.glob("*/*/*.png")
        if not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    return _characters(path, entries, size)


def _characters(path: Path, entries: Iterable[Entry], size: int) -> Characters:
    groups = _groups(path, entries)
    counts = {key: len(drawings) for key, drawings in groups.items()}
    if len(set(counts.values())) > 1:
        few, many = (extreme(counts, key=lambda which: counts[which]) for extreme in (min, max))
        raise ValueError(
            f"{path} must hold as many drawings of every character, but has {counts[few]} of {'/'.join(few)} "
            f"and {counts[many]} of {'/'.join(many)}."
        )
    small = np.stack([_reduce(np.stack([_ink(path, entry) for entry in group]), size) for group in groups.values()])
    return as_characters(small, [alphabet for alphabet, _ in groups], ["/".join(key) for key in groups])


def _groups(path: Path, entries: Iterable[Entry]) -> dict[tuple[str, str], list[Entry]]:
    """Entries of pictures by (alphabet, character), in order; every entry's name is checked first."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.name):
        parts = PurePosixPath(entry.name).parts
        if entry.name.startswith("/") or ".." in parts or "\\" in entry.name or ":" in entry.name:
            raise ValueError(f"{path} has an entry that leaves its folder: {entry.name!r}. It was not read.")
        if len(parts) == 4 and entry.name.endswith(".png"):
            groups.setdefault(parts[1:3], []).append(entry)
    if not groups:
        raise ValueError(f"{path} holds no picture of the form folder/Alphabet/character/drawing.png.")
    return groups


def _ink(path: Path, entry: Entry) -> np.ndarray:
    """One picture as (105, 105) bool, true where there is ink; what is transparent is white paper."""
    if entry.size > MAX_BYTES:
        raise ValueError(f"{path}: {entry.name} would unpack to {entry.size} bytes, over {MAX_BYTES}.")
    try:
        picture, _ = flattened(io.BytesIO(entry.read()), ["PNG"])
    except Unfit as error:
        raise ValueError(f"{path}: {entry.name} is not a readable PNG picture: it {error}.") from error
    if picture.size != (SIDE, SIDE):
        raise ValueError(f"{path}: {entry.name} has {picture.size[0]}x{picture.size[1]} pixels, not {SIDE}x{SIDE}.")
    ink = np.asarray(picture.convert("L")) < 128
    if not INK[0] <= ink.mean() <= INK[1]:
        raise ValueError(
            f"{path}: {entry.name} is {100 * ink.mean():.1f} % ink, where a drawing has {100 * INK[0]:g} to "
            f"{100 * INK[1]:g} %: dark ink on white or transparent ground is read."
        )
    return ink


def _reduce(drawings: np.ndarray, size: int) -> np.ndarray:
    """(n, 105, 105) ink to (n, size, size, 1) in [-1, 1], with strokes widened so that they stay visible."""
    ink = tf.constant(drawings[..., None], tf.float32)
    reach = max(0, round((STROKE * SIDE / size - PEN) / 2))
    wide = tf.nn.max_pool2d(ink, 2 * reach + 1, 1, "SAME").numpy()
    return 2 * resize(wide, size) - 1


def _name(archive: str) -> str:
    known = [PurePosixPath(name).stem for name in ARCHIVES if name.startswith("omniglot/")]
    if archive not in known:
        raise ValueError(f"archive must be one of {', '.join(known)}, not {archive!r}.")
    return f"omniglot/{archive}.zip"
