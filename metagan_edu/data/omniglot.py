"""Omniglot, handwritten characters of many alphabets, read straight from its upstream zip files."""

import io
import zipfile
import zlib
from pathlib import PurePosixPath

import numpy as np
import tensorflow as tf

from metagan_edu.data.archives import ARCHIVES, fetch, find
from metagan_edu.data.base import as_characters, resize

SIDE = 105  # pixels of an upstream picture
PEN = 3  # pixels: the usual width of an upstream stroke
STROKE = 0.9  # pixels that a stroke is given after the reduction, else it fades (at 16 pixels to 0.46)
MAX_BYTES = 100_000  # of one unpacked picture; upstream's have some hundred


def omniglot(size=16, archive="images_background_small1"):
    """``Characters`` of one archive, 20 drawings each, bright ink on dark ground, ordered by alphabet and character.

    ``archive``: "images_background" (30 alphabets, 964 characters), "images_evaluation" (20, 659), or the parts
    "images_background_small1" (5, 136) and "images_background_small2" (5, 156). Strokes are widened before the
    reduction, to 0.9 pixels of the result. Found offline or downloaded. Raises ``FileNotFoundError`` if it cannot be
    had, ``ValueError`` for a damaged or unsafe archive, another archive or size. Source: Lake et al. 2015 (MIT).
    """
    return read_zip(fetch(_name(archive)), size=size)


def at_hand(archive="images_background_small1"):
    """Whether the archive can be read without network."""
    return find(_name(archive)) is not None


def read_zip(path, *, size=16):
    """``Characters`` from a zip of ``folder/Alphabet/character/drawing.png`` of 105x105 pixels, dark ink on white.

    Nothing is written to disk. Raises ``ValueError`` naming the file and the entry: not a zip or cut short, an entry
    that leaves its folder, a picture of another size or kind, or characters with unequal numbers of drawings.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            groups = _groups(path, archive.infolist())
            images = [np.stack([_ink(path, archive, entry) for entry in entries]) for entries in groups.values()]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path} cannot be unpacked ({error}). Delete it and fetch it again.") from error
    counts = {key: len(drawings) for key, drawings in zip(groups, images, strict=True)}
    if len(set(counts.values())) > 1:
        few, many = min(counts, key=counts.get), max(counts, key=counts.get)
        raise ValueError(
            f"{path} must hold as many drawings of every character, but has {counts[few]} of {'/'.join(few)} "
            f"and {counts[many]} of {'/'.join(many)}."
        )
    small = np.stack([_reduce(drawings, size) for drawings in images])
    return as_characters(small, [alphabet for alphabet, _ in groups], ["/".join(key) for key in groups])


def _groups(path, entries):
    """Entries of pictures by (alphabet, character), in order; every entry's name is checked first."""
    groups = {}
    for entry in sorted(entries, key=lambda entry: entry.filename):
        parts = PurePosixPath(entry.filename).parts
        if entry.filename.startswith("/") or ".." in parts or "\\" in entry.filename or ":" in entry.filename:
            raise ValueError(f"{path} has an entry that leaves its folder: {entry.filename!r}. It was not read.")
        if len(parts) == 4 and entry.filename.endswith(".png"):
            groups.setdefault(parts[1:3], []).append(entry)
    if not groups:
        raise ValueError(f"{path} holds no picture of the form folder/Alphabet/character/drawing.png.")
    return groups


def _ink(path, archive, entry):
    """One picture as (105, 105) bool, true where there is ink."""
    from PIL import Image

    if entry.file_size > MAX_BYTES:
        raise ValueError(f"{path}: {entry.filename} would unpack to {entry.file_size} bytes, over {MAX_BYTES}.")
    try:
        with Image.open(io.BytesIO(archive.read(entry)), formats=["PNG"]) as picture:
            width, height = picture.size
            ink = np.asarray(picture.convert("L")) < 128 if width == height == SIDE else None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: {entry.filename} is not a readable PNG picture.") from error
    if ink is None:
        raise ValueError(f"{path}: {entry.filename} has {width}x{height} pixels, not {SIDE}x{SIDE}.")
    return ink


def _reduce(drawings, size):
    """(n, 105, 105) ink to (n, size, size, 1) in [-1, 1], with strokes widened so that they stay visible."""
    ink = tf.constant(drawings[..., None], tf.float32)
    reach = max(0, round((STROKE * SIDE / size - PEN) / 2))
    wide = tf.nn.max_pool2d(ink, 2 * reach + 1, 1, "SAME").numpy()
    return 2 * resize(wide, size) - 1


def _name(archive):
    known = [PurePosixPath(name).stem for name in ARCHIVES if name.startswith("omniglot/")]
    if archive not in known:
        raise ValueError(f"archive must be one of {', '.join(known)}, not {archive!r}.")
    return f"omniglot/{archive}.zip"
