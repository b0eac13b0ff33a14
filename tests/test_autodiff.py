"""Derivatives against central differences, and unrolled loops against each other."""

import numpy as np
import pytest
import tensorflow as tf
from oracles import difference, gradient_error, hessian_error, random_like, relative_error

from metagan_edu import autodiff, trees
from metagan_edu.rules.competitive import conjugate_gradient

X = random_like((tf.zeros([3]), tf.zeros([2, 2])), 0)


def scalar(x):
    return tf.reduce_sum(tf.sin(x[0])) * tf.reduce_sum(tf.exp(0.3 * x[1])) + tf.reduce_sum(x[0] ** 3)


def field(x):
    return (x[0] ** 2 * tf.reduce_sum(x[1]), tf.tanh(x[1]) + tf.reduce_sum(x[0]))


def test_gradient_and_hessian_agree_with_central_differences():
    assert gradient_error(scalar, X) < 1e-7
    assert hessian_error(scalar, X) < 1e-7


def test_jvp_and_vjp_are_transposes_and_jvp_is_the_directional_derivative():
    v, u = random_like(X, 1), random_like(field(X), 2)
    assert relative_error(autodiff.jvp(field, X, v), difference(field, X, v)) < 1e-8
    np.testing.assert_allclose(trees.dot(u, autodiff.jvp(field, X, v)), trees.dot(autodiff.vjp(field, X, u), v))


def test_jacobian_has_jvps_as_columns():
    flat, unflatten = trees.flatten(X)
    matrix = autodiff.jacobian(lambda v: trees.flatten(field(unflatten(v)))[0], flat)
    v = random_like(X, 3)
    expected = trees.flatten(autodiff.jvp(field, X, v))[0]
    np.testing.assert_allclose(tf.linalg.matvec(matrix, trees.flatten(v)[0]), expected)


def test_more_than_the_value_is_handed_through():
    (value, more), grads = autodiff.value_and_grad(lambda x: (tf.reduce_sum(x**2), "more"))(tf.constant([1.0, 2.0]))
    assert float(value) == 5 and more == "more"
    np.testing.assert_array_equal(grads, [2, 4])


def test_what_the_value_does_not_depend_on_has_gradient_zero():
    grads = autodiff.grad(lambda x: x["used"] ** 2)({"used": tf.constant(3.0), "unused": tf.ones([2])})
    np.testing.assert_array_equal(grads["unused"], [0, 0])


def test_a_vector_has_no_gradient():
    with pytest.raises(ValueError, match="only a scalar"):
        autodiff.grad(lambda x: x)(tf.ones([2]))


@pytest.mark.parametrize("num_steps", [0, 1, 3, 9])
def test_python_and_while_loops_give_the_same_values_and_gradients(num_steps):
    def run(loop):
        @tf.function
        def value_and_grad(x):
            return autodiff.value_and_grad(
                lambda x: tf.reduce_sum(loop(lambda s: (s[0] - 0.1 * tf.sin(s[1]), s[1] * s[0]), x, num_steps)[0] ** 2)
            )(x)

        x = tf.constant([0.7, -0.2], tf.float64)
        return value_and_grad((x, x + 1))

    for a, b in zip(trees.leaves(run(autodiff.python_loop)), trees.leaves(run(autodiff.while_loop)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_while_loop_gradient_agrees_with_central_differences_to_second_order():
    def value(x):
        return tf.reduce_sum(autodiff.while_loop(lambda s: s - 0.1 * tf.sin(s) ** 2, x, 12) ** 2)

    x = tf.constant([0.3, 1.1], tf.float64)
    assert gradient_error(tf.function(value), x, tf.function(autodiff.grad(value))(x)) < 1e-8
    hessian = tf.function(lambda v: autodiff.hvp(value, x, v))
    v = tf.constant([1.0, -2.0], tf.float64)
    assert relative_error(hessian(v), difference(tf.function(autodiff.grad(value)), x, v)) < 1e-7


def test_a_loop_without_gradient_is_marked_and_has_the_same_values():
    loop = autodiff.without_gradient(autodiff.unroll)
    x = tf.constant(0.7)
    np.testing.assert_array_equal(loop(tf.sin, x, 3), autodiff.unroll(tf.sin, x, 3))
    assert loop.carries_gradient is False and getattr(autodiff.unroll, "carries_gradient", True)


# --- Solutions of linear systems --------------------------------------------------------------------------------------


def by_conjugate_gradient(matrix, right):
    return conjugate_gradient(matrix, right, 5)


def system(given, x):
    """A symmetric positive matrix on pairs of vectors, which depends on ``given`` in a smooth way."""
    a, b = x
    turn, tilt = given
    return (
        tf.exp(turn) * a + tf.sin(tilt) * tf.reduce_sum(b) + 0.1 * a[::-1],
        2 * b + tf.reduce_sum(tf.sin(tilt) * a),
    )


def solved(right, given):
    """A smooth function of the solution, with slope and curvature at 0."""
    x, y = autodiff.solve(system, right, given, by_conjugate_gradient)
    curved = tf.exp(0.5 * x) * tf.constant([1.0, -2.0, 0.5], tf.float64)
    return tf.reduce_sum(curved) + tf.reduce_sum(tf.sin(y) ** 2 + y)


RIGHT = random_like((tf.zeros([3]), tf.zeros([2])), 5)
GIVEN = trees.scale(0.3, random_like((tf.zeros([3]), tf.zeros([3])), 6))


def test_a_solution_solves_its_system():
    assert relative_error(system(GIVEN, autodiff.solve(system, RIGHT, GIVEN, by_conjugate_gradient)), RIGHT) < 1e-12


@pytest.mark.parametrize("right", [RIGHT, trees.zeros(RIGHT)], ids=["somewhere", "right = 0"])
def test_a_solution_is_differentiated_to_second_order(right):
    """In the right side and in what the matrix depends on, also where the iterations end before they begin."""
    x = right, GIVEN

    def value(x):
        return solved(*x)

    gradient = tf.function(autodiff.grad(value))
    hessian = tf.function(lambda v: autodiff.hvp(value, x, v))
    assert gradient_error(tf.function(value), x, gradient(x)) < 1e-7
    for seed in range(3):
        v = random_like(x, seed)
        assert relative_error(hessian(v), difference(gradient, x, v)) < 1e-6


@pytest.mark.parametrize("how", [autodiff.python_loop, autodiff.while_loop, autodiff.recomputed(2)])
def test_a_solution_is_differentiated_within_loops(how):
    """As by a rule with such a step under a meta-gradient: solved three times, each time for the last solution."""

    def value(x):
        def body(state):
            right, given = state
            return autodiff.solve(system, right, given, by_conjugate_gradient), given

        (x, y), _ = how(body, x, 3)
        return tf.reduce_sum(tf.sin(x)) + tf.reduce_sum(y**2)

    x = RIGHT, GIVEN
    assert gradient_error(tf.function(value), x, tf.function(autodiff.grad(value))(x)) < 1e-7
