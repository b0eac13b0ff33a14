"""Both players seen as one: what rules share that look at the whole game and not at one player at a time.

``w = (θ, ψ)`` is the pair of parameters, ``g(w) = (∂L_G/∂θ, ∂L_D/∂ψ)`` the pair of own gradients (the field of
``games.field`` is ``v = -g``), and ``J = ∂g/∂w`` its Jacobian, which for a game is not symmetric.
"""

import math

import tensorflow as tf

from .. import seeds
from ..games import Players
from . import base


def at_least_zero(name, value):
    """``ValueError`` for a number that is negative or not finite; a tensor (a learned weight) passes."""
    if not tf.is_tensor(value) and not (value >= 0 and math.isfinite(value)):
        raise ValueError(f"{name} must be a finite number of at least 0, not {value!r}.")


def draw(batches, seed):
    """A batch, and the seed of the noise that goes with it."""
    data_seed, noise_seed = seeds.split(seed, 2)
    return batches(data_seed), noise_seed


def params(players):
    """The pair ``w`` of both players' parameters."""
    return Players(*(player.params for player in players))


def with_params(players, w):
    """The players with the pair ``w`` as parameters."""
    return Players(*(player._replace(params=own) for player, own in zip(players, w, strict=True)))


def gradients(game, players, batch, seed, hyper):
    """``(losses, new states, g(w))`` at one point, each a pair."""
    results = [base.gradient(game, who, players, batch, seed, hyper) for who in Players._fields]
    losses, states, grads = zip(*((loss, new, own) for (loss, new), own in results), strict=True)
    return Players(*losses), Players(*states), Players(*grads)


def gradient_of(game, players, batch, seed, hyper):
    """The function ``w -> g(w)`` on one batch and one draw of noise, for products with its Jacobian."""

    def at(w):
        return gradients(game, with_params(players, w), batch, seed, hyper)[-1]

    return at


def move(optimizers, state, grads, player_states, hyper):
    """The state after both players have taken one step of their optimizers for the pair of gradients ``grads``."""
    moved = [
        base.move(who, optimizers, state, getattr(grads, who), getattr(player_states, who), hyper)
        for who in Players._fields
    ]
    return base.merge(*moved)
