"""Both players seen as one: what rules share that look at the whole game and not at one player at a time.

``w = (φ_G, φ_D)`` is the pair of parameters, ``g(w) = (∂L_G/∂φ_G, ∂L_D/∂φ_D)`` the pair of own gradients (the field of
``dynamics.field`` is ``v = -g``), and ``J_g = ∂g/∂w`` its Jacobian, which for a game is not symmetric.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import seeds
from ..games import Game, Hyper, Players
from . import base


def draw(batches: Callable, seed: Any) -> tuple[Any, Any]:
    """A batch, and the seed of the noise that goes with it."""
    data_seed, noise_seed = seeds.split(seed, 2)
    return batches(data_seed), noise_seed


def params(players: Players) -> Players:
    """The pair ``w`` of both players' parameters."""
    return Players(*(player.params for player in players))


def players(w: Players, states: Players) -> Players:
    """The players with these parameters and states."""
    return Players(*(base.Player(params, state) for params, state in zip(w, states, strict=True)))


def with_params(players: Players, w: Players) -> Players:
    """The players with the pair ``w`` as parameters."""
    return Players(*(player._replace(params=own) for player, own in zip(players, w, strict=True)))


def gradients(
    game: Game, players: Players, batch: Any, seed: Any, hyper: Hyper, gradient: Callable = base.gradient
) -> tuple[Players, Players, Players]:
    """``(losses, new states, g(w))`` at one point, each a pair."""
    results = [gradient(game, who, players, batch, seed, hyper) for who in Players._fields]
    losses, states, grads = zip(*((loss, new, own) for (loss, new), own in results), strict=True)
    return Players(*losses), Players(*states), Players(*grads)


def gradient_of(game: Game, players: Players, batch: Any, seed: Any, hyper: Hyper) -> Callable:
    """The function ``w -> g(w)`` on one batch and one draw of noise, for products with its Jacobian.

    On several replicas it is that of this replica's share: a product is linear in it, and is averaged itself.
    """

    def at(w):
        return gradients(game, with_params(players, w), batch, seed, hyper, base.local_gradient)[-1]

    return at


def move(optimizers: Players, state: base.State, grads: Players, player_states: Players, hyper: Hyper) -> base.State:
    """The state after both players have taken one step of their optimizers for the pair of gradients ``grads``."""
    moved = [
        base.move(who, optimizers, state, getattr(grads, who), getattr(player_states, who), hyper)
        for who in Players._fields
    ]
    return base.merge(*moved)
