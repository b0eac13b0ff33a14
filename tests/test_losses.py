"""Losses and penalties: closed forms, identities, and gradients of first and second order in float64."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import HYPER, gradient_error, hessian_error, points, random_like, smooth_gan

import metagan_edu as mg
from metagan_edu import autodiff, trees

LOSSES = [
    mg.losses.minimax, mg.losses.non_saturating, mg.losses.least_squares, mg.losses.hinge, mg.losses.wasserstein,
    mg.losses.relativistic,
]  # fmt: skip
PENALTIES = [mg.losses.no_penalty, mg.losses.r1(0.7), mg.losses.r2(0.7), mg.losses.gradient_penalty(3.0)]
PENALTIES += [mg.losses.penalties(mg.losses.r1(0.7), mg.losses.r2(0.2))]
REAL = tf.constant([[0.3], [-1.2], [2.0]], tf.float64)
FAKE = tf.constant([[0.9], [-0.4], [-2.5]], tf.float64)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("who", ["gen", "disc"])
def test_loss_gradients_in_the_logits(loss, who):
    def value(logits):
        return getattr(loss(), who)(*logits)

    assert gradient_error(value, (REAL, FAKE)) < 1e-8
    if loss not in (mg.losses.hinge, mg.losses.wasserstein):
        assert hessian_error(value, (REAL, FAKE)) < 1e-7


def third_derivative(fn, x):
    return autodiff.grad(lambda x: autodiff.grad(lambda x: autodiff.grad(fn)(x))(x))(x)


@pytest.mark.parametrize("at", [0.0, 1.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_third_derivatives_of_losses_are_finite_where_a_square_is_zero(loss, at):
    """The eigenvalues of a rule that looks ahead take them, and that of ``x ** 2`` is NaN at 0."""
    for who in ("gen", "disc"):

        def value(logit, who=who):
            logits = tf.reshape(logit, [1, 1])
            return getattr(loss(), who)(logits, logits)

        assert np.isfinite(third_derivative(value, tf.constant(at, tf.float64)))


def test_third_derivatives_of_r1_are_finite_at_a_critic_that_is_flat():
    def penalty(slope):
        return mg.losses.r1(1.0).value(lambda x: slope * x, REAL, FAKE, mg.seeds.make(0), HYPER)

    np.testing.assert_array_equal(third_derivative(penalty, tf.constant(0.0, tf.float64)), 0.0)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("who", ["gen", "disc"])
def test_loss_gradients_in_the_parameters(loss, who):
    check_player(smooth_gan(loss()), who)


@pytest.mark.parametrize("penalty", PENALTIES[1:], ids=["r1", "r2", "gradient_penalty", "penalties"])
def test_penalty_gradients_in_the_parameters(penalty):
    check_player(smooth_gan(penalty=penalty), "disc")


def check_player(game, who):
    """The gradient and Hessian of one player's loss in its own parameters, against central differences."""
    players, batch, seed = game.init(0), points()(None), mg.seeds.make(3)
    own = getattr(players, who)

    @tf.function
    def value(params):
        moved = players._replace(**{who: own._replace(params=params)})
        return getattr(game, f"{who}_loss")(moved, batch, seed, HYPER)[0]

    assert gradient_error(value, own.params) < 1e-7
    assert hessian_error(value, own.params, directions=1) < 1e-6


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


@settings(max_examples=30, deadline=None)
@given(a=st.floats(-20, 20))
def test_slopes_of_the_generators_loss_in_a_fake_logit(a):
    fake, real = tf.constant([[a]], tf.float64), tf.constant([[0.3]], tf.float64)

    def slope(loss):
        return float(autodiff.grad(lambda f: loss.gen(real, f))(fake)[0, 0])

    assert slope(mg.losses.minimax()) == pytest.approx(-sigmoid(a), rel=1e-9)
    assert slope(mg.losses.non_saturating()) == pytest.approx(-sigmoid(-a), rel=1e-9)


def test_values_at_an_undecided_discriminator():
    zero = tf.zeros([4, 1])
    expected = {
        "minimax": (-2 * math.log(2), 2 * math.log(2)), "non_saturating": (math.log(2), 2 * math.log(2)),
        "least_squares": (0.5, 0.5), "hinge": (0, 2), "wasserstein": (0, 0), "relativistic": (math.log(2),) * 2,
    }  # fmt: skip
    for loss in LOSSES:
        values = [float(fn(zero, zero)) for fn in loss()]
        np.testing.assert_allclose(values, expected[loss.__name__], rtol=1e-6)


@pytest.mark.parametrize("loss", [mg.losses.minimax, mg.losses.non_saturating])
def test_confident_logits_stay_finite(loss):
    huge = tf.constant([[1e4]])
    for real, fake in ((huge, -huge), (-huge, huge)):
        assert all(np.isfinite(float(fn(real, fake))) for fn in loss())


def test_minimax_and_wasserstein_are_zero_sum():
    for loss in (mg.losses.minimax(), mg.losses.wasserstein()):
        total = autodiff.grad(lambda f, loss=loss: loss.gen(REAL, f) + loss.disc(REAL, f))(FAKE)
        np.testing.assert_allclose(total, np.zeros((3, 1)), atol=1e-15)


def quadratic_critic(x):
    """D(x) = ½‖x‖² over the whole image, so that ∇D(x) = x."""
    return 0.5 * tf.reduce_sum(x**2, [1, 2, 3])[:, None]


IMAGES = random_like(tf.zeros([4, 3, 3, 2]), 0)
OTHERS = random_like(tf.zeros([4, 3, 3, 2]), 1)


def test_r1_and_r2_are_half_gamma_times_the_mean_squared_norm_over_the_whole_image():
    squares = np.mean(np.sum(np.square(IMAGES), (1, 2, 3)))
    np.testing.assert_allclose(mg.losses.r1(0.7).value(quadratic_critic, IMAGES, OTHERS, None, HYPER), 0.35 * squares)
    np.testing.assert_allclose(mg.losses.r2(0.7).value(quadratic_critic, OTHERS, IMAGES, None, HYPER), 0.35 * squares)


def test_gradient_penalty_takes_the_norm_over_the_whole_image():
    norms = np.sqrt(np.sum(np.square(IMAGES), (1, 2, 3)))
    value = mg.losses.gradient_penalty(2.0).value(quadratic_critic, IMAGES, IMAGES, mg.seeds.make(0), HYPER)
    np.testing.assert_allclose(value, 2 * np.mean((norms - 1) ** 2))


def test_gradient_penalty_has_a_finite_gradient_where_the_critic_is_flat():
    def value(weight):
        penalty = mg.losses.gradient_penalty(1.0)
        critic = lambda x: weight * tf.reduce_sum(x, [1, 2, 3])[:, None]  # noqa: E731
        return penalty.value(critic, IMAGES, OTHERS, mg.seeds.make(0), HYPER)

    assert np.isfinite(autodiff.grad(value)(tf.constant(0.0, tf.float64)))


def test_the_penalty_factor_multiplies_the_penalty_only():
    players, batch = smooth_gan().init(0), points()(None)

    def loss(factor, penalty):
        hyper = HYPER._replace(penalty=factor)
        return float(smooth_gan(penalty=penalty).disc_loss(players, batch, mg.seeds.make(0), hyper)[0])

    plain = loss(1.0, mg.losses.no_penalty)
    np.testing.assert_allclose(loss(3.0, mg.losses.r1(0.5)) - plain, 3 * (loss(1.0, mg.losses.r1(0.5)) - plain))


@pytest.mark.parametrize("penalty", [mg.losses.r1, mg.losses.r2, mg.losses.gradient_penalty])
@pytest.mark.parametrize("weight", [-1.0, math.nan])
def test_a_negative_weight_is_refused(penalty, weight):
    with pytest.raises(ValueError, match="at least 0"):
        penalty(weight)


def test_trees_of_the_players_keep_their_structure():
    players = smooth_gan().init(0)
    tf.nest.assert_same_structure(players, trees.zeros(players))


# -- penalties one step in many


def compiled_penalty(penalty, batch):
    """The penalty of a small smooth D as a compiled function of its weight and the step."""
    critic = lambda w: lambda x: tf.reduce_sum(tf.sin(w * x), 1, keepdims=True)  # noqa: E731

    def value(weight, step):
        return penalty.value(critic(weight), batch, batch, mg.seeds.make(0), HYPER._replace(step=step))

    return value


def test_a_lazy_penalty_is_taken_at_one_step_in_many_with_the_same_mean():
    batch, weight = random_like(tf.zeros([5, 2]), 0), tf.constant(0.7, tf.float64)
    plain, lazy = (compiled_penalty(p, batch) for p in (mg.losses.r1(0.3), mg.losses.lazily(mg.losses.r1(0.3), 4)))
    compiled = tf.function(lambda w, step: (lazy(w, step), autodiff.grad(lambda w: lazy(w, step))(w)))
    values = np.array([compiled(weight, tf.constant(step)) for step in range(8)])
    expected = [plain(weight, None), autodiff.grad(lambda w: plain(w, None))(weight)]
    np.testing.assert_allclose(values.mean(0), expected)
    np.testing.assert_array_equal(values[:, 0] != 0, [True, False, False, False] * 2)
    np.testing.assert_allclose(lazy(weight, 0), expected[0])  # where nothing counts: as it is


def test_a_lazy_penalty_is_right_to_second_order_and_inside_a_loop():
    batch, weight = random_like(tf.zeros([5, 2]), 0), tf.constant(0.7, tf.float64)
    lazy = compiled_penalty(mg.losses.lazily(mg.losses.r1(0.3), 2), batch)

    @tf.function
    def after_steps(w):
        body = lambda i, w: (i + 1, w - 0.1 * autodiff.grad(lambda w: lazy(w, i))(w))  # noqa: E731
        return tf.while_loop(lambda i, w: i < 3, body, (tf.constant(0), w), maximum_iterations=3)[1] ** 2

    assert gradient_error(after_steps, weight, directions=1) < 1e-7
    assert hessian_error(tf.function(lambda w: lazy(w, tf.constant(4))), weight, directions=1) < 1e-7


def test_a_lazy_penalty_computes_nothing_on_the_other_steps():
    calls = []

    def counted(critic, real, fake, seed):
        tf.py_function(lambda: calls.append(1), [], [])
        return tf.reduce_sum(critic(real)) * 0

    lazy = tf.function(compiled_penalty(mg.losses.lazily(counted, 4), random_like(tf.zeros([5, 2]), 0)))
    for step in range(9):
        lazy(tf.constant(0.7, tf.float64), tf.constant(step))
    assert len(calls) == 3


def test_the_cost_of_a_lazy_penalty_is_its_share():
    penalty = mg.losses.r1(1.0)
    assert mg.losses.lazily(penalty, 16).gradients == penalty.gradients / 16 > 0
    game = smooth_gan(penalty=mg.losses.lazily(penalty, 16))
    assert game.cost.disc == 1 + penalty.gradients / 16
    with pytest.raises(ValueError, match="every must be a whole number of at least 1, not 0"):
        mg.losses.lazily(penalty, 0)


def test_a_lazy_penalty_is_played_by_the_loop():
    game = smooth_gan(penalty=mg.losses.lazily(mg.losses.r1(0.5), 2))
    sgd = mg.optimizers.sgd(0.1)
    run = mg.train(game, mg.rules.simultaneous(sgd, sgd), points(), num_steps=4, seed=0, progress=False)
    plain = mg.train(smooth_gan(), mg.rules.simultaneous(sgd, sgd), points(), num_steps=4, seed=0, progress=False)
    moved = trees.norm(trees.sub(run.players.disc.params, plain.players.disc.params))
    assert float(moved) > 1e-6


# -- what is handed over as a loss or a penalty


@pytest.mark.parametrize(
    ("loss", "message"),
    [("hinge", r"not 'hinge'; write loss=mg\.losses\.hinge\(\)\."), (3, r"not 3; write loss=mg\.losses")],
)
def test_what_is_no_loss_is_refused_with_the_line_to_write(loss, message):
    with pytest.raises(ValueError, match=message):
        smooth_gan(loss=loss)


@pytest.mark.parametrize(
    ("penalty", "message"),
    [
        (mg.losses.r1, r"r1 needs its arguments; write penalty=mg\.losses\.r1\(0\.1\)\."),
        ("r1", r"write penalty=mg\.losses\.r1\(0\.1\)\."),
        ("gradient_penalty", r"write penalty=mg\.losses\.gradient_penalty\(\)\."),
        (mg.losses.lazily, r"write penalty=mg\.losses\.lazily\(mg\.losses\.r1\(0\.1\)\)"),
        (lambda critic, real: 0.0, r"or a function \(critic, real, fake, seed\) -> scalar"),
        (0.1, "not 0.1"),
    ],
)
def test_what_is_no_penalty_is_refused_with_the_line_to_write(penalty, message):
    with pytest.raises(ValueError, match=message):
        smooth_gan(penalty=penalty)


def test_functions_that_need_no_argument_stand_for_what_they_make():
    assert smooth_gan(loss=mg.losses.hinge) is smooth_gan(loss=mg.losses.hinge())
    assert smooth_gan(penalty=mg.losses.gradient_penalty) is smooth_gan(penalty=mg.losses.gradient_penalty())
    assert smooth_gan(penalty=None) is smooth_gan()


def test_a_plain_function_is_a_penalty_that_counts_as_free():
    def drift(critic, real, fake, seed):
        return 0.5 * tf.reduce_mean(critic(real) ** 2)

    game, batch, seed = smooth_gan(penalty=drift), points()(None), mg.seeds.make(0)
    players = game.init(0)
    plain = smooth_gan().disc_loss(players, batch, seed, HYPER)[0]
    expected = plain + 0.5 * tf.reduce_mean(game.score(players, batch) ** 2)
    np.testing.assert_allclose(game.disc_loss(players, batch, seed, HYPER)[0], expected)
    assert game.cost == (1.0, 1.0) and smooth_gan(penalty=drift) is game
