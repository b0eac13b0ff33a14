"""How a game moves: its field, eigenvalues of the field or of a rule's update map, and what can be seen of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from . import autodiff, losses, seeds, trees
from .games import Game, Hyper, Player, Players, no_data, sample
from .roots import root
from .rules import Rule


def field(
    game: Game, players: Players, batch: Any = (), seed: Any = 0, hyper: Hyper = Hyper()  # noqa: B008 - immutable
) -> Players:  # fmt: skip
    """The game's vector field ``v = (-∂L_G/∂φ_G, -∂L_D/∂φ_D)``: where simultaneous gradient descent wants to go."""
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
        raise ValueError(f"at must be the pair (φ_G, φ_D) of the players' parameters, not {len(at)} values.")
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
    stable); more than one for a rule that goes in cycles, such as look-ahead. ``at``: the pair (φ_G, φ_D) of the
    players' parameters. Computed in float64. Raises ``ValueError`` where ``at`` does not have the shapes of the
    players' parameters.
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


class Snapshot(NamedTuple):
    """The discriminator at one moment, and where it sends the generator: what a picture of both needs.

    ``grid``: places (m, d); ``logits``: ``D`` there (m,); ``generated``: samples (n, d); ``pull``: ``-∂L_G/∂x`` at each
    of them, without the mean's 1/n (n, d). All are float32 arrays.
    """

    grid: np.ndarray
    logits: np.ndarray
    generated: np.ndarray
    pull: np.ndarray


def snapshot(
    game: Game, players: Players, *, loss: losses.Loss | None = None, limit: float = 3.0, n: int = 32, seed: Any = 0
) -> Snapshot:  # fmt: skip
    """The discriminator over ``[-limit, limit]^d``, for points of one or two dimensions, and its pull on ``n`` samples.

    The pull on a sample ``x`` is ``-ℓ'(D(x)) ∂D/∂x``, ``ℓ`` being the generator's loss in a fake logit: it is where the
    generator would move this sample if it could move each alone. ``loss``: the game's own (default, as there:
    non-saturating); one that compares with real logits (relativistic) sees 0 for these. The grid has 401 places on a
    line, 61² in the plane. Raises ``ValueError`` for a game without samples, with labels, or of more dimensions.
    """
    if game.generate is None or game.score is None or getattr(game.generate, "condition", None) is not None:
        raise ValueError("a snapshot is taken of a game with a generator, a discriminator and no labels.")
    generated = tf.convert_to_tensor(sample(game, players, n, seed=seed))
    if generated.shape.rank != 2 or generated.shape[1] not in (1, 2):
        raise ValueError(f"a snapshot is taken of samples (n, 1) or (n, 2), not {tuple(generated.shape)}.")
    line = np.linspace(-limit, limit, 401 if generated.shape[1] == 1 else 61, dtype=np.float32)
    grid = np.stack(np.meshgrid(*[line] * generated.shape[1]), -1).reshape(-1, generated.shape[1])

    logits = tf.reshape(game.score(players, tf.constant(grid)), [-1])
    return Snapshot(grid, logits.numpy(), generated.numpy(), pull(game, players, generated, loss).numpy())


def pull(game: Game, players: Players, x: tf.Tensor, loss: losses.Loss | None = None) -> tf.Tensor:
    """``-ℓ'(D(x)) ∂D/∂x`` at each of the samples ``x`` (n, d), as :func:`snapshot` has it."""

    def paid(x):
        logits = tf.reshape(game.score(players, x), [-1])
        return -x.shape[0] * losses.as_loss(loss).gen(tf.zeros_like(logits), logits)

    return autodiff.grad(paid)(x)


def turns(middles: Any) -> np.ndarray:
    """How often a path ``(steps, 2)`` has gone round the origin, counter-clockwise, at each of its steps: ``(steps,)``.

    The angle ``atan2(x₂, x₁) / 2π`` without jumps, from 0 at the first step. It needs more than two looks a turn, and
    says nothing where the path is at the origin. Raises ``ValueError`` for another shape.
    """
    middles = np.asarray(middles, np.float64)
    if middles.ndim != 2 or middles.shape[1] != 2 or not len(middles):
        raise ValueError(f"the path must have shape (steps, 2), not {middles.shape}.")
    angle = np.unwrap(np.arctan2(middles[:, 1], middles[:, 0])) / (2 * np.pi)
    return angle - angle[0]
