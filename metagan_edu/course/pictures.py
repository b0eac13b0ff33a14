"""Pictures as the site needs them: few bytes, and small ones for the cards."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

COLORS = 256  # of a palette; a diagram has fewer, and more are not told apart in an image of samples
THUMBNAIL = (480, 260)  # pixels, twice what a card shows, for dense screens


def shrink(folder: Path) -> None:
    """Store the PNG files of ``folder`` with a palette, in place; those that move, have one, or would grow, stay."""
    for path in sorted(folder.glob("**/*.png")):
        png = path.read_bytes()
        if _moves(png):
            continue
        smaller = with_palette(png)
        if len(smaller) < len(png):
            path.write_bytes(smaller)


def thumbnail(png: bytes) -> bytes:
    """The picture of this PNG file within ``THUMBNAIL`` pixels, as another."""
    picture = _decoded(png)
    picture.thumbnail(THUMBNAIL, Image.Resampling.LANCZOS)
    return _encoded(picture)


def with_palette(png: bytes) -> bytes:
    """A PNG file with at most ``COLORS`` colors."""
    return _encoded(_decoded(png))


def _moves(png: bytes) -> bool:
    with Image.open(io.BytesIO(png)) as picture:
        return getattr(picture, "is_animated", False)


def _decoded(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as picture:
        return picture.convert("RGBA")


def _encoded(picture: Image.Image) -> bytes:
    opaque = picture.getchannel("A").getextrema() == (255, 255)
    if opaque:  # the better of the two methods takes no transparency
        reduced = picture.convert("RGB").quantize(COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    else:
        reduced = picture.quantize(COLORS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    written = io.BytesIO()
    reduced.save(written, "PNG", optimize=True)
    return written.getvalue()
