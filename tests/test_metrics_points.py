"""Fréchet distance, precision and recall, density and coverage, copies and C2ST: closed forms, oracles and refusals."""

import ast
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.linear_model import LogisticRegression

from metagan_edu import metrics


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def whitened(seed, n, d):
    """Points whose sample mean is 0 and whose sample covariance is I, up to rounding."""
    x = normal(seed, n, d)
    x -= x.mean(axis=0)
    return x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T


def test_frechet_distance_of_gaussians_on_the_axes():
    mean, sd_x, sd_y = np.array([1.0, -2.0, 0.5]), np.array([1.0, 2.0, 0.3]), np.array([0.5, 2.0, 1.0])
    x, y = whitened(0, 50, 3) * sd_x, whitened(1, 70, 3) * sd_y + mean
    expected = np.sum(mean**2) + np.sum((sd_x - sd_y) ** 2)
    assert metrics.frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("dead", [0, 2], ids=["full rank", "features that never fire"])
def test_frechet_distance_agrees_with_the_matrix_square_root(dead):
    rng = np.random.default_rng(2)
    x, y = (normal(seed, 60, 6) @ rng.standard_normal((6, 6)) for seed in (3, 4))
    x[:, :dead] = y[:, :dead] = 0.0
    cov_x, cov_y = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = sqrtm(cov_x[dead:, dead:] @ cov_y[dead:, dead:]).real
    expected = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(cov_x) + np.trace(cov_y) - 2 * np.trace(root)
    assert metrics.frechet_distance(x, y) == pytest.approx(expected, rel=1e-6)
    assert metrics.frechet_distance(x, x) == pytest.approx(0.0, abs=1e-6)


def test_frechet_distance_needs_more_samples_than_features():
    with pytest.raises(ValueError, match="fake has 6 samples for 6 features; at least 7 are needed"):
        metrics.frechet_distance(normal(0, 20, 6), normal(1, 6, 6))
    assert metrics.frechet_distance(normal(0, 20, 6), normal(1, 7, 6)) > 0


def test_density_and_coverage_of_equal_distributions():
    n, m, k = 60, 40, 3
    reports = [metrics.density_coverage(*np.split(normal(seed, n + m, 4), [n]), k=k) for seed in range(300)]
    expected = (1.0, 1 - math.prod((n - i) / (n + m - i) for i in range(1, k + 1)))
    mean, error = np.mean(reports, axis=0), np.std(reports, axis=0, ddof=1) / math.sqrt(300)
    assert np.all(np.abs(mean - expected) < 4 * error)
    assert np.all(error < 0.02)


def test_density_and_coverage_in_a_case_done_by_hand():
    real = np.array([[0.0], [1.0], [3.0], [10.0]])  # to the nearest other: 1, 1, 2, 7
    report = metrics.density_coverage(real, np.array([[0.5], [2.5], [3.0]]), k=1)
    # Balls (-1, 1), (0, 2), (1, 5), (3, 17): hits 1, 1, 2, 0.
    assert report == (4 / 3, 3 / 4)


def test_precision_and_recall_in_a_case_done_by_hand():
    real, fake = np.array([[0.0], [1.0], [3.0], [10.0]]), np.array([[2.0], [5.5], [20.0]])
    # Closed balls around real points, to the nearest other: [-1, 1], [0, 2], [1, 5], [3, 17]; around fake ones:
    # [-1.5, 5.5], [2, 9], [5.5, 34.5].
    assert metrics.precision_recall(real, fake, k=1) == (2 / 3, 1.0)
    assert metrics.precision_recall(fake, real, k=1) == (1.0, 2 / 3)  # the roles exchanged
    assert metrics.precision_recall(real, fake + 100, k=1) == (0.0, 0.0)


def precision_by_definition(real, fake, k):
    """Kynkäänniemi et al., eqs. 1-2, point by point."""
    radii = [sorted(np.linalg.norm(real - point, axis=1))[k] for point in real]
    inside = [any(np.linalg.norm(f - r) <= radius for r, radius in zip(real, radii, strict=True)) for f in fake]
    return np.mean(inside)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_and_recall_agree_with_the_definition(k):
    real, fake = normal(0, 40, 3), 0.7 * normal(1, 30, 3) + 0.5
    expected = precision_by_definition(real, fake, k), precision_by_definition(fake, real, k)
    assert metrics.precision_recall(real, fake, k=k) == pytest.approx(expected, abs=1e-12)
    assert 0.1 < min(expected) < max(expected)


def test_precision_and_recall_see_what_is_lost_and_what_is_added():
    both = np.concatenate([normal(0, 200, 2), normal(1, 200, 2) + 50])
    one = normal(2, 400, 2)
    assert metrics.precision_recall(both, both) == (1.0, 1.0)
    assert metrics.precision_recall(both, one)[0] > 0.95
    assert metrics.precision_recall(both, one)[1] < 0.55
    assert metrics.precision_recall(one, both)[0] < 0.55
    repeated = np.repeat(both[:1], 9, axis=0)  # its balls have radius 0, and are closed
    assert metrics.precision_recall(both, repeated) == (1.0, 1 / 400)


def test_blocks_of_rows_change_nothing(monkeypatch):
    from metagan_edu.metrics import feature_distances, neighbors

    real, fake = normal(0, 50, 3), normal(1, 40, 3)

    def measure():
        copied = metrics.copies(fake, real[:9], real[9:])
        return metrics.density_coverage(real, fake), metrics.precision_recall(real, fake), copied

    whole, kid = measure(), metrics.kid(real, fake)
    for module in (neighbors, feature_distances):
        monkeypatch.setattr(module, "BLOCK_PAIRS", 70)
    assert measure() == whole
    assert metrics.kid(real, fake) == pytest.approx(kid, rel=1e-9, abs=1e-12)


def test_memory_is_that_of_a_block(monkeypatch):
    from metagan_edu.metrics import feature_distances, neighbors

    for module in (neighbors, feature_distances):
        monkeypatch.setattr(module, "BLOCK_PAIRS", 100_000)
    real, fake = normal(0, 1500, 2), normal(1, 1500, 2)
    for metric in (metrics.precision_recall, metrics.density_coverage, metrics.kid):
        metric(real[:20], fake[:20])  # what is imported on the first call does not count
        tracemalloc.start()
        metric(real, fake)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1500 * 1500 * 8 / 3, metric.__name__  # a third of one matrix of all pairs


def test_a_collapsed_sampler_is_dense_but_does_not_cover():
    real = np.concatenate([normal(0, 200, 2), normal(1, 200, 2) + 50])
    report = metrics.density_coverage(real, normal(2, 400, 2))
    assert report.density > 0.8
    assert report.coverage < 0.55


def test_copies_are_found_and_new_drawings_are_not():
    support, held_out, new = normal(0, 10, 30), normal(1, 10, 30), normal(2, 40, 30)
    assert metrics.copies(support, support, held_out) == 1.0
    near = support + 0.05 * normal(3, 10, 30)
    assert metrics.copies(near, support, held_out) == 1.0
    assert metrics.copies(held_out, support, held_out) == 0.0
    half = np.concatenate([near, held_out])
    assert metrics.copies(half.reshape(20, 5, 6, 1), support, held_out) == 0.5
    assert metrics.copies(new, support, held_out) < 0.5


def test_a_copy_is_nearest_to_the_support_and_nearer_than_held_out_images_are():
    support, held_out = np.array([[0.0], [100.0]]), np.array([[10.0]])
    for sample, share in ((4.0, 1.0), (6.0, 0.0), (-9.0, 1.0), (-11.0, 0.0), (109.0, 1.0), (111.0, 0.0)):
        assert metrics.copies(np.array([[sample]]), support, held_out) == share


def test_an_honest_generator_seldom_seems_to_copy():
    held = 4
    shares = []
    for seed in range(400):
        support, held_out, sample = np.split(normal(seed, 5 + held + 1, 3), [5, 5 + held])
        shares.append(metrics.copies(sample, support, held_out))
    error = np.std(shares, ddof=1) / math.sqrt(400)
    assert 0.05 < np.mean(shares) < 1 / (held + 1) + 3 * error


def test_c2st_is_one_half_for_equal_and_one_for_different():
    n = 1000
    equal = metrics.c2st(normal(0, n, 3), normal(1, n, 3))
    assert abs(equal - 0.5) < 4 * 0.5 / math.sqrt(n)
    assert metrics.c2st(normal(0, n, 3), normal(1, n, 3) + 6) > 0.99
    assert metrics.c2st(normal(0, n, 3), normal(1, n, 3)) == equal
    assert metrics.c2st(normal(0, n, 3), normal(1, n, 3), seed=1) != equal


def test_c2st_takes_another_classifier_and_balances_unequal_sizes():
    linear = LogisticRegression()
    wide = metrics.c2st(normal(0, 2000, 2), 3 * normal(1, 300, 2), classifier=linear)
    assert abs(wide - 0.5) < 4 * 0.5 / math.sqrt(300)  # same mean: a linear classifier sees nothing
    assert metrics.c2st(normal(0, 2000, 2), 3 * normal(1, 300, 2)) > 0.6
    assert metrics.c2st(normal(0, 2000, 2), normal(1, 300, 2) + 3, classifier=linear) > 0.95


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.density_coverage(normal(0, 5, 2), normal(0, 5, 2), k=5), "k is 5; it must be a whole number"),
        (lambda: metrics.density_coverage(normal(0, 5, 2), normal(0, 5, 2), k=1.5), "k is 1.5"),
        (lambda: metrics.density_coverage(normal(0, 9, 2), normal(0, 9, 3)), "real has 2 values per row"),
        (lambda: metrics.precision_recall(normal(0, 9, 2), normal(0, 3, 2)), "from 1 to 2, one below the fake points"),
        (lambda: metrics.precision_recall(normal(0, 9, 2), normal(0, 9, 2), k=True), "k is True; it must be a whole"),
        (lambda: metrics.precision_recall(normal(0, 9, 2), normal(0, 9, 3)), "real has 2 values per row"),
        (lambda: metrics.precision_recall(normal(0, 9, 2), np.full((9, 2), np.nan)), "fake has 18 values that are not"),
        (lambda: metrics.copies(normal(0, 9, 2), normal(0, 9, 2), np.zeros((0, 2))), "held_out has shape (0, 2)"),
        (lambda: metrics.copies(normal(0, 9, 2), normal(0, 9, 3), normal(0, 9, 3)), "samples has 2 values per row"),
        (lambda: metrics.c2st(normal(0, 3, 2), normal(0, 9, 2)), "real has shape (3, 2)"),
        (lambda: metrics.c2st(normal(0, 9, 2), np.full((9, 2), np.inf)), "fake has 18 values that are not finite"),
        (lambda: metrics.frechet_distance(normal(0, 9, 2), normal(0, 9, 3)), "real has 2 values per row"),
    ],
)
def test_bad_points_are_refused(call, words):
    with pytest.raises(ValueError) as error:
        call()
    assert words in str(error.value)


def test_slow_libraries_are_imported_only_where_they_are_used():
    for path in Path(metrics.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in getattr(node, "names", [])] + [getattr(node, "module", None) or ""]
            assert not {"scipy", "sklearn", "safetensors"} & {name.split(".")[0] for name in names}, path.name
