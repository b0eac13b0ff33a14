"""Picture files as pixels: upright, on white where they are transparent, cut to a square and reduced; folders of them.

What Pillow reads is read, but for formats that another program would have to draw. A file that is no picture, or is cut
short, is refused by name.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .. import checks
from .base import Images, as_images
from .pixels import check_size

MAX_PIXELS = 100_000_000  # of one picture: more would unpack to gigabytes
OTHER = {".csv", ".db", ".html", ".ini", ".json", ".md", ".rst", ".tsv", ".txt", ".xml", ".yaml", ".yml"}
DRAWN_ELSEWHERE = {"EPS", "WMF"}  # need Ghostscript or Windows to be drawn
NAMED = 5  # files that a refusal names


class Unfit(ValueError):
    """What is wrong with a picture file, to stand after its name."""


def folder(path: Any, *, size: int = 32, channels: int = 3) -> Images:
    """``Images`` of the picture files in a folder, ``size`` x ``size`` of 1 (gray) or 3 (RGB) ``channels``, in bytes.

    Each subfolder is a class: labels count them by name, from 0, and ``classes`` holds the names; without subfolders
    all labels are 0. Any format that Pillow reads; the first frame of several. A picture is turned upright (EXIF), laid
    on white where it is transparent, cut to its middle square, and resized with a triangle filter as wide as the
    reduction. Files are in the order of their names. Hidden files, text and tables are passed over.

    ``size``: 8 to 64, divisible by 4. Raises ``FileNotFoundError`` without such a folder; ``ValueError`` that names the
    files that cannot be read, are smaller than 2 x 2 pixels, have more than 100 million, or show nothing once they are
    laid on white; for a folder without pictures; and for pictures both in subfolders and beside them.
    """
    root, size, channels = Path(path).expanduser(), check_size(size), checks.one_of("channels", channels, (1, 3))
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder {root.absolute()}.")
    files = _files(root)
    classes = sorted({file.relative_to(root).parts[0] for file in files if file.parent != root})
    if not files:
        raise ValueError(f"{root} holds no pictures.")
    beside = [file.name for file in files if file.parent == root]
    if classes and beside:
        raise ValueError(
            f"{root} has pictures in subfolders ({classes[0]}) and beside them ({beside[0]}): move each into the "
            "subfolder of its class, or all into one folder."
        )
    pixels, faults = np.empty((len(files), size, size, channels), np.uint8), []
    for place, file in enumerate(files):
        try:
            pixels[place] = read(file, size, channels)
        except Unfit as error:
            faults.append(f"{file.relative_to(root).as_posix()} {error}")
    if faults:
        more = f", and {len(faults) - NAMED} more" if len(faults) > NAMED else ""
        raise ValueError(
            f"{root} has {len(faults)} of {len(files)} files that cannot be taken: {', '.join(faults[:NAMED])}{more}. "
            "Mend them or move them out of the folder."
        )
    labels = [classes.index(file.relative_to(root).parts[0]) if classes else 0 for file in files]
    return as_images(pixels, np.array(labels, np.int32), root.resolve().name, classes)


def read(file: Path | BinaryIO, size: int, channels: int) -> np.ndarray:
    """One picture as uint8 (size, size, channels); :class:`Unfit` if it cannot be."""
    picture, clear = flattened(file)
    picture = picture.convert("L" if channels == 1 else "RGB")
    side = min(picture.size)
    if side < 2:
        raise Unfit(f"has {picture.size[0]}x{picture.size[1]} pixels")
    left, top = ((length - side) // 2 for length in picture.size)
    picture = picture.crop((left, top, left + side, top + side)).resize((size, size), _triangle())
    values = np.asarray(picture).reshape(size, size, channels)
    if clear and values.min() == values.max():
        raise Unfit("shows nothing once its transparency is laid on white")
    return values


def flattened(file: Path | BinaryIO, formats: list[str] | None = None) -> tuple[Any, bool]:
    """A picture (of Pillow, in "L" or "RGB"), upright and laid on white, and whether any of it was transparent.

    Raises :class:`Unfit`: not a picture, cut short, or too large.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, and of sizes, which are looked at here
            with Image.open(file, formats=formats or _formats()) as picture:
                if picture.size[0] * picture.size[1] > MAX_PIXELS:
                    raise Unfit(f"has {picture.size[0]}x{picture.size[1]} pixels, over {MAX_PIXELS}")
                picture.load()
                picture = _eight_bits(ImageOps.exif_transpose(picture))
                clear = "a" in picture.mode.lower().replace("lab", "") or "transparency" in picture.info
                if clear:
                    picture = picture.convert("RGBA")
                    clear = picture.getextrema()[3][0] < 255
                    ground = Image.new("RGBA", picture.size, "white")
                    picture = Image.alpha_composite(ground, picture)
                return picture.convert("L" if picture.mode in ("1", "L") else "RGB"), clear
    except Image.DecompressionBombError as error:
        raise Unfit(f"has more than {MAX_PIXELS} pixels") from error
    except Image.UnidentifiedImageError as error:
        raise Unfit("is not a picture that can be read") from error
    except Unfit:
        raise
    except Exception as error:  # a damaged file may raise anything: SyntaxError, struct.error, IndexError, OSError …
        raise Unfit(f"is a damaged picture ({str(error) or type(error).__name__})") from error


def _eight_bits(picture: Any) -> Any:
    """Gray of 16 bits as 8 bits; Pillow's conversion would cut at 255. :class:`Unfit` for floating-point values."""
    from PIL import Image

    if picture.mode == "F":
        raise Unfit("has floating-point values, whose black and white are not known")
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise Unfit("has gray values of more than 16 bits")
    values = np.where(values == picture.info.get("transparency", -1), 65535, values)
    return Image.fromarray(np.round(values / 257).astype(np.uint8))


def _files(root: Path) -> list[Path]:
    """The files that must be pictures, in the order of their names, as every system has it."""
    found = []
    for parent, names, files in os.walk(root):
        names[:] = [name for name in names if not name.startswith((".", "__"))]
        found += [Path(parent, name) for name in files if not name.startswith(".")]
    found = [file for file in found if file.suffix.lower() not in OTHER and file.name != "Thumbs.db"]
    return sorted(found, key=lambda file: file.relative_to(root).parts)


def _formats() -> list[str]:
    from PIL import Image

    Image.init()
    return [name for name in Image.OPEN if name not in DRAWN_ELSEWHERE]


def _triangle() -> Any:
    from PIL import Image

    return Image.Resampling.BILINEAR
