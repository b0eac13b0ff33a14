"""Mode coverage: closed forms, the two ways a single number misleads, invariances and refusals."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metagan_edu import data, metrics

RING = data.ring()


def draw(n, seed, mixture=RING):
    rng = np.random.default_rng(seed)
    which = rng.integers(len(mixture.centers), size=n)  # the modes of rings and grids are equal
    return mixture.centers[which] + mixture.sd * rng.standard_normal((n, mixture.centers.shape[1]))


@pytest.mark.parametrize("mixture", [RING, data.grid()], ids=["ring", "grid"])
def test_a_perfect_sampler_reaches_the_ceiling_and_not_more(mixture):
    ceiling, n = 1 - math.exp(-4.5), 2500
    reports = [metrics.mode_coverage(draw(n, seed, mixture), mixture) for seed in range(20)]
    error = math.sqrt(ceiling * (1 - ceiling) / (20 * n))
    assert abs(np.mean([r.high_quality for r in reports]) - ceiling) < 4 * error
    modes = len(mixture.centers)
    assert all(r.modes == r.modes20 == modes for r in reports)
    # 2 n KL(p_hat || p) is about chi-square with modes - 1 degrees of freedom.
    mean_kl = (modes - 1) / (2 * n)
    assert np.mean([r.reverse_kl_all for r in reports]) == pytest.approx(mean_kl, rel=0.4)


def test_reverse_kl_is_0_for_even_modes_and_log_8_for_one():
    even = metrics.mode_coverage(np.repeat(RING.centers, 25, axis=0), RING)
    assert even == (8, 8, 1.0, 0.0, 0.0)
    one = metrics.mode_coverage(draw(2500, 0, data.mixture(RING.centers[:1], sd=RING.sd)), RING)
    assert one.modes == one.modes20 == 1
    assert one.high_quality > 0.98  # quality alone does not see the collapse
    assert one.reverse_kl == pytest.approx(math.log(8), abs=1e-6)
    assert one.reverse_kl_all == pytest.approx(math.log(8), abs=1e-6)


def test_reverse_kl_is_measured_against_the_weights():
    mixture = data.mixture([[0, 0], [9, 0]], sd=1.0, weights=[0.75, 0.25])
    right = metrics.mode_coverage(np.repeat(mixture.centers, [75, 25], axis=0), mixture)
    assert right.reverse_kl == 0.0
    wrong = metrics.mode_coverage(np.repeat(mixture.centers, [50, 50], axis=0), mixture)
    assert wrong.reverse_kl == pytest.approx(0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25))
    absent = data.mixture([[0, 0], [9, 0]], sd=1.0, weights=[1.0, 0.0])
    assert metrics.mode_coverage(mixture.centers, absent).reverse_kl == math.inf


def test_the_two_counts_and_the_two_kls_differ_where_they_should():
    few = np.concatenate([np.repeat(RING.centers[:2], [20, 19], axis=0), RING.centers[2:3] + 0.061])
    report = metrics.mode_coverage(few, RING)  # the last is 0.086 > 3 sd from the third center
    assert (report.modes, report.modes20) == (2, 1)
    assert report.high_quality == 39 / 40
    assert report.reverse_kl == pytest.approx(math.log(8) + (20 * math.log(20 / 39) + 19 * math.log(19 / 39)) / 39)
    shares = np.array([20, 19, 1]) / 40
    assert report.reverse_kl_all == pytest.approx(math.log(8) + np.sum(shares * np.log(shares)))


def test_without_a_high_quality_sample_the_reverse_kl_is_infinite():
    report = metrics.mode_coverage(np.full((10, 2), 50.0), RING)
    assert report[:3] == (0, 0, 0.0)
    assert report.reverse_kl == math.inf
    assert report.reverse_kl_all == pytest.approx(math.log(8))


@pytest.mark.parametrize(("distance", "share"), [(2.999, 1.0), (3.001, 0.0)])
def test_high_quality_ends_at_three_sd_of_euclidean_distance(distance, share):
    direction = np.array([0.6, 0.8])
    sample = np.array([[1.0, 1.0]]) + 0.1 * distance * direction
    assert metrics.mode_coverage(sample, data.mixture([[1, 1]], sd=0.1)).high_quality == share


@settings(max_examples=30, deadline=None)
@given(
    points=st.lists(st.tuples(st.integers(-8, 8), st.integers(-8, 8)), min_size=1, max_size=40),
    shift=st.tuples(st.integers(-100, 100), st.integers(-100, 100)),
    seed=st.integers(0, 99),
)
def test_order_and_origin_do_not_matter(points, shift, seed):
    centers = np.array([[-5, -5], [5, 4], [0, 1]], np.float64)  # whole numbers: shifting them is exact
    samples = np.array(points, np.float64)

    def report(samples, centers):
        return metrics.mode_coverage(samples, SimpleNamespace(centers=centers, sd=1.0, weights=np.full(3, 1 / 3)))

    expected = report(samples, centers)
    assert report(np.random.default_rng(seed).permutation(samples), centers) == expected
    assert report(samples + shift, centers + shift) == expected
    assert expected.modes20 <= expected.modes <= 3
    assert 0 <= expected.reverse_kl_all <= math.log(3) + 1e-12


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(5), "samples has shape (5,)"),
        (np.zeros((0, 2)), "samples has shape (0, 2)"),
        (np.zeros((5, 3)), "samples has 3 values per row and mixture.centers has 2"),
        (np.array([[0.0, np.nan], [np.inf, 0.0]]), "samples has 2 values that are not finite"),
        ([["a", "b"]], "samples must be an array of numbers"),
    ],
)
def test_bad_samples_are_refused(samples, words):
    with pytest.raises(ValueError) as error:
        metrics.mode_coverage(samples, RING)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("sd", 0.0, "mixture.sd is 0.0"),
        ("sd", [1.0, 2.0], "sd of shape (2,)"),
        ("weights", np.full(8, 1.0), "sum to 8"),
        ("weights", np.full(4, 0.25), "weights of shape (4,)"),
        ("centers", np.full((8, 2), np.nan), "mixture.centers has 16 values that are not finite"),
    ],
)
def test_bad_mixtures_are_refused(field, value, words):
    with pytest.raises(ValueError) as error:
        metrics.mode_coverage(RING.centers, RING._replace(**{field: value}))
    assert words in str(error.value)
