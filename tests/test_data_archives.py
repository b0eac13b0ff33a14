"""Finding and fetching the real archives, and reading them where they are at hand."""

import functools
import gzip
import hashlib
import http.server
import io
import os
import re
import threading
import zipfile

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


def real(name):
    with open(os.path.join(REAL, name), "rb") as file:
        return file.read()


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


@needs("mnist")
@pytest.mark.parametrize("layout", ["mnist", "MNIST/raw"])
@pytest.mark.parametrize("packed", [True, False])
def test_mnist_in_other_layouts(folders, layout, packed):
    for file in (IMAGES, LABELS):
        content = real(f"mnist/{file}.gz")
        put(folders[0] / layout / (f"{file}.gz" if packed else file), content if packed else gzip.decompress(content))
    assert data.available("mnist")
    images = data.mnist()
    assert images.labels[:4].tolist() == [7, 2, 1, 0] and images.pixels.dtype == np.uint8
    assert images.images.max() == 1


def test_fashion_mnist_in_other_layouts(folders):
    for layout, root in (("FashionMNIST/raw", folders[0]), ("datasets/fashion-mnist", folders[0].parent / "keras")):
        for file in (IMAGES, LABELS):
            put(root / layout / f"{file}.gz", b"")
        assert data.available("fashion_mnist")
        assert archives.find(f"fashion_mnist/{IMAGES}.gz").parent == folders[0] / "FashionMNIST/raw"


def npz(path, **arrays):
    content = io.BytesIO()
    np.savez(content, **arrays)
    put(path, content.getvalue())
    return path


@needs("mnist")
@pytest.mark.parametrize("place", ["own/mnist.npz", "cache/mnist.npz", "keras/datasets/mnist.npz"])
def test_keras_file_of_mnist(folders, tmp_path, place):
    pixels = np.frombuffer(gzip.decompress(real(f"mnist/{IMAGES}.gz")), np.uint8, offset=16).reshape(-1, 28, 28)
    labels = np.frombuffer(gzip.decompress(real(f"mnist/{LABELS}.gz")), np.uint8, offset=8)
    npz(tmp_path / place, x_test=pixels, y_test=labels)
    assert data.available("mnist")
    images = data.mnist()
    np.testing.assert_array_equal(images.pixels[..., 0], pixels)
    np.testing.assert_array_equal(images.labels, labels)
    assert data.mnist(size=32).images.shape == (10000, 32, 32, 1)
    with pytest.raises(ValueError, match=r"mnist\.npz has no array x_train"):
        data.mnist("train")
    npz(tmp_path / place, x_test=pixels, y_test=labels[::-1])
    with pytest.raises(ValueError, match=r"mnist\.npz is not the published file: y_test has other values"):
        data.mnist()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x_test": np.zeros((2, 28, 28))}, "has no array y_test"),
        ({"x_test": np.zeros((2, 28, 28)), "y_test": np.zeros(2, int)}, r"holds float64 \(2, 28, 28\) and labels"),
        (
            {"x_test": np.zeros((2, 28, 28), np.uint8), "y_test": np.zeros(3, int)},
            r"holds uint8 .* labels \(3,\); \(n, 28, 28\)",
        ),
        ({"x_test": np.array([{}]), "y_test": np.zeros(3, int)}, "cannot be read as Keras' mnist.npz .*allow_pickle"),
    ],
)
def test_other_npz_files_are_refused(folders, arrays, message):
    npz(folders[0] / "mnist.npz", **arrays)
    with pytest.raises(ValueError, match=rf"mnist\.npz {message}"):
        data.mnist()
    (folders[0] / "mnist.npz").write_bytes(b"PK not a zip")
    with pytest.raises(ValueError, match=r"cannot be read as Keras' mnist\.npz"):
        data.mnist()


@needs("omniglot")
@pytest.mark.parametrize("layout", ["omniglot", "omniglot-py"])
@pytest.mark.parametrize("packed", [True, False])
def test_omniglot_in_other_layouts(folders, layout, packed):
    content = real("omniglot/images_background_small1.zip")
    if packed:
        put(folders[0] / layout / "images_background_small1.zip", content)
    else:
        zipfile.ZipFile(io.BytesIO(content)).extractall(folders[0] / layout)
    assert data.available("omniglot")
    characters = data.omniglot(size=32 if packed else 16)
    assert characters.pixels.shape[:2] == (136, 20) and characters.names[0] == "Balinese/character01"


def test_the_folder_may_be_relative_or_at_home(folders, tmp_path, monkeypatch):
    path = tmp_path / "own" / NAME
    put(path, b"")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("own", "~/own", " own ", "./own/"):
        monkeypatch.setenv("METAGAN_EDU_DATA", value)
        assert archives.find(NAME) == path
    monkeypatch.setenv("METAGAN_EDU_CACHE", "~/kept")
    assert archives.cache_folder() == tmp_path / "kept"
    for value in ("", "  "):
        monkeypatch.setenv("METAGAN_EDU_DATA", value)
        assert archives.data_folder() is None


@pytest.mark.parametrize("value", ["nowhere", "~/nowhere", "own/mnist/file"])
def test_a_folder_that_does_not_exist_is_said(folders, tmp_path, monkeypatch, value):
    put(tmp_path / "own" / "mnist" / "file", b"")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("METAGAN_EDU_DATA", value)
    place = re.escape(str(tmp_path / value.removeprefix("~/")))
    for call in (data.mnist, data.omniglot, lambda: data.available("mnist")):
        with pytest.raises(FileNotFoundError, match=f"METAGAN_EDU_DATA is '{value}', but there is no folder {place}:"):
            call()


@pytest.mark.parametrize("variable", ["METAGAN_EDU_DATA", "METAGAN_EDU_CACHE"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_quotes_are_refused(folders, monkeypatch, variable, quote):
    monkeypatch.setenv(variable, f"{quote}~/data{quote}")
    with pytest.raises(ValueError, match=f"{variable} is .*~/data.*, with quotes in it: name the folder without them"):
        archives.find(NAME)


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
