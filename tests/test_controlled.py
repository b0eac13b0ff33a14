"""Controllers: what they set reaches the step, is combined with what comes from outside, and can be differentiated."""

import numpy as np
import pytest
import tensorflow as tf
from oracles import HYPER, double, gradient_error, points, smooth_gan

import metagan_edu as mg
from metagan_edu import seeds, trees
from metagan_edu.games import Hyper, Players
from metagan_edu.rules import base, controlled
from metagan_edu.rules.controlled import combine
from metagan_edu.rules.controllers import balance, schedule

SGD, ADAM = mg.optimizers.sgd(0.1), mg.optimizers.adam(0.05)
PLAIN = mg.rules.simultaneous(SGD, ADAM)
BATCH = points()


def run(rule, num_steps, hyper=HYPER):
    game = smooth_gan(penalty=mg.losses.r1(0.3))
    state = rule.init(game, game.init(0))
    for t in range(num_steps):
        state, info = rule.step(game, state, BATCH, seeds.make(t), hyper)
    return state, info


def assert_close(first, second, rtol=1e-6):
    for a, b in zip(trees.leaves(first), trees.leaves(second), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-7 if rtol else 0)


def always(hyper):
    return mg.rules.Controller(lambda game, players: ((), hyper), lambda c, info: (c, hyper))


def watched(losses, controller):
    """The hyper that a controller sets while it sees these losses of the discriminator."""
    game = smooth_gan()
    c, hyper = controller.init(game, game.init(0))
    for loss in losses:
        c, hyper = controller.update(c, base.info(game, (tf.constant(0.0), tf.constant(loss)), []))
    return hyper


def test_a_controller_that_sets_nothing_changes_nothing():
    assert_close(run(controlled(PLAIN, always(Hyper())), 3)[0].inner, run(PLAIN, 3)[0])


HYPERS = {
    "rates": Hyper(lr=Players(0.5, 2.0)),
    "penalty": Hyper(penalty=0.3),
    "clipping": Hyper(clip=Players(0.01, 0.02)),
}


@pytest.mark.parametrize("name", HYPERS)
def test_what_a_controller_sets_reaches_every_step(name):
    inside = run(controlled(PLAIN, always(HYPERS[name])), 3)[0].inner
    assert_close(inside, run(PLAIN, 3, HYPERS[name])[0])
    assert float(trees.norm(trees.sub(inside.players, run(PLAIN, 3)[0].players))) > 1e-4


def test_controllers_nest_as_products_and_the_smaller_threshold():
    first, second = HYPERS["rates"]._replace(clip=Players(0.01, 5.0)), Hyper(Players(3.0, 0.5), 0.3, Players(0.2, 0.02))
    nested = controlled(controlled(PLAIN, always(first)), always(second))
    expected = Hyper(lr=Players(1.5, 1.0), penalty=0.3, clip=Players(0.01, 0.02))
    assert_close(run(nested, 2)[0].inner.inner, run(PLAIN, 2, expected)[0])


def test_factors_per_parameter_and_for_the_whole_player_are_combined():
    params = smooth_gan().init(0).gen.params
    tree = trees.map(lambda p: tf.fill(p.shape, tf.constant(2.0, p.dtype)), params)
    for first, second in [(tree, 3.0), (3.0, tree), (tree, trees.map(lambda x: 1.5 * x, tree))]:
        together = combine(Hyper(lr=Players(first, 1.0)), Hyper(lr=Players(second, 1.0)))
        assert_close(together.lr.gen, trees.map(lambda x: 3 * x, tree))


def test_clipping_bounds_the_step_of_each_player():
    start, after = smooth_gan().init(0), run(PLAIN, 1, HYPERS["clipping"])[0]
    step = trees.sub(after.players.gen.params, start.gen.params)
    np.testing.assert_allclose(float(trees.norm(step)), 0.1 * 0.01, rtol=1e-6)
    assert_close(run(PLAIN, 2, Hyper(clip=Players(np.inf, np.inf)))[0], run(PLAIN, 2)[0])


def test_a_schedule_as_a_controller_is_the_schedule_in_the_optimizer():
    cosine = mg.optimizers.cosine_decay(1.0, 5)
    decayed = mg.optimizers.adam(lambda t: 0.05 * cosine(t))
    plain = mg.rules.simultaneous(ADAM, ADAM)
    both = controlled(plain, schedule(cosine))
    assert_close(run(both, 4)[0].inner.players, run(mg.rules.simultaneous(decayed, decayed), 4)[0].players, rtol=1e-6)
    constant = mg.optimizers.constant(1.0)
    penalty = controlled(plain, schedule(constant, penalty=lambda t: 0.0 * cosine(t)))
    assert_close(run(penalty, 4)[0].inner, run(plain, 4, Hyper(penalty=0.0))[0])


def test_balance_holds_back_who_is_winning_and_lets_go_again():
    controller = balance(low=0.7, high=1.3, speed=0.1, memory=0.0, limit=1.0, clip=Players(2.0, 4.0))
    disc_wins, disc_loses = watched([0.1] * 5, controller), watched([2.0] * 5, controller)
    np.testing.assert_allclose(disc_wins.lr, [1.0, np.exp(-0.5)], rtol=1e-5)
    np.testing.assert_allclose(disc_loses.lr, [np.exp(-0.5), 1.0], rtol=1e-5)
    np.testing.assert_allclose(disc_wins.clip, [2.0, 4 * np.exp(-0.5)], rtol=1e-5)
    np.testing.assert_allclose(watched([0.1] * 50, controller).lr.disc, np.exp(-1.0), rtol=1e-5)
    np.testing.assert_allclose(watched([0.1] * 5 + [1.0] * 200, controller).lr, 1.0, rtol=1e-5)


def test_balance_sees_the_running_mean():
    controller = balance(low=0.7, high=1.3, speed=0.1, memory=0.5)
    np.testing.assert_allclose(watched([0.5], controller).lr, 1.0)  # m = 0.75
    assert float(watched([0.5, 0.5], controller).lr.disc) < 1  # m = 0.625


def test_a_controller_can_be_differentiated_through_the_losses_that_it_sees():
    """Three full steps in float64, with rates, penalty and thresholds that depend on theta and on the last losses."""
    game = smooth_gan(penalty=mg.losses.r1(0.3))
    start = double(game.init(0))
    theta = tf.constant([0.3, -0.2, 0.1, 0.2, -0.1], tf.float64)

    @tf.function
    def outer(theta):
        def hyper(gen_loss, disc_loss):
            a, b, c, d, e = tf.unstack(tf.exp(theta * (1 + tf.stack([gen_loss, disc_loss, gen_loss, disc_loss, 1.0]))))
            return Hyper(Players(a, b), c, Players(0.05 * d, 0.05 * e))

        one = tf.ones((), tf.float64)
        controller = mg.rules.Controller(
            lambda game, players: ((), hyper(one, one)),
            lambda c, info: (c, hyper(info.scalars["gen_loss"], info.scalars["disc_loss"])),
        )
        rule = controlled(mg.rules.alternating(SGD, ADAM), controller)
        state = rule.init(game, start)
        for t in range(3):
            state, _ = rule.step(game, state, BATCH, seeds.make(t), HYPER)
        players = rule.view(state)
        return game.gen_loss(players, BATCH(None), seeds.make(9), HYPER)[0] + trees.norm(players.disc.params)

    assert gradient_error(outer, theta) < 1e-6


def test_a_controlled_rule_trains_and_resumes(tmp_path):
    game = mg.games.gan(mg.networks.mlp(2, (8,), 2), mg.networks.mlp(2, (8,), 1), penalty=mg.losses.r1(0.1))
    rule = controlled(PLAIN, balance(clip=Players(1.0, 1.0)))
    batches = mg.data.ring().batches(16)
    whole = mg.train(game, rule, batches, num_steps=6, seed=0, progress=False)
    mg.train(game, rule, batches, num_steps=3, seed=0, progress=False, checkpoint=tmp_path)
    resumed = mg.train(game, rule, batches, num_steps=6, seed=0, progress=False, checkpoint=tmp_path, resume=True)
    assert_close(whole.state, resumed.state, rtol=0)


@pytest.mark.parametrize(
    "arguments", [{"low": 2.0}, {"speed": -0.1}, {"memory": 1.0}, {"limit": -1.0}, {"clip": Players(0.0, 1.0)}]
)
def test_values_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        balance(**arguments)
