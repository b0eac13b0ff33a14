"""Stacked digits: a sampler whose modes are known, and a count of modes with known values."""

import math

import numpy as np
import pytest
import tensorflow as tf

from metagan_edu import data, metrics

TRAIN = data.stacked_digits("train")


@pytest.fixture(scope="module")
def digits():
    return metrics.classifier("digits")


def stack(*labels, n=1):
    """``n`` copies of the stack of the first training image of each label."""
    channels = [TRAIN.images[np.argmax(TRAIN.labels == label), ..., 0] for label in labels]
    return np.repeat(np.stack(channels, -1)[None], n, axis=0)


def test_every_channel_is_an_image_of_the_digit_that_the_mode_says():
    images, modes = TRAIN.sample(200, 3)
    assert images.shape == (200, 8, 8, 3)
    assert images.dtype == tf.float32
    of_image = {image.tobytes(): label for image, label in zip(TRAIN.images, TRAIN.labels, strict=True)}
    for image, mode in zip(images.numpy(), modes.numpy(), strict=True):
        found = [of_image[np.ascontiguousarray(image[..., c : c + 1]).tobytes()] for c in range(3)]
        assert found == [mode // 100, mode // 10 % 10, mode % 10]


def test_channels_are_independent_and_modes_even():
    modes = TRAIN.sample(50_000, 0)[1].numpy()
    digit = np.stack([modes // 100, modes // 10 % 10, modes % 10])
    share = np.stack([np.bincount(row, minlength=10) for row in digit]) / len(modes)
    expected = np.bincount(TRAIN.labels, minlength=10) / len(TRAIN.labels)
    assert np.abs(share - expected).max() < 0.007  # 5 standard errors
    assert np.abs(np.corrcoef(digit) - np.eye(3)).max() < 0.025
    assert len(np.unique(modes)) == 1000


def test_batches_are_the_sample_without_its_modes_and_run_in_a_graph():
    batch = tf.function(TRAIN.batches(16))(tf.constant([0, 3]))
    np.testing.assert_array_equal(batch, TRAIN.sample(16, 3)[0])
    assert not np.array_equal(batch, TRAIN.batches(16)(4))
    test = data.stacked_digits("test")
    assert len(test.images) == 500
    assert data.stacked_digits("test", size=16).sample(2, 0)[0].shape == (2, 16, 16, 3)


def test_modes_are_read_channel_by_channel_and_counted_once(digits):
    one = metrics.stacked_coverage(stack(1, 2, 3, n=50), digits)
    assert (one.modes, one.reverse_kl) == (1, pytest.approx(math.log(1000)))
    turned = np.concatenate([stack(1, 2, 3, n=30), stack(3, 2, 1, n=10)])
    two = metrics.stacked_coverage(turned, digits)
    assert two.modes == 2
    assert two.reverse_kl == pytest.approx(math.log(1000) + 0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    single = np.concatenate([stack(digit) for digit in range(10)])
    assert metrics.stacked_coverage(single, digits).modes == 10
    grey = metrics.stacked_coverage(single[..., :1], digits)  # one channel: ten modes, here one image of each
    assert (grey.modes, grey.reverse_kl) == (10, 0.0)


def test_real_stacks_get_the_modes_that_they_were_made_of(digits):
    """The ceiling: 25,600 stacks of held-out digits, classified, beside their true modes."""
    images, modes = data.stacked_digits("test").sample(25_600, 0)
    report = metrics.stacked_coverage(images, digits)
    shares = np.bincount(modes.numpy(), minlength=1000) / len(modes)
    assert report.modes == report.modes_sure == 1000
    assert report.reverse_kl == pytest.approx(np.sum(shares * np.log(1000 * shares)), abs=0.02)
    assert 0.8 < report.sure < 1


def test_noise_reaches_many_modes_and_few_surely(digits):
    """Why the published count is not enough: a third of the modes and more from no digit at all."""
    noise = np.random.default_rng(0).uniform(-1, 1, (25_600, 8, 8, 3))
    report = metrics.stacked_coverage(noise, digits)
    assert report.modes > 300
    assert report.modes_sure < report.modes / 2
    assert report.sure < 0.2
    blank = metrics.stacked_coverage(np.full((3, 8, 8, 3), -1.0), digits)
    assert (blank.modes, blank.modes_sure, blank.sure) == (1, 0, 0.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda clf: TRAIN.batches(0), "batch_size must be a whole number of at least 1, not 0"),
        (lambda clf: TRAIN.sample(2.5, 0), r"n must be a whole number of at least 1, not 2\.5"),
        (lambda clf: data.stacked_digits("all ", 8), "split must be one of train, test, all"),
        (lambda clf: metrics.stacked_coverage(np.zeros((2, 16, 16, 3)), clf), r"expected \(n, 8, 8, channels\)"),
        (lambda clf: metrics.stacked_coverage(np.zeros((0, 8, 8, 3)), clf), r"n >= 1"),
        (lambda clf: metrics.stacked_coverage(np.full((2, 8, 8, 3), np.nan), clf), "not finite"),
        (lambda clf: metrics.stacked_coverage(np.full((2, 8, 8, 3), 2.0), clf), r"must lie in \[-1, 1\]"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(digits, make, message):
    with pytest.raises(ValueError, match=message):
        make(digits)
