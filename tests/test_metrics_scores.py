"""Scores of images through a classifier: known values, ends, what they see; the range of images."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from metagan_edu import data, metrics
from metagan_edu.metrics import classifiers


@pytest.fixture(scope="module")
def digits():
    return metrics.classifier("digits")


def test_class_probability_is_the_mean_over_images(digits):
    images = data.digits("test").images[:40]
    p = metrics.probabilities(images, digits)
    assert metrics.class_probability(images, digits, 3) == pytest.approx(p[:, 3].mean(), rel=1e-12)
    with pytest.raises(ValueError, match="label is 10; the classifier knows the classes 0 to 9"):
        metrics.class_probability(images, digits, 10)


def test_diversity_is_one_for_real_images_and_zero_for_one_repeated(digits):
    images = data.digits("test").images[:40]
    assert metrics.diversity(images, images, digits) == 1
    assert metrics.diversity(np.repeat(images[:1], 5, 0), images, digits) == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="at least two images on each side, not 1"):
        metrics.diversity(images[:1], images, digits)
    with pytest.raises(ValueError, match="the real images are all the same"):
        metrics.diversity(images, np.repeat(images[:1], 5, 0), digits)


def test_classifier_score_has_its_ends_and_equals_its_formula(digits, monkeypatch):
    images = data.digits("test").images
    score = metrics.classifier_score(images, digits)
    p = metrics.probabilities(images, digits)
    assert score == pytest.approx(np.exp(np.mean(np.sum(p * np.log(p / p.mean(axis=0)), axis=1))), rel=1e-9)
    assert 9 < score <= 10
    assert metrics.classifier_score(np.repeat(images[:1], 30, axis=0), digits) == pytest.approx(1.0, abs=1e-6)
    sure = np.eye(10).repeat(7, axis=0)
    monkeypatch.setattr("metagan_edu.metrics.image_scores.probabilities", lambda *_: sure)
    assert metrics.classifier_score(images, digits) == pytest.approx(10.0, rel=1e-12)


def test_share_of_real_is_the_ratio_of_two_scores_of_equally_many_images(digits):
    held_out, train_part = data.digits("test").images, data.digits("train").images[:500]
    assert metrics.share_of_real(held_out, held_out, digits) == 1
    expected = metrics.classifier_score(train_part, digits) / metrics.classifier_score(held_out, digits)
    assert metrics.share_of_real(train_part, held_out, digits) == pytest.approx(expected, rel=1e-12)
    assert 0.95 < expected < 1.05
    one = np.repeat(held_out[:1], 500, axis=0)
    floor = 1 / metrics.classifier_score(held_out, digits)
    assert metrics.share_of_real(one, held_out, digits) == pytest.approx(floor, rel=1e-6)
    with pytest.raises(ValueError, match="there are 400 samples and 500 held-out images"):
        metrics.share_of_real(train_part[:400], held_out, digits)


def test_fid_and_kid_take_images_or_features(digits):
    real, fake = data.digits("train").images[:300], data.digits("test").images
    ready = [metrics.features(x, digits) for x in (real, fake)]
    assert metrics.fid(real, fake, digits) == metrics.fid(*ready) == metrics.frechet_distance(*ready)
    assert metrics.kid(real, fake, digits) == metrics.kid(*ready)
    for metric in (metrics.fid, metrics.kid):
        with pytest.raises(ValueError, match=r"real has shape \(300, 8, 8, 1\); without a classifier .* give clf"):
            metric(real, fake)
        with pytest.raises(ValueError, match="fake images reach from -2 to 2"):
            metric(real, 2 * fake, digits)
        with pytest.raises(ValueError, match="real images have values that are not finite"):
            metric(np.full_like(real, np.nan), fake, digits)


def test_uint8_images_are_converted_by_the_one_rule(digits):
    pixels = np.round(127.5 * (data.digits("test").images[:50] + 1)).astype(np.uint8)
    floats = pixels.astype(np.float32) / 127.5 - 1
    np.testing.assert_array_equal(metrics.features(pixels, digits), metrics.features(floats, digits))
    stack, float_stack = np.repeat(pixels, 3, axis=-1), np.repeat(floats, 3, axis=-1)
    assert metrics.stacked_coverage(stack, digits) == metrics.stacked_coverage(float_stack, digits)


def test_images_from_0_to_1_are_warned_of_and_blank_ones_are_not(digits):
    half = (data.digits("test").images[:50] + 1) / 2
    for call in (lambda: metrics.features(half, digits), lambda: metrics.kid(half, half, digits)):
        with pytest.warns(UserWarning, match="images reach from 0 to 1, .* write 2 \\* x - 1"):
            call()
    metrics.features(np.ones_like(half), digits)
    metrics.features(half, dataclasses.replace(digits, provenance={"lowest_pixel": "0.0"}))  # made from such images


def test_scores_see_lost_classes_and_noise(digits):
    test, train_part = data.digits("test"), data.digits("train")
    few = test.images[test.labels < 3]
    assert 2.5 < metrics.classifier_score(few, digits) < 3.2
    histogram = metrics.class_histogram(few, digits)
    assert histogram.shape == (10,)
    assert histogram.sum() == len(few)
    assert histogram[3:].sum() < 0.05 * len(few)
    noise = np.random.default_rng(0).standard_normal(test.images.shape)
    noisy = np.clip(test.images + 0.5 * noise, -1, 1)
    floor = metrics.fid(test.images, train_part.images, digits)
    assert metrics.fid(test.images, test.images, digits) == pytest.approx(0.0, abs=1e-3)
    assert metrics.fid(test.images, noisy, digits) > 3 * floor
    assert metrics.fid(test.images, train_part.images[train_part.labels < 3], digits) > 3 * floor


def test_features_are_live_and_have_a_gradient(digits):
    images = data.digits("test").images
    features = metrics.features(images, digits)
    assert features.shape == (500, classifiers.NUM_FEATURES)
    assert np.all(features.std(axis=0) > 0)  # a feature that never fires would leave the covariance singular
    x = tf.constant(images[:4])
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_mean(digits.model(x)[1])
    assert float(tf.reduce_max(tf.abs(tape.gradient(loss, x)))) > 0


def test_blocks_of_images_change_nothing(digits, monkeypatch):
    images = data.digits("test").images[:50]
    whole = metrics.features(images, digits)
    monkeypatch.setattr("metagan_edu.metrics.classifiers.BLOCK_IMAGES", 7)
    np.testing.assert_allclose(metrics.features(images, digits), whole, atol=1e-5)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((3, 28, 28, 1)), "images have shape (3, 28, 28, 1); expected (n, 8, 8, 1)"),
        (np.zeros((8, 8, 1)), "images have shape (8, 8, 1)"),
        (np.zeros((0, 8, 8, 1)), "expected (n, 8, 8, 1) with n >= 1"),
        (np.full((2, 8, 8, 1), 255.0), "images reach from 255 to 255; they must lie in [-1, 1]"),
        (np.full((2, 8, 8, 1), np.nan), "images have values that are not finite"),
        (np.full((2, 8, 8, 1), 1e300), "images have values that are not finite"),
        (np.full((2, 8, 8, 1), 7), "images have type int64; they must be floats in [-1, 1], or uint8 from 0 to 255"),
        (np.full((2, 8, 8, 1), True), "images have type bool"),
        (np.ones((2, 8, 8, 1), np.uint8), "images are uint8 from 0 to 1, which is black"),
    ],
)
def test_bad_images_are_refused(digits, images, words):
    for function in (metrics.features, metrics.classifier_score, metrics.class_histogram):
        with pytest.raises(ValueError) as error:
            function(images, digits)
        assert words in str(error.value)
