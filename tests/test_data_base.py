"""Samplers, checks of images, and the bundled digits."""

import ast
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from metagan_edu import data, seeds
from metagan_edu.data.base import as_characters, as_images, resize


def test_batches_are_rows_of_the_data_drawn_evenly():
    rows = np.arange(10)[:, None] * [1.0, 100.0]
    batch = tf.function(data.batches(rows, 20000))(seeds.make(0)).numpy()
    assert batch.dtype == np.float32 and batch.shape == (20000, 2)
    np.testing.assert_array_equal(batch[:, 1], 100 * batch[:, 0])
    np.testing.assert_allclose(np.bincount(batch[:, 0].astype(int)), 2000, atol=170)  # 4 standard deviations


def test_one_seed_one_batch_and_one_trace():
    sample = data.batches(np.arange(1000.0)[:, None], 64)
    compiled = tf.function(sample)
    np.testing.assert_array_equal(sample(seeds.make(1)), compiled(seeds.make(1)))
    assert not np.array_equal(compiled(seeds.make(1)), compiled(seeds.make(2)))
    assert compiled.experimental_get_tracing_count() == 1


def test_resize_keeps_range_and_flat_pictures():
    noise = np.random.default_rng(0).choice([-1.0, 1.0], size=(3, 105, 105, 1))
    small = resize(noise, 16)
    assert small.shape == (3, 16, 16, 1) and np.abs(small).max() <= 1
    assert np.abs(small).max() < 0.6  # averaged, not picked
    np.testing.assert_allclose(resize(np.full((1, 28, 28, 1), -1.0), 8), -1)


def characters(count=3, drawings=5):
    images = np.zeros((count, drawings, 8, 8, 1))
    images += np.arange(count)[:, None, None, None, None] / 10 + np.arange(drawings)[:, None, None, None] / 100 - 0.5
    return as_characters(images, ["a"] * count, [str(i) for i in range(count)])


def test_character_tasks_hold_one_character_and_share_no_drawing():
    sample = tf.function(characters().tasks(shots=2))
    seen = set()
    for number in range(30):
        task = sample(seeds.make(number))
        values = np.concatenate([task.support, task.query])[:, 0, 0, 0]
        seen.add(round(float(values.min() * 10 + 5)))
        np.testing.assert_allclose(np.sort(values), values.min() + np.arange(5) / 100, atol=1e-6)
        assert task.support.shape == (2, 8, 8, 1) and task.query.shape == (3, 8, 8, 1)
    assert seen == {0, 1, 2}


def test_select_keeps_names_with_images():
    chosen = characters().select([2, 0])
    assert chosen.names == ("2", "0")
    np.testing.assert_allclose(chosen.images[:, 0, 0, 0, 0], [-0.3, -0.5])


def test_characters_batches_mix_all_drawings():
    batch = characters().batches(500)(seeds.make(0)).numpy()
    assert batch.shape == (500, 8, 8, 1) and len(np.unique(batch)) == 15


def letters(alphabet, seed):
    images = np.random.default_rng(seed).uniform(-1, 1, (3, 5, 8, 8, 1)).astype(np.float32)
    return as_characters(images, [alphabet] * 3, [f"{alphabet}{i}" for i in range(3)])


def split(shots=2, **parts):
    named = {"train": letters("a", 0), "validation": letters("b", 1), "test": letters("c", 2)}
    return data.character_tasks(**(named | parts), shots=shots)


def test_character_tasks_keep_their_splits_apart():
    tasks = split()
    for name, seed in (("train", 0), ("validation", 1), ("test", 2)):
        task, drawings = getattr(tasks, name)(seeds.make(5)), letters("", seed).images.reshape(15, -1)
        assert task.support.shape == (2, 8, 8, 1) and task.query.shape == (3, 8, 8, 1)
        assert all(any(np.array_equal(x, d) for d in drawings) for x in task.support.numpy().reshape(2, -1))


def test_turned_characters_are_characters_of_their_own():
    plain = letters("a", 0)
    turned = plain.turned()
    assert turned.images.shape == (12, 5, 8, 8, 1) and len(set(turned.names)) == 12
    np.testing.assert_array_equal(turned.images[:3], plain.images)
    np.testing.assert_array_equal(turned.images[3, 0, :, :, 0], np.rot90(plain.images[0, 0, :, :, 0]))
    np.testing.assert_array_equal(np.rot90(turned.images[9:], 1, (2, 3)), plain.images)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.batches(np.zeros((0, 2)), 4), r"at least one example, not shape \(0, 2\)"),
        (
            lambda: data.batches([[1.0], [np.inf]], 4),
            r"must be finite, but 1 values are not: the first is inf at \(1, 0\)",
        ),
        (lambda: data.batches(["x"], 4), "must be real numbers"),
        (lambda: data.batches([[1.0]], 0), "batch_size must be a whole number of at least 1, not 0"),
        (lambda: data.batches([[1.0]], True), "batch_size .* not True"),
        (lambda: as_images(np.zeros((2, 8, 8)), [0, 1], "toy"), r"toy images must be square .* not shape \(2, 8, 8\)"),
        (lambda: as_images(np.zeros((2, 9, 9, 1)), [0, 1], "toy"), "8 to 64 pixels, divisible by 4"),
        (lambda: as_images(np.full((1, 8, 8, 1), 255), [0], "toy"), r"toy images must lie in \[-1, 1\], .* 255"),
        (lambda: as_images(np.full((1, 8, 8, 1), np.nan), [0], "toy"), "toy images must be finite"),
        (lambda: as_images(np.zeros((2, 8, 8, 1)), [0], "toy"), r"toy has 2 images but labels of shape \(1,\)"),
        (lambda: as_images(np.zeros((1, 8, 8, 1)), [0.5], "toy"), "toy labels must be whole numbers, not float64"),
        (lambda: as_characters(np.zeros((2, 3, 8, 8, 1)), ["a"], ["b", "c"]), "2 characters have 1 alphabets"),
        (lambda: split(test=letters("d", 0)), "train and test must share no character, but some drawings are in both"),
        (lambda: split(test=letters("a", 3)), "train and test must share no alphabet, but both have a"),
        (lambda: split(shots=5), "shots must be less than the 5 drawings"),
        (lambda: characters().tasks(5), "shots must be less than the 5 drawings"),
        (lambda: resize(np.zeros((1, 8, 8, 1)), 68), "size must be 8 to 64 pixels and divisible by 4, not 68"),
        (lambda: data.digits("val"), "split must be one of train, test, all, not 'val'"),
        (lambda: data.digits(size=10), "size must be 8 to 64 pixels and divisible by 4, not 10"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_digits_split_is_fixed_stratified_and_disjoint():
    train, test, both = data.digits("train"), data.digits("test"), data.digits("all")
    assert train.images.shape == (1297, 8, 8, 1) and test.images.shape == (500, 8, 8, 1)
    assert both.images.min() == -1 and both.images.max() == 1
    share = np.bincount(test.labels) / np.bincount(both.labels)
    np.testing.assert_allclose(share, 500 / 1797, atol=1 / 174)
    merged = np.concatenate([train.images, test.images]).reshape(1797, -1)
    np.testing.assert_array_equal(
        np.sort(merged @ np.arange(64)), np.sort(both.images.reshape(1797, -1) @ np.arange(64))
    )


@pytest.mark.parametrize("size", [16, 28, 64])
def test_digits_can_be_enlarged(size):
    large = data.digits("test", size=size)
    assert large.images.shape == (500, size, size, 1)
    small = data.digits("test").images
    assert np.corrcoef(resize(large.images, 8).ravel(), small.ravel())[0, 1] > 0.95
    assert np.abs(large.images.mean(axis=(1, 2, 3)) - small.mean(axis=(1, 2, 3))).max() < 0.1


@pytest.mark.parametrize("path", sorted(Path(data.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_importing_loads_no_library_that_reads_data(path):
    at_the_top = [
        node for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {(getattr(node, "module", None) or node.names[0].name).split(".")[0] for node in at_the_top}
    assert not names & {"sklearn", "PIL", "scipy", "pooch", "matplotlib"}


def test_task_and_batch_samplers_compile_with_xla():
    for sample in (characters().tasks(2), characters().batches(4), data.ring().batches(4), data.mixture_tasks().train):
        drawn = tf.nest.flatten(tf.function(sample, jit_compile=True)(seeds.make(0)))
        assert all(np.isfinite(part).all() for part in drawn)
