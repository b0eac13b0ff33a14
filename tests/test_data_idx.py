"""IDX files: what is written is read, and every kind of damage is named."""

import gzip
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagan_edu.data.idx import read_idx
from metagan_edu.data.mnist import read_pair


def encode(array, kind=8):
    array = np.asarray(array, np.uint8)
    header = bytes([0, 0, kind, array.ndim]) + np.asarray(array.shape, ">u4").tobytes()
    return header + array.tobytes()


def write(path, content, wrap=gzip.compress):
    path.write_bytes(wrap(content))
    return path


@given(
    shape=st.tuples(st.integers(0, 5), st.integers(0, 7), st.integers(0, 7)),
    seed=st.integers(0, 99),
    wrap=st.sampled_from([gzip.compress, bytes, lambda b: gzip.compress(b, 1)]),
)
def test_round_trip(tmp_path_factory, shape, seed, wrap):
    array = np.random.default_rng(seed).integers(0, 256, shape)
    path = write(tmp_path_factory.mktemp("idx") / "a.gz", encode(array), wrap)
    np.testing.assert_array_equal(read_idx(path, axes=3), array)


@given(cut=st.integers(0, 27 + 16 - 1))
def test_every_cut_is_refused(tmp_path_factory, cut):
    content = encode(np.ones((3, 3, 3)))
    path = write(tmp_path_factory.mktemp("idx") / "a.gz", content[:cut])
    with pytest.raises(ValueError, match=r"a\.gz (is cut short|is not an IDX file)"):
        read_idx(path, axes=3)


@given(cut=st.integers(2, 60))
def test_every_cut_of_the_wrapper_is_refused(tmp_path_factory, cut):
    whole = gzip.compress(encode(np.random.default_rng(0).integers(0, 256, (3, 4, 4))))
    path = write(tmp_path_factory.mktemp("idx") / "a.gz", whole[:cut], bytes)
    with pytest.raises(ValueError, match=r"a\.gz cannot be unpacked .* cut short or altered"):
        read_idx(path, axes=3)


IMAGES = encode(np.zeros((2, 28, 28)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\3\4 not IDX", "is not an IDX file: it starts with 50 4b 03 04, not 00 00"),
        (b"", "is not an IDX file: it starts with nothing"),
        (encode(np.zeros((2, 28, 28)), kind=13), "IDX type 0x0d; only unsigned bytes"),
        (encode(np.zeros(2)), r"holds labels \(1 axis\) where images \(3 axes\) are expected"),
        (encode(np.zeros((2, 2))), r"holds 2 axes where images"),
        (IMAGES[:-5], "cut short: its header says 2 x 28 x 28 = 1568 values, and there are 1563"),
        (IMAGES + b"!!", "bytes to spare: its header says 2 x 28 x 28 = 1568 values, and there are 1570"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "cut short: .* values, and there are 0"),
    ],
)
def test_damage_is_named(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_idx(write(tmp_path / "images.gz", content), axes=3)


def test_altered_wrapper_is_refused(tmp_path):
    packed = bytearray(gzip.compress(IMAGES))
    packed[-6] ^= 1  # the wrapper's own checksum
    with pytest.raises(ValueError, match=r"images\.gz cannot be unpacked .*CRC"):
        read_idx(write(tmp_path / "images.gz", bytes(packed), bytes), axes=3)


def test_content_is_checked_whatever_the_wrapper(tmp_path):
    right = hashlib.sha256(IMAGES).hexdigest()
    for level in (1, 9):
        read_idx(write(tmp_path / "a.gz", gzip.compress(IMAGES, level), bytes), axes=3, sha256=right)
    other = IMAGES[:-1] + b"\x07"
    with pytest.raises(ValueError, match=f"not the published file.* not {right}"):
        read_idx(write(tmp_path / "other.gz", other), axes=3, sha256=right)


def test_a_pair_becomes_images(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 28, 28))
    images, labels = write(tmp_path / "i", encode(pixels)), write(tmp_path / "l", encode([3, 1, 4, 1]))
    pair = read_pair(images, labels, name="toy")
    np.testing.assert_allclose(pair.images[..., 0], pixels / 127.5 - 1, atol=1e-6)
    assert pair.labels.tolist() == [3, 1, 4, 1] and pair.labels.dtype == np.int32
    assert read_pair(images, labels, name="toy", size=16).images.shape == (4, 16, 16, 1)


def test_a_pair_that_disagrees_is_refused(tmp_path):
    images = write(tmp_path / "i", IMAGES)
    with pytest.raises(ValueError, match=r"i holds 2 images, but .*l holds 3 labels"):
        read_pair(images, write(tmp_path / "l", encode([1, 2, 3])), name="toy")
    with pytest.raises(ValueError, match=r"i holds images .* where labels"):
        read_pair(images, images, name="toy")
    small = write(tmp_path / "s", encode(np.zeros((2, 20, 30))))
    with pytest.raises(ValueError, match="s holds images of 20x30 pixels, not 28x28"):
        read_pair(small, write(tmp_path / "l", encode([1, 2])), name="toy")
