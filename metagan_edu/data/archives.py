"""Where the real archives are found: a folder of yours, the cache folder, Keras' folder, or a download that is checked.

``METAGAN_EDU_DATA`` names a folder laid out as ``mnist/…``, ``fashion_mnist/…``, ``omniglot/…``, with the files'
upstream names, packed or not, or as torchvision (``MNIST/raw/…``, ``FashionMNIST/raw/…``, ``omniglot-py/…``) or Keras
(``mnist.npz``, ``fashion-mnist/…``) lay it out. It may start with ``~``; a relative one is seen from the current
folder, so that a full path is safer: a notebook's current folder is its own.
``METAGAN_EDU_CACHE`` names the cache folder; without it, it is the system's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_FASHION = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_OMNIGLOT = "https://github.com/brendenlake/omniglot/raw/master/python/"


class Archive(NamedTuple):
    """One file: where to get it, the SHA-256 of the published file, and that of what it unpacks to (IDX only)."""

    url: str
    sha256: str
    content: str | None = None


# The published files' checksums are those of TensorFlow Datasets (url_checksums) and, for Fashion-MNIST, of
# keras.datasets; the contents' are what those files unpack to. The same content circulates in other gzip wrappers.
ARCHIVES = {
    "mnist/train-images-idx3-ubyte.gz": Archive(
        _MNIST + "train-images-idx3-ubyte.gz",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "mnist/train-labels-idx1-ubyte.gz": Archive(
        _MNIST + "train-labels-idx1-ubyte.gz",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "mnist/t10k-images-idx3-ubyte.gz": Archive(
        _MNIST + "t10k-images-idx3-ubyte.gz",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "mnist/t10k-labels-idx1-ubyte.gz": Archive(
        _MNIST + "t10k-labels-idx1-ubyte.gz",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "fashion_mnist/train-images-idx3-ubyte.gz": Archive(
        _FASHION + "train-images-idx3-ubyte.gz",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    "fashion_mnist/train-labels-idx1-ubyte.gz": Archive(
        _FASHION + "train-labels-idx1-ubyte.gz",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    "fashion_mnist/t10k-images-idx3-ubyte.gz": Archive(
        _FASHION + "t10k-images-idx3-ubyte.gz",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    "fashion_mnist/t10k-labels-idx1-ubyte.gz": Archive(
        _FASHION + "t10k-labels-idx1-ubyte.gz",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    "omniglot/images_background.zip": Archive(
        _OMNIGLOT + "images_background.zip", "ad41ab679c8b5d90b271ef46be6987cc81211774a695c29dcc5367b2b26ee640"
    ),
    "omniglot/images_evaluation.zip": Archive(
        _OMNIGLOT + "images_evaluation.zip", "1f61a8f3366785b057fc117d9228e78a16e3d976c8953b2a10fcc74cf0609cee"
    ),
    "omniglot/images_background_small1.zip": Archive(
        _OMNIGLOT + "images_background_small1.zip", "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4"
    ),
    "omniglot/images_background_small2.zip": Archive(
        _OMNIGLOT + "images_background_small2.zip", "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f"
    ),
}

# The folders of each source: upstream's, torchvision's, Keras'.
LAYOUTS = {
    "mnist": ("mnist", "MNIST/raw"),
    "fashion_mnist": ("fashion_mnist", "FashionMNIST/raw", "fashion-mnist"),
    "omniglot": ("omniglot", "omniglot-py"),
}


def data_folder() -> Path | None:
    """The folder that ``METAGAN_EDU_DATA`` names, absolute; ``None`` where it names none.

    Raises ``FileNotFoundError`` if there is no such folder, ``ValueError`` if its name stands in quotes.
    """
    folder = _named("METAGAN_EDU_DATA")
    if folder is not None and not folder.is_dir():
        raise FileNotFoundError(
            f"METAGAN_EDU_DATA is {os.environ['METAGAN_EDU_DATA']!r}, but there is no folder {folder}: name one that "
            "exists, best by its full path, or unset the variable."
        )
    return folder


def cache_folder() -> Path:
    """The folder for what is downloaded or generated: ``METAGAN_EDU_CACHE``, else the system's cache folder.

    Raises ``ValueError`` if its name stands in quotes.
    """
    import pooch

    return _named("METAGAN_EDU_CACHE") or Path(pooch.os_cache("metagan_edu"))


def find(name: str) -> Path | None:
    """The path of an archive ("mnist/t10k-images-idx3-ubyte.gz") that is at hand without network, or ``None``.

    It may be unpacked: then it is the file without ``.gz``, or the folder that the zip held. Raises as
    :func:`data_folder`.
    """
    return next((path for folder in folders() for path in _places(folder, name) if path.exists()), None)


def find_npz() -> Path | None:
    """The path of Keras' ``mnist.npz``, or ``None``. Raises as :func:`data_folder`."""
    places = (folder / place for folder in folders() for place in ("mnist.npz", "mnist/mnist.npz"))
    return next((path for path in places if path.is_file()), None)


def fetch(name: str) -> Path:
    """The path of an archive: found, or else downloaded to the cache folder once and checked by SHA-256.

    Raises ``FileNotFoundError`` if it is nowhere and cannot be downloaded, ``ValueError`` if what was downloaded has
    another checksum (it is not kept).
    """
    path = find(name)
    if path is not None:
        return path
    import pooch

    archive = ARCHIVES[name]
    target = cache_folder() / name
    try:
        pooch.retrieve(
            archive.url,
            known_hash=f"sha256:{archive.sha256}",
            fname=target.name,
            path=target.parent,
            downloader=pooch.HTTPDownloader(timeout=20),
        )
    except OSError as error:  # no network, no such page, no room or no right to write
        source, file = name.split("/")
        others = " or ".join(f"{layout}/{file}" for layout in LAYOUTS[source][1:])
        raise FileNotFoundError(
            f"{name} is not in {' and '.join(map(str, folders()))}, and downloading it from {archive.url} failed "
            f"({type(error).__name__}). Connect to the network once, or set METAGAN_EDU_DATA to a folder that holds "
            f"{name}, or {others}{', or mnist.npz' if source == 'mnist' else ''}."
        ) from error
    except ValueError as error:
        raise ValueError(
            f"{archive.url} gave a file whose SHA-256 is not the published {archive.sha256}; it was not kept. "
            f"Set METAGAN_EDU_DATA to a folder that holds the right {name}."
        ) from error
    return target


def folders() -> list[Path]:
    """Where archives are looked for: the folder of ``METAGAN_EDU_DATA``, the cache folder, and that of Keras' data."""
    own = data_folder()
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"
    return ([] if own is None else [own]) + [cache_folder(), keras]


def _places(folder: Path, name: str) -> Iterator[Path]:
    source, file = name.split("/")
    for layout in LAYOUTS[source]:
        yield folder / layout / file
        yield folder / layout / file.removesuffix(".gz").removesuffix(".zip")


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable, "").strip()
    if not value:
        return None
    if value[0] in "\"'" or value[-1] in "\"'":
        raise ValueError(f"{variable} is {value!r}, with quotes in it: name the folder without them.")
    return Path(value).expanduser().absolute()
