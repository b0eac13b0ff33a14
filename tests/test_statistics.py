"""Intervals against closed forms, SciPy and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from metagan_edu.statistics import Interval, interval, paired_difference, share, summary

MANY = np.sort(np.random.default_rng(0).gamma(2.0, size=40))


def test_with_many_values_the_interval_is_the_normal_one():
    values = np.random.default_rng(0).normal(3.0, 2.0, size=2000)
    half = 1.96 * values.std() / np.sqrt(len(values))
    np.testing.assert_allclose(interval(values), (values.mean(), values.mean() - half, values.mean() + half), atol=0.01)


@pytest.mark.parametrize("draw", ["normal", "exponential"])
def test_coverage_by_simulation(draw):
    """Of 400 sets of ten values, nearly 95 % have the true mean in the interval; of skewed ones fewer, as is known."""
    rng = np.random.default_rng(0)
    rows = {"normal": rng.normal(1.0, 2.0, (400, 10)), "exponential": rng.exponential(1.0, (400, 10))}[draw]
    covered = np.mean([1.0 in interval(row) for row in rows])
    assert {"normal": 0.925, "exponential": 0.86}[draw] < covered < 0.98


def test_seeds_and_tasks_are_both_drawn_anew():
    """Values that differ by seed alone: many tasks do not make the interval narrower than the seeds allow."""
    by_seed = np.random.default_rng(0).normal(size=12)
    both = interval(by_seed[:, None] + np.zeros((12, 500)))
    np.testing.assert_allclose(both, interval(by_seed), rtol=0.05, atol=0.02)


def test_an_interval_is_a_function_of_its_seed():
    assert interval(MANY, seed=3) == interval(MANY, seed=3) != interval(MANY, seed=4)


@given(st.lists(st.floats(0, 1), min_size=10, max_size=30).filter(lambda x: min(x) < max(x)))
def test_no_interval_leaves_the_range_of_the_values(values):
    mean, low, high = interval(values)
    assert min(values) <= low <= high <= max(values) and min(values) <= mean <= max(values)


def test_paired_values_are_compared_seed_by_seed():
    second = np.arange(12.0)
    apart = paired_difference(second + 0.5 + 0.1 * (-1.0) ** second, second)
    assert apart.mean == pytest.approx(0.5) and 0.4 <= apart.low < 0.5 < apart.high <= 0.6
    with pytest.raises(ValueError, match=r"the same seeds: \(3,\) against \(2,\)"):
        paired_difference([1, 2, 3], [1, 2])


@pytest.mark.parametrize(("successes", "of"), [(0, 5), (5, 5), (3, 10), (1, 1)])
def test_a_share_has_the_exact_interval_of_scipy(successes, of):
    expected = stats.binomtest(successes, of).proportion_ci(0.95, "exact")
    np.testing.assert_allclose(share(successes, of), (successes / of, expected.low, expected.high), rtol=1e-12)


def test_five_of_five_by_hand():
    """The probability p for which five successes of five come up one time in 40: p⁵ = .025."""
    assert str(share(5, 5)) == "1 [0.478, 1]" and share(5, 5).low == pytest.approx(0.025 ** (1 / 5))


@pytest.mark.parametrize("bad", [(6, 5), (-1, 5), (0, 0), (1.5, 3)])
def test_what_is_no_share_is_refused(bad):
    with pytest.raises(ValueError, match="a share needs whole numbers"):
        share(*bad)


def test_what_lies_within():
    assert 1.0 in Interval(1.5, 1.0, 2.0) and 2.1 not in Interval(1.5, 1.0, 2.0)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((0.12345, -0.5, 1.0), "0.123 [-0.5, 1]"),
        ((3000.4, 999.7, 12345.0), "3000 [1000, 12345]"),
        ((1e-5, 0.0, 2e-5), "1e-05 [0, 2e-05]"),
    ],
)
def test_intervals_read_well(given, text):
    assert str(Interval(*given)) == text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, 2.0], r"at least 10 values .* not shape \(2,\): fewer are to be shown as they are"),
        (np.ones((3, 20)), r"not shape \(3, 20\)"),
        (3.0, r"not shape \(\)"),
        ([*range(11), np.nan], "needs finite values, but 1 are not"),
        ([8.0] * 12, "all 12 values are 8"),
    ],
)
def test_values_that_have_no_interval_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        interval(values)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([2.0, 0.0], "1 (0, 2)"),
        ([8, 7, 8, 8], "7.75 (7, 8 ×3)"),
        ([8, 8, 8], "8 (all 3)"),
        ([0.0, np.inf, 2.0, np.nan, None], "1 (0, 2) (3 of 5 not finite)"),
        ([7.25], "7.25"),
        ([7, None], "7 (1 of 2 not finite)"),
        ([None, np.inf], "– (2 of 2 not finite)"),
        (MANY, str(interval(MANY))),
        ([8] * 20, "8 (all 20)"),
    ],
)
def test_a_summary_shows_few_values_and_counts_what_is_not_finite(values, text):
    assert str(summary(values)) == text


@pytest.mark.parametrize("values", [[], 3.0, [[1.0, 2.0]], ["a"], [1.0, [2.0]]])
def test_what_is_no_row_of_numbers_has_no_summary(values):
    with pytest.raises(ValueError, match="a summary needs"):
        summary(values)
