"""Samplers: equal by value, one tensor per data set, shared by replicas, and refused where a loop cannot play them."""

import gc
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from metagan_edu import data, seeds
from metagan_edu.data import held as store
from metagan_edu.data.base import as_characters, as_images

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(50, 2)).astype(np.float32)
PIXELS = RNG.integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)


def images(labels=range(20)):
    return as_images(PIXELS, list(labels), "toy")


def characters():
    return as_characters(PIXELS.reshape(4, 5, 8, 8, 1), list("aabb"), list("0123"))


def read_pixels(which):
    return PIXELS[which]


WRITTEN_TWICE = {
    "points": lambda size=4: data.batches(POINTS.copy(), size),
    "lists": lambda size=4: data.batches(POINTS.tolist(), size),
    "bytes": lambda size=4: data.batches(PIXELS.copy(), size),
    "ring": lambda size=4: data.ring().batches(size),
    "images": lambda size=4: images().batches(size),
    "pairs": lambda size=4: images().batches(size, labels=True),
    "drawings": lambda size=4: characters().batches(size),
    "tasks": lambda size=4: characters().tasks(size),
    "stacks": lambda size=4: data.stacked_digits().batches(size),
    "reader": lambda size=4: data.from_reader(read_pixels, 20).batches(size),
    "mixture tasks": lambda size=4: data.mixture_tasks(shots=size, queries=16).train,
    "digits": lambda size=4: data.digits("train").batches(size),
}


@pytest.mark.parametrize("make", WRITTEN_TWICE.values(), ids=WRITTEN_TWICE)
def test_written_twice_is_one_sampler(make):
    one, again, other = make(), make(), make(3)
    assert one == again and hash(one) == hash(again) and len({one, again, other}) == 2
    for a, b in zip(tf.nest.flatten(one(7)), tf.nest.flatten(again(seeds.make(7))), strict=True):
        np.testing.assert_array_equal(a, b)
    assert data.check_sampler(one) is one


def test_samplers_of_other_data_differ():
    changed = PIXELS.copy()
    changed[3, 2, 1, 0] ^= 1
    different = [
        data.batches(PIXELS, 4), data.batches(changed, 4), data.batches(PIXELS.reshape(20, 64), 4),
        data.batches(PIXELS.astype(np.float32) / 127.5 - 1, 4), images().batches(4, labels=True),
        images([0] * 20).batches(4, labels=True), data.ring().batches(4), data.ring(sd=0.03).batches(4),
        data.mixture([[0.0, 0.0], [1.0, 1.0]], sd=1.0).batches(4),
        data.mixture([[0.0, 0.0], [1.0, 1.0]], sd=1.0, weights=[0.3, 0.7]).batches(4),
        data.mixture_tasks().train, data.mixture_tasks().test, data.mixture_tasks(sd=0.1).train,
        data.from_reader(read_pixels, 20).batches(4), data.from_reader(lambda i: PIXELS[i], 20).batches(4),
        data.from_reader(read_pixels, 19).batches(4),
    ]  # fmt: skip
    assert len(set(different)) == len(different)
    assert data.batches(PIXELS, 4) == images().batches(4)  # the same bytes in the same shape


def test_equal_arrays_share_one_tensor_that_is_freed():
    gc.collect()
    before = len(store._held)
    array = RNG.normal(size=(300, 7))
    samplers = [data.batches(array.copy(), size) for size in (4, 8, 16)]
    assert len(store._held) == before + 1
    array[0, 0] = 9.0  # changed since: another data set
    samplers.append(data.batches(array, 4))
    assert len(store._held) == before + 2 and samplers[0] != samplers[3]
    del samplers
    gc.collect()
    assert len(store._held) == before


def test_a_sampler_does_not_see_later_changes_of_its_array():
    array = POINTS.copy()
    sample = data.batches(array, 8)
    first = sample(0).numpy()
    array[:] = 0
    np.testing.assert_array_equal(sample(0), first)


def test_large_data_is_no_constant_of_the_graph():
    for sample in (
        data.batches(np.tile(POINTS, (100, 1)), 4),
        data.digits().batches(4),
        data.stacked_digits().batches(4),
    ):
        graph = tf.function(sample).get_concrete_function(tf.TensorSpec([2], tf.int32)).graph
        assert graph.as_graph_def().ByteSize() < 10_000


def test_bytes_are_drawn_as_x_over_127_5_less_1_with_the_same_bits_in_a_graph():
    every = np.arange(256, dtype=np.uint8).reshape(4, 8, 8, 1)
    right = every.astype(np.float32) / np.float32(127.5) - 1
    sample = data.batches(every, 64)
    drawn = sample(0).numpy()
    assert drawn.dtype == np.float32 and (drawn.min(), drawn.max()) == (-1, 1)
    assert {x.tobytes() for x in drawn} == {x.tobytes() for x in right}
    np.testing.assert_array_equal(tf.function(sample)(seeds.make(0)), drawn)
    np.testing.assert_array_equal(as_images(every, [0] * 4, "toy").images, right)


@pytest.mark.parametrize("made", [images, characters])
def test_pairs_hold_the_label_of_each_image(made):
    kept = made()
    shots, labels = tf.function(kept.batches(30, labels=True))(seeds.make(1))
    assert labels.dtype == tf.int32 and labels.shape == (30,) and shots.shape == (30, 8, 8, 1)
    np.testing.assert_array_equal(shots, kept.batches(30)(1))
    each = dict(zip([x.tobytes() for x in images().images], range(20), strict=True))
    which = np.array([each[x.tobytes()] for x in shots.numpy()])
    np.testing.assert_array_equal(labels, which if made is images else which // 5)


def with_numpy(seed):
    return tf.constant(POINTS[np.random.default_rng().integers(0, 50, 4)])


def with_an_iterator():
    draws = iter(tf.data.Dataset.from_tensor_slices(POINTS).shuffle(50).repeat().batch(4))
    return lambda seed: next(draws)


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        (with_numpy, "batches drew two different things from one seed: .* mg.data.batches"),
        (with_an_iterator(), "drew two different things from one seed"),
        (lambda seed: tf.random.normal([4, 2]), "drew two different things from one seed"),
        (lambda seed: tf.constant(POINTS[np.abs(seed.numpy()) % 50]), "cannot be compiled .*numpy"),
        (lambda seed: POINTS[:4], "must draw tensors, not ndarray: write tf.constant"),
        (lambda seed: (tf.zeros(2), "x", None), "must draw tensors, not (tuple|str)"),
        (POINTS, r"not ndarray: write mg.data.batches\(array, batch_size\)"),
        ([1.0, 2.0], "not list: write mg.data.batches"),
        (tf.constant(POINTS), "not EagerTensor: write mg.data.batches"),
        (images(), r"not Images: write \.batches\(batch_size\) after it"),
        (data.ring(), r"not Mixture: write \.batches\(batch_size\) after it"),
        (tf.data.Dataset.from_tensor_slices(POINTS), "a tf.data.Dataset cannot be drawn from by a seed; write"),
        (data.Images, "not Images: write"),
        (None, r"not NoneType: every data set has \.batches"),
    ],
)  # fmt: skip
def test_what_a_loop_cannot_play_is_refused(sampler, message):
    with pytest.raises(ValueError, match=message):
        data.check_sampler(sampler)


def test_constants_pairs_and_nothing_are_samplers():
    batch = tf.constant(POINTS)
    task = data.Task(POINTS[:4], POINTS[4:])  # of arrays, which learning on it makes tensors
    pairs = images().batches(3, labels=True)
    for sampler in (lambda seed: batch, lambda seed: (batch, batch), lambda seed: (), lambda seed: task, pairs):
        assert data.check_sampler(sampler) is sampler


REPLICAS = """
import os, sys
os.environ["METAGAN_EDU_CACHE"] = sys.argv[1]
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from metagan_edu import data, seeds
pixels = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
images = data.as_images(pixels, np.arange(40), "toy")
samplers = {
    "points": data.batches(np.random.default_rng(0).normal(size=(30, 2)), 8), "bytes": images.batches(8),
    "pairs": images.batches(8, labels=True), "ring": data.ring().batches(8), "stacks": data.stacked_digits().batches(8),
    "reader": data.from_reader(lambda i: pixels[i], 40).batches(8),
}
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for name, sampler in samplers.items():
    run = tf.function(lambda seed: strategy.run(sampler, args=(seed,)))
    shares = [strategy.experimental_local_results(x) for x in tf.nest.flatten(run(seeds.make(5)))]
    for whole, parts in zip(tf.nest.flatten(sampler(5)), shares, strict=True):
        assert [len(part) for part in parts] == [4, 4], name
        assert np.array_equal(np.concatenate(parts), whole), name
    print(name)
try:
    strategy.run(data.ring().batches(5), args=(seeds.make(0),))
except ValueError as error:
    print(error)
"""


def run(script, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_replicas_draw_their_shares_of_one_batch(tmp_path):
    said = run(REPLICAS, tmp_path).split("\n")
    assert said[:6] == ["points", "bytes", "pairs", "ring", "stacks", "reader"]
    assert said[6] == "a batch of 5 examples cannot be shared by 2 replicas; take a multiple of it."


MEMORY = """
import resource
import numpy as np, tensorflow as tf
from metagan_edu import data, seeds

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6

tf.function(data.batches(np.full((9, 8, 8, 1), 9, np.uint8), 4))(seeds.make(0))
before = peak()
pixels = np.empty((30_000, 56, 56, 3), np.uint8)
pixels[:] = np.arange(56, dtype=np.uint8)[:, None]
for size in (32, 64):
    sample = data.batches(pixels, size)
    loop = tf.function(lambda seed: tf.reduce_sum(tf.map_fn(
        lambda t: tf.reduce_mean(sample(seeds.fold_in(seed, t))), tf.range(20), fn_output_signature=tf.float32)))
    loop(seeds.make(0))
print(pixels.nbytes / 1e9, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss is that of Linux")
def test_a_large_data_set_is_held_once_beside_its_array():
    size, more = map(float, run(MEMORY).split())
    assert more < 2.2 * size  # the array and the tensor; 3 and more with tf.constant, 9 and more in float32
