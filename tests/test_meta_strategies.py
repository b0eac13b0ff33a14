"""Learned update strategies: each meta-gradient against central differences, and what they become at theta = 0."""

import numpy as np
import pytest
import tensorflow as tf
from oracles import double, gradient_error, random_like, smooth_gan

import metagan_edu as mg
from metagan_edu import seeds, trees
from metagan_edu.data import Task
from metagan_edu.games import Players
from metagan_edu.meta.base import advance, begin, everything, view
from metagan_edu.rules import controlled, policies

GAME = smooth_gan(penalty=mg.losses.r1(0.3))
RNG = np.random.default_rng(0)
TASK = Task(*(tf.constant(RNG.normal(size=(n, 2))) for n in (7, 9)))
SEED = seeds.make(3)
SGD = mg.rules.simultaneous(mg.optimizers.sgd(0.1), mg.optimizers.sgd(0.2))
ADAM = mg.rules.alternating(mg.optimizers.adam(0.02), mg.optimizers.adam(0.02))
CLIP = Players(0.05, 0.05)

LEARNERS = {
    "meta_sgd, per tensor": lambda: mg.meta.meta_sgd(GAME, lr=0.1, batches=everything),
    "meta_sgd, per parameter": lambda: mg.meta.meta_sgd(GAME, lr=0.1, per=mg.meta.per_parameter, batches=everything),
    "meta_sgd, rates only": lambda: mg.meta.meta_sgd(GAME, lr=0.1, of=(), batches=everything),
    "meta_sgd, Adam": lambda: mg.meta.meta_sgd(
        GAME, lr=0.1, per=mg.meta.per_player, rule=mg.rules.simultaneous(*[mg.optimizers.adam(1.0)] * 2),
        batches=everything,
    ),
    "learned_schedule, network": lambda: mg.meta.learned_schedule(GAME, ADAM, num_steps=4, batches=everything),
    "learned_schedule, clipping": lambda: mg.meta.learned_schedule(
        GAME, SGD, num_steps=4, clip=CLIP, batches=everything
    ),
    "learned_schedule, phases": lambda: mg.meta.learned_schedule(
        GAME, SGD, num_steps=4, policy=policies.phases(3), batches=everything
    ),
}  # fmt: skip


def outer(game, theta, players, task, seed):
    """Both losses on the query set: smooth, and in float64."""
    return sum(loss(players, task.query, seed, mg.games.Hyper())[0] for loss in (game.gen_loss, game.disc_loss))


def play(learner, theta, num_steps=3):
    inner, _ = advance(learner, theta, begin(learner, theta, SEED), TASK, num_steps, SEED)
    return view(learner, theta, inner)


def away(theta):
    """A theta in general position: at its start the first layer of a network has no gradient."""
    return trees.add(double(theta), trees.scale(0.1, random_like(theta, 1)))


@pytest.mark.parametrize("name", LEARNERS)
def test_gradient_through_three_full_steps_agrees_with_central_differences(name):
    learner = LEARNERS[name]()
    theta = away(learner.init(SEED))
    value = tf.function(lambda theta: outer(GAME, theta, play(learner, theta), TASK, SEED), autograph=False)
    assert gradient_error(value, theta) < 1e-6


@pytest.mark.parametrize("name", LEARNERS)
def test_backprop_gives_that_gradient(name):
    learner, estimator = LEARNERS[name](), mg.meta.backprop(3)
    theta = away(learner.init(SEED))
    estimate, _ = tf.function(lambda theta: estimator.grad(learner, outer, theta, (), lambda seed: TASK, SEED),
                              autograph=False)(theta)  # fmt: skip
    run_seed = seeds.fold_in(SEED, "run")

    @tf.function(autograph=False)
    def value(theta):
        inner, _ = advance(learner, theta, begin(learner, theta, run_seed), TASK, 3, run_seed)
        return outer(GAME, theta, view(learner, theta, inner), TASK, seeds.fold_in(run_seed, "outer"))

    assert gradient_error(value, theta, estimate.grads) < 1e-6


def assert_close(first, second, rtol=1e-5):
    for a, b in zip(trees.leaves(first), trees.leaves(second), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-7)


def plain(rule):
    start = GAME.init(seeds.fold_in(SEED, "start"))
    fixed = mg.meta.MetaLearner(
        GAME, init=lambda seed: (), players=lambda theta, seed: start, rule=lambda theta: rule, batches=everything
    )
    return play(fixed, ())


@pytest.mark.parametrize("per", [mg.meta.per_player, mg.meta.per_tensor, mg.meta.per_parameter])
def test_meta_sgd_at_its_start_is_sgd(per):
    learner = mg.meta.meta_sgd(GAME, lr=Players(0.1, 0.2), per=per, of=(), batches=everything)
    sgd = mg.rules.alternating(mg.optimizers.sgd(0.1), mg.optimizers.sgd(0.2))
    assert_close(play(learner, learner.init(SEED)), plain(sgd))


def test_one_meta_sgd_step_by_hand():
    """φ - a ∘ g, with a rate a of its own for each parameter (Li et al. 2017, eq. 3)."""
    rule = mg.rules.simultaneous(mg.optimizers.sgd(1.0), mg.optimizers.sgd(1.0))
    learner = mg.meta.meta_sgd(GAME, lr=0.1, per=mg.meta.per_parameter, rule=rule, batches=everything)
    theta = away(learner.init(SEED))
    start = Players(*(mg.games.Player(params) for params in theta.start))
    noise = seeds.split(seeds.fold_in(SEED, tf.constant(0)), 2)[1]
    v = mg.dynamics.field(GAME, start, TASK.support, noise)
    expected = trees.map(lambda phi, a, g: phi + tf.exp(a) * g, theta.start, theta.log_lr, v)
    assert_close(Players(*(p.params for p in play(learner, theta, 1))), expected)


@pytest.mark.parametrize("of", [(), ("gen",), ("disc",), ("gen", "disc")])
def test_meta_sgd_learns_the_starts_that_are_named(of):
    theta = mg.meta.meta_sgd(GAME, of=of).init(0)
    assert [bool(trees.leaves(start)) for start in theta.start] == [who in of for who in Players._fields]
    assert isinstance(theta, mg.meta.MetaSGD)


@pytest.mark.parametrize("policy", [policies.network(), policies.phases(1), policies.phases(4)])
def test_a_schedule_at_zero_is_the_rule_itself(policy):
    learner = mg.meta.learned_schedule(GAME, ADAM, num_steps=4, policy=policy, batches=everything)
    assert_close(play(learner, learner.init(SEED)), plain(ADAM), rtol=1e-4)


def test_phases_are_straight_lines_between_their_knots():
    policy = policies.phases(3)
    theta = tf.constant([[0.0, 1.0], [2.0, 1.0], [1.0, 1.0]])
    values = [policy.apply(theta, tf.fill([policies.FEATURES], s)).numpy() for s in (0.0, 0.25, 0.5, 0.75, 1.0)]
    np.testing.assert_allclose(values, [[0, 1], [1, 1], [2, 1], [1.5, 1], [1, 1]])


def test_the_network_sees_progress_losses_and_their_running_means_and_stays_within_its_limit():
    seen = []
    policy = policies.Policy(None, lambda theta, x: (seen.append(x.numpy()), 0 * theta)[1])
    controller = policies.controller(policy, tf.zeros(3, tf.float64), num_steps=4)
    state, _ = controller.init(GAME, GAME.init(0))
    for _ in range(2):
        state, _ = controller.update(state, mg.rules.base.info(GAME, (tf.constant(3.0), tf.constant(0.5)), []))
    gen, disc = np.arcsinh(3), np.arcsinh(0.5)
    fast, slow = ([1 + (x - 1) * (1 - keep**2) for x in (gen, disc)] for keep in policies.MEMORY)
    np.testing.assert_allclose(seen[-1], [0.5, gen, disc, *fast, *slow], rtol=1e-6)
    bounded = policies.network(4, limit=3.0)
    theta = trees.scale(100.0, random_like(bounded.init(SEED, 3), 0))
    factors = np.exp(bounded.apply(theta, tf.constant(seen[-1], tf.float64)))
    assert (factors <= 3 + 1e-9).all() and (factors >= 1 / 3 - 1e-9).all() and abs(np.log(factors)).max() > 1


def test_scheduled_clipping_reaches_the_step():
    learner = mg.meta.learned_schedule(GAME, SGD, num_steps=4, policy=policies.phases(1), clip=CLIP, batches=everything)
    theta = tf.constant([[0.0, 0.0, 0.0, np.log(0.1), 0.0]])
    start, after = GAME.init(seeds.fold_in(SEED, "start")), play(learner, theta, 1)
    step = trees.norm(trees.sub(after.gen.params, start.gen.params))
    np.testing.assert_allclose(float(step), 0.1 * 0.005, rtol=1e-5)


def test_they_train():
    mixtures = mg.data.mixture_tasks(shots=16, queries=16)
    game = mg.games.gan(mg.networks.mlp(2, (4,), 2), mg.networks.mlp(2, (4,), 1), penalty=mg.losses.r1(0.1))
    rule = controlled(mg.rules.alternating(*[mg.optimizers.adam(1e-2)] * 2), mg.rules.controllers.balance())
    cases = [
        (mg.meta.meta_sgd(game, lr=1e-3), mg.meta.backprop(inner_steps=2)),
        (mg.meta.learned_schedule(game, rule, num_steps=4), mg.meta.evolution_strategies(4, pairs=2)),
    ]
    for learner, estimator in cases:
        trained = mg.meta_train(learner, mixtures.train, outer=mg.meta.outer.energy_distance(), estimator=estimator,
                                num_steps=2, seed=0, tasks_per_step=2, progress=False)  # fmt: skip
        assert trees.all_finite(trained.theta)
        curve = mg.meta.adapt(learner, trained.theta, mixtures.test(seeds.make(1)), num_steps=(0, 4), seed=1)
        assert trees.all_finite(curve.players)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mg.meta.meta_sgd(GAME, of=("generator",)), "of must hold"),
        (lambda: mg.meta.meta_sgd(GAME, lr=0.0), "lr must be a finite number above 0, not 0.0"),
        (lambda: mg.meta.meta_sgd(GAME, lr=Players(0.1, -0.1)), "lr must be a finite number above 0, not -0.1"),
        (lambda: policies.network(0), "hidden must be"),
        (lambda: policies.network(limit=1.0), "limit must be a finite number above 1"),
        (lambda: policies.phases(0), "count must be"),
        (lambda: mg.meta.learned_schedule(GAME, SGD, num_steps=0), "num_steps must be"),
        (lambda: mg.meta.learned_schedule(GAME, SGD, num_steps=3, clip=Players(0.0, 1.0)),
         "a threshold of clip must be a finite number above 0, not 0.0"),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
