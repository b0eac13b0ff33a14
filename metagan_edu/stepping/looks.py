"""What can be seen of the players at one moment: losses, D's surface, generated points and their pull, clumps met."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from .. import dynamics, metrics, seeds
from ..games import Hyper, Player, Players
from .choices import LIMIT, LOSSES, Setting

POINTS, GRID_SIDE, FIELD_SIDE = 512, 61, 13


class Look(NamedTuple):
    """``losses``: both players' at this moment, on one batch and noise that stay the same; ``place``: the two numbers,
    or ``None``; ``snapshot``: a :class:`~metagan_edu.dynamics.Snapshot`, or ``None``; ``measure``: the distance from
    the equilibrium (0, 0), or how many clumps are met, and the share of generated points in a clump."""

    losses: Players
    place: np.ndarray | None
    snapshot: Any
    measure: tuple[float, ...]


def row(step: int, look: Look) -> tuple[float, ...]:
    """What the curves have of a moment: step, ``L_G``, ``L_D``, and its measures."""
    return (step, *look.losses, *look.measure)


def look(setting: Setting, players: Players) -> Look:
    """What can be seen of ``players``."""
    own = Players(*(float(loss) for loss in called(_losses(setting.game, _seen_batches(setting)), players)))
    if setting.mixture is None:
        place = np.array([float(tf.squeeze(player.params)) for player in players])
        return Look(own, place, None, (float(np.linalg.norm(place)),))
    logits, generated, pull = (x.numpy() for x in called(_seeing(setting.game, setting.choices.loss), players))
    return Look(own, None, dynamics.Snapshot(grid(), logits, generated, pull), found(generated, setting.mixture))


def called(function: tf.types.experimental.PolymorphicFunction, *args: Any) -> Any:
    """``function(*args)``, traced ahead of the call: one that traces is taken for retracing, with a warning, from the
    fifth game on."""
    return function.get_concrete_function(*args)(*args)


def found(points: np.ndarray, mixture: Any) -> tuple[float, float]:
    """How many clumps have at least 20 of the points within 3 sd, and the share of points that lie so in a clump."""
    coverage = metrics.mode_coverage(points, mixture)
    return float(coverage.modes20), coverage.high_quality


def bounds(setting: Setting) -> dict[str, tuple[float, float]]:
    """The measures of samplers that know better and worse: real points ("ceiling"), and noise of the data's mean and
    covariance ("floor"), :data:`POINTS` each."""
    real = setting.mixture.sample(POINTS, seed=1).numpy()
    noise = metrics.floors(real, POINTS)["noise"]
    return {"ceiling": found(real, setting.mixture), "floor": found(noise, setting.mixture)}


@functools.cache
def grid() -> np.ndarray:
    """The places (61², 2) at which D is shown, row by row from below."""
    line = np.linspace(-LIMIT, LIMIT, GRID_SIDE, dtype=np.float32)
    return np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)


def field(setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """A lattice of pairs (φ_G, φ_D) and the game's field there, for games of two numbers."""
    line = np.linspace(-LIMIT, LIMIT, FIELD_SIDE, dtype=np.float32)
    places = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    shape = tf.shape(setting.players.gen.params)

    @tf.function(autograph=False)
    def at_all(places):
        def at(place):
            players = Players(*(Player(tf.reshape(number, shape)) for number in tf.unstack(place)))
            return tf.concat([tf.reshape(v, [-1]) for v in dynamics.field(setting.game, players)], 0)

        return tf.map_fn(at, places)

    return places, called(at_all, tf.constant(places)).numpy()


def _seen_batches(setting):
    return setting.batches if setting.mixture is None else setting.mixture.batches(POINTS)


@functools.lru_cache(maxsize=8)
def _losses(game, batches):
    seed = seeds.make(1)

    @tf.function(autograph=False)
    def losses(players):
        return [loss(players, batches(seed), seed, Hyper())[0] for loss in (game.gen_loss, game.disc_loss)]

    return losses


@functools.lru_cache(maxsize=8)
def _seeing(game, loss):
    places, seed = tf.constant(grid()), seeds.make(0)

    @tf.function(autograph=False)
    def see(players):
        generated = game.generate(players, POINTS, seed)
        logits = tf.reshape(game.score(players, places), [-1])
        return logits, generated, dynamics.pull(game, players, generated, LOSSES[loss]())

    return see
