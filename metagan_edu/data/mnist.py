"""MNIST and Fashion-MNIST, read from their upstream IDX archives."""

import numpy as np

from metagan_edu.data.archives import ARCHIVES, fetch, find
from metagan_edu.data.base import as_images, resize
from metagan_edu.data.idx import read_idx

PREFIXES = {"train": "train", "test": "t10k"}


def mnist(split="test", size=28):
    """``Images`` of handwritten digits: 60,000 for "train", 10,000 for "test", bright ink on dark ground.

    28 pixels as they are; 16 and 8 reduced without aliasing. Found offline or downloaded, checked by SHA-256 of the
    unpacked content. Raises ``FileNotFoundError`` if they cannot be had, ``ValueError`` for an altered file, another
    split or another size. Source: LeCun, Cortes and Burges (CC BY-SA 3.0).
    """
    return _idx_images("mnist", split, size)


def fashion_mnist(split="test", size=28):
    """``Images`` of articles of clothing, as :func:`mnist`. Source: Xiao, Rasul and Vollgraf 2017 (MIT)."""
    return _idx_images("fashion_mnist", split, size)


def at_hand(folder, split="test"):
    """Whether both files of a split can be read without network."""
    return all(find(name) is not None for name in _names(folder, split))


def read_pair(images_path, labels_path, *, name, size=28, sha256=(None, None)):
    """``Images`` from a file of images and a file of as many labels, both IDX.

    Raises ``ValueError`` if one is damaged or of the wrong kind, if they disagree, or if the pictures are not 28x28.
    """
    images = read_idx(images_path, axes=3, sha256=sha256[0])
    labels = read_idx(labels_path, axes=1, sha256=sha256[1])
    if len(images) != len(labels):
        raise ValueError(f"{images_path} holds {len(images)} images, but {labels_path} holds {len(labels)} labels.")
    if images.shape[1:] != (28, 28):
        raise ValueError(f"{images_path} holds images of {images.shape[1]}x{images.shape[2]} pixels, not 28x28.")
    return as_images(resize(images[..., None] / np.float32(127.5) - 1, size), labels, name)


def _idx_images(folder, split, size):
    names = _names(folder, split)
    return read_pair(
        *(fetch(name) for name in names),
        name=f"{folder}-{split}",
        size=size,
        sha256=[ARCHIVES[name].content for name in names],
    )


def _names(folder, split):
    if split not in PREFIXES:
        raise ValueError(f"split must be one of {', '.join(PREFIXES)}, not {split!r}.")
    return [f"{folder}/{PREFIXES[split]}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")]
