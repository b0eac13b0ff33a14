"""Floors and ceilings: what the samplers without structure keep and lose, and that every metric ranks them."""

import numpy as np
import pytest
import tensorflow as tf

from metagan_edu import data, metrics

NAMES = ["noise", "shuffled", "mean", "held-out real"]


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.fixture(scope="module")
def digits():
    return metrics.classifier("digits")


@pytest.fixture(scope="module")
def parts():
    return data.digits("train").images, data.digits("test").images


def through(metric, clf, field):
    """A metric of points on the classifier's features, one field of it."""
    return lambda real, fake: getattr(metric(metrics.features(real, clf), metrics.features(fake, clf)), field)


METRICS = {  # name -> (metric from a classifier, whether higher is better)
    "classifier_score": (lambda clf: lambda _, fake: metrics.classifier_score(fake, clf), True),
    "diversity": (lambda clf: lambda real, fake: metrics.diversity(fake, real, clf), True),
    "fid": (lambda clf: lambda real, fake: metrics.fid(real, fake, clf), False),
    "kid": (lambda clf: lambda real, fake: metrics.kid(real, fake, clf), False),
    "coverage": (lambda clf: through(metrics.density_coverage, clf, "coverage"), True),
    "recall": (lambda clf: through(metrics.precision_recall, clf, "recall"), True),
    "energy_distance": (lambda clf: metrics.energy_distance, False),
    "c2st": (lambda clf: metrics.c2st, False),
}


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_ranks_all_floors_below_the_ceiling(name, digits, parts):
    make, higher = METRICS[name]
    values = metrics.floor_and_ceiling(make(digits), *parts)
    assert list(values) == NAMES
    assert all(isinstance(value, float) for value in values.values())
    ceiling = values.pop("held-out real")
    assert all(value < ceiling if higher else value > ceiling for value in values.values())


def test_values_are_those_of_the_metric_and_depend_on_the_seed_alone(digits, parts):
    real, held_out = parts

    def score(_, fake):
        assert fake.shape == held_out.shape
        return metrics.classifier_score(fake, digits)

    values = metrics.floor_and_ceiling(score, real, held_out, seed=3)
    samples = metrics.floors(real, len(held_out), seed=3)
    assert values == {**{name: score(None, samples[name]) for name in samples}, "held-out real": score(None, held_out)}
    assert values["mean"] == pytest.approx(1.0, abs=1e-9)
    assert metrics.floor_and_ceiling(score, real, held_out, seed=3) == values
    assert metrics.floor_and_ceiling(score, real, held_out, seed=4)["noise"] != values["noise"]
    pixels = [np.round(127.5 * (x + 1)).astype(np.uint8) for x in parts]
    assert metrics.floor_and_ceiling(score, *pixels)["held-out real"] == pytest.approx(values["held-out real"], abs=0.1)


def test_floors_of_images_keep_the_range_the_gray_values_and_the_mean():
    real = np.random.default_rng(0).uniform(-0.5, 1, (6, 4, 4, 3)).astype(np.float32)
    samples = metrics.floors(real, 50)
    assert all(value.shape == (50, 4, 4, 3) and value.dtype == np.float32 for value in samples.values())
    noise = samples["noise"]
    assert real.min() <= noise.min() < -0.45 and 0.95 < noise.max() <= real.max()
    np.testing.assert_allclose(samples["mean"], np.tile(real.mean(axis=0), (50, 1, 1, 1)), rtol=1e-6)
    colors = [sorted(map(tuple, image.reshape(-1, 3))) for image in real]  # each pixel keeps its three channels
    assert all(sorted(map(tuple, image.reshape(-1, 3))) in colors for image in samples["shuffled"])
    assert not any(np.array_equal(image, other) for image in samples["shuffled"] for other in real)


def test_floors_of_points_keep_mean_and_covariance_or_each_coordinate():
    real = normal(0, 4000, 2) @ np.array([[1.0, 0.9], [0.0, 0.3]]) + [3.0, -1.0]
    samples = metrics.floors(real, 4000)
    np.testing.assert_allclose(samples["noise"].mean(axis=0), real.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(np.cov(samples["noise"].T), np.cov(real.T), atol=0.1)
    np.testing.assert_array_equal(np.sort(samples["shuffled"], axis=0), np.sort(real, axis=0))
    assert abs(np.corrcoef(samples["shuffled"].T)[0, 1]) < 0.1 < 0.9 < np.corrcoef(real.T)[0, 1]
    np.testing.assert_allclose(samples["mean"][[0, -1]], [real.mean(axis=0)] * 2)
    assert metrics.floors(real[:, :1], 5)["noise"].shape == (5, 1)


def test_points_of_a_ring_and_metrics_of_several_fields():
    ring = data.ring()
    real, held_out = np.asarray(ring.sample(1000, 1)), np.asarray(ring.sample(500, 2))
    values = metrics.floor_and_ceiling(lambda _, fake: metrics.mode_coverage(fake, ring), real, held_out)
    assert all(isinstance(value, metrics.ModeCoverage) for value in values.values())
    shares = {name: value.high_quality for name, value in values.items()}
    assert max(shares["noise"], shares["mean"]) < 0.02 < shares["shuffled"] < 0.6 < 0.97 < shares["held-out real"]
    assert isinstance(metrics.floor_and_ceiling(lambda *_: tf.constant(2.0), real, held_out)["mean"], float)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metric": "fid"}, "metric must be a function (real, fake) -> number, not 'fid'"),
        ({"real": np.zeros((5, 2, 2))}, "real has shape (5, 2, 2); expected points (n, d) or images (n, s, s, c)"),
        ({"held_out": np.zeros((1, 2))}, "held_out has shape (1, 2)"),
        ({"held_out": np.zeros((5, 3))}, "real has shape (5, 2) and held_out (5, 3); their samples must be alike"),
        ({"real": np.full((5, 2), np.inf)}, "real has 10 values that are not finite"),
        ({"real": np.full((5, 4, 4, 1), 9.0)}, "real images reach from 9 to 9"),
        ({"seed": -1}, "seed must be a whole number of at least 0, not -1"),
    ],
)
def test_bad_arguments_are_refused(change, words):
    arguments = {"metric": metrics.energy_distance, "real": np.zeros((5, 2)), "held_out": np.zeros((5, 2))} | change
    with pytest.raises(ValueError) as error:
        metrics.floor_and_ceiling(**arguments)
    assert words in str(error.value)
    with pytest.raises(ValueError, match="num_samples must be a whole number of at least 2"):
        metrics.floors(np.zeros((5, 2)), 1)


def test_a_metric_that_has_no_value_for_a_floor_is_refused_with_the_name_of_the_floor():
    def spread(real, fake):
        if not np.ptp(fake):
            raise ValueError("all samples are the same.")
        return float(np.std(fake))

    points = np.random.default_rng(0).normal(size=(50, 1))
    with pytest.raises(ValueError, match=r"cannot be computed of the samples 'mean': all samples are the same\."):
        metrics.floor_and_ceiling(spread, points, points)
