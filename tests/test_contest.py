"""Strategies as plain data: what a run costs, what is refused, and that schedules and gains do what is said."""

import json

import numpy as np
import pytest
import tensorflow as tf

from metagan_edu import contest

PLAIN = {"gen_lr": [0.002], "disc_lr": [0.02], "penalty": [0.1]}
SHORT = {**PLAIN, "batch": 256, "disc_steps": 10}  # 4 steps


@pytest.mark.parametrize(
    ("changed", "steps"),
    [
        ({}, 100),
        ({"batch": 128}, 50),
        ({"penalty": []}, 100),
        ({"penalty": [], "batch": 32}, 143),
        ({"rule": "optimistic"}, 100),
        ({"rule": "extragradient"}, 50),
        ({"disc_steps": 5, "batch": 8}, 27),
    ],
)
def test_the_budgets_of_gradients_and_examples_set_the_number_of_steps(changed, steps):
    assert contest.num_steps(PLAIN | changed) == steps


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rates": [1.0]}, "a strategy is a dict"),
        ({"rule": "unrolled"}, "rule"),
        ({"rule": "optimistic", "disc_steps": 2}, "alternating"),
        ({"disc_steps": 11}, "disc_steps"),
        ({"batch": 7}, "batch"),
        ({"gen_lr": []}, "1 to 50"),
        ({"gen_lr": [0.1] * 51}, "1 to 50"),
        ({"gen_lr": [2.0]}, "gen_lr"),
        ({"gen_lr": [float("nan")]}, "gen_lr"),
        ({"gen_lr": "fast"}, "numbers"),
        ({"gen_lr": ["0.001"]}, "gen_lr must be numbers, not"),
        ({"gen_lr": [[0.1], [0.1, 0.2]]}, "gen_lr must be numbers, not"),
        ({"penalty": [0.1] * 51}, "penalty has 1 to 50 values, not 51"),
        ({"penalty": [0.0]}, "penalty"),
        ({"gains": [0.0] * 6}, "shape"),
        ({"disc_layers": [1.0] * 5}, "shape"),
    ],
)
def test_what_is_no_strategy_is_refused_in_a_sentence(changed, said):
    with pytest.raises(ValueError, match=said):
        contest.as_text(PLAIN | changed)


def test_a_strategy_without_its_rates_is_refused():
    with pytest.raises(ValueError, match="a strategy is a dict"):
        contest.play({"gen_lr": [0.1]}, contest.mixtures(), [0])


def test_every_schedule_has_up_to_50_values():
    assert contest.num_steps(PLAIN | dict.fromkeys(contest.SCHEDULES, [0.1] * 50)) == 100


@pytest.mark.parametrize("numbers", [[], [1.5], [-1], "ab"])
def test_tasks_are_whole_numbers_and_at_least_one(numbers):
    with pytest.raises(ValueError, match="numbers"):
        contest.play(PLAIN, contest.mixtures(), numbers)


@pytest.mark.parametrize(("values", "base"), [([], []), ([np.nan], [1.0]), ([1.0, 2.0], [1.0]), ([1.0, 2.0], 1.0)])
def test_a_lead_over_other_tasks_or_of_no_numbers_is_refused(values, base):
    with pytest.raises(ValueError, match="on the same tasks"):
        contest.lead(values, base)


def test_text_holds_all_of_a_strategy():
    whole = json.loads(contest.as_text(PLAIN | {"gen_lr": np.array([0.5])}))
    assert whole == contest.OTHERS | PLAIN | {"gen_lr": [0.5]}


def test_a_lead_is_a_share_of_the_geometric_mean():
    base = np.array([0.01, 0.09])
    assert contest.lead((0.01 + base) * 0.75 - 0.01, base) == pytest.approx(25)


def test_a_run_without_a_finite_end_has_failed_even_where_it_would_lead(monkeypatch):
    """Points so far apart that their squared distance overflows have the energy distance -inf."""
    ends = tf.constant([np.nan, np.inf, -np.inf, 0.5])
    monkeypatch.setattr(contest, "_runner", lambda shape: lambda theta, tasks: ends)
    found = contest._played.__wrapped__(contest.as_text(PLAIN), contest.mixtures(3), (0,))
    np.testing.assert_array_equal(found, [contest.FAILED] * 3 + [0.5])


def test_schedules_gains_and_layers_do_what_is_said():
    draw = contest.mixtures(3)

    def end(**changed):
        return contest.play(SHORT | changed, draw, range(2))

    plain = end()
    np.testing.assert_allclose(end(gen_lr=[0.002] * 3), plain, rtol=1e-4)
    np.testing.assert_allclose(end(gen_lr=[0.0002], gen_layers=[10.0] * 6), plain, rtol=1e-3)
    assert not np.allclose(end(gen_lr=[0.002, 0.02]), plain, rtol=1e-3)
    assert not np.allclose(end(gains=[[3.0, 0.0], [0.0, 0.0], [0.0, 0.0]]), plain, rtol=1e-3)
    np.testing.assert_array_equal(contest.play(SHORT, draw, [1]), plain[1:])


def test_the_losses_of_an_equilibrium_set_no_factor():
    theta = (np.zeros((contest.MOMENTS, 3), np.float32), np.ones((3, 2), np.float32))
    features = np.array([0.3, 0, 0, *contest.EQUILIBRIUM, 5, 5], np.float32)
    np.testing.assert_allclose(contest._log_factors(theta, features), 0, atol=1e-6)
