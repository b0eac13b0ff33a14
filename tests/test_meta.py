"""The meta layer: every technique's gradient against its oracle, estimators against what defines them, the loop."""

import numpy as np
import pytest
import tensorflow as tf
from oracles import HYPER, double, gradient_error, random_like, relative_error, smooth_gan

import metagan_edu as mg
from metagan_edu import autodiff, seeds, trees
from metagan_edu.data import Task
from metagan_edu.games import Players
from metagan_edu.meta.base import advance, begin, view

GAME = smooth_gan(penalty=mg.losses.r1(0.1))
RNG = np.random.default_rng(0)
TASK = Task(tf.constant(RNG.normal(size=(6, 2))), tf.constant(RNG.normal(size=(8, 2))))
SEED = seeds.make(0)
RUN = seeds.fold_in(SEED, "run")
SGD, ADAM = mg.optimizers.sgd(0.1), mg.optimizers.adam(0.05)
DISC = 1.87  # what a gradient of the discriminator's loss costs in GAME, whose penalty is R1


def tasks(seed):
    return TASK


def start(optimizer=ADAM, game=GAME, **options):
    """A learned initialization in float64, and a theta for it."""
    rule = mg.rules.simultaneous(optimizer, optimizer)
    learner = mg.meta.learned_initialization(game, rule, batches=mg.meta.everything, **options)
    return learner, double(learner.init(0))


def judged(game, theta, players, task, seed):
    """A smooth scalar in float64: the sum of both losses on the query set."""
    return sum(loss(players, task.query, seed, HYPER)[0] for loss in (game.gen_loss, game.disc_loss))


def value_of(learner, outer, num_steps, which=lambda value: value):
    """The outer loss as a compiled function of theta, as the estimators see it."""

    def value(theta):
        inner = begin(learner, theta, RUN)
        if num_steps:
            inner, _ = advance(learner, theta, inner, TASK, num_steps, RUN, loop=autodiff.python_loop)
        players = view(learner, theta, inner)
        return which(outer(learner.game, theta, players, TASK, seeds.fold_in(RUN, "outer")))

    return tf.function(value, autograph=False)


def estimate(estimator, learner, outer, theta, state=()):
    grad = tf.function(lambda theta, state: estimator.grad(learner, outer, theta, state, tasks, SEED), autograph=False)
    return grad(theta, state)[0]


# -- estimators


@pytest.mark.parametrize(
    ("loop", "optimizer"),
    [(autodiff.python_loop, ADAM), (autodiff.while_loop, SGD), (autodiff.recomputed(2), ADAM)],
    ids=["python, adam", "while, sgd", "recomputed, adam"],
)
def test_backprop_through_three_steps_agrees_with_central_differences(loop, optimizer):
    learner, theta = start(optimizer)
    found = estimate(mg.meta.backprop(3, loop=loop), learner, judged, theta)
    value = value_of(learner, judged, 3)
    assert gradient_error(value, theta, found.grads) < 1e-6
    np.testing.assert_allclose(found.scalars["outer_loss"], value(theta), rtol=1e-6)
    np.testing.assert_allclose(found.cost, [3, 3 * DISC, 3 + 3 * DISC, 18], rtol=1e-6)


def test_each_step_judges_the_whole_run():
    learner, theta = start(SGD)
    found = estimate(mg.meta.backprop(3, objective=mg.meta.each_step), learner, judged, theta)

    @tf.function(autograph=False)
    def value(theta):
        inner, total = begin(learner, theta, RUN), 0
        for t in range(3):
            inner, _ = advance(learner, theta, inner, TASK, 1, RUN)
            seed = seeds.fold_in(seeds.fold_in(RUN, "outer"), tf.constant(t))
            total += judged(GAME, theta, view(learner, theta, inner), TASK, seed) / 3
        return total

    assert gradient_error(value, theta, found.grads) < 1e-6


def test_the_meta_game_gives_each_player_the_gradient_of_its_own_loss():
    learner, theta = start(SGD)
    found = estimate(mg.meta.backprop(2), learner, mg.meta.outer.meta_game(), theta)
    for who in Players._fields:
        own = value_of(learner, mg.meta.outer.meta_game(), 2, lambda value, who=who: getattr(value, who))
        part = tf.function(lambda x, who=who, own=own: own(theta._replace(**{who: x})), autograph=False)
        assert gradient_error(part, getattr(theta, who), getattr(found.grads, who)) < 1e-6
        np.testing.assert_allclose(found.scalars[f"{who}_outer_loss"], own(theta), rtol=1e-6)
    assert list(found.scalars) == ["gen_outer_loss", "disc_outer_loss"]


def test_adapted_discriminator_is_differentiated_through_its_steps():
    learner, theta = start(SGD)
    outer = mg.meta.outer.adapted_discriminator(SGD, 2)
    found = estimate(mg.meta.backprop(1), learner, outer, theta)
    assert gradient_error(value_of(learner, outer, 1), theta, found.grads) < 1e-6


@pytest.mark.parametrize("outer", [mg.meta.outer.energy_distance(), mg.meta.outer.energy_distance(16)])
def test_energy_distance_of_the_players_reached(outer):
    game = mg.games.gan(mg.networks.mlp(3, (5,), 2, activation="tanh"), mg.networks.mlp(2, (5,), 1, activation="tanh"))
    learner, _ = start(game=game)
    theta = learner.init(0)
    single = Task(*(tf.cast(x, tf.float32) for x in TASK))
    found, _ = mg.meta.backprop(1).grad(learner, outer, theta, (), lambda seed: single, SEED)
    assert np.isfinite(found.scalars["outer_loss"]) and float(trees.norm(found.grads)) > 0


def test_first_order_is_the_outer_gradient_where_the_run_ends():
    learner, theta = start(SGD)
    found = estimate(mg.meta.first_order(3), learner, judged, theta)
    inner, _ = advance(learner, theta, begin(learner, theta, RUN), TASK, 3, RUN)
    reached = view(learner, theta, inner)

    def at(params):
        players = Players(*(p._replace(params=own) for p, own in zip(reached, params, strict=True)))
        return judged(GAME, theta, players, TASK, seeds.fold_in(RUN, "outer"))

    expected = autodiff.grad(at)(learner.reached(reached))
    assert relative_error(found.grads, expected) < 1e-12
    exact = estimate(mg.meta.backprop(3), learner, judged, theta)
    assert relative_error(found.grads, exact.grads) > 1e-3
    np.testing.assert_allclose(found.cost, [3, 3 * DISC, 0, 18], rtol=1e-6)


def test_tangents_have_the_same_gradients_and_no_curvature():
    players = double(GAME.init(0))
    flat = mg.meta.tangents(GAME)
    own = mg.dynamics.field(flat, players, TASK.support)
    assert relative_error(own, mg.dynamics.field(GAME, players, TASK.support)) < 1e-12

    def loss(params):
        return flat.disc_loss(players._replace(disc=players.disc._replace(params=params)), TASK.support, SEED, HYPER)[0]

    curved = autodiff.hvp(loss, players.disc.params, random_like(players.disc.params, 0))
    assert float(trees.norm(curved)) == 0


def test_reptile_is_the_displacement_of_training():
    learner, theta = start()
    found = estimate(mg.meta.reptile(4), learner, None, theta)
    inner, _ = advance(learner, theta, begin(learner, theta, RUN), TASK, 4, RUN)
    moved = trees.sub(theta, learner.reached(view(learner, theta, inner)))
    assert relative_error(found.grads, moved) < 1e-12
    np.testing.assert_allclose(found.scalars["outer_loss"], 0.5 * trees.norm(moved) ** 2, rtol=1e-6)


def test_reptile_with_one_step_is_the_plain_gradient():
    learner, theta = start(SGD)
    found = estimate(mg.meta.reptile(1), learner, None, theta)
    players = Players(*(mg.games.Player(params) for params in theta))
    noise = seeds.split(seeds.fold_in(RUN, tf.constant(0)), 2)[1]
    plain = trees.scale(-0.1, mg.dynamics.field(GAME, players, TASK.support, noise))
    assert relative_error(found.grads, plain) < 1e-9


def quadratic(curvature=(1.0, 4.0, 0.25)):
    """A learner without inner life: theta is the player, its outer loss ½ Σ c θ² has the gradient c θ."""
    zero = (tf.zeros(()), ())
    game = mg.games.Game(None, lambda *_: zero, lambda *_: zero)
    still = mg.rules.Rule(lambda game, players: players,
                          lambda game, s, *_: (s, mg.rules.base.info(game, (0.0, 0.0), [TASK.support])),
                          lambda s: s)  # fmt: skip
    learner = mg.meta.MetaLearner(game, init=lambda seed: tf.ones(3), players=lambda theta, seed: theta,
                                  rule=lambda theta: still, batches=mg.meta.everything)  # fmt: skip

    def outer(game, theta, players, task, seed):
        return 0.5 * tf.reduce_sum(tf.constant(curvature) * players**2)

    return learner, outer, tf.constant([1.0, -0.5, 2.0]), tf.constant([1.0, -2.0, 0.5])


def from_the_start(state):
    """The state of persistent evolution strategies whose runs have not begun."""
    at_0 = tf.zeros_like(state.ahead.t)
    return state._replace(ahead=state.ahead._replace(t=at_0), behind=state.behind._replace(t=at_0))


@pytest.mark.parametrize("segments", [None, 1, 4])
def test_evolution_strategies_are_right_on_average(segments):
    """On a quadratic the smoothed gradient is the gradient; 4,096 pairs leave about 3 % of noise (4σ: 10 %)."""
    learner, outer, theta, expected = quadratic()
    if segments is None:
        estimator = mg.meta.evolution_strategies(2, pairs=4096, sigma=0.1)
    else:
        estimator = mg.meta.persistent_evolution_strategies(4, segment=4 // segments, pairs=4096, sigma=0.1)
    state, total = estimator.init(learner, theta, SEED), 0
    state = state if segments is None else from_the_start(state)
    grad = tf.function(lambda state, seed: estimator.grad(learner, outer, theta, state, tasks, seed), autograph=False)
    for i in range(segments or 1):
        found, state = grad(state, seeds.make(i))
        total += found.grads / (segments or 1)
    # A run that was started with the first perturbation keeps it: the later segments add noise, and no bias.
    assert relative_error(total, expected) < (0.1 if (segments or 1) == 1 else 0.2)
    steps = 2 * 4096 * (2 if segments is None else 4 // segments)
    assert [float(x) for x in found.cost] == [steps, steps, 0, 6 * steps]


def test_persistent_runs_go_on_and_begin_anew_at_their_horizon():
    learner, theta = start(SGD)
    estimator = mg.meta.persistent_evolution_strategies(4, segment=2, pairs=2, sigma=0.01)
    state = from_the_start(estimator.init(learner, theta, SEED))
    grad = tf.function(lambda state, seed: estimator.grad(learner, judged, theta, state, tasks, seed)[1],
                       autograph=False)  # fmt: skip
    one, two, three = (state := grad(state, seeds.make(i)) for i in range(3))
    assert [s.ahead.t.numpy().tolist() for s in (one, two, three)] == [[2, 2], [4, 4], [2, 2]]
    noise = trees.leaves(two.noise)[0] - trees.leaves(one.noise)[0]
    assert float(tf.reduce_max(tf.abs(noise))) > 0
    assert one.seed.numpy().tolist() == two.seed.numpy().tolist() != three.seed.numpy().tolist()


def test_persistent_runs_of_several_tasks_begin_at_segments_of_their_own():
    learner, theta = start(SGD)
    estimator = mg.meta.over_tasks(mg.meta.persistent_evolution_strategies(12, segment=3, pairs=2), 8)
    state = estimator.init(learner, theta, SEED)
    first = state.ahead.t.numpy()
    assert first.shape == (8, 2) and (first == first[:, :1]).all() and (first == state.behind.t.numpy()).all()
    assert set(first[:, 0]) <= {0, 3, 6, 9} and len(set(first[:, 0])) >= 3
    single = mg.meta.over_tasks(mg.meta.truncated_backprop(12, segment=3), 8).init(learner, theta, SEED)
    np.testing.assert_array_equal(first[:, 0], single.inner.t)  # as with windows
    grad = tf.function(lambda state, seed: estimator.grad(learner, judged, theta, state, tasks, seed), autograph=False)
    found, after = grad(state, seeds.make(99))
    np.testing.assert_array_equal(after.ahead.t, first % 12 + 3)
    np.testing.assert_allclose(found.cost, np.array([1, DISC, 0, 6]) * 8 * 2 * 2 * 3, rtol=1e-6)
    new = (after.seed.numpy() != state.seed.numpy()).any(1)
    np.testing.assert_array_equal(new, first[:, 0] == 0)


def test_a_persistent_run_that_begins_late_has_no_perturbations_of_before():
    """After its first segment it has accumulated what it was perturbed by there, of the size sigma, and no more."""
    learner, theta = start(SGD)
    theta = trees.add(theta, trees.map(tf.ones_like, theta))
    estimator = mg.meta.persistent_evolution_strategies(4, segment=2, pairs=2, sigma=0.01)
    draws = [estimator.init(learner, theta, seeds.make(i)) for i in range(8)]
    state = next(state for state in draws if int(state.ahead.t[0]) == 2)
    assert all(not np.any(x) for x in trees.leaves(state.noise))
    grad = tf.function(lambda state: estimator.grad(learner, judged, theta, state, tasks, SEED)[1], autograph=False)
    after = grad(state)
    assert int(after.ahead.t[0]) == 4
    noise = np.concatenate([np.ravel(x) for x in trees.leaves(after.noise)])
    assert abs(noise).max() < 0.06 and 0.005 < noise.std() < 0.015


def test_over_tasks_is_the_mean_of_single_tasks():
    learner, theta = start(SGD)
    found = estimate(mg.meta.over_tasks(mg.meta.reptile(2), 3), learner, judged, theta)
    single = [mg.meta.reptile(2).grad(learner, judged, theta, (), tasks, s)[0] for s in seeds.split(SEED, 3)]
    mean = trees.map(lambda *x: sum(x) / 3, *(s.grads for s in single))
    assert relative_error(found.grads, mean) < 1e-12
    np.testing.assert_allclose(found.cost, [6, 6 * DISC, 0, 36], rtol=1e-6)


# -- learned scales: MetaInit and GradInit


def scales(loss=None):
    game = smooth_gan(loss)
    plain = mg.rules.simultaneous(SGD, SGD)
    learner = mg.meta.learned_scales(game, plain, batches=mg.meta.everything)
    return learner, trees.scale(0.1, random_like(learner.init(0), 3))


@pytest.mark.parametrize("who", Players._fields)
@pytest.mark.parametrize("max_norm", [1e9, 1e-9], ids=["loss after a step", "norm of the gradient"])
def test_gradient_of_scales_agrees_with_central_differences(max_norm, who):
    """GradInit, on either side of its constraint; away from kinks. MetaInit: below."""
    learner, theta = scales()
    outer = mg.meta.after_one_step(0.01, max_norm)
    found = estimate(mg.meta.at_start(), learner, outer, theta)
    own = value_of(learner, outer, 0, lambda value: getattr(value, who))
    part = tf.function(lambda x: own(theta._replace(**{who: x})), autograph=False)
    assert gradient_error(part, getattr(theta, who), getattr(found.grads, who)) < 1e-6


def test_gradient_of_the_gradient_quotient_agrees_with_central_differences():
    learner, theta = scales()
    found = estimate(mg.meta.at_start(), learner, mg.meta.gradient_quotient(), theta)
    value = value_of(learner, mg.meta.gradient_quotient(), 0)
    assert gradient_error(value, theta, found.grads) < 1e-4  # a sum of absolute values: third derivatives, some near 0


def test_gradient_quotient_of_two_scalars_by_hand():
    """On the Dirac-GAN v and Jv are known, and J is not symmetric: Jᵀv would give another number."""
    game = mg.games.dirac(mg.losses.wasserstein())
    players = Players(*(mg.games.Player(tf.constant(x)) for x in (2.0, 1.0)))  # v = (φ_D, -φ_G) = (1, -2)
    task = Task(tf.zeros([1, 1]), tf.zeros([1, 1]))
    found = mg.meta.gradient_quotient(epsilon=1e-9)(game, None, players, task, SEED)
    jv = np.array([-2.0, -1.0])  # J = ((0, 1), (-1, 0))
    v = np.array([1.0, -2.0])
    np.testing.assert_allclose(found, np.abs((v + jv) / v - 1).mean(), rtol=1e-5)


def test_scales_of_zero_leave_the_start_as_it_is():
    game = smooth_gan()
    learner = mg.meta.learned_scales(game, mg.rules.simultaneous(SGD, SGD))
    players = learner.players(learner.init(0), seeds.make(5))
    for ours, fresh in zip(trees.leaves(players), trees.leaves(game.init(seeds.make(5))), strict=True):
        np.testing.assert_array_equal(ours, fresh)


# -- meta-training and adaptation


def small_game():
    return mg.games.gan(mg.networks.mlp(2, (8,), 2), mg.networks.mlp(2, (8,), 1))


MIXTURES = mg.data.mixture_tasks(shots=16, queries=16)
RULE = mg.rules.simultaneous(mg.optimizers.adam(0.01), mg.optimizers.adam(0.01))


def test_meta_training_is_a_step_like_any_other_and_resumes_bit_for_bit(tmp_path):
    learner = mg.meta.learned_initialization(small_game(), RULE)
    options = dict(estimator=mg.meta.reptile(inner_steps=3), seed=1, tasks_per_step=2, progress=False)  # noqa: C408
    whole = mg.meta_train(learner, MIXTURES.train, num_steps=6, meta_optimizer=mg.optimizers.sgd(0.5), **options)
    options |= {"meta_optimizer": mg.optimizers.sgd(0.5), "checkpoint": tmp_path / "run", "resume": True}
    mg.meta_train(learner, MIXTURES.train, num_steps=4, **options)
    resumed = mg.meta_train(learner, MIXTURES.train, num_steps=6, **options)
    for a, b in zip(trees.leaves(whole.theta), trees.leaves(resumed.theta), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(whole.history.scalars["outer_loss"], resumed.history.scalars["outer_loss"])
    assert len(whole.history.scalars["outer_loss"]) == 6 and whole.history.cost.gen_grads.tolist() == [6.0] * 6


def test_one_meta_step_by_hand():
    learner = mg.meta.learned_initialization(small_game(), RULE)
    theta = learner.init(0)
    rate = mg.optimizers.sgd(0.5)
    trained = mg.meta_train(learner, MIXTURES.train, estimator=mg.meta.reptile(2), num_steps=1, seed=3, theta=theta,
                            tasks_per_step=1, meta_optimizer=rate, progress=False)  # fmt: skip
    own = seeds.split(mg.training.step_seed(seeds.make(3), 0), 1)[0]
    found, _ = mg.meta.reptile(2).grad(learner, None, theta, (), MIXTURES.train, own)
    assert relative_error(trained.theta, trees.sub(theta, trees.scale(0.5, found.grads))) < 1e-6


@pytest.mark.parametrize(
    ("estimator", "outer"),
    [
        (mg.meta.backprop(2), mg.meta.outer.energy_distance()),
        (mg.meta.backprop(2), mg.meta.outer.meta_game()),
        (mg.meta.first_order(1), mg.meta.outer.adapted_discriminator(ADAM, 1)),
        (mg.meta.reptile(2), None),
        (mg.meta.evolution_strategies(1, pairs=2), mg.meta.outer.energy_distance()),
        (mg.meta.persistent_evolution_strategies(2, segment=1, pairs=2), mg.meta.outer.energy_distance()),
    ],
    ids=["maml", "maml, meta-game", "first-order", "reptile", "es", "pes"],
)
@pytest.mark.parametrize("of", [("gen", "disc"), ("gen",)], ids=["both", "gen"])
def test_any_estimator_goes_with_any_technique_that_fits(estimator, outer, of):
    learner = mg.meta.learned_initialization(small_game(), RULE, of=of)
    trained = mg.meta_train(learner, MIXTURES.train, estimator=estimator, outer=outer, num_steps=2, seed=0,
                            tasks_per_step=2, progress=False)  # fmt: skip
    before = learner.init(seeds.fold_in(seeds.make(0), "theta"))
    assert trees.all_finite(trained.theta) and relative_error(trained.theta, before) > 0
    tf.nest.assert_same_structure(trained.theta, before)


def test_adaptation_is_the_same_run_whatever_is_looked_at():
    learner = mg.meta.learned_initialization(small_game(), RULE)
    theta, task = learner.init(0), MIXTURES.test(seeds.make(4))
    curve = mg.meta.adapt(learner, theta, task, num_steps=(0, 2, 5), seed=7)
    assert curve.num_steps == (0, 2, 5)
    only = mg.meta.adapt(learner, theta, task, num_steps=(5,), seed=7)
    for a, b in zip(trees.leaves(curve.players[-1]), trees.leaves(only.players[0]), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(trees.leaves(curve.players[0].gen.params), trees.leaves(theta.gen), strict=True):
        np.testing.assert_array_equal(a, b)


def test_adaptation_is_traced_once_for_all_tasks_and_lengths():
    calls = []

    def counted(theta):
        calls.append(1)
        return RULE

    learner = mg.meta.learned_initialization(small_game(), RULE)
    learner = mg.meta.MetaLearner(learner.game, init=learner.init, rule=counted, batches=mg.meta.drawn(4),
                                  players=lambda theta, seed: small_game().init(seed))  # fmt: skip
    mg.meta.adapt(learner, (), MIXTURES.test(seeds.make(0)), num_steps=(1,), seed=0)
    first = len(calls)
    mg.meta.adapt(learner, (), MIXTURES.test(seeds.make(1)), num_steps=(3,), seed=1)
    assert len(calls) - first <= 2  # start and view, outside the compiled part


def test_a_fresh_discriminator_is_another_one_in_each_run():
    learner = mg.meta.learned_initialization(small_game(), RULE, of=("gen",))
    theta = learner.init(0)
    one, two = (learner.players(theta, seeds.make(s)) for s in (1, 2))
    assert relative_error(one.gen.params, two.gen.params) == 0
    assert relative_error(one.disc.params, two.disc.params) > 0.1


# -- what was learned, kept


def test_theta_is_kept_with_the_words_that_say_how_it_was_made(tmp_path):
    learner = mg.meta.learned_initialization(small_game(), RULE)
    mg.meta.save_theta(tmp_path / "theta.safetensors", learner.init(1), {"seed": 1, "command": "make records"})
    theta, made = mg.meta.load_theta(tmp_path / "theta.safetensors", learner.init(0))
    tf.nest.assert_same_structure(theta, learner.init(1))
    for a, b in zip(trees.leaves(theta), trees.leaves(learner.init(1)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (made["seed"], made["command"]) == ("1", "make records")


def test_a_theta_that_does_not_fit_or_was_damaged_is_refused(tmp_path):
    learner, path = mg.meta.learned_initialization(small_game(), RULE), tmp_path / "theta.safetensors"
    with pytest.raises(FileNotFoundError):
        mg.meta.load_theta(path, learner.init(0))
    mg.meta.save_theta(path, learner.init(0), {})
    with pytest.raises(ValueError, match="holds another theta: tensors of shapes"):
        mg.meta.load_theta(path, learner.init(0).gen)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match="not a complete safetensors file"):
        mg.meta.load_theta(path, learner.init(0))


# -- bad input


def overlapping():
    x = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)
    return Task(x[:5], x[4:])


@pytest.mark.parametrize("make", [
    lambda: mg.meta.backprop(0), lambda: mg.meta.first_order(0), lambda: mg.meta.reptile(-1),
    lambda: mg.meta.evolution_strategies(0), lambda: mg.meta.persistent_evolution_strategies(0, segment=1),
])  # fmt: skip
def test_inner_steps_must_be_above_zero(make):
    with pytest.raises(ValueError, match="inner_steps must be a whole number of at least 1, not"):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mg.meta.evolution_strategies(2, pairs=0), "pairs must be a whole number of at least 1"),
        (lambda: mg.meta.evolution_strategies(2, sigma=0), "sigma must be a finite number above 0, not 0"),
        (lambda: mg.meta.persistent_evolution_strategies(5, segment=2), "a multiple of segment = 2, not 5"),
        (lambda: mg.meta.over_tasks(mg.meta.reptile(1), 0), "num_tasks must be a whole number of at least 1"),
        (lambda: mg.meta.drawn(0), "batch_size must be a whole number of at least 1"),
        (lambda: mg.meta.learned_initialization(GAME, RULE, of=("critic",)), "of must name 'gen', 'disc' or both"),
        (lambda: mg.autodiff.recomputed(0), "every must be a whole number of at least 1"),
        (lambda: mg.meta.outer.adapted_discriminator(SGD, 0), "num_steps must be a whole number of at least 1"),
    ],
)
def test_values_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def train_on(tasks=MIXTURES.train, learner=None, **options):
    learner = learner or mg.meta.learned_initialization(small_game(), RULE)
    return mg.meta_train(learner, tasks, num_steps=1, seed=0, progress=False, **options)


def test_an_estimator_that_does_not_fit_is_refused():
    schedule = mg.meta.learned_schedule(small_game(), RULE, num_steps=2)
    with pytest.raises(ValueError, match="reptile moves theta to where training ends"):
        train_on(learner=schedule, estimator=mg.meta.reptile(2))
    with pytest.raises(ValueError, match="parameters with a part for each player"):
        train_on(learner=schedule, estimator=mg.meta.backprop(2), outer=mg.meta.outer.meta_game())
    with pytest.raises(ValueError, match="evolution strategies need one outer loss"):
        train_on(estimator=mg.meta.evolution_strategies(2), outer=mg.meta.outer.meta_game())
    with pytest.raises(ValueError, match="needs an outer loss"):
        train_on(estimator=mg.meta.backprop(2))


def test_support_and_query_that_overlap_are_refused():
    with pytest.raises(ValueError, match=r"1 of the task's 4 query examples are also in its support set.*query 0"):
        mg.meta.check_task(overlapping())
    with pytest.raises(ValueError, match="also in its support set"):
        train_on(lambda seed: overlapping(), estimator=mg.meta.reptile(2))
    learner = mg.meta.learned_initialization(small_game(), RULE)
    with pytest.raises(ValueError, match="also in its support set"):
        mg.meta.adapt(learner, learner.init(0), overlapping(), num_steps=(1,), seed=0)


@pytest.mark.parametrize("num_steps", [(), (3, 1), (-1,), (1, 1), (1.5,)])
def test_numbers_of_steps_that_do_not_rise_are_refused(num_steps):
    learner = mg.meta.learned_initialization(small_game(), RULE)
    with pytest.raises(ValueError, match="num_steps"):
        mg.meta.adapt(learner, learner.init(0), MIXTURES.test(SEED), num_steps=num_steps, seed=0)


def test_a_meta_loss_that_is_not_finite_names_the_task_and_keeps_the_last_finite_theta():
    learner = mg.meta.learned_initialization(small_game(), RULE)

    def outer(game, theta, players, task, seed):
        """Infinite for mixtures on one side of the plane."""
        value = mg.meta.outer.energy_distance()(game, theta, players, task, seed)
        return tf.where(tf.reduce_mean(task.query[:, 0]) > 1.2, np.inf * tf.ones(()), value)

    with pytest.raises(mg.Diverged, match=r"meta-training diverged at step \d+.*At fault is task \d of 3, which the "
                                          r"sampler draws from seed \[-?\d+, -?\d+\]") as caught:  # fmt: skip
        mg.meta_train(learner, MIXTURES.train, estimator=mg.meta.at_start(), outer=outer, num_steps=50, seed=0,
                      tasks_per_step=3, progress=False)  # fmt: skip
    assert trees.all_finite(caught.value.result.theta)
    tf.nest.assert_same_structure(caught.value.result.theta, learner.init(0))
    numbers = str(caught.value).rsplit("[", 1)[1].rstrip("].").split(", ")
    bad = MIXTURES.train(tf.constant([int(n) for n in numbers]))
    assert float(tf.reduce_mean(bad.query[:, 0])) > 1.2
