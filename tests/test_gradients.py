"""Every gradient that is claimed, against central differences in float64: first and second order, from one table."""

import gradients
import pytest
import tensorflow as tf
from oracles import difference, random_like, relative_error

from metagan_edu import autodiff, trees

ENTRIES = [(kind, name) for kind, entries in gradients.TABLE.items() for name in entries]
KINKS = {"hinge"}  # piecewise linear: its second derivative is 0 where it has one


@pytest.mark.parametrize("kind", gradients.TABLE)
def test_all_that_is_claimed_is_in_the_table(kind):
    listed = {name.split(",")[0] for name in gradients.TABLE[kind]} | (gradients.HELD if kind == "estimator" else set())
    assert gradients.claimed()[kind] - listed == set()
    assert listed - gradients.claimed()[kind] == set()
    assert gradients.claimed()[kind]


@pytest.mark.parametrize(("kind", "name"), ENTRIES, ids=[f"{kind}-{name}" for kind, name in ENTRIES])
def test_first_and_second_derivatives(kind, name):
    fn, x = gradients.TABLE[kind][name]()
    value = tf.function(fn, autograph=False)
    gradient = tf.function(lambda x: autodiff.grad(fn)(x), autograph=False)
    product = tf.function(lambda x, v: autodiff.hvp(fn, x, v), autograph=False)
    slope = gradient(x)
    assert float(trees.norm(slope)) > 1e-3
    for seed in range(2):
        v = random_like(x, 10 + seed)
        along = difference(value, x, v)
        size = float(trees.norm(slope)) * float(trees.norm(v))
        assert abs(float(trees.dot(slope, v) - along)) <= 1e-6 * size
        curved = difference(gradient, x, v, eps=1e-5)
        if name in KINKS:
            assert float(trees.norm(product(x, v))) == float(trees.norm(curved)) == 0
        else:
            assert relative_error(product(x, v), curved) <= 1e-5
