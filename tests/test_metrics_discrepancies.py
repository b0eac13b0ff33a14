"""Energy distance, MMD and KID: closed forms, unbiasedness, gradients against central differences, refusals."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cdist
from scipy.special import erf

from metagan_edu import metrics

DISCREPANCIES = [metrics.energy_distance, metrics.mmd]


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def mean_and_error(values):
    return np.mean(values), np.std(values, ddof=1) / math.sqrt(len(values))


def off_diagonal_mean(matrix):
    return (matrix.sum() - np.trace(matrix)) / (len(matrix) * (len(matrix) - 1))


def test_energy_distance_is_the_square_of_scipys_without_its_bias():
    x, y = normal(0, 40, 1), 1.5 * normal(1, 25, 1) + 0.5
    within_x, within_y = off_diagonal_mean(cdist(x, x)), off_diagonal_mean(cdist(y, y))
    biased = stats.energy_distance(x[:, 0], y[:, 0]) ** 2
    assert float(metrics.energy_distance(x, y)) == pytest.approx(biased - within_x / 40 - within_y / 25, rel=1e-12)


def energy_by_definition(x, y):
    return 2 * cdist(x, y).mean() - off_diagonal_mean(cdist(x, x)) - off_diagonal_mean(cdist(y, y))


def mmd_by_definition(x, y, bandwidth=1.0):
    def kernel(a, b):
        return np.exp(-(cdist(a, b) ** 2) / (2 * bandwidth**2))

    return off_diagonal_mean(kernel(x, x)) + off_diagonal_mean(kernel(y, y)) - 2 * kernel(x, y).mean()


BY_DEFINITION = {metrics.energy_distance: energy_by_definition, metrics.mmd: mmd_by_definition}


@pytest.mark.parametrize("dimension", [2, 12], ids=["differences", "products"])
def test_both_ways_to_form_distances_agree_with_the_definition(dimension):
    x, y = normal(0, 20, dimension) + 300, normal(1, 15, dimension) + 300.5  # far from 0, where products cancel
    expected = energy_by_definition(x, y)
    assert float(metrics.energy_distance(x, y)) == pytest.approx(expected, rel=1e-10)
    single = metrics.energy_distance(x.astype(np.float32), y.astype(np.float32))
    assert single.dtype == tf.float32
    assert float(single) == pytest.approx(expected, abs=2e-4)
    assert float(metrics.mmd(x, y, bandwidth=3.0)) == pytest.approx(mmd_by_definition(x, y, 3.0), rel=1e-10)


def mean_absolute(mu, variance):
    """E|N(mu, variance)|."""
    return math.sqrt(2 * variance / math.pi) * math.exp(-(mu**2) / (2 * variance)) + mu * erf(
        mu / math.sqrt(2 * variance)
    )


def third_moment_kernel(a, b):
    """E (1 + x y)^3 for independent x ~ N(a, 1), y ~ N(b, 1)."""
    return 1 + 3 * a * b + 3 * (a**2 + 1) * (b**2 + 1) + (a**3 + 3 * a) * (b**3 + 3 * b)


EXPECTED = {
    "energy_distance": (metrics.energy_distance, lambda b: 2 * mean_absolute(b, 2) - 2 * mean_absolute(0, 2)),
    "mmd": (metrics.mmd, lambda b: 2 * math.sqrt(1 / 3) * (1 - math.exp(-(b**2) / 6))),
    "kid": (
        metrics.kid,
        lambda b: third_moment_kernel(0, 0) + third_moment_kernel(b, b) - 2 * third_moment_kernel(0, b),
    ),
}


@pytest.mark.parametrize("shift", [0.0, 0.7])
@pytest.mark.parametrize("name", EXPECTED)
def test_the_mean_over_small_draws_is_the_closed_form(name, shift):
    function, expected = EXPECTED[name]  # of N(0, 1) and N(shift, 1)
    draws = normal(3, 400, 2, 6, 1) + np.array([0.0, shift]).reshape(1, 2, 1, 1)
    if name != "kid":
        function = tf.function(function)
    mean, error = mean_and_error([float(function(x, y)) for x, y in tf.unstack(tf.constant(draws))])
    assert abs(mean - expected(shift)) < 4 * error
    assert expected(0.0) == pytest.approx(0.0, abs=1e-12)
    if shift:
        assert mean > 4 * error  # the check could have failed


def central_differences(function, x, step=1e-6):
    gradient = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (function(up) - function(down)) / (2 * step)
    return gradient


@pytest.mark.parametrize("coincide", [False, True])
@pytest.mark.parametrize("dimension", [2, 12], ids=["differences", "products"])
@pytest.mark.parametrize("function", DISCREPANCIES, ids=["energy_distance", "mmd"])
def test_gradients_agree_with_central_differences(function, dimension, coincide):
    x, y = normal(0, 5, dimension), normal(1, 4, dimension)
    if coincide:
        x[1], y[2] = x[0], x[3]  # within one set and across: a kink, where both sides take the middle, 0
    tensors = [tf.constant(x), tf.constant(y)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = function(*tensors)
    gradient_x, gradient_y = tape.gradient(value, tensors)
    oracle = BY_DEFINITION[function]
    np.testing.assert_allclose(gradient_x, central_differences(lambda v: oracle(v, y), x), atol=2e-8)
    np.testing.assert_allclose(gradient_y, central_differences(lambda v: oracle(x, v), y), atol=2e-8)
    assert np.abs(gradient_x).max() > 1e-3


@pytest.mark.parametrize("dimension", [2, 12], ids=["differences", "products"])
@pytest.mark.parametrize("function", DISCREPANCIES, ids=["energy_distance", "mmd"])
def test_float32_gradients_stay_finite_when_all_points_coincide(function, dimension):
    # Plain TensorFlow on a CPU hides 0 times infinity at first order: XLA and the second order do not.
    @tf.function(jit_compile=True)
    def derivatives(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                value = function(x, tf.ones_like(x))
            first = inner.gradient(value, x)
            total = tf.reduce_sum(first**2)
        return value, first, outer.gradient(total, x)

    for derivative in derivatives(tf.ones((6, dimension))):
        np.testing.assert_allclose(derivative, 0.0, atol=1e-6)


def test_they_run_compiled_with_unknown_sizes_and_with_xla():
    x, y = tf.constant(normal(0, 9, 2), tf.float32), tf.constant(normal(1, 7, 2), tf.float32)
    for function in DISCREPANCIES:
        eager = float(function(x, y))
        spec = tf.TensorSpec((None, 2), tf.float32)
        assert float(tf.function(function, input_signature=[spec, spec])(x, y)) == pytest.approx(eager, abs=1e-6)
        assert float(tf.function(function, jit_compile=True)(x, y)) == pytest.approx(eager, abs=1e-6)


def test_images_are_flattened_and_types_promoted():
    x, y = normal(0, 5, 4, 4, 1), normal(1, 6, 4, 4, 1).astype(np.float32)
    flat = metrics.energy_distance(x.reshape(5, 16), y.reshape(6, 16).astype(np.float64))
    mixed = metrics.energy_distance(x, y)
    assert mixed.dtype == tf.float64
    assert float(mixed) == pytest.approx(float(flat), rel=1e-12)
    assert metrics.mmd(tf.cast(x, tf.bfloat16), y).dtype == tf.float32


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16), shift=st.floats(-50, 50), scale=st.floats(0.1, 10))
def test_order_origin_and_unit(seed, shift, scale):
    x, y = normal(seed, 7, 3), normal(seed + 1, 5, 3) + 1
    energy, mmd, kid = float(metrics.energy_distance(x, y)), float(metrics.mmd(x, y)), metrics.kid(x, y)
    close = {"rel": 1e-8, "abs": 1e-9}
    shuffled = np.random.default_rng(seed).permutation(x)
    assert float(metrics.energy_distance(y, shuffled)) == pytest.approx(energy, **close)
    assert float(metrics.mmd(y, shuffled)) == pytest.approx(mmd, **close)
    assert metrics.kid(y, shuffled) == pytest.approx(kid, **close)
    assert float(metrics.energy_distance(scale * x + shift, scale * y + shift)) == pytest.approx(
        scale * energy, **close
    )
    assert float(metrics.mmd(scale * x + shift, scale * y + shift, bandwidth=scale)) == pytest.approx(mmd, **close)


@pytest.mark.parametrize("function", [*DISCREPANCIES, metrics.kid], ids=["energy_distance", "mmd", "kid"])
@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.zeros((1, 2)), np.zeros((5, 2)), "has shape (1, 2)"),
        (np.zeros(4), np.zeros((5, 2)), "has shape (4,)"),
        (np.zeros((4, 3)), np.zeros((5, 2)), "has 3 values per row"),
        (np.array([[np.nan, 0.0], [0.0, 0.0]]), np.zeros((5, 2)), "has 1 values that are not finite"),
    ],
)
def test_bad_points_are_refused(function, x, y, words):
    with pytest.raises(ValueError) as error:
        function(x, y)
    assert words in str(error.value)


def test_whole_numbers_and_bad_bandwidths_are_refused():
    with pytest.raises(ValueError, match="x has type int64; it must be floating point"):
        metrics.energy_distance(np.zeros((4, 2), np.int64), np.zeros((4, 2)))
    for bandwidth in (0.0, -1.0, math.nan, [1.0, 2.0]):
        with pytest.raises(ValueError, match="bandwidth must be a finite number above 0"):
            metrics.mmd(np.zeros((4, 2)), np.zeros((4, 2)), bandwidth=bandwidth)
