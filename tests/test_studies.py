"""The parts of studies that decide something: the search that all contenders have, what a step costs, and noise."""

import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import seeds
from metagan_edu.games import saddles
from metagan_edu.studies import hand_made, minimax_games, rules_table


def searched(best_lr, best_own=None, own=(None,)):
    """What a search finds, and all that it tried, where the best is known and seeds differ a little."""

    def score(trial, seed):
        wrong = 0 if trial.own == best_own else 1
        return abs(np.log(trial.lr / best_lr)) + wrong + 1e-3 * seed

    return rules_table.search(score, own)


@pytest.mark.parametrize("best, expected", [(3e-4, 3.3e-4), (3e-2, 3e-2), (3e-3, 3e-3), (5e-3, 5.5e-3)])
def test_a_search_follows_the_edge_of_the_grid_and_has_eight_runs(best, expected):
    chosen, tried = searched(best)
    assert chosen.lr == pytest.approx(expected, rel=0.05)
    assert sum(map(len, tried.values())) == 8


def test_a_search_finds_a_contenders_own_setting():
    chosen, tried = searched(1e-3, best_own=10, own=(1, 5, 10))
    assert chosen.own == 10 and sum(map(len, tried.values())) == 8


def test_every_contender_has_three_settings_or_none():
    names = {name.split(", minimax")[0] for name in rules_table.net_rules(rules_table.ring_nets())}
    assert set(rules_table.OWN) <= names and {len(own) for own in rules_table.OWN.values()} == {3}
    assert max(map(len, hand_made.variants().values())) <= 3


def test_a_step_costs_what_the_rule_inside_costs():
    prices = {inside: minimax_games.price(of_rate(0.1)) for inside, of_rate in hand_made.accelerations(5).items()}
    assert prices == {"simultaneous": 1, "alternating": 1, "extragradient": 2}


def test_noise_is_added_to_each_gradient_and_to_no_loss_of_the_other():
    exact = saddles.matrix_game(games=500)
    noisy, players, coefficients = minimax_games.noisy(exact, 0.01), exact.init(0), tf.zeros([500, 5, 5])
    assert minimax_games.noisy(exact, 0.0) is exact
    field = mg.dynamics.field(noisy, players, coefficients, seeds.make(1))
    parts = [np.asarray(x) for x in mg.trees.leaves(field)]
    assert [x.std() for x in parts] == pytest.approx([0.01, 0.01], rel=0.1)
    assert abs(np.corrcoef(parts[0].ravel(), parts[1].ravel())[0, 1]) < 0.1
