"""Hypergradient descent: its rate follows the derivative of one step, and it behaves as the theory says in games."""

import numpy as np
import pytest
import tensorflow as tf
from oracles import difference, random_like

import metagan_edu as mg
from metagan_edu import autodiff, trees

DIRECTIONS = {"sgd": None, "adam": mg.optimizers.scale_by_adam(), "momentum": mg.optimizers.trace(0.9)}
START = {"a": tf.constant([1.0, -2.0]), "b": tf.constant(0.5)}
FREE = (0.0, float("inf"))


def loss(x):
    return tf.reduce_sum(tf.sin(x["a"])) + (x["b"] + tf.reduce_sum(x["a"])) ** 2


def make(name="sgd", lr=0.1, beta=0.01, bounds=FREE):
    return mg.optimizers.hypergradient(lr, beta=beta, bounds=bounds, direction=DIRECTIONS[name])


def descend(optimizer, point, num_steps):
    slots = optimizer.init(point)
    path = [(point, slots)]
    for _ in range(num_steps):
        updates, slots = optimizer.update(autodiff.grad(loss)(point), slots)
        point = trees.add(point, updates)
        path.append((point, slots))
    return path


@pytest.mark.parametrize("name", DIRECTIONS)
def test_the_rate_follows_the_derivative_of_the_last_step(name):
    """α_t - α_{t-1} = -β ∂f(w - α u)/∂α, by central differences of f in float64."""
    path = descend(make(name), random_like(START, 0), 4)
    for (before, _), (_, slots), (_, following) in zip(path, path[1:], path[2:], strict=False):

        def after(lr, before=before, last=slots.last):
            return loss(trees.sub(before, trees.scale(lr, last)))

        slope = difference(after, slots.lr, tf.constant(1.0, tf.float64))
        np.testing.assert_allclose(following.lr - slots.lr, -0.01 * slope, rtol=1e-6)


@pytest.mark.parametrize("name", DIRECTIONS)
def test_without_beta_it_is_the_optimizer_with_a_fixed_rate(name):
    inner = DIRECTIONS[name]
    fixed = mg.optimizers.sgd(0.1) if inner is None else mg.optimizers.chain(inner, mg.optimizers.descend(0.1))
    ours, theirs = descend(make(name, beta=0.0), START, 5)[-1][0], descend(fixed, START, 5)[-1][0]
    np.testing.assert_allclose(trees.flatten(ours)[0], trees.flatten(theirs)[0], rtol=1e-6)


def test_the_rate_does_not_depend_on_the_order_of_the_tensors():
    renamed = {"z": START["a"], "y": START["b"]}
    first, second = make(), make()
    grads = {"a": tf.constant([1.0, 2.0]), "b": tf.constant(3.0)}
    slots, other = first.init(START), second.init(renamed)
    for _ in range(3):
        _, slots = first.update(grads, slots)
        _, other = second.update({"z": grads["a"], "y": grads["b"]}, other)
    np.testing.assert_allclose(slots.lr, other.lr, rtol=1e-7)
    np.testing.assert_allclose(slots.lr, 0.1 + 2 * 0.01 * 14, rtol=1e-6)


@pytest.mark.parametrize(("sign", "expected"), [(1.0, 0.3), (-1.0, 0.02)])
def test_the_rate_stays_within_its_bounds(sign, expected):
    optimizer = make(beta=100.0, bounds=(0.02, 0.3))
    slots = optimizer.init(START)
    for factor in (1.0, sign):
        updates, slots = optimizer.update(trees.scale(factor, START), slots)
    np.testing.assert_allclose(slots.lr, expected, rtol=1e-6)
    np.testing.assert_allclose(updates["a"], -expected * sign * START["a"], rtol=1e-6)


def rates(penalty, num_steps=60):
    """Norm of the players and rate of the generator on the Dirac-GAN with Wasserstein's loss: a pure rotation."""
    game = mg.games.dirac(mg.losses.wasserstein(), penalty=penalty)
    optimizer = make(beta=1e-3, lr=0.2)
    rule = mg.rules.simultaneous(optimizer, optimizer)
    result = mg.train(game, rule, mg.games.no_data, num_steps=num_steps, seed=0, progress=False)
    players = [float(p.params) for p in result.players]
    return np.linalg.norm(players), np.array([float(s.lr) for s in result.state.slots])


def test_in_a_rotation_the_rate_only_grows_and_damping_stops_it():
    spinning, grown = rates(mg.losses.no_penalty)
    damped, kept = rates(mg.losses.r1(1.0))
    assert spinning > 5 and grown.max() > 0.25
    assert damped < 1e-2 and abs(kept - 0.2).max() < 0.02


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beta": -1.0}, "beta must be"),
        ({"bounds": (0.2, 0.1)}, "bounds must be"),
        ({"bounds": (-1.0, 1.0)}, "bounds must be"),
        ({"lr": 2.0, "bounds": (0.0, 1.0)}, "lr must lie"),
    ],
)
def test_values_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)
