"""Mixtures: geometry, density against SciPy, sampling, and splits that cannot overlap."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import tensorflow as tf

from metagan_edu import data, seeds
from metagan_edu.data.mixtures import SECTOR_WIDTH, SECTORS


def test_ring_has_no_double_mode():
    ring = data.ring(num_modes=8, radius=2.0, sd=0.02)
    gaps = np.linalg.norm(ring.centers[:, None] - ring.centers, axis=-1)[~np.eye(8, dtype=bool)]
    assert ring.centers.shape == (8, 2) and ring.centers.dtype == np.float32
    np.testing.assert_allclose(gaps.min(), 4 * np.sin(np.pi / 8), rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(ring.centers, axis=1), 2, rtol=1e-6)


def test_grid_is_the_published_lattice():
    grid = data.grid()
    assert {tuple(c) for c in grid.centers.tolist()} == {(x, y) for x in range(-4, 5, 2) for y in range(-4, 5, 2)}
    assert grid.sd == 0.05


def test_density_is_scipys():
    mixture = data.mixture([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]], sd=0.7, weights=[0.2, 0.5, 0.3])
    x = np.random.default_rng(0).normal(size=(50, 2))
    want = sum(
        w * scipy.stats.multivariate_normal(c, 0.7**2).pdf(x)
        for c, w in zip(mixture.centers.astype(float), mixture.weights.astype(float), strict=True)
    )
    np.testing.assert_allclose(mixture.density(x), want, rtol=1e-12)
    np.testing.assert_allclose(mixture.log_density(x), np.log(want), rtol=1e-12, atol=1e-12)


def test_log_density_is_finite_far_away():
    assert np.isfinite(data.ring().log_density([[50.0, 50.0]]).numpy()).all()


def test_one_dimension_integrates_to_one():
    mixture = data.mixture([[-1.0], [1.5]], sd=0.3, weights=[0.25, 0.75])
    x = np.linspace(-6, 6, 4001)
    assert scipy.integrate.trapezoid(mixture.density(x[:, None]), x) == pytest.approx(1, abs=1e-9)


def test_samples_follow_weights_and_sd():
    mixture = data.mixture([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]], sd=0.5, weights=[0.1, 0.3, 0.6])
    x = mixture.sample(20000, 3).numpy()
    assert x.dtype == np.float32 and x.shape == (20000, 2)
    nearest = np.linalg.norm(x[:, None] - mixture.centers, axis=-1).argmin(axis=1)
    np.testing.assert_allclose(np.bincount(nearest) / 20000, mixture.weights, atol=0.012)  # 3.5 standard errors
    np.testing.assert_allclose((x - mixture.centers[nearest]).std(axis=0), 0.5, rtol=0.02)


def test_a_mode_of_weight_zero_is_never_drawn():
    x = data.mixture([[0.0], [5.0], [9.0]], sd=0.1, weights=[0.5, 0.0, 0.5]).sample(2000, 0).numpy()
    assert not np.any(np.abs(x - 5) < 2)


def test_batches_run_in_a_graph_and_repeat():
    batches = data.ring().batches(16)
    compiled = tf.function(batches)
    seed = seeds.make(7)
    np.testing.assert_array_equal(compiled(seed), batches(seed))
    assert not np.array_equal(batches(seed), batches(seeds.make(8)))
    compiled(seeds.make(8))
    assert compiled.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("split", SECTORS)
def test_mixture_of_a_task_lies_in_its_splits_sectors(split):
    means = np.stack([data.random_mixture(s, split=split).centers.numpy().mean(axis=0) for s in range(60)])
    sector, place = np.divmod(np.arctan2(means[:, 1], means[:, 0]) % (2 * np.pi), SECTOR_WIDTH)
    assert set(sector.astype(int)) == set(SECTORS[split])
    assert place.min() > 0.099 * SECTOR_WIDTH and place.max() < 0.901 * SECTOR_WIDTH
    length = np.linalg.norm(means, axis=1)
    assert length.min() > 0.999 and length.max() < 2.001


def test_splits_share_no_sector():
    assert sorted(sum(SECTORS.values(), ())) == list(range(12))


def test_mixture_tasks_draw_from_their_mixture():
    tasks = data.mixture_tasks(shots=40, queries=30, num_modes=4, sd=0.01)
    for split, sample in zip(SECTORS, tasks, strict=True):
        task = tf.function(sample)(seeds.make(5))
        centers = data.random_mixture(5, split=split, num_modes=4, sd=0.01).centers.numpy()
        assert task.support.shape == (40, 2) and task.query.shape == (30, 2)
        points = np.concatenate([task.support, task.query])
        assert np.linalg.norm(points[:, None] - centers, axis=-1).min(axis=1).max() < 0.06
        assert len(np.unique(points, axis=0)) == 70


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.ring(num_modes=0), "num_modes must be a whole number of at least 1, not 0"),
        (lambda: data.ring(num_modes=2.5), "num_modes .* not 2.5"),
        (lambda: data.ring(sd=-0.1), "sd must be a finite number above 0, not -0.1"),
        (lambda: data.ring(radius=float("nan")), "radius .* not nan"),
        (lambda: data.grid(spacing=0), "spacing .* not 0"),
        (lambda: data.mixture([[0.0, np.nan]], sd=1.0), r"centers must be finite.* nan at \(0, 1\)"),
        (lambda: data.mixture([0.0, 1.0], sd=1.0), r"centers must have shape .* not \(2,\)"),
        (lambda: data.mixture([[0.0], [1.0]], sd=1.0, weights=[1.0]), r"weights must have shape \(2,\)"),
        (lambda: data.mixture([[0.0], [1.0]], sd=1.0, weights=[0.7, 0.7]), "weights must .* sum to 1"),
        (lambda: data.ring().batches(0), "batch_size .* not 0"),
        (lambda: data.ring().sample(-1, 0), "n must be .* not -1"),
        (lambda: data.ring().density([1.0, 2.0]), r"points must have shape \(n, 2\), not \(2,\)"),
        (lambda: data.random_mixture(0, split="dev"), "split must be one of train, validation, test, not 'dev'"),
        (lambda: data.mixture_tasks(shots=0), "shots .* not 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
