"""Data that does not fit in memory: read where it is drawn, the same for the same seed, and errors in one sentence."""

import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import data, seeds

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (500, 8, 8, 1), dtype=np.uint8)


@pytest.fixture
def mapped(tmp_path):
    """The pixels in a file that is read through ``np.memmap``."""
    PIXELS.tofile(tmp_path / "pixels")
    return np.memmap(tmp_path / "pixels", np.uint8, "r", shape=PIXELS.shape)


def test_it_draws_what_the_array_in_memory_draws(mapped):
    reader = data.from_reader(lambda i: mapped[i], len(mapped))
    sample, whole = reader.batches(64), data.batches(PIXELS, 64)
    for number in range(3):
        seed = seeds.make(number)
        np.testing.assert_array_equal(sample(seed), whole(seed))
        np.testing.assert_array_equal(tf.function(sample)(seed), whole(seed))
    shape = tf.function(sample).get_concrete_function(tf.TensorSpec([2], tf.int32)).outputs[0]
    assert shape.shape == (64, 8, 8, 1) and shape.dtype == tf.float32


def test_labels_come_with_their_examples():
    reader = data.from_reader(lambda i: PIXELS[i], 500, labels=np.arange(500))
    images, labels = tf.function(reader.batches(9, labels=True))(seeds.make(2))
    np.testing.assert_allclose(images, PIXELS[labels.numpy()] / 127.5 - 1, atol=1e-6)


def test_positions_are_increasing_and_without_doubles():
    asked = []

    def read(which):
        asked.append(which)
        return np.stack([which, which], axis=1)

    drawn = data.from_reader(read, 20).batches(100)(0).numpy()
    assert all(which.dtype == np.int64 and (np.diff(which) > 0).all() for which in asked)
    assert len(asked) == 2 and (asked[0][0], asked[0][-1]) == (0, 19)
    np.testing.assert_array_equal(drawn, data.batches(np.arange(20.0)[:, None] * [1, 1], 100)(0))


def test_a_game_is_trained_on_it_and_goes_on_where_it_stopped(tmp_path, mapped):
    nets, flat = (mg.networks.mlp(4, (8,), 64), mg.networks.mlp(64, (8,), 1)), mapped.reshape(500, 64)
    rule = mg.rules.alternating(mg.optimizers.sgd(0.01), mg.optimizers.sgd(0.01))
    game, reader = mg.games.gan(*nets), data.from_reader(lambda i: flat[i], len(flat))
    options = {"seed": 0, "progress": False}
    whole = mg.train(game, rule, reader.batches(16), num_steps=20, **options)
    in_memory = mg.train(game, rule, data.batches(flat, 16), num_steps=20, **options)
    mg.train(game, rule, reader.batches(16), num_steps=10, checkpoint=tmp_path / "run", **options)
    resumed = mg.train(
        game, rule, reader.batches(16), num_steps=20, checkpoint=tmp_path / "run", resume=True, **options
    )
    for a, b, c in zip(*(tf.nest.flatten(run.players) for run in (whole, in_memory, resumed)), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def failing(which):
    if len(which) < 3:  # not where it is made
        raise OSError("the disk is gone")
    return PIXELS[which]


def shrinking(which):
    return PIXELS[which] if len(which) > 2 else PIXELS[which][:, :4]


def bright(which):
    return PIXELS[which] / (127.5 if len(which) > 2 else 1) - 1


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (failing, r"read failed for 1 positions \(\d+\) with OSError: the disk is gone\."),
        (
            shrinking,
            r"read gave uint8 of shape \(1, 4, 8, 1\) for 1 positions, where it gave uint8 of shape \(8, 8, 1\)",
        ),
        (bright, r"what read gives must lie in \[-1, 1\], but ranges from"),
    ],
)
def test_a_later_fault_is_said_in_one_sentence(read, message):
    sample = data.from_reader(read, 500).batches(1)
    with pytest.raises(ValueError, match=message):
        sample(0)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        tf.function(sample)(seeds.make(0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.from_reader(PIXELS, 500), r"not ndarray: write lambda i: array\[i\]"),
        (lambda: data.from_reader(lambda i: PIXELS[i], 0), "n must be a whole number of at least 1, not 0"),
        (lambda: data.from_reader(lambda i: PIXELS[i], 501), r"read failed .* with IndexError"),
        (lambda: data.from_reader(lambda i: PIXELS[i], 2**31), "n must be below 2147483648"),
        (
            lambda: data.from_reader(lambda i: PIXELS[0], 5),
            r"one example for each of 5 positions, not shape \(8, 8, 1\)",
        ),
        (lambda: data.from_reader(lambda i: None, 5), "what read gives must have at least one example"),
        (lambda: data.from_reader(lambda i: PIXELS[i], 9, labels=[1]), "the reader has 9 images but labels of shape"),
        (lambda: data.from_reader(lambda i: PIXELS[i], 9).batches(4, labels=True), "has no labels: hand them over"),
        (
            lambda: data.from_reader(lambda i: PIXELS[i], 9).batches(0),
            "batch_size must be a whole number of at least 1",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
