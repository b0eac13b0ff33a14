"""Arithmetic on trees, and explicit seeds."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import random_like

from metagan_edu import autodiff, seeds, trees

TREE = {"a": tf.zeros([2, 3], tf.float64), "b": (tf.zeros([4], tf.float64), tf.zeros([], tf.float64))}


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), weight=st.floats(-2, 2))
def test_lerp_dot_and_norm_are_those_of_the_flat_vector(seed, weight):
    x, y = random_like(TREE, seed), random_like(TREE, seed + 1)
    flat_x, unflatten = trees.flatten(x)
    flat_y, _ = trees.flatten(y)
    np.testing.assert_allclose(trees.dot(x, y), np.dot(flat_x, flat_y))
    np.testing.assert_allclose(trees.norm(x), np.linalg.norm(flat_x))
    np.testing.assert_allclose(trees.flatten(trees.lerp(x, y, weight))[0], (1 - weight) * flat_x + weight * flat_y)
    tf.nest.assert_same_structure(unflatten(flat_x), x)
    np.testing.assert_array_equal(unflatten(flat_x)["a"], x["a"])


def test_scale_takes_a_number_or_a_tree():
    x = random_like(TREE, 0)
    factors = trees.map(lambda leaf: tf.constant(3.0), x)
    for leaf, other in zip(trees.leaves(trees.scale(3.0, x)), trees.leaves(trees.scale(factors, x)), strict=True):
        np.testing.assert_array_equal(leaf, other)


def test_norm_at_zero_has_gradient_zero():
    np.testing.assert_array_equal(autodiff.grad(trees.norm)(tf.zeros([3])), np.zeros(3))


@pytest.mark.parametrize("where", ["a", "b"])
def test_norm_of_a_tree_with_nan_is_nan(where):
    x = {"a": tf.ones([2, 3]), "b": tf.ones([4])}
    x[where] = tf.fill(x[where].shape, np.nan)
    assert np.isnan(trees.norm(x))
    assert np.isnan(tf.function(trees.norm)(x))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_all_finite_sees_one_bad_entry(bad):
    x = random_like(TREE, 0)
    assert trees.all_finite((x, tf.constant(3)))
    x["a"] = tf.tensor_scatter_nd_update(x["a"], [[1, 2]], [tf.constant(bad, tf.float64)])
    assert not trees.all_finite((x, tf.constant(3)))


def test_what_holds_no_floating_point_number_is_finite():
    assert trees.all_finite(()) and trees.all_finite([tf.constant(3), tf.constant(True)])


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("seed", [[0, 3], [5, -7], [-5, 7], [-(2**31), 2**31 - 1]])
def test_seeds_are_those_of_tensorflow(seed, jit):
    seed = tf.constant(seed, tf.int32)
    drawn = tf.function(lambda s: (seeds.fold_in(s, 7), seeds.split(s, 5), seeds.integers([9], s, 13)), jit_compile=jit)
    folded, parts, integers = drawn(seed)
    np.testing.assert_array_equal(folded, tf.random.fold_in(seed, 7, alg="philox"))
    np.testing.assert_array_equal(parts, tf.random.split(seed, 5, alg="philox"))
    np.testing.assert_array_equal(integers, tf.random.stateless_uniform([9], seed, 0, 13, tf.int32, alg="philox"))


def test_seeds_are_functions_of_their_arguments():
    seed = seeds.make(7)
    np.testing.assert_array_equal(seeds.fold_in(seed, "z"), seeds.fold_in(7, "z"))
    drawn = [seeds.fold_in(seed, name).numpy().tolist() for name in ("z", "batch", 0, 1)]
    drawn += [part.numpy().tolist() for part in seeds.split(seed, 3)]
    assert len({tuple(d) for d in drawn}) == len(drawn)


@pytest.mark.parametrize("bad", [-1, 2**31, 1.5, "0", True, None])
def test_a_seed_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match="whole number"):
        seeds.make(bad)
