"""How a game moves: its vector field, and the eigenvalues of the field or of a rule's update map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from . import autodiff, seeds, trees
from .games import Game, Hyper, Player, Players, no_data
from .roots import root
from .rules import Rule


def field(
    game: Game, players: Players, batch: Any = (), seed: Any = 0, hyper: Hyper = Hyper()  # noqa: B008 - immutable
) -> Players:  # fmt: skip
    """The game's vector field ``v = (-∂L_G/∂θ, -∂L_D/∂ψ)``: where simultaneous gradient descent wants to go."""
    seed = seeds.make(seed)

    def own_gradient(loss, who):
        def at(params):
            mover = getattr(players, who)._replace(params=params)
            return loss(players._replace(**{who: mover}), batch, seed, hyper)

        return autodiff.grad(at)(getattr(players, who).params)

    gradients = Players(own_gradient(game.gen_loss, "gen"), own_gradient(game.disc_loss, "disc"))
    return trees.scale(-1.0, gradients)


def field_norm(game: Game, players: Players, batch: Any = (), *, gram: Callable) -> tf.Tensor:
    """``‖(∂L_G/∂x, ∂L_D/∂y)‖``: zero exactly at a stationary point.

    ``gram``: the inner products by which it is measured, over all parameters (``rules.safeguard.whole_gram``) or over
    each game's where games stand side by side (``games.saddles.game_gram``; shape (games,)). It scores a run where the
    distance to a solution cannot: a seesaw has many stationary points.
    """
    square = gram([x[None] for x in trees.leaves(field(game, players, batch))])[0, 0]
    return root(tf.reshape(square, square.shape[:1]))


def _placed(template, at):
    """The pair ``at`` as float64 tensors of the shapes of ``template``'s leaves."""
    if len(at) != 2:
        raise ValueError(f"at must be the pair (θ, ψ) of the players' parameters, not {len(at)} values.")
    values = [v for t, value in zip(template, at, strict=True) for v in (value if tf.nest.is_nested(t) else [value])]
    values = [tf.convert_to_tensor(value, tf.float64) for value in values]
    shapes = [[tuple(x.shape) for x in tree] for tree in (values, trees.leaves(template))]
    if shapes[0] != shapes[1]:
        raise ValueError(f"at has the shapes {shapes[0]}, but the players' parameters have {shapes[1]}.")
    return trees.like(template, values)


def eigenvalues(
    game: Game, rule: Rule | None = None, *, at: Any, batches: Callable = no_data, seed: Any = 0, num_steps: int = 1
) -> np.ndarray:  # fmt: skip
    """Eigenvalues of a game's linearization at a point, in complex double precision, largest modulus first.

    Without a rule: of the Jacobian of :func:`field` (continuous time; a real part below 0 is stable). With a rule: of
    the Jacobian of ``num_steps`` steps of its update map from fresh slots, which are included (a modulus below 1 is
    stable); more than one for a rule that goes in cycles, such as look-ahead. ``at``: the pair (θ, ψ) of the players'
    parameters. Computed in float64. Raises ``ValueError`` where ``at`` does not have the shapes of the players'
    parameters.
    """
    params = _placed(Players(*(player.params for player in game.init(seeds.make(seed)))), at)
    players = Players(*(Player(value) for value in params))
    if rule is None:
        vector, unflatten = trees.flatten(params)

        def move(vector):
            moved = Players(*(Player(value) for value in unflatten(vector)))
            return trees.flatten(field(game, moved, batches(seeds.make(seed)), seed))[0]
    else:
        start = rule.init(game, players)
        is_float = [x.dtype.is_floating for x in trees.leaves(start)]
        vector, unflatten = trees.flatten([x for x in trees.leaves(start) if x.dtype.is_floating])

        def move(vector):
            floats = iter(unflatten(vector))
            whole = [next(floats) if f else x for f, x in zip(is_float, trees.leaves(start), strict=True)]
            after = trees.like(start, whole)
            for _ in range(num_steps):
                after, _ = rule.step(game, after, batches, seeds.make(seed), Hyper())
            return trees.flatten([x for x in trees.leaves(after) if x.dtype.is_floating])[0]

    linearized = tf.function(lambda v: autodiff.jacobian(move, v), autograph=False).get_concrete_function(vector)
    values = tf.linalg.eigvals(linearized(vector)).numpy()
    return values[abs(values).argsort()[::-1]]
