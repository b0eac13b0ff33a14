"""MNIST and Fashion-MNIST, read from their upstream IDX archives, or from Keras' file of MNIST."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import checks
from .archives import ARCHIVES, fetch, find, find_npz
from .base import Images, as_images
from .idx import header, read_idx
from .pixels import as_float, check_size, resize

PREFIXES = {"train": "train", "test": "t10k"}


def mnist(split: str = "test", size: int = 28) -> Images:
    """``Images`` of handwritten digits: 60,000 for "train", 10,000 for "test", bright ink on dark ground.

    28 pixels as they are, in bytes; other sizes (8 to 64, divisible by 4) reduced without aliasing or smoothly
    enlarged. Found offline (in upstream's, torchvision's or Keras' layout) or downloaded, checked by SHA-256 of the
    unpacked content. Raises ``FileNotFoundError`` if they cannot be had, ``ValueError`` for an altered file, another
    split or another size. Source: LeCun, Cortes and Burges (CC BY-SA 3.0).
    """
    return _idx_images("mnist", split, size)


def fashion_mnist(split: str = "test", size: int = 28) -> Images:
    """``Images`` of articles of clothing, as :func:`mnist`. Source: Xiao, Rasul and Vollgraf 2017 (MIT)."""
    return _idx_images("fashion_mnist", split, size)


def at_hand(folder: str, split: str = "test") -> bool:
    """Whether both files of a split, or Keras' file of both, can be read without network."""
    idx = all(find(name) is not None for name in _names(folder, split))
    return idx or (folder == "mnist" and find_npz() is not None)


def read_pair(
    images_path: Path, labels_path: Path, *, name: str, size: int = 28, sha256: Sequence[str | None] = (None, None)
) -> Images:
    """``Images`` from a file of images and a file of as many labels, both IDX.

    Raises ``ValueError`` if one is damaged or of the wrong kind, if they disagree, or if the pictures are not 28x28.
    """
    images = read_idx(images_path, axes=3, sha256=sha256[0])
    labels = read_idx(labels_path, axes=1, sha256=sha256[1])
    if len(images) != len(labels):
        raise ValueError(f"{images_path} holds {len(images)} images, but {labels_path} holds {len(labels)} labels.")
    if images.shape[1:] != (28, 28):
        raise ValueError(f"{images_path} holds images of {images.shape[1]}x{images.shape[2]} pixels, not 28x28.")
    return _sized(images, labels, name, size)


def read_npz(
    path: Path, split: str, *, name: str, size: int = 28, sha256: Sequence[str | None] = (None, None)
) -> Images:
    """``Images`` from Keras' ``mnist.npz``: ``x_train``, ``y_train`` or ``x_test``, ``y_test``; no pickle is read.

    ``sha256``: of the contents as IDX files would hold them. Raises ``ValueError`` naming the file: damaged, without
    these arrays, of another shape, or altered.
    """
    keys = (f"x_{split}", f"y_{split}")
    images: Any
    labels: Any
    try:
        with np.load(path, allow_pickle=False) as stored:
            missing = [key for key in keys if key not in stored]
            images, labels = (None, None) if missing else (stored[key] for key in keys)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, AttributeError, TypeError) as error:
        raise ValueError(
            f"{path} cannot be read as Keras' mnist.npz ({error}). Delete it and fetch it again."
        ) from error
    if missing:
        raise ValueError(f"{path} has no array {missing[0]}, so it is not Keras' mnist.npz.")
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{path} holds {images.dtype} {images.shape} and labels {labels.shape}; (n, 28, 28) in uint8 and (n,) "
            "are expected."
        )
    for key, array, expected in zip(keys, (images, labels.astype(np.uint8)), sha256, strict=True):
        if expected is not None and hashlib.sha256(header(array) + array.tobytes()).hexdigest() != expected:
            raise ValueError(f"{path} is not the published file: {key} has other values. Delete it and fetch it again.")
    return _sized(images, labels, name, size)


def _sized(images: np.ndarray, labels: np.ndarray, name: str, size: int) -> Images:
    images = images[..., None]
    return as_images(images if size == 28 else resize(as_float(images), size), labels, name)


def _idx_images(folder: str, split: str, size: int) -> Images:
    names, size = _names(folder, split), check_size(size)
    options: dict[str, Any] = {
        "name": f"{folder}-{split}",
        "size": size,
        "sha256": [ARCHIVES[name].content for name in names],
    }
    keras = find_npz() if folder == "mnist" and not all(map(find, names)) else None
    if keras is not None:
        return read_npz(keras, split, **options)
    return read_pair(*(fetch(name) for name in names), **options)


def _names(folder: str, split: str) -> list[str]:
    checks.one_of("split", split, tuple(PREFIXES))
    return [f"{folder}/{PREFIXES[split]}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")]
