"""The clinic's sheets: each line does what it says, and what is no line is refused by name."""

import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import clinic

SHEET = {
    "noise": "normal(seed)", "reach": "inf", "logit": "D(x)", "loss_G": "mean(sp(-on_fake))",
    "loss_D": "mean(sp(-on_real)) + mean(sp(on_fake))", "gamma": "0", "step_G": "adam(0.003)",
    "step_D": "adam(0.003)", "rounds": "1",
}  # fmt: skip
RING = mg.data.ring()
REAL = RING.sample(32, 1)


def losses_of(sheet, seed=3):
    game = clinic.game(sheet)
    players = game.init(mg.seeds.make(0))
    own = mg.seeds.make(seed)
    return [float(loss(players, REAL, own, mg.games.Hyper())[0]) for loss in (game.gen_loss, game.disc_loss)]


def test_a_sheet_says_the_losses_of_the_package():
    game = clinic.game(SHEET)
    players, seed = game.init(mg.seeds.make(0)), mg.seeds.make(3)
    fake = clinic.generate(players.gen.params, np.inf, mg.seeds.normal([32, clinic.LATENT], seed))
    loss = mg.losses.non_saturating()
    logits = game.score(players, REAL), game.score(players, fake)
    assert losses_of(SHEET) == pytest.approx([float(loss.gen(*logits)), float(loss.disc(*logits))], rel=1e-5)


def test_gamma_adds_r1_to_the_loss_of_d_alone():
    plain, with_r1 = losses_of(SHEET), losses_of(SHEET | {"gamma": "2"})
    assert with_r1[0] == plain[0] and with_r1[1] > plain[1]


def test_the_noise_of_step_0_is_the_same_in_every_step():
    once = SHEET | {"noise": "normal(first)"}
    assert losses_of(once, 3) == losses_of(once, 4)
    assert losses_of(SHEET, 3) != losses_of(SHEET, 4)


def test_reach_bounds_the_samples():
    weights = [5 * tf.convert_to_tensor(w) for w in clinic.nets().gen.init(0)[0]]
    z = mg.seeds.normal([64, clinic.LATENT], mg.seeds.make(1))
    free, bounded = (np.abs(clinic.generate(weights, reach, z)) for reach in (np.inf, 1.5))
    assert free.max() > 1.5 >= bounded.max()


def test_only_a_standardized_point_depends_on_its_companions():
    def apart(logit):
        game = clinic.game(SHEET | {"logit": logit})
        players = game.init(mg.seeds.make(0))
        return np.abs(game.score(players, REAL)[:4] - game.score(players, REAL[:8])[:4]).max()

    assert apart("D(x)") < 1e-5 < 1e-3 < apart("D(standard(x))")


def test_a_chart_is_taken_from_the_run_that_is_played(monkeypatch):
    monkeypatch.setattr(clinic, "STEPS", 4)
    monkeypatch.setattr(clinic, "EVERY", 2)
    weights = clinic.play(SHEET, RING, seed=5)
    seen = clinic.chart(SHEET, RING, seed=5)
    assert seen.steps.tolist() == [2, 4] and seen.paid.shape == (2, 2) and seen.mixed.shape == (2, 128)
    again = clinic.generate(weights, np.inf, mg.seeds.normal([256, 16], mg.seeds.fold_in(mg.seeds.make(5), "chart")))
    np.testing.assert_allclose(seen.samples[-1], again, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"loss_G": "mean(sp(-on_fak))"}, "line loss_G is 'mean"),
        ({"logit": "D(x"}, "line logit"),
        ({"noise": "__import__('os')"}, "line noise"),
        ({"reach": "far"}, "line reach is 'far'; it must be a number"),
        ({"rounds": "1.5"}, "line rounds is '1.5'; it must be a whole number of at least 1"),
        ({"rounds": "0"}, "line rounds is '0'; it must be a whole number of at least 1"),
        ({"rounds": 1.5}, "line rounds is 1.5; it must be a whole number"),
        ({"gamma": "nan"}, "line gamma is 'nan'; it must be a finite number of at least 0"),
        ({"gamma": None}, "line gamma is None"),
        ({"reach": "nan"}, "line reach is 'nan'; it must be a number above 0, or inf"),
        ({"reach": "-3"}, "line reach is '-3'"),
        ({"noise": "3"}, "line noise is '3'; it must be noise of 16 numbers"),
        ({"logit": "x"}, "line logit is 'x'; it must be one number for each point"),
        ({"loss_G": "on_fake"}, "line loss_G is 'on_fake'; it must be one number"),
        ({"step_G": "adam"}, "step_G"),
        ({"rate": "1"}, "a sheet is a dict of the lines noise, reach"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_line(change, said):
    with pytest.raises(ValueError, match=said):
        clinic.play(SHEET | change, RING, seed=0)


def test_what_is_no_sheet_or_lies_in_no_plane_is_refused():
    with pytest.raises(ValueError, match=r"a sheet is a dict of the lines .*, not None"):
        clinic.play(None, RING, seed=0)
    with pytest.raises(ValueError, match=r"the clinic's data are points \(n, 2\), not of shape \(128, 3\)"):
        clinic.play(SHEET, mg.data.mixture(np.eye(3), sd=0.1), seed=0)
