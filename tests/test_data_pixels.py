"""The one rule for the values of pictures, and their sizes."""

import numpy as np
import pytest

from metagan_edu import data
from metagan_edu.data import pixels
from metagan_edu.data.base import as_characters, as_images

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
SIGNED = RNG.uniform(-1, 1, (6, 8, 8, 3))
ROADS = {
    "batches": lambda x: data.batches(x, 4),
    "images": lambda x: as_images(x, np.zeros(len(x), int), "toy"),
    "characters": lambda x: as_characters(np.asarray(x)[None], ["a"], ["b"]),
    "reader": lambda x: data.from_reader(lambda i: np.asarray(x)[i], len(x)),
}


@pytest.mark.parametrize("road", ROADS.values(), ids=ROADS)
@pytest.mark.parametrize(
    ("images", "message"),
    [
        ((SIGNED + 1) / 2, r"must lie in \[-1, 1\] and reach below 0, but range from .* write images \* 2.0 - 1"),
        (SIGNED > 0, r"range from 0 to 1: write images \* 2.0 - 1"),
        ((SIGNED > 0).astype(np.uint8), "are uint8, which is read as 0 to 255, but none is above 1: write 255"),
        (BYTES.astype(np.float64), r"must lie in \[-1, 1\], .* to 255: write images / 127.5 - 1 for 0 to 255"),
        (BYTES.astype(np.int64), r"to 255: write images / 127.5 - 1"),
        (3 * SIGNED, r"write images / abs\(images\)\.max\(\)"),
        (np.where(SIGNED > 0.9, np.nan, SIGNED), "must be finite"),
        (np.full((2, 8, 8, 1), "x"), "must be real numbers"),
    ],
)
def test_pictures_with_other_values_are_refused_with_the_line_to_write(road, images, message):
    with pytest.raises(ValueError, match=message):
        road(images)


@pytest.mark.parametrize("road", ROADS.values(), ids=ROADS)
def test_what_the_refusals_say_to_write_is_taken(road):
    for right in (BYTES, SIGNED, (SIGNED + 1) / 2 * 2.0 - 1, BYTES / 127.5 - 1, 255 * (SIGNED > 0).astype(np.uint8)):
        road(right)


def test_points_are_taken_as_they_are():
    for points in (np.array([[0.0, 0.5], [1.0, 0.2]]), np.array([[300.0, -7.0]]), np.array([[1], [2]]), np.eye(3) > 0):
        drawn = data.batches(points, 50)(0).numpy()
        assert drawn.dtype == np.float32 and {x.tobytes() for x in drawn} == {
            x.astype(np.float32).tobytes() for x in points
        }
    flat = data.batches(BYTES.reshape(6, -1), 5)(0).numpy()  # bytes are bytes in any shape
    np.testing.assert_array_equal(flat, data.batches(BYTES, 5)(0).numpy().reshape(5, -1))
    odd = data.batches(BYTES.reshape(6, -1)[:, :5], 5)(0).numpy()  # rows that eight bytes do not fill
    np.testing.assert_array_equal(odd, flat[:, :5])


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_second_are_refused_with_the_line_to_write(channels):
    images = np.moveaxis(SIGNED[..., :channels], -1, 1)
    with pytest.raises(ValueError, match=r"channels second: write np.moveaxis\(images, 1, -1\)"):
        data.batches(images, 4)
    data.batches(np.moveaxis(images, 1, -1), 4)


@pytest.mark.parametrize("size", [8, 12, 32, 64, np.int64(16)])
def test_sizes(size):
    assert pixels.check_size(size) == size
    assert pixels.resize(SIGNED, size).shape == (6, size, size, 3)
    assert as_images(np.zeros((1, size, size, 3)), [0], "toy").images.shape == (1, size, size, 3)
    assert data.digits("test", size=size).images.shape[1:] == (size, size, 1)


@pytest.mark.parametrize("size", [0, 4, 10, 68, 28.0, "28", True, None])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match=r"size must be 8 to 64 pixels and divisible by 4, not"):
        pixels.resize(SIGNED, size)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1], r"toy has 6 images but labels of shape \(2,\)"),
        (np.eye(6, dtype=int), r"labels of shape \(6, 6\)"),
        ([0.0] * 6, "toy labels must be whole numbers, not float64"),
        ([0, 1, 2, -1, 0, 0], "toy labels must count from 0 up, but range from -1 to 2"),
        ([0, 1, 2, 3, 0, 0], "toy has a label 3, but only 3 classes have names"),
    ],
)
def test_labels_are_checked(labels, message):
    with pytest.raises(ValueError, match=message):
        as_images(BYTES, labels, "toy", ["a", "b", "c"])


def test_a_part_keeps_its_labels():
    part = as_images(BYTES, range(6), "toy").select([4, 1])
    assert part.labels.tolist() == [4, 1]
    np.testing.assert_array_equal(part.pixels, BYTES[[4, 1]])
    assert as_images(BYTES, range(6), "toy").select(slice(2, None)).labels.tolist() == [2, 3, 4, 5]


def test_a_data_set_in_place_of_an_array_is_refused():
    with pytest.raises(ValueError, match=r"takes an array, not Images: write \.batches\(batch_size\) after it"):
        data.batches(data.digits(), 4)
