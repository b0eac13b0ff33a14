"""Where the real archives are found: a folder of yours, the cache folder, or a download that is checked.

``METAGAN_EDU_DATA`` names a folder laid out as ``mnist/…``, ``fashion_mnist/…``, ``omniglot/…``, with the
files' upstream names. ``METAGAN_EDU_CACHE`` names the cache folder, of the same layout; without it, it is the system's.
"""

import os
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


def cache_folder():
    """The folder for what is downloaded or generated: ``METAGAN_EDU_CACHE``, else the system's cache folder."""
    import pooch

    return Path(os.environ.get("METAGAN_EDU_CACHE") or pooch.os_cache("metagan_edu"))


def find(name):
    """The path of an archive ("mnist/t10k-images-idx3-ubyte.gz") that is at hand without network, or ``None``."""
    return next((folder / name for folder in _folders() if (folder / name).is_file()), None)


def fetch(name):
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
        looked = " and ".join(str(folder) for folder in _folders())
        raise FileNotFoundError(
            f"{name} is not in {looked}, and downloading it from {archive.url} failed "
            f"({type(error).__name__}). Connect to the network once, or set METAGAN_EDU_DATA to a folder "
            f"that holds {name}."
        ) from error
    except ValueError as error:
        raise ValueError(
            f"{archive.url} gave a file whose SHA-256 is not the published {archive.sha256}; it was not kept. "
            f"Set METAGAN_EDU_DATA to a folder that holds the right {name}."
        ) from error
    return target


def _folders():
    own = os.environ.get("METAGAN_EDU_DATA")
    return ([Path(own)] if own else []) + [cache_folder()]
