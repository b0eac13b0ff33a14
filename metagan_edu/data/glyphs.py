"""Letters of fifteen scripts, rendered from a font that matplotlib ships: endless few-shot tasks without a download.

Splits share no script, and no letter shape: scripts borrowed letters from each other (Latin, Greek, Cyrillic, Lisu; the
circle is everywhere), so that a split by name alone would leak.
"""

from __future__ import annotations

import hashlib
import io
import logging
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import checks, files
from . import drawings as drawing
from .archives import cache_folder
from .base import Characters, TaskFamily, as_characters, character_tasks
from .pixels import check_size

# Script: its split, and its letters in DejaVu Sans (first and last code point of each range).
SCRIPTS = {
    "Latin": ("train", [(0x41, 0x5A), (0x61, 0x7A), (0x250, 0x2AF)]),
    "Greek": ("train", [(0x391, 0x3C9)]),
    "Coptic": ("train", [(0x3E2, 0x3EF)]),
    "Cyrillic": ("train", [(0x400, 0x4FF)]),
    "Arabic": ("train", [(0x621, 0x64A)]),
    "Canadian Aboriginal": ("train", [(0x1401, 0x1676)]),
    "Ogham": ("train", [(0x1681, 0x169A)]),
    "Lisu": ("train", [(0xA4D0, 0xA4F7)]),
    "Old Italic": ("train", [(0x10300, 0x1031E)]),
    "Armenian": ("validation", [(0x531, 0x556), (0x561, 0x586)]),
    "N'Ko": ("validation", [(0x7CA, 0x7EA)]),
    "Lao": ("validation", [(0xE81, 0xEAE)]),
    "Georgian": ("test", [(0x10A0, 0x10C5), (0x10D0, 0x10F0), (0x2D00, 0x2D25)]),
    "Hebrew": ("test", [(0x5D0, 0x5EA)]),
    "Tifinagh": ("test", [(0x2D30, 0x2D65)]),
}
SHAPE_SIZE = 28  # pixels at which shapes are compared
TWINS = 0.4  # pixels: nearer letters of one script (c and C, one with a dot more) count as one letter
NEAR = 0.6  # pixels: nearer letters never stand in two splits
BLOB = 0.3  # stroke width over letter size from which on a letter is a dot
SMALLEST = 16  # pixels: in fewer a stroke of 8 % is fainter than a pixel
RECIPE = 1  # to be raised when the drawings change, so that older cached ones are not read

_log = logging.getLogger("metagan_edu")


def glyphs(size: int = 16, drawings: int = 20, seed: int = 0) -> Characters:
    """``Characters``: about 1,000 letters of fifteen scripts, bright ink on dark ground.

    ``size``: 16 to 64 pixels, divisible by 4. The font is DejaVu Sans; every drawing has its own affine and elastic
    change and stroke width (see ``drawings.draw``), the same at every size. Generated once, then read from the cache
    folder; one seed gives the same bits on one machine. Letters that differ only by an accent or a dot, or by size, are
    one. Raises ``ValueError`` for other sizes, fewer than 2 drawings, or a seed that is not a whole number from 0 up.
    """
    return _load(size, drawings, seed)[0]


def glyph_splits(size: int = 16, drawings: int = 20, seed: int = 0) -> dict[str, Characters]:
    """The letters as ``{"train": Characters, "validation": ..., "test": ...}``, sharing no script and no shape.

    Test has Georgian, Hebrew and Tifinagh, validation Armenian, N'Ko and Lao, train the other nine scripts. A training
    letter is left out if its shape is nearer than 0.6 pixels (of 28) to a validation or test letter, a validation
    letter if it is to a test letter; see :func:`shape_distances`. That costs some 213 of 734 training letters and 40 of
    117 validation letters, and leaves 521, 77 and 162. Raises as :func:`glyphs`.
    """
    characters, split = _load(size, drawings, seed)
    return {name: characters.select(np.flatnonzero(split == name)) for name in ("train", "validation", "test")}


def glyph_tasks(size: int = 16, *, shots: int = 10, drawings: int = 20, seed: int = 0) -> TaskFamily:
    """A ``TaskFamily`` over :func:`glyph_splits`: one letter; ``shots`` drawings as support, the others as query.

    Raises as :func:`glyphs`, and ``ValueError`` unless 1 <= shots < drawings.
    """
    return character_tasks(**glyph_splits(size, drawings, seed), shots=shots)


def shape_distances(shapes: np.ndarray) -> np.ndarray:
    """How far letters are from each other, (n, n) in pixels, for clean, centered renderings (n, h, w) in [0, 1].

    d(a, b) = max(m(a, b), m(b, a)), where m(a, b) is the mean over the ink of a of the distance to the ink of b
    (the chamfer distance: a missing dot or a moved stroke counts by how far its ink is from the nearest of the other).
    """
    from scipy.ndimage import distance_transform_edt

    far = np.stack([distance_transform_edt(shape < 0.5) for shape in shapes]).reshape(len(shapes), -1)
    ink = shapes.reshape(len(shapes), -1)
    mean = (ink / ink.sum(axis=1, keepdims=True)) @ far.T
    return np.maximum(mean, mean.T)


def choose(shapes: np.ndarray, scripts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The split of each letter, "" for one that is left out: (kept indices, their splits), by :data:`TWINS`, `NEAR`.

    A letter is dropped for good if an earlier one of its script is its twin.
    """
    distance = shape_distances(shapes)
    chosen: list[int] = []
    for i in range(len(shapes)):
        if not any(scripts[j] == scripts[i] and distance[i, j] < TWINS for j in chosen):
            chosen.append(i)
    kept = np.array(chosen)
    near = distance[np.ix_(kept, kept)] < NEAR
    split = np.array([SCRIPTS[script][0] for script in np.asarray(scripts)[kept]], dtype="<U10")
    for name, others in (("validation", ["test"]), ("train", ["validation", "test"])):
        split[(split == name) & near[:, np.isin(split, others)].any(axis=1)] = ""
    return kept, split


def _load(size: int, drawings: int, seed: int) -> tuple[Characters, np.ndarray]:
    """(Characters, split of each) from the cache, or generated and cached."""
    size = check_size(size, SMALLEST)
    drawings, seed = checks.whole("drawings", drawings, 2), checks.whole("seed", seed, 0)
    digest = hashlib.sha256(_font_path().read_bytes()).hexdigest()[:8]
    path = cache_folder() / "glyphs" / f"recipe{RECIPE}-{digest}-{size}px-{drawings}-{seed}.npz"
    arrays = _read(path, drawings, size)
    if arrays is None:
        arrays = _generate(size, drawings, seed)
        _write(path, arrays)
    return as_characters(arrays["images"][..., None], arrays["scripts"].tolist(), arrays["names"].tolist()), arrays[
        "split"
    ]


def _generate(size: int, drawings: int, seed: int) -> dict[str, np.ndarray]:
    letters: list[tuple[str, str, Any]] = [
        (script, character, field) for script, character, field in _fields() if _is_stroked(field)
    ]
    shapes = np.stack([drawing.clean(field, SHAPE_SIZE) for _, _, field in letters])
    kept, split = choose(shapes, [script for script, _, _ in letters])
    scripts, characters, fields = zip(*(letters[i] for i in kept), strict=True)
    # A generator for each letter: its drawings do not depend on which other letters there are.
    images = [
        drawing.draw(field, drawings, size, np.random.default_rng([seed, ord(character)]))
        for character, field in zip(characters, fields, strict=True)
    ]
    return {
        "images": np.round(255 * np.stack(images)).astype(np.uint8),
        "scripts": np.array(scripts),
        "names": np.array([unicodedata.name(character) for character in characters]),
        "split": split,
    }


def _fields() -> Iterator[tuple[str, str, np.ndarray | None]]:
    """(script, character, distance field) of every letter of the table that the font has, accented ones left out."""
    from matplotlib.ft2font import FT2Font
    from PIL import ImageFont

    covered = FT2Font(str(_font_path())).get_charmap()
    # Basic layout: every letter in its isolated form, whatever text shaper is installed.
    font = ImageFont.truetype(str(_font_path()), drawing.EM, layout_engine=ImageFont.Layout.BASIC)
    for script, (_, ranges) in SCRIPTS.items():
        for character in (chr(code) for first, last in ranges for code in range(first, last + 1)):
            is_letter = unicodedata.category(character).startswith("L") and not unicodedata.decomposition(character)
            if is_letter and ord(character) in covered:
                yield script, character, drawing.distance_field(font, character)


def _is_stroked(field: np.ndarray | None) -> bool:
    return field is not None and drawing.stroke_width(field) < BLOB


def _font_path() -> Path:
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def _read(path: Path, drawings: int, size: int) -> dict[str, np.ndarray] | None:
    """The cached arrays, or ``None`` if there are none or they are damaged (which is logged)."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in ("images", "scripts", "names", "split")}
        count = len(arrays["images"])
        if arrays["images"].shape != (count, drawings, size, size) or {len(a) for a in arrays.values()} != {count}:
            raise ValueError("arrays of unexpected shape")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        _log.warning("%s is damaged (%s); the glyphs are generated again.", path, error)
        return None
    return arrays


def _write(path: Path, arrays: dict[str, Any]) -> None:
    """Cache the arrays, whole or not at all; a cache that cannot be written is logged and done without."""
    content = io.BytesIO()
    np.savez(content, **arrays)
    try:
        files.replace(path, content.getvalue())
    except OSError as error:
        _log.warning("%s cannot be written (%s); the glyphs are generated again next time.", path, error)
