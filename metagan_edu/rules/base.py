"""What an update rule is, and the two moves that rules are made of."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import autodiff, trees
from ..games import Player, Players
from ..optimizers import clip


class Rule(NamedTuple):
    """An update rule for both players, as three pure functions.

    ``init(game, players) -> state``: any tree that holds the players and the rule's own slots
    ``step(game, state, batches, seed, hyper) -> (state, Info)``: one update; ``batches(seed)`` draws a batch
    ``view(state) -> Players``: the players to be evaluated (averaged ones, where a rule keeps them)
    """

    init: Callable
    step: Callable
    view: Callable


class Info(NamedTuple):
    """What one step saw and what it cost; scalars.

    ``gen_loss``, ``disc_loss``: the losses at which the players' gradients were taken. ``gen_grads``, ``disc_grads``:
    how many gradients of each player's loss were evaluated. ``products``: how many second-order products (a Hessian,
    mixed second derivative or Jacobian times a vector), each about as dear as two gradients.
    """

    gen_loss: Any
    disc_loss: Any
    gen_grads: Any
    disc_grads: Any
    products: Any


class State(NamedTuple):
    """The state of most rules: the players, and their optimizers' slots as a pair."""

    players: Players
    slots: Players


def whole(name, number, least):
    """``ValueError`` unless ``number`` is a whole number of at least ``least``."""
    if isinstance(number, bool) or not hasattr(number, "__index__") or number < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {number!r}.")


def init(optimizers):
    """The ``init`` of a rule with the pair of ``optimizers``: fresh slots for each player."""

    def fresh(game, players):
        return State(players, Players(*(o.init(p.params) for o, p in zip(optimizers, players, strict=True))))

    return fresh


def view(state):
    """The ``view`` of a rule whose players are evaluated as they are."""
    return state.players


def gradient(game, who, players, batch, seed, hyper):
    """``(loss, new state), ∂loss/∂params`` of the player ``who`` ("gen" or "disc") in its own parameters."""
    loss = getattr(game, f"{who}_loss")
    own = getattr(players, who)

    def at(params):
        return loss(players._replace(**{who: own._replace(params=params)}), batch, seed, hyper)

    return autodiff.value_and_grad(at)(own.params)


def move(who, optimizers, state, grads, player_state, hyper):
    """The state after player ``who`` has taken one step of its optimizer: ``params + lr-factor · update``.

    Where ``hyper`` has thresholds the gradient is clipped first. It is the global batch's here (``autodiff`` has
    averaged it over replicas), so that one device and many clip the same vector.
    """
    if hyper.clip:
        grads = clip(grads, getattr(hyper.clip, who))
    updates, slots = getattr(optimizers, who).update(grads, getattr(state.slots, who))
    updates = trees.scale(getattr(hyper.lr, who), updates)
    player = Player(trees.add(getattr(state.players, who).params, updates), player_state)
    return State(state.players._replace(**{who: player}), state.slots._replace(**{who: slots}))


def turn(game, who, optimizers, state, batch, seed, hyper):
    """Player ``who`` takes its gradient and moves: the state after it, and the loss before it."""
    (loss, player_state), grads = gradient(game, who, state.players, batch, seed, hyper)
    return move(who, optimizers, state, grads, player_state, hyper), loss


def merge(gen_moved, disc_moved):
    """The state in which the generator is taken from one state and the discriminator from the other."""
    return State(*(Players(g.gen, d.disc) for g, d in zip(gen_moved, disc_moved, strict=True)))


def info(gen_loss, disc_loss, gen_grads, disc_grads, products=0):
    """An :class:`Info` of scalars: the losses as they are, the counts in float32.

    Losses of a game in float64 stay so: a controller may be differentiated through them.
    """
    return Info(gen_loss, disc_loss, *(tf.cast(x, tf.float32) for x in (gen_grads, disc_grads, products)))
