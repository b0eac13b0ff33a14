"""Acceleration with memory: GMRES on linear fields, NumPy's least squares elsewhere, games side by side."""

import numpy as np
import pytest
import tensorflow as tf
from oracles import HYPER, double, points, smooth_gan

import metagan_edu as mg
from metagan_edu import seeds, trees
from metagan_edu.games import saddles
from metagan_edu.rules import joint

BATCH = points()


def place(rule, state):
    return trees.flatten(joint.params(rule.players(state)))[0].numpy()


def path(inner, game, num_steps, batches=mg.games.no_data, **options):
    """Parameters before each step, and the moves that ``inner`` would make there, (num_steps + 1, n), in float64."""
    rule = mg.rules.anderson(inner, **options)
    state, places, moves = double(rule.init(game, game.init(0))), [], []
    for t in range(num_steps + 1):
        alone, _ = inner.step(game, state.inner, batches, seeds.make(t), HYPER)
        places.append(place(rule, state))
        moves.append(place(inner, alone) - places[-1])
        state, _ = rule.step(game, state, batches, seeds.make(t), HYPER)
    return np.array(places), np.array(moves)


def plain(rule, lr):
    return rule(mg.optimizers.sgd(lr), mg.optimizers.sgd(lr))


@pytest.mark.parametrize("lr", [0.5, 1.0])
def test_on_a_linear_game_it_ends_after_one_step_more_than_there_are_numbers(lr):
    """x and y of three numbers each: GMRES ends after 6 steps, and the next move goes there."""
    game, inner = mg.games.bilinear(np.random.default_rng(0).normal(size=(3, 3))), plain(mg.rules.alternating, lr)
    places, moves = path(inner, game, 7, memory=6)
    size = np.linalg.norm(moves, axis=1)
    assert size[7] < 1e-5 * size[0] and size[6] > 1e-4 * size[0]
    np.testing.assert_allclose(places[7], 0, atol=1e-4)
    assert np.linalg.norm(path(inner, game, 7, memory=5)[1][7]) > 1e-4 * size[0]


def test_it_stands_still_where_a_step_gains_nothing():
    """Simultaneous moves turn by a right angle: no multiple of the last change is nearer to 0 (Walker & Ni 2011)."""
    places, _ = path(plain(mg.rules.simultaneous, 0.5), mg.games.bilinear(), 2)
    np.testing.assert_allclose(places[2], places[1], rtol=1e-9)
    assert np.linalg.norm(path(plain(mg.rules.alternating, 0.5), mg.games.bilinear(), 6)[0][-1]) < 1e-9


def test_a_step_is_that_of_least_squares():
    memory = 3
    places, moves = path(plain(mg.rules.alternating, 0.3), smooth_gan(), 6, BATCH, memory=memory)
    np.testing.assert_allclose(places[1], places[0] + moves[0], rtol=1e-12)
    for t in range(1, 6):
        s, y = (np.diff(x[max(0, t - memory) : t + 1], axis=0).T for x in (places, moves))
        gamma = np.linalg.lstsq(y, moves[t], rcond=None)[0]
        expected = places[t] - s @ gamma + moves[t] - y @ gamma
        np.testing.assert_allclose(places[t + 1], expected, rtol=1e-6)


def test_at_an_equilibrium_it_stays():
    game = mg.games.bilinear(start=((0.0,), (0.0,)))
    assert not path(plain(mg.rules.alternating, 0.5), game, 3)[0].any()


def test_games_side_by_side_are_each_its_own():
    coefficients = saddles.scalar_tasks(games=3, low=0.5, high=2.0)(seeds.make(1)).support
    inner, options = plain(mg.rules.alternating, 0.2), {"memory": 2, "gram": saddles.game_gram}
    together = path(inner, saddles.rotated_saddle(games=3), 5, lambda seed: coefficients, **options)[0]
    start = saddles.rotated_saddle(games=3).init(0)
    for row in range(3):
        own, players = coefficients[row : row + 1], trees.map(lambda x, row=row: x[row : row + 1], start)
        one = saddles.rotated_saddle(games=1)._replace(init=lambda seed, players=players: players)
        alone = path(inner, one, 5, lambda seed, own=own: own, memory=2)[0]
        np.testing.assert_allclose(alone, together.reshape(6, 2, 3)[:, :, row], rtol=1e-6)


def test_a_game_that_leaves_all_bounds_stops_no_other():
    """Whether a NaN counts as a matrix without inverse, for which the whole stack stops, is TensorFlow's own affair."""
    inner, options = plain(mg.rules.alternating, 0.2), {"memory": 3, "gram": saddles.game_gram}
    coefficients = saddles.scalar_tasks(games=3, low=0.5, high=2.0)(seeds.make(1)).support
    beyond = tf.tensor_scatter_nd_update(coefficients, [[1]], [1e200 * tf.ones_like(coefficients[1])])
    games = saddles.rotated_saddle(games=3)
    tame, wild = (path(inner, games, 5, lambda seed, c=c: c, **options)[0] for c in (coefficients, beyond))
    tame, wild = (places.reshape(6, 2, 3) for places in (tame, wild))
    np.testing.assert_array_equal(wild[:, :, [0, 2]], tame[:, :, [0, 2]])
    assert not np.isfinite(wild[-1, :, 1]).any()


def test_no_memory_is_refused():
    with pytest.raises(ValueError, match="memory must be a whole number of at least 1, not 0"):
        mg.rules.anderson(plain(mg.rules.alternating, 0.1), memory=0)
