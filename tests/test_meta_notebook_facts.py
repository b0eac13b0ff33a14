"""What notebooks 06 and 07 tell: closed forms of meta-gradients, and what the recomputing loop must return."""

import numpy as np
import oracles
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


@pytest.mark.parametrize("num_steps", [2, 11])  # a python loop, and a while loop
def test_an_adapted_discriminator_is_a_discriminator_trained_further(num_steps):
    game, sgd, hyper = oracles.smooth_gan(), mg.optimizers.sgd(RATE), oracles.HYPER
    players = game.init(mg.seeds.make(1))
    query = oracles.points(8)(mg.seeds.make(0))
    task, seed = mg.data.Task(query, query), mg.seeds.make(2)
    trained = players
    for own in mg.seeds.split(seed, num_steps):

        def loss(params, own=own, trained=trained):
            return game.disc_loss(trained._replace(disc=trained.disc._replace(params=params)), query, own, hyper)[0]

        params = trees.sub(trained.disc.params, trees.scale(RATE, autodiff.grad(loss)(trained.disc.params)))
        trained = trained._replace(disc=trained.disc._replace(params=params))
    found = mg.meta.outer.adapted_discriminator(sgd, num_steps)(game, (), players, task, seed)
    np.testing.assert_allclose(found, game.gen_loss(trained, query, seed, hyper)[0], rtol=1e-12)
