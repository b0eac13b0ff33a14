"""Finding and fetching the real archives, and reading them where they are at hand."""

import functools
import gzip
import hashlib
import http.server
import os
import re
import threading

import numpy as np
import pytest

from metagan_edu import data
from metagan_edu.data import archives

REAL = os.environ.get("METAGAN_EDU_DATA")
NAME = "mnist/t10k-labels-idx1-ubyte.gz"


def needs(name):
    there = bool(REAL) and data.available(name)
    return pytest.mark.skipif(not there, reason=f"needs {name} in the folder METAGAN_EDU_DATA")


@pytest.fixture
def folders(tmp_path, monkeypatch):
    own, cache = tmp_path / "own", tmp_path / "cache"
    monkeypatch.setenv("METAGAN_EDU_DATA", str(own))
    monkeypatch.setenv("METAGAN_EDU_CACHE", str(cache))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    own.mkdir()
    return own, cache


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server on this machine alone, in the place of the archive's."""
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "labels.gz").write_bytes(b"what is served")
    handler = functools.partial(QuietHandler, directory=tmp_path / "www")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def serve(monkeypatch, url, content=b"what is served"):
    archive = archives.Archive(url, hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(archives.ARCHIVES, NAME, archive)


def test_own_folder_comes_before_the_cache(folders):
    own, cache = folders
    assert archives.find(NAME) is None
    for folder in (cache, own):
        (folder / NAME).parent.mkdir(parents=True)
        (folder / NAME).write_bytes(b"")
        assert archives.find(NAME) == archives.fetch(NAME) == folder / NAME


def test_download_is_kept_in_the_cache(folders, server, monkeypatch):
    serve(monkeypatch, f"{server}/labels.gz")
    path = archives.fetch(NAME)
    assert path == folders[1] / NAME and path.read_bytes() == b"what is served"
    assert not list(folders[0].iterdir())


def test_download_with_another_checksum_is_not_kept(folders, server, monkeypatch):
    serve(monkeypatch, f"{server}/labels.gz", b"something else")
    with pytest.raises(ValueError, match=r"gave a file whose SHA-256 is not the published .* not kept"):
        archives.fetch(NAME)
    assert not [path for path in folders[1].rglob("*") if path.is_file()]


@pytest.mark.parametrize("where", ["missing page", "no server"])
def test_what_cannot_be_had_says_where_it_was_sought(folders, server, monkeypatch, where):
    serve(monkeypatch, f"{server}/nothing.gz" if where == "missing page" else "http://127.0.0.1:9/labels.gz")
    own, cache = map(re.escape, map(str, folders))
    message = (
        f"{NAME} is not in {own} and {cache} and .*, and downloading it from http.* failed .* set METAGAN_EDU_DATA"
    )
    with pytest.raises(FileNotFoundError, match=message):
        archives.fetch(NAME)
    assert not [path for path in folders[1].rglob("*") if path.is_file()]


def test_available_asks_no_network(folders, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", None)
    assert [data.available(name) for name in ("mnist", "fashion_mnist", "omniglot")] == [False] * 3
    for kind in ("images-idx3", "labels-idx1"):
        path = folders[0] / f"fashion_mnist/t10k-{kind}-ubyte.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        assert data.available("fashion_mnist") == (kind == "labels-idx1")


def test_every_archive_has_a_checksum():
    assert len(archives.ARCHIVES) == 12
    for name, archive in archives.ARCHIVES.items():
        assert archive.url.startswith("https://") and archive.url.rsplit("/")[-1] == name.rsplit("/")[-1]
        sums = [archive.sha256] + ([archive.content] if name.endswith(".gz") else [])
        assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in sums)
    assert len({archive.sha256 for archive in archives.ARCHIVES.values()}) == 12


@pytest.mark.parametrize("read", [data.mnist, data.fashion_mnist])
def test_a_forged_file_is_refused(folders, read):
    folder = folders[0] / read.__name__
    folder.mkdir(parents=True)
    for kind, shape in (("images-idx3", (10, 28, 28)), ("labels-idx1", (10,))):
        header = bytes([0, 0, 8, len(shape)]) + np.asarray(shape, ">u4").tobytes()
        (folder / f"t10k-{kind}-ubyte.gz").write_bytes(gzip.compress(header + bytes(np.prod(shape))))
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte\.gz is not the published file"):
        read()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.mnist("val"), "split must be one of 'train', 'test', not 'val'"),
        (lambda: data.omniglot(archive="small"), "archive must be one of images_background, .* not 'small'"),
        (lambda: data.available("cifar"), "name must be mnist, fashion_mnist or omniglot, not 'cifar'"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@needs("mnist")
def test_real_mnist():
    images = data.mnist(split="test", size=28)
    assert images.images.shape == (10000, 28, 28, 1) and images.images.dtype == np.float32
    assert images.images.min() == -1 and images.images.max() == 1
    assert images.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]  # the set's well-known first ten
    assert np.bincount(images.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    small = data.mnist(size=16)
    assert small.images.shape == (10000, 16, 16, 1)
    assert abs(small.images.mean() - images.images.mean()) < 0.01


@needs("mnist")
def test_truncated_real_archive_is_named(folders):
    (folders[0] / "mnist").mkdir(parents=True)
    for kind in ("images-idx3", "labels-idx1"):
        name = f"mnist/t10k-{kind}-ubyte.gz"
        with open(os.path.join(REAL, name), "rb") as whole:
            (folders[0] / name).write_bytes(whole.read(4000))
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte\.gz cannot be unpacked"):
        data.mnist()


@needs("omniglot")
@pytest.mark.parametrize("size", [16, 28])
def test_real_omniglot(size):
    characters = data.omniglot(size=size)
    assert characters.images.shape == (136, 20, size, size, 1)
    counts = {name: characters.alphabets.count(name) for name in characters.alphabets}
    assert counts == {"Balinese": 24, "Early_Aramaic": 22, "Greek": 24, "Korean": 40, "Latin": 26}
    assert characters.names[0] == "Balinese/character01" and len(set(characters.names)) == 136
    ink = (characters.images + 1) / 2
    assert 0.05 < ink.mean() < 0.35  # bright strokes on a dark ground
    assert np.median(ink.max(axis=(2, 3, 4))) > 0.8  # that have not faded
    assert characters.images.min() >= -1 and characters.images.max() <= 1
