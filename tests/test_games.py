"""Games: closed forms of the Dirac-GAN and the bilinear game, and what a GAN refuses."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import HYPER, points, smooth_gan

import metagan_edu as mg
from metagan_edu.games import Player, Players

ORIGIN = (0.0, 0.0)


def at(theta, psi):
    return Players(*(Player(tf.constant(v, tf.float64)) for v in (theta, psi)))


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


@settings(max_examples=20, deadline=None)
@given(gen=st.floats(-2, 2), disc=st.floats(-2, 2))
def test_field_of_the_dirac_gan_in_closed_form(gen, disc):
    """With D high on real data ``v = (d σ(sdg), -g σ(dg))``, s = 1 for minimax and -1 for non-saturating."""
    for loss, sign in ((mg.losses.minimax(), 1), (mg.losses.non_saturating(), -1)):
        v = mg.dynamics.field(mg.games.dirac(loss), at(gen, disc))
        np.testing.assert_allclose(v.gen, disc * sigmoid(sign * disc * gen), atol=1e-12)
        np.testing.assert_allclose(v.disc, -gen * sigmoid(disc * gen), atol=1e-12)


@pytest.mark.parametrize("loss", [mg.losses.minimax(), mg.losses.non_saturating()])
def test_the_dirac_gan_rotates(loss):
    np.testing.assert_allclose(np.sort_complex(mg.dynamics.eigenvalues(mg.games.dirac(loss), at=ORIGIN)), [-0.5j, 0.5j])


@pytest.mark.parametrize("gamma", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("penalty", [mg.losses.r1, mg.losses.r2])
def test_r1_damps_the_dirac_gan_as_in_closed_form(penalty, gamma):
    """λ = -γ/2 ± √(γ²/4 - 1/4); critical damping at γ = 1 (Mescheder et al. 2018)."""
    values = mg.dynamics.eigenvalues(mg.games.dirac(penalty=penalty(gamma)), at=ORIGIN)
    root = np.sqrt(complex(gamma**2 / 4 - 0.25))
    expected = np.sort_complex([-gamma / 2 + root, -gamma / 2 - root])
    np.testing.assert_allclose(np.sort_complex(values), expected, atol=1e-7)


@pytest.mark.parametrize("h", [0.05, 0.2, 1.0])
def test_update_maps_of_the_dirac_gan_in_closed_form(h):
    dirac, sgd = mg.games.dirac(mg.losses.minimax()), mg.optimizers.sgd(h)

    def modulus(rule):
        return abs(mg.dynamics.eigenvalues(dirac, rule, at=ORIGIN))

    np.testing.assert_allclose(modulus(mg.rules.simultaneous(sgd, sgd)), [math.sqrt(1 + h**2 / 4)] * 2)
    np.testing.assert_allclose(modulus(mg.rules.alternating(sgd, sgd)), [1, 1])
    np.testing.assert_allclose(modulus(mg.rules.alternating(sgd, sgd, first="gen")), [1, 1])


@pytest.mark.parametrize("num_unroll", [1, 5, 10])
def test_unrolling_damps_the_generator_by_two_k_eta_slope_squared(num_unroll):
    """One step of the linearized map: [[1 - h·Kη/2·…]]: φ_G is damped by 2Kη f'(0)² = Kη/2, which acts as R1 does on
    φ_D."""
    h = 0.2
    sgd = mg.optimizers.sgd(h)
    rule = mg.rules.unrolled(sgd, sgd, num_unroll=num_unroll)
    values = mg.dynamics.eigenvalues(mg.games.dirac(mg.losses.minimax()), rule, at=ORIGIN)
    expected = np.linalg.eigvals([[1 - h * num_unroll * h / 2, h / 2], [-h / 2, 1]])
    np.testing.assert_allclose(np.sort_complex(values), np.sort_complex(expected), atol=1e-7)


@pytest.mark.parametrize("beta", [0.5, -0.5])
def test_eigenvalues_of_a_rule_include_its_slots(beta):
    h = 0.1
    rule = mg.rules.simultaneous(mg.optimizers.momentum(h, beta), mg.optimizers.momentum(h, beta))
    values = mg.dynamics.eigenvalues(mg.games.bilinear(), rule, at=([0.0], [0.0]))
    rotation = np.array([[0.0, 1.0], [-1.0, 0.0]])
    update = np.block([[np.eye(2) - h * rotation, -h * beta * np.eye(2)], [rotation, beta * np.eye(2)]])
    np.testing.assert_allclose(np.sort_complex(values), np.sort_complex(np.linalg.eigvals(update)), atol=1e-9)


def test_eigenvalues_of_the_bilinear_game_are_plus_minus_i_times_the_singular_values():
    matrix = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)
    values = mg.dynamics.eigenvalues(mg.games.bilinear(matrix), at=([0.0] * 3, [0.0] * 3))
    singular = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(np.sort(values.imag), np.sort([*singular, *-singular]), atol=1e-9)
    np.testing.assert_allclose(values.real, 0, atol=1e-9)


def test_minimax_gan_is_zero_sum_and_hyper_is_neutral():
    game, batch, seed = smooth_gan(mg.losses.minimax()), points()(None), mg.seeds.make(0)
    players = game.init(0)
    gen, disc = (loss(players, batch, seed, HYPER)[0] for loss in (game.gen_loss, game.disc_loss))
    np.testing.assert_allclose(gen, -disc)


def test_players_start_from_seeds_of_their_own():
    net = mg.networks.mlp(2, (4,), 1)
    players = mg.games.gan(mg.networks.mlp(1, (4,), 2), net).init(0)
    again = mg.games.gan(mg.networks.mlp(1, (4,), 2), net).init(0)
    np.testing.assert_array_equal(players.disc.params[0], again.disc.params[0])


def test_samples_are_a_function_of_their_seed():
    game = smooth_gan()
    players = game.init(0)
    first, again, other = (mg.sample(game, players, 1500, seed=seed) for seed in (1, 1, 2))
    assert first.shape == (1500, 2)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any() and (first[:500] != first[1000:]).any()


def test_networks_that_do_not_fit_are_refused():
    mlp = mg.networks.mlp
    with pytest.raises(ValueError, match=r"makes \(3,\), but the discriminator takes \(2,\)"):
        mg.games.gan(mlp(4, (), 3), mlp(2, (), 1))
    with pytest.raises(ValueError, match="one logit"):
        mg.games.gan(mlp(4, (), 2), mlp(2, (), 3))
    with pytest.raises(ValueError, match="take noise"):
        mg.games.gan(mg.networks.dcgan_discriminator((8, 8, 1), width=8), mlp(1, (), 1))


def test_a_batch_that_does_not_fit_is_refused():
    game = smooth_gan()
    with pytest.raises(ValueError, match=r"\(5, 3\).*takes \(n, \*\(2,\)\)"):
        game.disc_loss(game.init(0), tf.zeros([5, 3], tf.float64), mg.seeds.make(0), HYPER)


def test_a_bilinear_game_needs_a_matrix():
    with pytest.raises(ValueError, match="two axes"):
        mg.games.bilinear([1.0, 2.0])


@pytest.mark.parametrize(
    ("at", "message"),
    [((0.0,), "not 1 values"), ((0.0, 0.0, 0.0), "not 3 values"), (([0.0], 0.0), r"shapes \[\(1,\), \(\)\], but")],
)
def test_a_point_of_another_shape_is_refused(at, message):
    with pytest.raises(ValueError, match=message):
        mg.dynamics.eigenvalues(mg.games.dirac(), at=at)


def test_a_start_that_does_not_fit_the_matrix_is_refused():
    with pytest.raises(ValueError, match=r"matrix \(1, 2\) needs .* \(1,\) and \(1,\)"):
        mg.games.bilinear([[1.0, 2.0]], start=([1.0], [1.0]))


def test_a_batch_of_whole_numbers_is_refused():
    game = mg.games.gan(mg.networks.mlp(2, (3,), 2), mg.networks.mlp(2, (3,), 1))
    with pytest.raises(ValueError, match="floating-point numbers, not int32"):
        game.disc_loss(game.init(0), tf.zeros([4, 2], tf.int32), mg.seeds.make(0), mg.games.Hyper())


# --- What is seen of a game -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("minimax", lambda a: 1 / (1 + np.exp(-a))),
        ("non_saturating", lambda a: 1 / (1 + np.exp(a))),
        ("wasserstein", np.ones_like),
    ],
)
def test_a_snapshot_pulls_each_sample_down_its_own_loss(dims, name, slope):
    """The oracle: ``-ℓ'`` by hand, and ``∂D/∂x`` by central differences."""
    loss = getattr(mg.losses, name)()
    nets = mg.networks.mlp(3, (5,), dims, activation="tanh"), mg.networks.mlp(dims, (5,), 1, activation="tanh")
    game = mg.games.gan(*nets, loss=loss)
    players = game.init(mg.seeds.make(0))
    shot = mg.dynamics.snapshot(game, players, loss=loss, n=4, seed=1)
    score = lambda x: game.score(players, tf.constant(x, tf.float32)).numpy()[:, 0]  # noqa: E731
    np.testing.assert_allclose(shot.generated, mg.sample(game, players, 4, seed=1))
    np.testing.assert_allclose(shot.logits, score(shot.grid), rtol=1e-5, atol=1e-6)
    assert shot.grid.shape == ((401, 1), (61 * 61, 2))[dims - 1] and abs(shot.grid).max() == 3
    logits, away = score(shot.generated), 0.01 * np.eye(dims)
    rises = np.stack([(score(shot.generated + h) - score(shot.generated - h)) / 0.02 for h in away], 1)
    np.testing.assert_allclose(shot.pull, slope(logits)[:, None] * rises, rtol=2e-2, atol=1e-4)


def test_without_samples_or_with_three_dimensions_there_is_no_snapshot():
    three = mg.games.gan(mg.networks.mlp(2, (4,), 3), mg.networks.mlp(3, (4,), 1))
    with pytest.raises(ValueError, match="with a generator, a discriminator and no labels"):
        mg.dynamics.snapshot(mg.games.bilinear(), mg.games.bilinear().init(mg.seeds.make(0)))
    with pytest.raises(ValueError, match=r"of samples \(n, 1\) or \(n, 2\), not \(32, 3\)"):
        mg.dynamics.snapshot(three, three.init(mg.seeds.make(0)))


def test_turns_are_counted_without_jumps():
    angle = np.linspace(0.5, 0.5 - 6 * np.pi, 50)
    path = np.stack([np.cos(angle), np.sin(angle)], 1) * np.linspace(1, 3, 50)[:, None]
    np.testing.assert_allclose(mg.dynamics.turns(path), np.linspace(0, -3, 50), atol=1e-12)
    with pytest.raises(ValueError, match=r"shape \(steps, 2\), not \(50, 3\)"):
        mg.dynamics.turns(np.zeros((50, 3)))


def test_between_two_noises_lies_a_great_circle():
    start, end = np.array([3.0, 0, 0, 0]), np.array([0, 0, 0, 3.0])
    way = mg.games.between(start, end, 5)
    assert way.dtype == np.float32
    np.testing.assert_allclose(way[[0, -1]], [start, end], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), 3, rtol=1e-6)
    np.testing.assert_allclose(way[2], [3 / 2**0.5, 0, 0, 3 / 2**0.5], rtol=1e-6)
    for bad, message in (((start, -start, 5), "on one line"), ((start, end[:2], 5), r"\(4,\), \(2,\) and 5"),
                         ((start, end, 1), "and 1")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            mg.games.between(*bad)
