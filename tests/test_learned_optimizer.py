"""The learned minimax optimizer: its meta-gradient, what it is at its start, the safeguard, truncated windows."""

import numpy as np
import pytest
import tensorflow as tf
from oracles import HYPER, double, gradient_error, points, random_like, relative_error

import metagan_edu as mg
from metagan_edu import autodiff, seeds, trees
from metagan_edu.data import Task
from metagan_edu.games import Players, saddles
from metagan_edu.meta import coordinatewise
from metagan_edu.meta.base import advance, begin, view

BODIES = {"mlp": coordinatewise.mlp(5), "lstm": coordinatewise.lstm(4)}
SEED = seeds.make(0)
GAMES = saddles.mixed(games=6, size=3)
TASK = Task(tf.cast(saddles.mixed_tasks(games=6, size=3)(1).support, tf.float64), ())
OUTER = mg.meta.log_field_norm()


def learner(name, **options):
    return mg.meta.learned_optimizer(GAMES, body=BODIES[name], gram=saddles.game_gram, **options)


def away(theta):
    """A theta in general position, in float64."""
    return trees.add(double(theta), trees.scale(0.1, random_like(theta, 1)))


def from_double(game):
    return game._replace(init=lambda seed: double(game.init(seed)))


# -- the meta-gradient


@pytest.mark.parametrize("name", BODIES)
def test_gradient_through_three_steps_agrees_with_central_differences(name):
    exact = mg.meta.learned_optimizer(from_double(GAMES), body=BODIES[name], gram=saddles.game_gram, hold=tf.identity)

    def value(theta):
        inner, _ = advance(exact, theta, begin(exact, theta, SEED), TASK, 3, SEED)
        return OUTER(GAMES, theta, view(exact, theta, inner), TASK, SEED)

    assert gradient_error(tf.function(value, autograph=False), away(exact.init(0))) < 1e-6


def test_the_same_on_a_gan_whose_tensors_are_of_many_shapes():
    nets = [mg.networks.mlp(2, (3,), outputs, activation="tanh", dtype="float64") for outputs in (2, 1)]
    game = mg.games.gan(*nets)
    exact = mg.meta.learned_optimizer(from_double(game), body=BODIES["mlp"], hold=tf.identity)
    task = Task(points()(None), points(seed=1)(None))

    def value(theta):
        inner, _ = advance(exact, theta, begin(exact, theta, SEED), task, 2, SEED)
        players = view(exact, theta, inner)
        return sum(loss(players, task.query, SEED, HYPER)[0] for loss in (game.gen_loss, game.disc_loss))

    assert gradient_error(tf.function(value, autograph=False), away(exact.init(0))) < 1e-6


def test_held_features_are_constants_in_the_gradient():
    """The surrogate's oracle: central differences of a run whose features are those of the theta in the middle."""
    body, seen = BODIES["mlp"], []

    def run(hold):
        inner = mg.meta.learned_optimizer(from_double(GAMES), body=body, gram=saddles.game_gram, hold=hold)

        def value(theta):
            run, _ = advance(inner, theta, begin(inner, theta, SEED), TASK, 2, SEED)
            return OUTER(GAMES, theta, view(inner, theta, run), TASK, SEED)

        return value

    theta = away(mg.meta.learned_optimizer(GAMES, body=body, gram=saddles.game_gram).init(0))
    gradient = autodiff.grad(run(tf.stop_gradient))(theta)

    def keep(x):
        seen.append(x)
        return x

    run(keep)(theta)

    def replayed(theta):
        kept = iter(seen)
        return run(lambda x: next(kept))(theta)

    assert gradient_error(replayed, theta, gradient, directions=2) < 1e-6
    assert relative_error(gradient, autodiff.grad(run(tf.identity))(theta)) > 1e-3


# -- what it is


def test_at_first_it_is_an_optimistic_step_over_the_steepness():
    """c = (0.8, -0.4, 0, …) and weights of 0 after it: w - (0.8 g_t - 0.4 g_{t-1})/L, on xy with L = 1."""
    theta = learner("mlp").init(0)
    plain = [w._replace(out=tf.zeros_like(w.out)) for w in theta.weights]
    theta = double(theta._replace(weights=Players(*plain), log_lr=tf.math.log(0.5)))
    rule = mg.rules.jointly(mg.meta.minimax_optimizer(theta, BODIES["mlp"]))
    game = mg.games.bilinear()
    state = rule.init(game, double(game.init(0)))
    w, past = np.array([1.0, 1.0]), None
    for t in range(4):
        state, info = rule.step(game, state, lambda seed: (), SEED, HYPER)
        g = np.array([w[1], -w[0]])
        past = g if past is None else past
        w = w - (0.8 * g - 0.4 * past) / (2.0 if t == 0 else max(1.0, 2.0 * 0.8**t))
        past = g
        np.testing.assert_allclose([p.params.numpy()[0] for p in state.players], w, rtol=1e-6, err_msg=str(t))
    assert (float(info.cost.gen_grads), float(info.cost.disc_grads), float(info.cost.products)) == (1, 1, 0)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_units_do_not_matter(name, factor):
    """A loss of ``factor`` times the size, with the first rate divided by it, is played in the same way."""
    theta = away(learner(name).init(0))
    game = saddles.matrix_game(games=2, size=3)
    players = double(game.init(0))
    c = tf.cast(saddles.matrix_tasks(games=2, size=3, density=1.0)(0).support, tf.float64)

    def end(factor):
        own = theta._replace(log_lr=theta.log_lr - tf.math.log(tf.constant(factor, tf.float64)))
        rule = mg.rules.jointly(mg.meta.minimax_optimizer(own, BODIES[name], gram=saddles.game_gram))
        state = rule.init(game, players)
        for _ in range(4):
            state, _ = rule.step(game, state, lambda seed: factor * c, SEED, HYPER)
        return [p.params for p in state.players]

    assert relative_error(end(factor), end(1.0)) < 1e-5


def test_games_side_by_side_do_not_meet_and_coordinates_may_be_exchanged():
    theta = away(learner("lstm").init(0))
    game, one = saddles.matrix_game(games=3, size=3), saddles.matrix_game(games=1, size=3)
    players = double(game.init(0))
    c = tf.cast(saddles.matrix_tasks(games=3, size=3, density=1.0)(0).support, tf.float64)
    rule = mg.rules.safeguarded(mg.meta.minimax_optimizer(theta, BODIES["lstm"], gram=saddles.game_gram),
                                 gram=saddles.game_gram, restart=mg.meta.restart)  # fmt: skip

    def end(game, players, c):
        state = rule.init(game, players)
        for _ in range(4):
            state, _ = rule.step(game, state, lambda seed: c, SEED, HYPER)
        return [p.params for p in state.players]

    together = end(game, players, c)
    alone = end(one, trees.map(lambda x: x[1:2], players), c[1:2])
    assert relative_error(alone, [x[1:2] for x in together]) < 1e-10
    order = [2, 0, 1]
    turned = end(game, trees.map(lambda x: tf.gather(x, order, axis=1), players),
                 tf.gather(tf.gather(c, order, axis=1), order, axis=2))  # fmt: skip
    assert relative_error(turned, [tf.gather(x, order, axis=1) for x in together]) < 1e-10


@pytest.mark.parametrize("make", [mg.rules.jointly, mg.rules.safeguarded])
def test_it_goes_through_the_loop_and_keeps_its_structure(make):
    rule = make(mg.meta.minimax_optimizer(learner("lstm").init(0), BODIES["lstm"]))
    gan = mg.games.gan(mg.networks.mlp(2, (4,), 2), mg.networks.mlp(2, (4,), 1))
    result = mg.train(gan, rule, mg.data.ring().batches(8), num_steps=3, seed=0, progress=False)
    assert trees.all_finite(result.players)
    tf.nest.assert_same_structure(rule.init(gan, result.players), result.state)


# -- the safeguard


def wild(rate):
    """An optimizer of both players that climbs: it diverges on any game."""
    return mg.optimizers.sgd(rate)._replace(update=lambda grads, slots: (trees.scale(rate, grads), slots))


def norms(rule, game, c, num_steps):
    state, found = rule.init(game, double(game.init(0))), []

    @tf.function(autograph=False)
    def step(state):
        state, _ = rule.step(game, state, lambda seed: c, SEED, HYPER)
        return state, mg.dynamics.field_norm(game, rule.view(state), c, gram=saddles.game_gram)

    for _ in range(num_steps):
        state, norm = step(state)
        found.append(norm.numpy())
    return np.array(found)


@pytest.mark.parametrize("rate", [0.5, 1e200], ids=["fast", "to infinity"])
def test_safeguard_on_a_game_that_would_diverge(rate):
    """Unguarded the norm explodes; guarded it never rises, and the steps by hand reach the saddle all the same."""
    game = saddles.matrix_game(games=2, size=2)
    c = tf.constant(np.stack([np.eye(2), [[3.0, 4.0], [-4.0, 3.0]]]))
    plain = norms(mg.rules.jointly(wild(rate)), game, c, 30)
    assert not (plain[-1] <= 10 * plain[0]).any()
    guarded = norms(mg.rules.safeguarded(wild(rate), gram=saddles.game_gram), game, c, 400)
    assert (np.diff(guarded, axis=0) <= 0).all()
    assert (guarded[-1] < 0.05 * guarded[0]).all(), guarded[[0, 100, 200, 399]]


def test_safeguard_does_not_touch_what_works():
    game, c = saddles.rotated_saddle(games=4), saddles.scalar_tasks(games=4)(0).support
    optimizer = mg.optimizers.sgd(0.25)
    plain = norms(mg.rules.jointly(optimizer), game, c, 20)
    guarded = norms(mg.rules.safeguarded(optimizer, gram=saddles.game_gram), game, c, 21)
    np.testing.assert_array_equal(guarded[1:], plain)


def test_steps_by_hand_are_extragradient():
    """Two half steps of the safeguard are one step of the extragradient rule at its rate, which a new best raises."""
    game, c = saddles.seesaw(games=1), saddles.scalar_tasks()(0).support
    rule = mg.rules.safeguarded(wild(1e9), gram=saddles.game_gram, rate=0.05)
    state, seen = rule.init(game, double(game.init(0))), []
    for _ in range(6):
        state, _ = rule.step(game, state, lambda seed: c, SEED, HYPER)
        seen.append([p.params.numpy() for p in state.players])
    expected = [game.init(0)]
    for rate in (0.05, 0.055):
        hand = mg.rules.extragradient(mg.optimizers.sgd(rate), mg.optimizers.sgd(rate))
        state, _ = hand.step(game, hand.init(game, double(expected[-1])), lambda seed: c, SEED, HYPER)
        expected.append(state.players)
    for i, players in zip((2, 4), expected[1:], strict=True):
        np.testing.assert_allclose(seen[i], [p.params for p in players], rtol=1e-6)


# -- truncated backpropagation


def test_windows_go_on_where_the_last_one_ended():
    one = mg.meta.learned_optimizer(from_double(GAMES), body=BODIES["mlp"], gram=saddles.game_gram, hold=tf.identity)
    theta = away(one.init(0))
    estimator = mg.meta.truncated_backprop(6, segment=3)
    state = estimator.init(one, theta, seeds.make(5))
    state = state._replace(inner=state.inner._replace(t=tf.constant(0)))
    draw = seeds.fold_in(SEED, "run")

    def mean(theta, inner):
        return advance(one, theta, inner, TASK, 3, draw,
                       each=lambda theta, players, t: OUTER(GAMES, theta, players, TASK, SEED))  # fmt: skip

    estimate, state = estimator.grad(one, OUTER, theta, state, lambda seed: TASK, SEED)
    first, value = mean(theta, begin(one, theta, draw))
    np.testing.assert_allclose(estimate.scalars["outer_loss"], value, rtol=1e-6)
    assert relative_error(state.inner.run, first.run) < 1e-12
    assert [float(x) for x in estimate.cost] == [3, 3, 6, 18]
    estimate, state = estimator.grad(one, OUTER, theta, state, lambda seed: TASK, seeds.make(9))
    assert gradient_error(lambda theta: mean(theta, first)[1], theta, estimate.grads) < 1e-6
    assert int(state.inner.t) == 6 and (state.seed == SEED).numpy().all()
    _, state = estimator.grad(one, OUTER, theta, state, lambda seed: TASK, seeds.make(9))
    assert int(state.inner.t) == 3 and not (state.seed == SEED).numpy().all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: coordinatewise.mlp(0), "hidden must be a whole number of at least 1"),
        (lambda: coordinatewise.lstm(2.5), "hidden must be a whole number of at least 1"),
        (lambda: mg.meta.log_field_norm(0.0), "floor must be a finite number above 0"),
        (lambda: mg.rules.safeguarded(wild(1.0), growth=0.5), "growth must be a finite number of at least 1, not 0.5"),
        (lambda: mg.rules.safeguarded(wild(1.0), patience=0), "patience must be a whole number of at least 1"),
        (lambda: mg.rules.safeguarded(wild(1.0), rate=0.0), "rate must be a finite number"),
        (lambda: mg.meta.truncated_backprop(10, segment=3), "inner_steps must be a multiple of segment = 3"),
        (lambda: mg.meta.truncated_backprop(10, segment=0), "segment must be a whole number of at least 1"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
