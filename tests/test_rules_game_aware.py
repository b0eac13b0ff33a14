"""Game-aware rules: update maps on two scalars in closed form, hand-written steps, second-order products."""

import numpy as np
import pytest
import tensorflow as tf
from oracles import HYPER, difference, double, gradient_error, points, relative_error, smooth_gan

import metagan_edu as mg
from metagan_edu import autodiff, seeds, trees
from metagan_edu.games import Players
from metagan_edu.rules import joint
from metagan_edu.rules.competitive import conjugate_gradient
from metagan_edu.rules.symplectic import aligned

SGD, ADAM = mg.optimizers.sgd(0.1), mg.optimizers.adam(0.05)
BATCH = points()
ORIGIN = (0.0, 0.0)
WITHOUT = autodiff.without_gradient(autodiff.unroll)
MINIMAX, RULES = mg.losses.minimax(), mg.rules
# The minimax Dirac-GAN at its equilibrium: g(w) = TURN w + ..., one own gradient for each player.
TURN, EYE = np.array([[0, -0.5], [0.5, 0]]), np.eye(2)


def unaligned(g, growth, adjustment):
    return 1.0


def modulus(rule, at=ORIGIN, num_steps=1):
    """The largest eigenvalue modulus of the update map on the minimax Dirac-GAN, by default at its equilibrium."""
    return abs(mg.dynamics.eigenvalues(mg.games.dirac(MINIMAX), rule, at=at, num_steps=num_steps))[0]


def largest(matrix):
    return abs(np.linalg.eigvals(matrix)).max()


def step(rule, game, players=None, num_steps=1):
    """The state after some steps in float64, each with its own seed, and the last step's info."""
    state = double(rule.init(game, game.init(0) if players is None else players))
    for t in range(num_steps):
        state, info = rule.step(game, state, BATCH, seeds.make(t), HYPER)
    return state, info


def linearization(game):
    """Both players' gradients in the first step from ``game.init(0)``, flat; their Jacobian by central differences."""
    players = double(game.init(0))
    gradient = joint.gradient_of(game, players, *joint.draw(BATCH, seeds.make(0)), HYPER)
    w, unflatten = trees.flatten(joint.params(players))

    @tf.function
    def flat(w):
        return trees.flatten(gradient(unflatten(w)))[0]

    basis = tf.eye(w.shape[0], dtype=tf.float64)
    jacobian = np.stack([difference(flat, w, basis[i]).numpy() for i in range(w.shape[0])], axis=1)
    sizes = [trees.flatten(own)[0].shape[0] for own in joint.params(players)]
    return w.numpy(), flat(w).numpy(), jacobian, sizes


def moved(rule, game):
    """How far one step moves all parameters, flat."""
    start, _ = trees.flatten(joint.params(double(game.init(0))))
    return trees.flatten(joint.params(step(rule, game)[0].players))[0].numpy() - start.numpy()


def assert_close(first, second, rtol=1e-12):
    for a, b in zip(trees.leaves(first), trees.leaves(second), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-14)


# Rule with step h, its update map on g(w) = TURN w, and the modulus of that at h = 0.2.
MAPS = {
    "extragradient": (lambda sgd, h: RULES.extragradient(sgd, sgd), lambda h: EYE - h * TURN @ (EYE - h * TURN),
                      0.99504),
    "consensus": (
        lambda sgd, h: RULES.consensus(sgd, sgd, gamma=1.0), lambda h: EYE - h * (TURN + TURN.T @ TURN), 0.95525,
    ),
    "symplectic": (lambda sgd, h: RULES.symplectic(sgd, sgd), lambda h: EYE - h * (TURN + TURN.T @ TURN), 0.95525),
    "symplectic, unaligned": (
        lambda sgd, h: RULES.symplectic(sgd, sgd, sign=unaligned), lambda h: EYE - h * (TURN + TURN.T @ TURN), 0.95525,
    ),
    "optimistic": (
        lambda sgd, h: RULES.optimistic(sgd, sgd),
        lambda h: np.block([[EYE - 2 * h * TURN, -EYE], [-h * TURN, 0 * EYE]]), 0.99493,
    ),
    "lookahead": (
        lambda sgd, h: RULES.lookahead(RULES.simultaneous(sgd, sgd), every=10, alpha=0.5),
        lambda h: 0.5 * (EYE + np.linalg.matrix_power(EYE - h * TURN, 10)), 0.90086,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("h", [0.2, 0.5])
def test_update_maps_of_the_dirac_gan_in_closed_form(name, h):
    make, matrix, at_02 = MAPS[name]
    actual = modulus(make(mg.optimizers.sgd(h), h), num_steps=10 if name == "lookahead" else 1)
    np.testing.assert_allclose(actual, largest(matrix(h)), atol=1e-7)
    if h == 0.2:
        np.testing.assert_allclose(actual, at_02, atol=1e-5)


@pytest.mark.parametrize("at", [ORIGIN, (1e-4, 1e-4)], ids=["at it", "beside it"])
@pytest.mark.parametrize("h", [0.2, 0.5])
def test_competitive_update_map_in_closed_form(h, at):
    """1/√(1 + h²/4), at the equilibrium, where the conjugate gradient's right side is 0, and beside it."""
    sgd = mg.optimizers.sgd(h)
    rule = RULES.competitive(sgd, sgd, reaction=h, num_iterations=1)  # players of one number each
    np.testing.assert_allclose(modulus(rule, at=at), 1 / np.sqrt(1 + h**2 / 4), atol=1e-7 if at == ORIGIN else 1e-6)


def test_competitive_eigenvalues_at_the_equilibrium():
    """Those of I - h (I + hJ)⁻¹ J, and not those of the simultaneous rule, which are outside the circle."""
    sgd = mg.optimizers.sgd(0.17)
    rule = RULES.competitive(sgd, sgd, reaction=0.17)
    found = np.sort_complex(mg.dynamics.eigenvalues(mg.games.dirac(MINIMAX), rule, at=ORIGIN))
    np.testing.assert_allclose(found, [0.9928268 - 0.0843904j, 0.9928268 + 0.0843904j], atol=1e-7)
    matrix = EYE - 0.17 * np.linalg.solve(EYE + 0.17 * TURN, TURN)
    np.testing.assert_allclose(found, np.sort_complex(np.linalg.eigvals(matrix)))
    sgd = mg.optimizers.sgd(0.2)
    rule = RULES.competitive(sgd, sgd, reaction=0.2, num_iterations=1)
    turn = np.array([[0, 1], [-1, 0]])
    moduli = abs(mg.dynamics.eigenvalues(mg.games.bilinear(), rule, at=([0.0], [0.0])))
    np.testing.assert_allclose(moduli, 0.981, atol=5e-4)
    np.testing.assert_allclose(moduli, largest(EYE - 0.2 * np.linalg.solve(EYE + 0.2 * turn, turn)))


@pytest.mark.parametrize("num_iterations", [4, 20], ids=["python loop", "while loop"])
def test_the_derivative_of_a_competitive_step_agrees_with_central_differences(num_iterations):
    """In all parameters of two networks: that of the solution, not of the iterations that lead to it."""
    game, sgd = smooth_gan(MINIMAX, mg.losses.r1(0.1)), mg.optimizers.sgd(0.5)
    rule = RULES.competitive(sgd, sgd, reaction=0.5, num_iterations=num_iterations)
    start = double(game.init(0))

    @tf.function(autograph=False)
    def after(w):
        state, _ = rule.step(game, rule.init(game, joint.with_params(start, w)), BATCH, seeds.make(0), HYPER)
        moved = joint.params(state.players)
        return tf.add_n([tf.reduce_sum(tf.sin(3 * x)) for x in trees.leaves(moved)])

    assert gradient_error(after, joint.params(start)) < 1e-6


def test_products_with_the_jacobian_agree_with_central_differences():
    """One step with rate 1 of consensus, -(g + γJᵀg), and of symplectic, -(g + λ(Jᵀg - Jg)/2)."""
    game, one = smooth_gan(penalty=mg.losses.r1(0.1)), mg.optimizers.sgd(1.0)
    _, g, jacobian, _ = linearization(game)
    back, ahead = jacobian.T @ g, jacobian @ g
    assert relative_error(moved(RULES.consensus(one, one, gamma=0.7), game), -(g + 0.7 * back)) < 1e-6
    adjusted = g + 0.7 * (back - ahead) / 2
    assert relative_error(moved(RULES.symplectic(one, one, strength=0.7, sign=unaligned), game), -adjusted) < 1e-6


def test_consensus_descends_the_squared_length_of_the_field():
    """Jᵀg is the gradient of ½‖g‖²."""
    game, one = smooth_gan(), mg.optimizers.sgd(1.0)
    players = double(game.init(0))
    gradient = joint.gradient_of(game, players, *joint.draw(BATCH, seeds.make(0)), HYPER)
    after, plain = (step(rule, game)[0].players for rule in (
        RULES.consensus(one, one, gamma=1.0), RULES.simultaneous(one, one)))  # fmt: skip
    pull = trees.sub(joint.params(plain), joint.params(after))

    @tf.function
    def length(w):
        return trees.dot(gradient(w), gradient(w)) / 2

    assert gradient_error(length, joint.params(players), pull) < 1e-6


@pytest.mark.parametrize("sign", [1, -1])
def test_alignment_has_the_sign_of_the_paper(sign):
    """sign(⟨g, ∇H⟩⟨Aᵀg, ∇H⟩/d + 1/10), with d = 2 and the products -0.04 and -0.16 · 2 on either side of -0.1 · 2."""
    g, growth = (tf.constant([1.0, 0.0]),), (tf.constant([0.4, 0.0]),)
    adjustment = (tf.constant([-1.0 if sign > 0 else -2.0, 5.0]),)
    assert float(aligned(g, growth, adjustment)) == sign


def test_symplectic_follows_its_sign():
    game = smooth_gan()
    off, plus, minus = (moved(RULES.symplectic(SGD, SGD, strength=0.7, sign=s), game) for s in (
        lambda *_: 0.0, lambda *_: 1.0, lambda *_: -1.0))  # fmt: skip
    np.testing.assert_allclose(plus + minus, 2 * off, rtol=1e-9)


@pytest.mark.parametrize("penalty", [mg.losses.no_penalty, mg.losses.r1(0.1)], ids=["plain", "r1"])
def test_competitive_solves_its_linear_system(penalty):
    """w ← w - η (I + η J_mixed)⁻¹ g, with the mixed blocks by central differences and a solver of NumPy's."""
    game, eta = smooth_gan(MINIMAX, penalty), 0.3
    _, g, jacobian, (size, _) = linearization(game)
    jacobian[:size, :size] = jacobian[size:, size:] = 0
    expected = -eta * np.linalg.solve(np.eye(len(g)) + eta * jacobian, g)
    sgd = mg.optimizers.sgd(eta)
    assert relative_error(moved(RULES.competitive(sgd, sgd, reaction=eta, num_iterations=8), game), expected) < 1e-6


def test_conjugate_gradient_solves_exactly_and_then_stays():
    matrix = np.random.default_rng(0).normal(size=(3, 3))
    matrix = tf.constant(matrix @ matrix.T + np.eye(3))
    right = tf.constant([1.0, -2.0, 0.5], tf.float64)
    expected = np.linalg.solve(matrix, right)
    for num_iterations in (3, 8):
        x = conjugate_gradient(lambda x: (tf.linalg.matvec(matrix, x[0]),), (right,), num_iterations)[0]
        np.testing.assert_allclose(x, expected, rtol=1e-9)
    np.testing.assert_array_equal(conjugate_gradient(lambda x: x, (0 * right,), 2)[0], [0, 0, 0])


def test_competitive_refuses_a_game_that_is_not_zero_sum():
    rule = RULES.competitive(SGD, SGD, reaction=0.1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="competitive needs a zero-sum game"):
        step(rule, smooth_gan(mg.losses.non_saturating()))
    with pytest.raises(tf.errors.InvalidArgumentError, match="competitive needs a zero-sum game"):
        mg.train(mg.games.dirac(), rule, mg.games.no_data, num_steps=2, seed=0, progress=False)
    mg.train(mg.games.bilinear(), rule, mg.games.no_data, num_steps=2, seed=0, progress=False)


def test_competitive_runs_on_convolutions():
    """Compiled as one graph, TensorFlow's remapper would tie the products of these layers in knots."""
    images = tf.random.stateless_uniform([8, 8, 8, 1], [0, 0], -1, 1)
    nets = mg.networks.dcgan_generator(4, (8, 8, 1), width=4), mg.networks.dcgan_discriminator((8, 8, 1), width=4)
    rule = RULES.competitive(SGD, SGD, reaction=0.1, num_iterations=1)
    game = mg.games.gan(*nets, loss=MINIMAX)
    result = mg.train(game, rule, lambda seed: images, num_steps=2, seed=0, progress=False)
    assert trees.all_finite(result.state)


@pytest.mark.parametrize("optimizer", [SGD, ADAM], ids=["sgd", "adam"])
def test_neutral_settings_give_the_rule_inside(optimizer):
    """γ = 0, strength 0 and reaction 0 are the simultaneous rule; α = 1, or a sync that is still to come, too."""
    game = smooth_gan(MINIMAX)
    plain = step(RULES.simultaneous(optimizer, optimizer), game, num_steps=3)[0]
    assert_close(step(RULES.consensus(optimizer, optimizer, gamma=0), game, num_steps=3)[0], plain)
    assert_close(step(RULES.symplectic(optimizer, optimizer, strength=0), game, num_steps=3)[0], plain)
    assert_close(step(RULES.competitive(optimizer, optimizer, reaction=0), game, num_steps=3)[0], plain)
    for every, alpha in ((2, 1.0), (4, 0.5)):
        rule = RULES.lookahead(RULES.simultaneous(optimizer, optimizer), every=every, alpha=alpha)
        assert_close(step(rule, game, num_steps=3)[0].inner, plain)


@pytest.mark.parametrize("optimizer", [SGD, ADAM], ids=["sgd", "adam"])
def test_extragradient_by_hand(optimizer):
    """A step ahead, then the update for the gradient there, from where it began, with the moments of both."""
    game = smooth_gan()
    players = double(game.init(0))
    here, there = seeds.split(seeds.make(0), 2)

    def half(at, start, slots, seed):
        grads = joint.gradients(game, at, *joint.draw(BATCH, seed), HYPER)[-1]
        updates, slots = zip(*(optimizer.update(g, s) for g, s in zip(grads, slots, strict=True)), strict=True)
        return joint.with_params(start, trees.add(joint.params(start), Players(*updates))), slots

    fresh = [optimizer.init(player.params) for player in players]
    ahead, slots = half(players, players, fresh, here)
    expected, slots = half(ahead, players, slots, there)
    after, info = step(RULES.extragradient(optimizer, optimizer), game)
    assert_close((after.players, after.slots), (expected, Players(*slots)))
    assert [float(x) for x in info.cost[:3]] == [2, 2, 0]


def test_optimistic_is_extragradient_from_the_past():
    """w_{t+½} = w_t - η g(w_{t-½}), w_{t+1} = w_t - η g(w_{t+½}): the optimistic iterates are the w_{t+½}."""
    matrix = np.random.default_rng(1).normal(size=(2, 2)).astype(np.float32)
    game, eta = mg.games.bilinear(matrix), 0.1
    jacobian = np.block([[np.zeros((2, 2)), matrix], [-matrix.T, np.zeros((2, 2))]])
    half = np.ones(4)
    whole = half - eta * jacobian @ half
    for _ in range(4):
        half = whole - eta * jacobian @ half
        whole = whole - eta * jacobian @ half
    sgd = mg.optimizers.sgd(eta)
    state, _ = step(RULES.optimistic(sgd, sgd), game, num_steps=4)
    np.testing.assert_allclose(np.concatenate(joint.params(state.players)), half, rtol=1e-6)


def test_optimistic_adam_by_hand():
    """w + 2 u_t - u_{t-1} with Adam's updates of the gradients met on the way."""
    game = smooth_gan()
    players, past = double(game.init(0)), None
    slots = [ADAM.init(player.params) for player in players]
    for t in range(3):
        grads = joint.gradients(game, players, *joint.draw(BATCH, seeds.make(t)), HYPER)[-1]
        updates, slots = zip(*(ADAM.update(g, s) for g, s in zip(grads, slots, strict=True)), strict=True)
        past = trees.zeros(updates) if past is None else past
        way = trees.sub(trees.scale(2, updates), past)
        players, past = joint.with_params(players, trees.add(joint.params(players), Players(*way))), updates
    assert_close(step(RULES.optimistic(ADAM, ADAM), game, num_steps=3)[0].players, players)


def test_lookahead_takes_both_players_back_and_keeps_the_slots():
    game, inner = smooth_gan(), RULES.simultaneous(ADAM, ADAM)
    start = joint.params(double(game.init(0)))
    before = step(RULES.lookahead(inner, every=3, alpha=0.3), game, num_steps=2)[0]
    after = step(RULES.lookahead(inner, every=3, alpha=0.3), game, num_steps=3)[0]
    plain = step(inner, game, num_steps=3)[0]
    assert_close(before.slow, start)
    assert_close(after.slow, trees.lerp(start, joint.params(plain.players), 0.3))
    assert_close(joint.params(after.inner.players), after.slow)
    assert_close(after.inner.slots, plain.slots)


def test_lookahead_shows_the_slow_weights_and_goes_around_rules_around_rules():
    game, adam = smooth_gan(), RULES.simultaneous(ADAM, ADAM)
    state, _ = step(RULES.lookahead(RULES.averaged(adam), every=2), game, num_steps=3)
    view = RULES.lookahead(RULES.averaged(adam), every=2).view(state)
    assert_close(joint.params(view), state.slow)
    assert_close(state.slow, step(RULES.lookahead(adam, every=2), game, num_steps=3)[0].slow)
    around = RULES.averaged(RULES.lookahead(adam, every=1, alpha=0.5), 0.0)
    state, _ = step(around, game, num_steps=2)
    assert_close(around.view(state).gen.params, state.inner.slow.gen)


@pytest.mark.parametrize(
    ("make", "cost"),
    [
        (lambda: RULES.optimistic(SGD, SGD), [1, 1, 0]),
        (lambda: RULES.consensus(SGD, SGD, gamma=0.1), [1, 1, 2]),
        (lambda: RULES.symplectic(SGD, SGD), [1, 1, 4]),
        (lambda: RULES.competitive(SGD, SGD, reaction=0.1, num_iterations=3), [1, 1, 8]),
        (lambda: RULES.lookahead(RULES.extragradient(SGD, SGD), every=2), [2, 2, 0]),
    ],
)
def test_the_cost_of_a_step_is_counted(make, cost):
    assert [float(x) for x in step(make(), smooth_gan(MINIMAX))[1].cost[:3]] == cost


@pytest.mark.parametrize("make", [
    lambda: RULES.lookahead(RULES.symplectic(ADAM, ADAM), every=3),
    lambda: RULES.competitive(SGD, SGD, reaction=0.1),
])  # fmt: skip
def test_a_run_is_traced_once(make):
    traces = []
    plain = mg.games.dirac(MINIMAX)

    def counted(*args):
        traces.append(1)
        return plain.gen_loss(*args)

    rule, game = make(), plain._replace(gen_loss=counted)
    mg.train(game, rule, mg.games.no_data, num_steps=3, seed=0, progress=False)
    first = len(traces)
    mg.train(game, rule, mg.games.no_data, num_steps=250, seed=1, progress=False)
    assert len(traces) == first


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RULES.consensus(SGD, SGD, gamma=-0.1), "gamma must be a finite number of at least 0, not -0.1"),
        (lambda: RULES.symplectic(SGD, SGD, strength=float("nan")), "strength must be a finite number"),
        (lambda: RULES.competitive(SGD, SGD, reaction=float("inf")), "reaction must be a finite number"),
        (lambda: RULES.competitive(SGD, SGD, reaction=0.1, num_iterations=0), "num_iterations must be a whole number"),
        (lambda: RULES.lookahead(RULES.simultaneous(SGD, SGD), every=0), "every must be a whole number of at least 1"),
        (lambda: RULES.lookahead(RULES.simultaneous(SGD, SGD), every=5, alpha=0.0), r"alpha .* above 0 and at most 1"),
        (lambda: RULES.lookahead(RULES.simultaneous(SGD, SGD), every=5, alpha=1.5), "not 1.5"),
    ],
)
def test_values_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("num_unroll", [1, 5, 10])
@pytest.mark.parametrize(("loop", "share"), [(autodiff.unroll, 1), (WITHOUT, 0.5)], ids=["full", "without_gradient"])
def test_unrolling_without_the_inner_gradient_damps_half_as_much(num_unroll, loop, share):
    """φ_G is damped by 2Kη f'(0)² with the gradient through the inner steps, by half of that without it."""
    h = 0.2
    sgd = mg.optimizers.sgd(h)
    rule = RULES.unrolled(sgd, sgd, num_unroll=num_unroll, loop=loop)
    expected = np.linalg.eigvals([[1 - share * h * num_unroll * h / 2, h / 2], [-h / 2, 1]])
    np.testing.assert_allclose(modulus(rule), max(abs(expected)), atol=1e-7)


def test_unrolling_without_the_inner_gradient_is_the_gradient_at_a_constant_discriminator():
    game = smooth_gan(penalty=mg.losses.r1(0.1))
    one = mg.optimizers.sgd(1.0)
    rule = RULES.unrolled(one, ADAM, num_unroll=3, loop=WITHOUT)
    state = double(rule.init(game, game.init(0)))
    after, info = rule.step(game, state, BATCH, seeds.make(0), HYPER)
    batch, noise = BATCH(None), seeds.split(seeds.make(0), 2)[1]
    ahead = state
    for _ in range(3):
        ahead = RULES.base.turn(game, "disc", Players(one, ADAM), ahead, batch, noise, HYPER)[0]

    def value(params):
        player = state.players.gen._replace(params=params)
        return game.gen_loss(ahead.players._replace(gen=player), batch, noise, HYPER)[0]

    gradient = trees.sub(state.players.gen.params, after.players.gen.params)
    assert gradient_error(value, state.players.gen.params, gradient) < 1e-6
    # A gradient of L_D with R1 counts as 1.87: three looked ahead, of which the first is its own.
    np.testing.assert_allclose(info.cost[:3], [1, 3 * 1.87, 0], rtol=1e-6)
