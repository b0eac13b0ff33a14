"""What is built twice from equal arguments is one thing, and is compiled once; so is a search over rates."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import training, trees, values
from metagan_edu.games import Hyper, Players

OPT, R, M = mg.optimizers, mg.rules, mg.meta
LOSSES = ("minimax", "non_saturating", "least_squares", "hinge", "wasserstein", "relativistic")


def game():
    nets = mg.networks.mlp(2, (4,), 2), mg.networks.mlp(2, (4,), 1)
    return mg.games.gan(*nets, loss=mg.losses.non_saturating(), penalty=mg.losses.r1(0.1))


def plain():
    return R.simultaneous(OPT.adam(1e-3), OPT.adam(1e-4))


def pair(rule, **options):
    return lambda: rule(OPT.adam(OPT.linear_decay(1e-3, 10)), OPT.sgd(0.1), **options)


# Every public factory, called with everything written anew.
FACTORIES = {
    mg.optimizers: {
        "adam": lambda: OPT.adam(1e-3, beta1=0.9),
        "chain": lambda: OPT.chain(OPT.clip_by_global_norm(1.0), OPT.adam(1e-3)),
        "clip_by_global_norm": lambda: OPT.clip_by_global_norm(1.0), "constant": lambda: OPT.constant(0.1),
        "cosine_decay": lambda: OPT.cosine_decay(0.1, 10), "descend": lambda: OPT.descend(0.1),
        "hypergradient": lambda: OPT.hypergradient(0.1, beta=0.01, bounds=(0.0, 1.0), direction=OPT.scale_by_adam()),
        "linear_decay": lambda: OPT.linear_decay(0.1, 10, final=0.5), "momentum": lambda: OPT.momentum(0.1, 0.8),
        "optimistic": lambda: OPT.optimistic(OPT.adam(1e-3)), "rmsprop": lambda: OPT.rmsprop(0.1),
        "scale_by_adam": lambda: OPT.scale_by_adam(0.9), "scale_by_rms": lambda: OPT.scale_by_rms(0.8),
        "sgd": lambda: OPT.sgd(OPT.cosine_decay(0.1, 10)), "trace": lambda: OPT.trace(0.9),
    },
    mg.rules: {
        "alternating": pair(R.alternating, first="gen"), "anderson": lambda: R.anderson(plain(), memory=3),
        "averaged": lambda: R.averaged(plain(), 0.9),
        "competitive": pair(R.competitive, reaction=0.1), "consensus": pair(R.consensus, gamma=0.1),
        "controlled": lambda: R.controlled(plain(), R.controllers.balance(clip=Players(1.0, 1.0))),
        "extragradient": lambda: R.extragradient(OPT.adam(1e-3), OPT.sgd(0.1)),
        "jointly": lambda: R.jointly(OPT.adam(1e-3)), "lookahead": lambda: R.lookahead(plain(), every=5),
        "optimistic": pair(R.optimistic), "safeguarded": lambda: R.safeguarded(OPT.adam(1e-3), growth=3.0),
        "simultaneous": pair(R.simultaneous), "symplectic": pair(R.symplectic, strength=0.5),
        "unrolled": pair(R.unrolled, num_unroll=3),
    },
    mg.rules.controllers: {
        "balance": lambda: R.controllers.balance(0.9, 1.4, speed=0.1),
        "schedule": lambda: R.controllers.schedule(OPT.cosine_decay(1.0, 10), penalty=OPT.constant(0.5)),
    },
    mg.rules.policies: {"network": lambda: R.policies.network(4), "phases": lambda: R.policies.phases(3)},
    mg.losses: {
        **{name: getattr(mg.losses, name) for name in LOSSES},
        "r1": lambda: mg.losses.r1(0.1), "r2": lambda: mg.losses.r2(0.1),
        "gradient_penalty": lambda: mg.losses.gradient_penalty(5.0),
        "penalties": lambda: mg.losses.penalties(mg.losses.r1(0.1), mg.losses.r2(0.2)),
        "lazily": lambda: mg.losses.lazily(mg.losses.r1(0.1), every=4),
    },
    mg.meta: {
        "at_start": lambda: M.at_start(), "backprop": lambda: M.backprop(3, objective=M.each_step),
        "first_order": lambda: M.first_order(3), "reptile": lambda: M.reptile(3),
        "over_tasks": lambda: M.over_tasks(M.reptile(3), 2), "drawn": lambda: M.drawn(10),
        "evolution_strategies": lambda: M.evolution_strategies(3, pairs=2),
        "persistent_evolution_strategies": lambda: M.persistent_evolution_strategies(4, segment=2),
        "truncated_backprop": lambda: M.truncated_backprop(4, segment=2),
        "learned_initialization": lambda: M.learned_initialization(game(), plain(), of=("gen",)),
        "learned_optimizer": lambda: M.learned_optimizer(game(), body=M.coordinatewise.lstm(3)),
        "learned_scales": lambda: M.learned_scales(game(), plain()),
        "learned_schedule": lambda: M.learned_schedule(game(), plain(), num_steps=5, policy=R.policies.phases(2)),
        "meta_sgd": lambda: M.meta_sgd(game(), Players(0.1, 0.2), per=M.per_tensor),
        "log_field_norm": lambda: M.log_field_norm(1e-3), "gradient_quotient": lambda: M.gradient_quotient(1e-4),
        "after_one_step": lambda: M.after_one_step(0.01, 1.0),
    },
    mg.meta.coordinatewise: {"mlp": lambda: M.coordinatewise.mlp(3), "lstm": lambda: M.coordinatewise.lstm(3)},
    mg.meta.outer: {
        "meta_game": lambda: M.outer.meta_game(), "energy_distance": lambda: M.outer.energy_distance(16),
        "adapted_discriminator": lambda: M.outer.adapted_discriminator(OPT.adam(1e-3), 3),
    },
    mg.games: {
        "gan": game, "dirac": lambda: mg.games.dirac(mg.losses.wasserstein(), penalty=mg.losses.r1(0.1)),
        "bilinear": lambda: mg.games.bilinear(((1.0, 2.0), (0.0, 1.0))),
    },
    mg.data: {"mixture_tasks": lambda: mg.data.mixture_tasks(shots=4, queries=4)},
}  # fmt: skip
# What makes nothing, or depends on what has no value to compare: players, theta, a Hyper, a classifier with its
# provenance. (Data has arrays, but for its tasks of mixtures.)
OTHERS = {
    mg.optimizers: {"clip"}, mg.rules: {"under"}, mg.rules.controllers: {"dtype_of", "thresholds_of"},
    mg.rules.policies: {"controller", "log_like"}, mg.losses: {"as_loss", "as_penalty"},
    mg.meta: {"adapt", "check_task", "each_step", "everything", "last", "load_theta", "meta_train", "minimax_optimizer",
              "per_parameter", "per_player", "per_tensor", "restart", "save_theta", "tangents"},
    mg.meta.coordinatewise: {"beside"}, mg.meta.outer: {"features"}, mg.games: {"between", "no_data", "sample"},
}  # fmt: skip
NAMED = [(module, name) for module, calls in FACTORIES.items() for name in calls]


@pytest.mark.parametrize("module", OTHERS, ids=lambda module: module.__name__)
def test_no_factory_is_forgotten(module):
    public = {
        name for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and function is not values.by_value
        and (name in getattr(module, "__all__", ()) or function.__module__ == module.__name__)
    }  # fmt: skip
    assert public == set(FACTORIES[module]) | OTHERS[module]


@pytest.mark.parametrize(("module", "name"), NAMED, ids=lambda x: getattr(x, "__name__", x))
def test_equal_calls_give_one_object(module, name):
    one, other = FACTORIES[module][name](), FACTORIES[module][name]()
    assert one == other and hash(one) == hash(other)


def test_other_calls_give_other_objects():
    assert OPT.adam(1e-3) is not OPT.adam(2e-3) and OPT.adam(1e-3) is not OPT.adam(1e-3, beta1=0.9)
    assert OPT.sgd(1) is not OPT.sgd(1.0) and R.lookahead(plain(), every=1) is not R.lookahead(plain(), every=2)
    assert R.alternating(OPT.sgd(0.1), OPT.sgd(0.2)) is not R.alternating(OPT.sgd(0.2), OPT.sgd(0.1))


def test_what_cannot_be_compared_is_made_anew():
    matrix = np.eye(2)
    assert mg.games.bilinear(matrix) is not mg.games.bilinear(matrix)
    assert OPT.hypergradient(tf.constant(0.1), beta=0.1, bounds=(0, 1)) is not None


def test_what_was_refused_once_is_refused_again():
    for _ in range(2):
        with pytest.raises(ValueError, match=r"a learning rate must be a finite number of at least 0, not -1\.0"):
            OPT.adam(-1.0)


# --- What that is for: nothing is compiled twice ----------------------------------------------------------------------


def loops_made(run):
    """How many loops were made and kept while ``run`` was called."""
    before = training._compiled.cache_info().misses
    run()
    return training._compiled.cache_info().misses - before


def test_training_that_is_written_anew_compiles_nothing():
    batches = mg.data.ring().batches(8)

    def run():
        mg.train(game(), R.averaged(plain(), 0.9), batches, num_steps=2, seed=0, progress=False)

    assert (loops_made(run), loops_made(run)) == (1, 0)
    loop = training.compiled(training.playing(game(), R.averaged(plain(), 0.9), batches), False)
    assert loop.experimental_get_tracing_count() == 1


def test_meta_training_that_is_written_anew_compiles_nothing():
    def run(seed=0):
        learner = M.learned_initialization(game(), plain(), batches=M.drawn(4))
        return mg.meta_train(
            learner, mg.data.mixture_tasks(shots=8, queries=8).train, estimator=M.backprop(2), num_steps=2, seed=seed,
            outer=M.outer.energy_distance(), tasks_per_step=2, meta_optimizer=OPT.adam(1e-3), progress=False,
        )  # fmt: skip

    assert (loops_made(run), loops_made(lambda: run(1))) == (1, 0)
    estimator = M.over_tasks(M.backprop(2), 2)
    learner = M.learned_initialization(game(), plain(), batches=M.drawn(4))
    process = M.train.learning(learner, mg.data.mixture_tasks(shots=8, queries=8).train, M.outer.energy_distance(),
                               estimator, OPT.adam(1e-3))  # fmt: skip
    assert loops_made(lambda: training.compiled(process, False)) == 0
    assert training.compiled(process, False).experimental_get_tracing_count() == 1


# --- A search over rates ----------------------------------------------------------------------------------------------

RATES = (0.3, 0.1, 0.03, 0.01)


@pytest.mark.parametrize("number", [float, tf.constant], ids=["numbers", "tensors"])
def test_a_search_over_rates_is_traced_once_and_gives_what_optimizers_of_these_rates_give(number):
    batches = mg.data.ring().batches(8)
    rule = R.alternating(OPT.adam(1.0), OPT.sgd(1.0))
    for lr in RATES:
        hyper = Hyper(lr=Players(number(lr), number(lr / 2)))
        found = mg.train(game(), rule, batches, num_steps=5, seed=0, hyper=hyper, progress=False)
        own = R.alternating(OPT.adam(lr), OPT.sgd(lr / 2))
        expected = mg.train(game(), own, batches, num_steps=5, seed=0, progress=False)
        for a, b in zip(trees.leaves(found.state), trees.leaves(expected.state), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
        np.testing.assert_allclose(found.history.scalars["disc_loss"], expected.history.scalars["disc_loss"], rtol=1e-4)
    loop = training.compiled(training.playing(game(), rule, batches), False)
    assert loop.experimental_get_tracing_count() == 1


def test_a_rate_of_a_penalty_and_of_ones_own_is_an_argument_too():
    """The penalty's weight and a number in ``more`` that a loss reads: both reach the step, and nothing is retraced."""
    dirac = mg.games.dirac(penalty=mg.losses.r1(1.0))

    def gen_loss(players, batch, seed, hyper):
        loss, state = dirac.gen_loss(players, batch, seed, hyper)
        return hyper.more["strength"] * loss, state

    own, rule, ends = dirac._replace(gen_loss=gen_loss), R.simultaneous(OPT.sgd(0.1), OPT.sgd(0.1)), {}
    for strength, penalty in ((1.0, 1.0), (2.0, 1.0), (1.0, 0.5), (1.0, 0.0)):
        hyper = Hyper(penalty=penalty, more={"strength": strength})
        result = mg.train(own, rule, mg.games.no_data, num_steps=3, seed=0, hyper=hyper, progress=False)
        ends[strength, penalty] = [float(player.params) for player in result.players]
    assert training.compiled(training.playing(own, rule, mg.games.no_data), False).experimental_get_tracing_count() == 1
    assert len({tuple(end) for end in ends.values()}) == 4
    twice = R.simultaneous(OPT.sgd(0.2), OPT.sgd(0.1))
    expected = mg.train(dirac, twice, mg.games.no_data, num_steps=3, seed=0, progress=False).players
    np.testing.assert_allclose(ends[2.0, 1.0], [float(player.params) for player in expected], rtol=1e-5)
    unpenalized = mg.train(mg.games.dirac(), rule, mg.games.no_data, num_steps=3, seed=0, progress=False).players
    np.testing.assert_allclose(ends[1.0, 0.0], [float(player.params) for player in unpenalized], rtol=1e-5)
