"""Games with class labels, and what a game takes and refuses at its door."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from oracles import HYPER, gradient_error, hessian_error, random_like

import metagan_edu as mg

L = keras.layers
CLASSES = 3


def with_label(size, outputs, dtype=None, order=1):
    """A small smooth Keras model of [x, label]."""
    x, label = keras.Input((size,), dtype=dtype), keras.Input((CLASSES,), dtype=dtype)
    hidden = L.Dense(5, "tanh", dtype=dtype)(L.Concatenate(dtype=dtype)([x, label][::order]))
    return keras.Model([x, label], L.Dense(outputs, dtype=dtype)(hidden))


def game_of(penalty=None, dtype="float64"):
    nets = (mg.networks.network(with_label(*sizes, dtype)) for sizes in ((4, 2), (2, 1)))
    return mg.games.gan(*nets, penalty=penalty, condition=CLASSES)


X, LABELS = random_like(tf.zeros([7, 2]), 0), tf.constant([0, 1, 2, 0, 1, 2, 2])


@pytest.mark.parametrize("who", ["gen", "disc"])
def test_gradients_of_first_and_second_order(who):
    game, seed = game_of(mg.losses.penalties(mg.losses.r1(0.3), mg.losses.gradient_penalty(0.2))), mg.seeds.make(1)
    players = game.init(0)

    @tf.function
    def value(params):
        mover = getattr(players, who)._replace(params=params)
        return getattr(game, f"{who}_loss")(players._replace(**{who: mover}), (X, LABELS), seed, HYPER)[0]

    assert gradient_error(value, getattr(players, who).params, directions=1) < 1e-7
    assert hessian_error(value, getattr(players, who).params, directions=1) < 1e-6


def test_the_loss_is_that_of_labels_put_in_by_hand():
    nets = [mg.networks.network(with_label(*sizes, "float64")) for sizes in ((4, 2), (2, 1))]
    game, seed = mg.games.gan(*nets, condition=CLASSES), mg.seeds.make(1)
    players, label = game.init(0), tf.one_hot(LABELS, CLASSES, dtype=tf.float64)
    noise = mg.seeds.normal([7, 4], mg.seeds.fold_in(seed, "z"), tf.float64)
    fake = nets[0].apply(*players.gen, (noise, label))[0]
    logits = [nets[1].apply(*players.disc, (x, label))[0] for x in (X, fake)]
    loss = mg.losses.non_saturating()
    np.testing.assert_allclose(game.disc_loss(players, (X, LABELS), seed, HYPER)[0], loss.disc(*logits))
    np.testing.assert_allclose(game.gen_loss(players, (X, LABELS), seed, HYPER)[0], loss.gen(*logits))
    np.testing.assert_allclose(game.score(players, (X, LABELS)), logits[0])


def test_a_conditional_game_learns_its_labels():
    """Class c lies around (2c - 2, 0): after training samples of a class lie near its own center."""

    def batches(seed):
        which, where = mg.seeds.split(seed, 2)
        labels = mg.seeds.integers([64], which, CLASSES)
        centers = tf.stack([2.0 * tf.cast(labels, tf.float32) - 2, tf.zeros(64)], 1)
        return centers + 0.1 * mg.seeds.normal([64, 2], where), labels

    gen, disc = ((mg.networks.network(with_label(*sizes))) for sizes in ((4, 2), (2, 1)))
    game = mg.games.gan(gen, disc, condition=CLASSES, penalty=mg.losses.r1(0.1))
    adam = mg.optimizers.adam(5e-3, beta1=0.5)
    run = mg.train(game, mg.rules.alternating(adam, adam), batches, num_steps=1500, seed=0, progress=False)
    means = [float(mg.sample(game, run.players, 200, seed=1, labels=c)[:, 0].mean()) for c in range(CLASSES)]
    np.testing.assert_allclose(means, [-2, 0, 2], atol=0.7)


def test_samples_have_the_labels_that_are_asked_for():
    game = game_of(dtype=None)
    players = game.init(0)
    one = mg.sample(game, players, 6, seed=0, labels=2)
    np.testing.assert_array_equal(one, mg.sample(game, players, 6, seed=0, labels=[2] * 6))
    parts = mg.sample(game, players, 6, seed=0, labels=np.arange(6) % 3)
    np.testing.assert_allclose(parts[2], one[2], rtol=1e-6)
    assert (parts[0] != one[0]).any()
    np.testing.assert_array_equal(*(mg.sample(game, players, 6, seed=0) for _ in range(2)))


@pytest.mark.parametrize(
    ("labels", "message"),
    [(3, "from 0 to 2, as condition=3 says, not 3"), ([0, 1], "one whole number or 6 of them"),
     (0.5, "one whole number or 6"), (-1, "not -1")],
)  # fmt: skip
def test_labels_that_do_not_fit_are_refused_when_sampling(labels, message):
    game = game_of(dtype=None)
    with pytest.raises(ValueError, match=message):
        mg.sample(game, game.init(0), 6, seed=0, labels=labels)


def test_a_game_without_labels_refuses_them():
    game = mg.games.gan(mg.networks.mlp(2, (3,), 2), mg.networks.mlp(2, (3,), 1))
    with pytest.raises(ValueError, match=r"no labels; make it with gan\(\.\.\., condition="):
        mg.sample(game, game.init(0), 6, seed=0, labels=1)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (X, r"takes batches \(examples, labels\), not one tensor"),
        ((X, LABELS[:3]), r"examples \(7, 2\) need one label each, not labels \(3,\)"),
        ((X, LABELS + 1), "from 0 to 2, as condition=3 says, not 3"),
        ((X, tf.cast(LABELS, tf.float32)), "whole numbers from 0 to 2, not of type float32"),
    ],
)
def test_batches_that_do_not_fit_a_conditional_game_are_refused(batch, message):
    game = game_of()
    with pytest.raises(ValueError, match=message):
        game.disc_loss(game.init(0), batch, mg.seeds.make(0), HYPER)


def test_a_label_out_of_range_inside_a_graph_stops_the_loop():
    game = game_of()
    loss = tf.function(lambda labels: game.disc_loss(game.init(0), (X, labels), mg.seeds.make(0), HYPER)[0])
    assert np.isfinite(loss(LABELS)) and np.isnan(loss(LABELS + 1))


def test_networks_that_do_not_fit_a_conditional_game_are_refused():
    plain = mg.networks.mlp(2, (3,), 2), mg.networks.mlp(2, (3,), 1)
    with pytest.raises(ValueError, match=r"condition=3 the generator must take \[z, label\] .* \(3,\), not .* \(2,\)"):
        mg.games.gan(*plain, condition=3)
    with pytest.raises(ValueError, match=r"generator takes 2 inputs, of shapes \(\(4,\), \(3,\)\)"):
        mg.games.gan(with_label(4, 2), with_label(2, 1))
    with pytest.raises(ValueError, match="condition must be a whole number of at least 2"):
        mg.games.gan(with_label(4, 2), with_label(2, 1), condition=1)


# -- the door of every game


@pytest.mark.parametrize("output", ["sigmoid", "tanh", "softplus", "relu", "hard_sigmoid", "hard_tanh", "softsign"])
def test_a_discriminator_that_ends_in_something_bounded_is_refused(output):
    with pytest.raises(ValueError, match=r"ends in a .* in the layer 'layer_1'.*take the activation away"):
        mg.games.gan(mg.networks.mlp(2, (3,), 2), mg.networks.mlp(2, (3,), 1, output=output))


@pytest.mark.parametrize("end", [lambda: L.Activation("sigmoid"), lambda: L.Lambda(tf.sigmoid, output_shape=(1,)),
                                 lambda: L.Softmax(axis=0), lambda: L.ReLU()])  # fmt: skip
def test_a_bounded_end_is_seen_in_a_layer_of_its_own(end):
    layers = [keras.Input((2,)), L.Dense(3), L.Dense(1), end(), L.Reshape((1,))]
    disc = mg.networks.network(keras.Sequential(layers))
    for network in (disc, mg.networks.spectral(disc)):
        with pytest.raises(ValueError, match="losses take a logit"):
            mg.games.gan(mg.networks.mlp(2, (3,), 2), network)


@pytest.mark.parametrize("output", [None, "leaky_relu"])
def test_a_discriminator_that_is_not_bounded_is_taken(output):
    mg.games.gan(mg.networks.mlp(2, (3,), 2), mg.networks.mlp(2, (3,), 1, output=output))


def test_keras_models_are_taken_as_they_are():
    models = [keras.Sequential([keras.Input((2,)), L.Dense(3, "tanh"), L.Dense(n)]) for n in (2, 1)]
    game = mg.games.gan(*models)
    by_hand = mg.games.gan(*map(mg.networks.network, models))
    for a, b in zip(mg.trees.leaves(game.init(0)), mg.trees.leaves(by_hand.init(0)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_numpy_batch_is_taken_and_others_are_refused():
    game, seed = mg.games.gan(mg.networks.mlp(2, (3,), 2), mg.networks.mlp(2, (3,), 1)), mg.seeds.make(0)
    players, x = game.init(0), np.ones((4, 2), np.float32)
    loss = lambda batch: game.disc_loss(players, batch, seed, HYPER)[0]  # noqa: E731
    np.testing.assert_array_equal(loss(x), loss(tf.constant(x)))
    with pytest.raises(ValueError, match=r"tuple of 2, but the game takes examples alone: .* gan\(\.\.\., condition="):
        loss((x, np.zeros(4, np.int32)))
    with pytest.raises(ValueError, match=r"not uint8; bring images to \[-1, 1\], as x / 127\.5 - 1"):
        loss(x.astype(np.uint8))
    with pytest.raises(ValueError, match=r"shape \(4, 3\); the discriminator takes"):
        loss(np.ones((4, 3), np.float32))


def test_of_a_game_with_labels_there_is_no_snapshot():
    game = game_of()
    with pytest.raises(ValueError, match="with a generator, a discriminator and no labels"):
        mg.dynamics.snapshot(game, game.init(mg.seeds.make(0)))
