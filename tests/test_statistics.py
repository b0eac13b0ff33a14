"""Intervals against SciPy and by simulation."""

import numpy as np
import pytest
from scipy import stats

from metagan_edu.statistics import Interval, interval, paired_difference, prediction_interval, summary

VALUES = [7.0, 8.0, 6.5, 8.0, 7.2]


def test_the_interval_is_that_of_scipy():
    low, high = stats.t.interval(0.95, 4, loc=np.mean(VALUES), scale=stats.sem(VALUES))
    np.testing.assert_allclose(interval(VALUES), (np.mean(VALUES), low, high), rtol=1e-12)


def test_two_values_by_hand():
    """n = 2: Student's distribution with 1 degree of freedom is Cauchy's, t = tan(π · 0.475) = 12.706; s/√n = 1."""
    half = np.tan(np.pi * 0.475)
    np.testing.assert_allclose(interval([0, 2]), (1, 1 - half, 1 + half), rtol=1e-9)


def test_coverage_by_simulation():
    """Of 4,000 sets of five values, 95 % have the true mean in the one interval, and a sixth value in the other."""
    draws = np.random.default_rng(0).normal(3.0, 2.0, size=(4000, 6))
    assert np.mean([3.0 in interval(row[:5]) for row in draws]) == pytest.approx(0.95, abs=0.015)
    assert np.mean([row[5] in prediction_interval(row[:5]) for row in draws]) == pytest.approx(0.95, abs=0.015)


def test_paired_values_are_compared_seed_by_seed():
    second = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(paired_difference(second + 0.5, second), (0.5, 0.5, 0.5))
    expected = stats.ttest_rel([3.0, 1.0, 4.0], second).confidence_interval(0.95)
    np.testing.assert_allclose(paired_difference([3.0, 1.0, 4.0], second)[1:], expected, rtol=1e-12)


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
    [([1.0], r"\(1,\)"), ([[1.0, 2.0]], r"\(1, 2\)"), (3.0, r"\(\)"), ([1.0, float("nan")], r"not \[1.0, nan\]")],
)
def test_values_that_have_no_interval_are_refused(values, message):
    for function in (interval, prediction_interval):
        with pytest.raises(ValueError, match=message):
            function(values)
    with pytest.raises(ValueError, match="3 against 2"):
        paired_difference([1, 2, 3], [1, 2])


@pytest.mark.parametrize(
    ("values", "expected", "text"),
    [
        ([0.0, 2.0], (1.0, interval([0.0, 2.0]), 2, 0), "1 [-11.7, 13.7]"),
        ([0.0, np.inf, 2.0, np.nan, None], (1.0, interval([0.0, 2.0]), 2, 3), "1 [-11.7, 13.7] (3 of 5 not finite)"),
        ([7.25], (7.25, None, 1, 0), "7.25"),
        ([7, None], (7.0, None, 1, 1), "7 (1 of 2 not finite)"),
        ([None, np.inf], (None, None, 0, 2), "– (2 of 2 not finite)"),
    ],
)  # fmt: skip
def test_a_summary_counts_what_is_not_finite_and_takes_one_value(values, expected, text):
    assert summary(values) == expected
    assert str(summary(values)) == text


@pytest.mark.parametrize("values", [[], 3.0, [[1.0, 2.0]], ["a"], [1.0, [2.0]]])
def test_what_is_no_row_of_numbers_has_no_summary(values):
    with pytest.raises(ValueError, match="a summary needs"):
        summary(values)
