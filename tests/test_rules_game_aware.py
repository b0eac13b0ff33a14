"""Game-aware rules: update maps on two scalars in closed form, hand-written steps, second-order products."""

import numpy as np
import pytest
from oracles import HYPER, double, gradient_error, points, smooth_gan

import metagan_edu as mg
from metagan_edu import autodiff, seeds, trees

SGD, ADAM = mg.optimizers.sgd(0.1), mg.optimizers.adam(0.05)
BATCH = points()
ORIGIN = (0.0, 0.0)
WITHOUT = autodiff.without_gradient(autodiff.unroll)


def modulus(rule, game=None, at=ORIGIN):
    """The largest eigenvalue modulus of the update map, by default on the minimax Dirac-GAN at its equilibrium."""
    return abs(mg.games.eigenvalues(game or mg.games.dirac(mg.losses.minimax()), rule, at=at))[0]


@pytest.mark.parametrize("num_unroll", [1, 5, 10])
@pytest.mark.parametrize(("loop", "share"), [(autodiff.unroll, 1), (WITHOUT, 0.5)], ids=["full", "without_gradient"])
def test_unrolling_without_the_inner_gradient_damps_half_as_much(num_unroll, loop, share):
    """θ is damped by 2Kη f'(0)² with the gradient through the inner steps, by half of that without it."""
    h = 0.2
    sgd = mg.optimizers.sgd(h)
    rule = mg.rules.unrolled(sgd, sgd, num_unroll=num_unroll, loop=loop)
    expected = np.linalg.eigvals([[1 - share * h * num_unroll * h / 2, h / 2], [-h / 2, 1]])
    np.testing.assert_allclose(modulus(rule), max(abs(expected)), atol=1e-7)


def test_unrolling_without_the_inner_gradient_is_the_gradient_at_a_constant_discriminator():
    game = smooth_gan(penalty=mg.losses.r1(0.1))
    one = mg.optimizers.sgd(1.0)
    rule = mg.rules.unrolled(one, ADAM, num_unroll=3, loop=WITHOUT)
    state = double(rule.init(game, game.init(0)))
    after, info = rule.step(game, state, BATCH, seeds.make(0), HYPER)
    batch, noise = BATCH(None), seeds.split(seeds.make(0), 2)[1]
    ahead = state
    for _ in range(3):
        ahead = mg.rules.base.turn(game, "disc", mg.games.Players(one, ADAM), ahead, batch, noise, HYPER)[0]

    def value(params):
        player = state.players.gen._replace(params=params)
        return game.gen_loss(ahead.players._replace(gen=player), batch, noise, HYPER)[0]

    gradient = trees.sub(state.players.gen.params, after.players.gen.params)
    assert gradient_error(value, state.players.gen.params, gradient) < 1e-6
    assert [float(x) for x in info[2:]] == [1, 4, 0]
