"""Update rules: identities between them, hand-written steps, and the gradient through the unrolled optimizer."""

import inspect
import warnings

import keras
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
    "anderson": lambda: mg.rules.anderson(mg.rules.alternating(ADAM, ADAM), memory=3),
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
def test_a_step_from_a_state_that_is_not_finite_raises_nothing(name):
    """The loop has begun it by the time it knows."""
    game, rule = smooth_gan(ZERO_SUM.get(name)), RULES[name]()
    state = trees.map(lambda x: x * np.nan if x.dtype.is_floating else x, rule.init(game, game.init(0)))
    assert not trees.all_finite(rule.step(game, state, BATCH, seeds.make(0), HYPER)[0])


@pytest.mark.parametrize("name", RULES)
def test_rates_of_zero_leave_the_players_where_they_are(name):
    hyper = HYPER._replace(lr=Players(0.0, 0.0))
    game, rule = smooth_gan(ZERO_SUM.get(name)), RULES[name]()
    assert_close(rule.view(run(rule, 2, game, hyper)[0]), game.init(0))


@pytest.mark.parametrize("name", RULES)
def test_a_step_compiled_with_xla_is_the_same_step(name):
    game, rule = smooth_gan(ZERO_SUM.get(name), mg.losses.r1(0.1)), RULES[name]()
    state = rule.init(game, game.init(0))
    compiled = tf.function(lambda state: rule.step(game, state, BATCH, seeds.make(0), HYPER)[0], jit_compile=True)
    assert_close(compiled(state), rule.step(game, state, BATCH, seeds.make(0), HYPER)[0], rtol=1e-9)


def test_a_loop_over_a_convolutional_game_compiles_with_xla():
    images = tf.random.stateless_uniform([16, 8, 8, 1], [0, 0], -1, 1)
    game = mg.games.gan(
        mg.networks.dcgan_generator(4, (8, 8, 1), width=4, norm=mg.normalization.BatchNorm),
        mg.networks.dcgan_discriminator((8, 8, 1), width=4),
    )
    rule = mg.rules.unrolled(ADAM, ADAM, num_unroll=1)
    assert trees.all_finite(mg.train(game, rule, lambda seed: images, num_steps=2, seed=0, jit=True).state)


def test_simultaneous_step_by_hand():
    """φ_G - η ∂L_G/∂φ_G and φ_D - η ∂L_D/∂φ_D at the old players."""
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
        (lambda: mg.rules.alternating(SGD, SGD, first="generator"), "must be one of 'gen', 'disc', not 'generator'"),
        (lambda: mg.rules.alternating(SGD, SGD, disc_steps=1.5), "not 1.5"),
        (lambda: mg.rules.unrolled(SGD, SGD, num_unroll=-1), "num_unroll must be a whole number of at least 0"),
        (lambda: mg.rules.unrolled(SGD, SGD, num_unroll=2.5), "not 2.5"),
        (lambda: mg.rules.averaged(mg.rules.simultaneous(SGD, SGD), 1.0), r"decay must be .* at least 0 and below 1"),
    ],
)
def test_values_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("batch", "count"),
    [(np.ones((3, 2)), 3), (tf.ones([4, 2]), 4), ((), 0), (np.float32(1), 0), ((tf.ones([2, 1]), np.ones(2)), 2)],
)
def test_the_rows_of_a_batch_are_counted_whatever_it_is_made_of(batch, count):
    assert base.rows(batch) == count


# --- Optimizers that are none, and schedules that count moves ---------------------------------------------------------

OF_A_PAIR = {
    "simultaneous": mg.rules.simultaneous,
    "alternating": mg.rules.alternating,
    "unrolled": lambda gen, disc: mg.rules.unrolled(gen, disc, num_unroll=2),
    "extragradient": mg.rules.extragradient,
    "optimistic": mg.rules.optimistic,
    "consensus": lambda gen, disc: mg.rules.consensus(gen, disc, gamma=0.1),
    "symplectic": mg.rules.symplectic,
    "competitive": lambda gen, disc: mg.rules.competitive(gen, disc, reaction=0.1),
}


def test_every_rule_of_two_optimizers_is_among_them():
    takes = {name for name in RULES if "gen_optimizer" in inspect.signature(getattr(mg.rules, name)).parameters}
    assert takes == set(OF_A_PAIR)


@pytest.mark.parametrize("name", OF_A_PAIR)
@pytest.mark.parametrize(
    ("other", "line"),
    [
        (keras.optimizers.Adam(1e-3), r"not Adam \(a Keras optimizer .* write mg\.optimizers\.adam\(lr\)\)"),
        (keras.optimizers.SGD(1e-3), r"not SGD \(.* write mg\.optimizers\.sgd\(lr\)\)"),
        (keras.optimizers.RMSprop(1e-3), r"not RMSprop \(.* write mg\.optimizers\.rmsprop\(lr\)\)"),
        (1e-3, r"not float \(write mg\.optimizers\.sgd\(0\.001\), or another optimizer of this rate\)"),
        ("adam", r"not str \(write for example mg\.optimizers\.adam\(2e-4\)\)"),
    ],
    ids=["Adam of Keras", "SGD of Keras", "RMSprop of Keras", "number", "word"],
)
def test_what_is_no_optimizer_is_refused_with_the_line_to_write(name, other, line):
    for pair in ((SGD, other), (other, SGD)):
        message = rf"^a rule moves each player by an optimizer, {line}; the generator's first\.$"
        with pytest.raises(ValueError, match=message):
            OF_A_PAIR[name](*pair)


def test_a_schedule_that_would_end_early_is_warned_of():
    cosine = mg.optimizers.adam(mg.optimizers.cosine_decay(1e-3, 100))
    behind = mg.optimizers.optimistic(mg.optimizers.chain(mg.optimizers.clip_by_global_norm(1.0), cosine))
    for make, found in [
        (lambda: mg.rules.alternating(SGD, cosine, disc_steps=5), ["disc optimizer counts moves, 5 a step here"]),
        (lambda: mg.rules.alternating(SGD, behind, disc_steps=5), ["disc optimizer counts moves, 5 a step here"]),
        (lambda: mg.rules.extragradient(cosine, SGD), ["gen optimizer counts moves, 2 a step here"]),
        (lambda: mg.rules.extragradient(cosine, cosine), ["gen optimizer counts moves", "disc optimizer counts moves"]),
        (lambda: mg.rules.alternating(cosine, cosine), []),
        (lambda: mg.rules.alternating(cosine, SGD, disc_steps=5), []),
        (lambda: mg.rules.alternating(ADAM, ADAM, disc_steps=5), []),
        (lambda: mg.rules.simultaneous(cosine, cosine), []),
        (lambda: mg.rules.unrolled(cosine, cosine, num_unroll=5), []),
        (lambda: mg.rules.extragradient(ADAM, ADAM), []),
    ]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            make()
        assert len(caught) == len(found)
        for warning, text in zip(caught, found, strict=True):
            assert text in str(warning.message) and "mg.rules.controllers.schedule(...)" in str(warning.message)
            assert warning.filename == __file__  # where the rule is written


# --- Rules around rules -----------------------------------------------------------------------------------------------


def one_of_ones_own(**options):
    """The simultaneous rule whose state is a plain tree: a dict that rules around it do not know their way in."""
    plain = mg.rules.simultaneous(SGD, ADAM)

    def step(game, state, batches, seed, hyper):
        new, info = plain.step(game, base.State(state["who"], state["how"]), batches, seed, hyper)
        return {"who": new.players, "how": new.slots}, info

    def init(game, players):
        return dict(zip(("who", "how"), plain.init(game, players), strict=True))

    return mg.rules.Rule(init, step, lambda state: state["who"], **options)


def players_of(state, new=None):
    return state["who"] if new is None else {**state, "who": new}


AROUND = {
    "lookahead": lambda rule: mg.rules.lookahead(rule, every=2),
    "averaged": lambda rule: mg.rules.lookahead(mg.rules.averaged(rule, 0.9), every=2),
    "controlled": lambda rule: mg.rules.lookahead(
        mg.rules.controlled(rule, mg.rules.controllers.balance()), every=2),
}  # fmt: skip


@pytest.mark.parametrize("name", AROUND)
def test_a_rule_whose_players_are_not_found_is_refused_with_what_to_write(name):
    message = (
        r"^the players are not found in a dict: a rule around this rule must reach them\. "
        r"Write Rule\(init, step, view, players=f\), where f\(state\)"
    )
    with pytest.raises(ValueError, match=message):
        run(AROUND[name](one_of_ones_own()), 1)


@pytest.mark.parametrize("name", AROUND)
def test_a_rule_that_says_where_its_players_are_goes_inside(name):
    own, plain = AROUND[name](one_of_ones_own(players=players_of)), AROUND[name](mg.rules.simultaneous(SGD, ADAM))
    (state, _), (expected, _) = run(own, 3), run(plain, 3)
    assert_close(own.players(state), plain.players(expected))
    assert_close(own.view(state), plain.view(expected))


@pytest.mark.parametrize("rule", [
    lambda rule: mg.rules.averaged(rule, 0.9), lambda rule: mg.rules.controlled(rule, mg.rules.controllers.balance()),
])  # fmt: skip
def test_around_a_rule_alone_only_who_asks_for_the_players_is_refused(rule):
    """An average and a controller never move the players themselves, so that they run around any rule."""
    state, _ = run(rule(one_of_ones_own()), 2)
    with pytest.raises(ValueError, match="the players are not found in a dict"):
        rule(one_of_ones_own()).players(state)
    found = rule(one_of_ones_own(players=players_of)).players(state)
    assert_close(found, state.inner["who"])


def test_rules_around_rules_around_rules_reach_the_players():
    game, plain = smooth_gan(), mg.rules.alternating(SGD, ADAM)
    rule = mg.rules.lookahead(
        mg.rules.averaged(mg.rules.controlled(plain, mg.rules.controllers.schedule(mg.optimizers.constant(1.0))), 0.9),
        every=2, alpha=0.3,
    )  # fmt: skip
    state, _ = run(rule, 2, game)
    after, start = run(plain, 2, game)[0].players, game.init(0)
    params = [trees.lerp(old.params, new.params, 0.3) for old, new in zip(start, after, strict=True)]
    assert_close([player.params for player in rule.players(state)], params)
    assert_close([player.params for player in state.inner.inner.inner.players], params)
    assert_close([player.params for player in rule.view(state)], params)
    moved = rule.players(state, start)
    assert_close(rule.players(moved), start)
    tf.nest.assert_same_structure(moved, state)
    assert_close(moved.inner.inner.inner.slots, state.inner.inner.inner.slots)
