"""Identities that notebook 05 tells: closed forms of meta-gradients, and what the recomputing loop must return."""

import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import autodiff, trees

RATE = 0.3
EMPTY = mg.data.Task(tf.zeros([1, 1]), tf.zeros([1, 1]))


def half_distance(game, theta, players, task, seed):
    """Half the squared distance of both players to the equilibrium."""
    return 0.5 * trees.dot(players.gen.params, players.gen.params) + 0.5 * trees.dot(
        players.disc.params, players.disc.params
    )


def meta_gradient(estimator, theta):
    """The meta-gradient in the start of the bilinear game, compiled."""
    sgd = mg.optimizers.sgd(RATE)
    rule = mg.rules.simultaneous(sgd, sgd)
    learner = mg.meta.learned_initialization(mg.games.bilinear(), rule, batches=mg.meta.everything)

    @tf.function(autograph=False)
    def run(theta):
        return estimator.grad(learner, half_distance, theta, (), lambda seed: EMPTY, mg.seeds.make(0))[0].grads

    return trees.flatten(run(theta))[0].numpy()


@pytest.mark.parametrize("every", [1, 3, 5, 6, 20])
def test_backprop_of_the_bilinear_game_is_the_closed_form_with_and_without_a_remainder(every):
    # One step is M with MᵀM = (1 + η²) I, so the gradient of ½‖Mᴷθ‖² is (1 + η²)ᴷ θ.
    theta = mg.games.Players(tf.constant([0.6], tf.float64), tf.constant([-0.2], tf.float64))
    found = meta_gradient(mg.meta.backprop(12, loop=autodiff.recomputed(every)), theta)
    np.testing.assert_allclose(found, (1 + RATE**2) ** 12 * np.array([0.6, -0.2]), rtol=1e-6)


def test_first_order_of_the_bilinear_game_is_where_it_ends():
    # The outer gradient at φᴷ is φᴷ = Mᴷ θ.
    theta = mg.games.Players(tf.constant([0.6], tf.float64), tf.constant([-0.2], tf.float64))
    step = np.array([[1, -RATE], [RATE, 1]])
    expected = np.linalg.matrix_power(step, 4) @ np.array([0.6, -0.2])
    np.testing.assert_allclose(meta_gradient(mg.meta.first_order(4), theta), expected, rtol=1e-6)
