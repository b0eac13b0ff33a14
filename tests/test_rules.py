"""Update rules: identities between them, hand-written steps, and the gradient through the unrolled optimizer."""

import inspect

import numpy as np
import pytest
import tensorflow as tf
from oracles import HYPER, double, gradient_error, points, smooth_gan

import metagan_edu as mg
from metagan_edu import autodiff, seeds, trees
from metagan_edu.games import Players
from metagan_edu.rules import base

SGD, ADAM = mg.optimizers.sgd(0.1), mg.optimizers.adam(0.05)
BATCH = points()
# Every rule of the package, as it is tested for what all rules have in common.
RULES = {
    "simultaneous": lambda: mg.rules.simultaneous(ADAM, ADAM),
    "alternating": lambda: mg.rules.alternating(ADAM, ADAM, disc_steps=2),
    "unrolled": lambda: mg.rules.unrolled(ADAM, ADAM, num_unroll=2),
    "controlled": lambda: mg.rules.controlled(mg.rules.simultaneous(ADAM, ADAM), mg.rules.controllers.balance()),
    "extragradient": lambda: mg.rules.extragradient(ADAM, ADAM),
    "optimistic": lambda: mg.rules.optimistic(ADAM, ADAM),
    "consensus": lambda: mg.rules.consensus(ADAM, ADAM, gamma=0.1),
    "symplectic": lambda: mg.rules.symplectic(ADAM, ADAM),
    "competitive": lambda: mg.rules.competitive(ADAM, ADAM, reaction=0.1, num_iterations=2),
    "lookahead": lambda: mg.rules.lookahead(mg.rules.simultaneous(ADAM, ADAM), every=2),
    "averaged": lambda: mg.rules.averaged(mg.rules.simultaneous(ADAM, ADAM), 0.9),
    "jointly": lambda: mg.rules.jointly(ADAM),
    "safeguarded": lambda: mg.rules.safeguarded(ADAM),
    "under": lambda: mg.rules.under(mg.rules.simultaneous(ADAM, ADAM), mg.games.Hyper(lr=Players(0.5, 2.0))),
}
# Competitive refuses a game that is not zero-sum up to terms of one player alone.
ZERO_SUM = {"competitive": mg.losses.minimax()}


def run(rule, num_steps, game=None, hyper=HYPER):
    game = game or smooth_gan()
    state = rule.init(game, game.init(0))
    for t in range(num_steps):
        state, info = rule.step(game, state, BATCH, seeds.make(t), hyper)
    return state, info


def assert_close(first, second, rtol=1e-12):
    for a, b in zip(trees.leaves(first), trees.leaves(second), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-14)


def test_every_rule_of_the_package_is_tested():
    rules = {name for name in mg.rules.__all__ if inspect.isfunction(getattr(mg.rules, name))}
    assert rules == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_step_is_a_function_of_its_arguments_and_keeps_the_structure(name):
    game = smooth_gan(ZERO_SUM.get(name))
    rule = RULES[name]()
    state = rule.init(game, game.init(0))
    after, info = rule.step(game, state, BATCH, seeds.make(0), HYPER)
    tf.nest.assert_same_structure(state, after)
    assert [x.dtype for x in trees.leaves(state)] == [x.dtype for x in trees.leaves(after)]
    assert_close(after, rule.step(game, state, BATCH, seeds.make(0), HYPER)[0])
    assert all(np.isfinite(x) for x in trees.leaves(info)) and float(info.cost.gen_grads) >= 1


@pytest.mark.parametrize("name", RULES)
def test_rates_of_zero_leave_the_players_where_they_are(name):
    hyper = HYPER._replace(lr=Players(0.0, 0.0))
    game, rule = smooth_gan(ZERO_SUM.get(name)), RULES[name]()
    assert_close(rule.view(run(rule, 2, game, hyper)[0]), game.init(0))


@pytest.mark.parametrize("name", RULES)
def test_rules_compile_with_xla(name):
    result = mg.train(
        mg.games.gan(
            mg.networks.mlp(2, (4,), 2), mg.networks.mlp(2, (4,), 1),
            loss=ZERO_SUM.get(name), penalty=mg.losses.r1(0.1),
        ),
        RULES[name](), mg.data.ring().batches(8), num_steps=2, seed=0, jit=True, progress=False,
    )  # fmt: skip
    assert trees.all_finite(result.state)


def test_convolutional_game_compiles_with_xla():
    images = tf.random.stateless_uniform([16, 8, 8, 1], [0, 0], -1, 1)
    game = mg.games.gan(
        mg.networks.dcgan_generator(4, (8, 8, 1), width=4, norm=mg.normalization.BatchNorm),
        mg.networks.dcgan_discriminator((8, 8, 1), width=4),
    )
    rule = mg.rules.unrolled(ADAM, ADAM, num_unroll=1)
    assert trees.all_finite(mg.train(game, rule, lambda seed: images, num_steps=2, seed=0, jit=True).state)


def test_simultaneous_step_by_hand():
    """θ - η ∂L_G/∂θ and ψ - η ∂L_D/∂ψ at the old players."""
    game = smooth_gan()
    players = game.init(0)
    v = mg.dynamics.field(game, players, BATCH(None), seeds.split(seeds.make(0), 2)[1])
    after, _ = run(mg.rules.simultaneous(SGD, SGD), 1, game)
    expected = [trees.add(p.params, trees.scale(0.1, g)) for p, g in zip(players, v, strict=True)]
    assert_close([p.params for p in after.players], expected)


@pytest.mark.parametrize(("first", "second"), [("gen", "disc"), ("disc", "gen")])
def test_alternating_lets_the_second_player_answer_the_first(first, second):
    game = smooth_gan()
    state = mg.rules.simultaneous(SGD, ADAM).init(game, game.init(0))
    for who, move_seed in zip((first, second), seeds.split(seeds.make(0), 2), strict=True):
        noise = seeds.split(move_seed, 2)[1]
        state, _ = base.turn(game, who, Players(SGD, ADAM), state, BATCH(None), noise, HYPER)
    assert_close(run(mg.rules.alternating(SGD, ADAM, first=first), 1)[0], state)


def test_alternating_counts_its_discriminator_steps():
    _, info = run(mg.rules.alternating(SGD, SGD, disc_steps=3), 1)
    assert (float(info.cost.gen_grads), float(info.cost.disc_grads)) == (1, 3)


@pytest.mark.parametrize("optimizer", [SGD, ADAM], ids=["sgd", "adam"])
def test_unrolling_zero_steps_is_the_simultaneous_rule(optimizer):
    plain = run(mg.rules.simultaneous(optimizer, optimizer), 3)[0]
    assert_close(run(mg.rules.unrolled(optimizer, optimizer, num_unroll=0), 3)[0], plain)


def test_unrolling_takes_one_real_discriminator_step():
    unrolled = run(mg.rules.unrolled(ADAM, ADAM, num_unroll=4), 1)[0]
    plain = run(mg.rules.simultaneous(ADAM, ADAM), 1)[0]
    assert_close((unrolled.players.disc, unrolled.slots.disc), (plain.players.disc, plain.slots.disc))
    moved = trees.norm(trees.sub(unrolled.players.gen.params, plain.players.gen.params))
    assert float(moved) > 1e-4


@pytest.mark.parametrize("loop", [autodiff.python_loop, autodiff.while_loop])
@pytest.mark.parametrize("loss", [mg.losses.minimax, mg.losses.non_saturating])
@pytest.mark.parametrize("optimizer", [SGD, mg.optimizers.momentum(0.05, -0.3), ADAM], ids=["sgd", "momentum", "adam"])
def test_unrolled_gradient_through_three_steps_agrees_with_central_differences(loop, loss, optimizer):
    """The total derivative, through D's optimizer: read off a step of the generator with rate 1."""
    game = smooth_gan(loss(), mg.losses.r1(0.1))
    rule = mg.rules.unrolled(mg.optimizers.sgd(1.0), optimizer, num_unroll=3, loop=loop)
    state = double(rule.init(game, game.init(0)))
    noise = seeds.split(seeds.make(0), 2)[1]

    @tf.function
    def value(params):
        """The same look-ahead written out: three full steps of D, then G's loss."""
        psi, slots = state.players.disc.params, state.slots.disc
        players = state.players._replace(gen=state.players.gen._replace(params=params))
        for _ in range(3):
            now = players._replace(disc=players.disc._replace(params=psi))
            at = lambda p, now=now: game.disc_loss(  # noqa: E731
                now._replace(disc=now.disc._replace(params=p)), BATCH(None), noise, HYPER
            )[0]
            updates, slots = optimizer.update(autodiff.grad(at)(psi), slots)
            psi = trees.add(psi, updates)
        ahead = players._replace(disc=players.disc._replace(params=psi))
        return game.gen_loss(ahead, BATCH(None), noise, HYPER)[0]

    step = tf.function(lambda state: rule.step(game, state, BATCH, seeds.make(0), HYPER))
    after, info = step(state)
    gradient = trees.sub(state.players.gen.params, after.players.gen.params)
    np.testing.assert_allclose(info.scalars["gen_loss"], value(state.players.gen.params), rtol=1e-6)
    assert gradient_error(value, state.players.gen.params, gradient) < 1e-6


def test_average_is_the_exponential_mean_of_what_was_passed_through():
    inner = mg.rules.simultaneous(ADAM, ADAM)
    game = smooth_gan()
    expected = game.init(0).gen.params
    for t in range(4):
        generator = run(inner, t + 1, game)[0].players.gen.params
        expected = trees.lerp(expected, generator, 1 - min(0.3, (1 + t) / (10 + t)))
    averaged = mg.rules.averaged(inner, 0.3)
    state, _ = run(averaged, 4, game)
    assert_close(averaged.view(state).gen.params, expected, rtol=1e-6)
    assert_close(state.inner, run(inner, 4, game)[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mg.rules.alternating(SGD, SGD, disc_steps=0), "disc_steps must be a whole number of at least 1"),
        (lambda: mg.rules.alternating(SGD, SGD, first="generator"), "first must be one of 'gen', 'disc', not 'generator'"),
        (lambda: mg.rules.alternating(SGD, SGD, disc_steps=1.5), "not 1.5"),
        (lambda: mg.rules.unrolled(SGD, SGD, num_unroll=-1), "num_unroll must be a whole number of at least 0"),
        (lambda: mg.rules.unrolled(SGD, SGD, num_unroll=2.5), "not 2.5"),
        (lambda: mg.rules.averaged(mg.rules.simultaneous(SGD, SGD), 1.0), "decay must be a finite number at least 0 and below 1, not 1.0"),
    ],
)
def test_values_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
