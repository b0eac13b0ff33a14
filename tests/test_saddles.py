"""Saddle families: fields in closed form, stationary points, and what the samplers draw."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import HYPER

import metagan_edu as mg
from metagan_edu.games import Player, Players, saddles
from metagan_edu.rules import safeguard

SCALAR = {"rotated saddle": saddles.rotated_saddle, "seesaw": saddles.seesaw}
number = st.floats(-2, 2)
coefficient = st.floats(0.1, 5)


def field_norm(game, players, coefficients):
    """One norm for each game: shape (games,)."""
    return mg.dynamics.field_norm(game, players, coefficients, gram=saddles.game_gram)


def at(x, y):
    return Players(*(Player(tf.constant(np.asarray(v), tf.float64)) for v in (x, y)))


@settings(max_examples=20, deadline=None)
@given(x=number, y=number, a=coefficient, b=coefficient)
def test_fields_of_the_scalar_families_in_closed_form(x, y, a, b):
    v = mg.dynamics.field(saddles.rotated_saddle(), at([[x]], [[y]]), tf.constant([[a, b]], tf.float64))
    np.testing.assert_allclose(v.gen, [[-(2 * a * x + 2 * y)]], atol=1e-12)
    np.testing.assert_allclose(v.disc, [[2 * x - 2 * b * y]], atol=1e-12)
    v = mg.dynamics.field(saddles.seesaw(), at([[x]], [[y]]), tf.constant([[a, b]], tf.float64))
    np.testing.assert_allclose(v.gen, [[b * y * a * math.pi * math.cos(a * math.pi * x)]], atol=1e-9)
    np.testing.assert_allclose(v.disc, [[-b * math.sin(a * math.pi * x)]], atol=1e-9)


def test_field_of_matrix_games_in_closed_form():
    rng = np.random.default_rng(0)
    x, y, matrices = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.normal(size=(3, 4, 4))
    game = saddles.matrix_game(games=3, size=4)
    v = mg.dynamics.field(game, at(x, y), tf.constant(matrices))
    np.testing.assert_allclose(v.gen, [-a @ q for a, q in zip(matrices, y, strict=True)], atol=1e-12)
    np.testing.assert_allclose(v.disc, [a.T @ p for a, p in zip(matrices, x, strict=True)], atol=1e-12)
    expected = np.sqrt((v.gen.numpy() ** 2 + v.disc.numpy() ** 2).sum(axis=1))
    np.testing.assert_allclose(field_norm(game, at(x, y), matrices), expected)
    together = mg.dynamics.field_norm(game, at(x, y), matrices, gram=safeguard.whole_gram)
    np.testing.assert_allclose(together, np.sqrt((expected**2).sum()))
    assert field_norm(game, at(x, y), matrices).shape == (3,) and together.shape == ()


@pytest.mark.parametrize("name", SCALAR)
def test_the_origin_is_stationary(name):
    game, task = SCALAR[name](games=4), saddles.scalar_tasks(games=4, low=0.1, high=5.0)(0)
    np.testing.assert_array_equal(field_norm(game, at(np.zeros([4, 1]), np.zeros([4, 1])), task.support), 0)


@settings(max_examples=10, deadline=None)
@given(k=st.integers(-3, 3), a=coefficient, b=coefficient)
def test_a_seesaw_is_stationary_at_every_whole_number_over_a(k, a, b):
    norm = field_norm(saddles.seesaw(), at([[k / a]], [[0.0]]), tf.constant([[a, b]], tf.float64))
    assert norm[0] < 1e-12


def test_a_singular_matrix_game_is_stationary_on_a_line():
    matrix = np.array([[[1.0, 1.0], [2.0, 2.0]]])
    game = saddles.matrix_game(size=2)
    assert field_norm(game, at([[2.0, -1.0]], [[3.0, -3.0]]), matrix)[0] < 1e-12
    assert field_norm(game, at([[2.0, -1.0]], [[3.0, -2.0]]), matrix)[0] > 1
    assert saddles.smallest_singular_value(tf.constant(matrix))[0] < 1e-12


def test_losses_are_opposite_and_games_side_by_side_do_not_meet():
    game, tasks = saddles.seesaw(games=3), saddles.scalar_tasks(games=3)
    players, c = game.init(0), tasks(1).support
    gen, disc = (loss(players, c, mg.seeds.make(0), HYPER)[0] for loss in (game.gen_loss, game.disc_loss))
    np.testing.assert_array_equal(gen, -disc)
    together = field_norm(game, players, c)
    for i in range(3):
        alone = at(players.gen.params[i : i + 1], players.disc.params[i : i + 1])
        norm = field_norm(saddles.seesaw(), alone, c[i : i + 1])
        np.testing.assert_allclose(norm[0], together[i], rtol=1e-5)


def test_starts_and_coefficients_stay_in_their_ranges_and_differ_by_seed():
    for start in (0.5, 3.0):
        players = saddles.matrix_game(games=200, size=3, start=start).init(0)
        for x in (players.gen.params, players.disc.params):
            assert x.shape == (200, 3) and 0.9 * start < np.abs(x).max() <= start
        assert not np.array_equal(players.gen.params, players.disc.params)
    inside, outside = (saddles.scalar_tasks(games=200, low=low, high=high) for low, high in ((0.9, 1), (1, 5)))
    assert inside(0).query == () and inside(0).support.shape == (200, 2)
    assert 0.9 <= inside(0).support.numpy().min() < inside(0).support.numpy().max() <= 1
    assert 1 <= outside(0).support.numpy().min() < 1.2 and 4.8 < outside(0).support.numpy().max() <= 5
    np.testing.assert_array_equal(inside(3).support, inside(3).support)
    assert not np.array_equal(inside(3).support, inside(4).support)


def test_a_third_of_the_sparse_matrices_are_singular_and_can_be_left_out():
    anything = saddles.matrix_tasks(games=300)(0).support
    singular = saddles.smallest_singular_value(anything) < 1e-6
    assert 0.25 < np.mean(singular) < 0.45
    assert abs(np.mean(anything.numpy() == 0) - 0.5) < 0.03 and np.abs(anything).max() <= 1
    invertible = tf.function(saddles.matrix_tasks(games=300, least=0.01))(tf.constant([0, 0])).support
    assert saddles.smallest_singular_value(invertible).numpy().min() >= 0.0099
    assert np.abs(saddles.matrix_tasks(games=50, scale=4.0)(0).support).max() > 3.5


def test_rules_play_saddle_families_unchanged():
    """A rotated saddle at rate 1/4 is a contraction by about √½ per step: 60 steps reach 1e-8."""
    game, c = saddles.rotated_saddle(games=5), saddles.scalar_tasks(games=5)(0).support
    rule = mg.rules.simultaneous(mg.optimizers.sgd(0.25), mg.optimizers.sgd(0.25))
    result = mg.train(game, rule, lambda seed: c, num_steps=60, seed=0, progress=False)
    assert field_norm(game, result.players, c).numpy().max() < 1e-6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: saddles.seesaw(games=0), "games must be a whole number of at least 1, not 0"),
        (lambda: saddles.seesaw(start=0.0), "start must be a finite number above 0"),
        (lambda: saddles.matrix_game(size=2.5), "size must be a whole number of at least 1, not 2.5"),
        (lambda: saddles.scalar_tasks(low=1.0, high=0.9), "0 < low <= high"),
        (lambda: saddles.scalar_tasks(high=math.inf), "0 < low <= high"),
        (lambda: saddles.matrix_tasks(density=0), "density must be in"),
        (lambda: saddles.matrix_tasks(scale=-1.0), "scale must be a finite number above 0"),
        (lambda: saddles.matrix_tasks(least=2.0), "least must be at least 0 and below the scale"),
        (lambda: field_norm(saddles.seesaw(games=2), saddles.seesaw(games=2).init(0), tf.ones([3, 2])),
         "2 games need as many rows of coefficients, not 3"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
