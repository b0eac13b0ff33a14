"""What an update rule is, and the two moves that rules are made of."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import autodiff, replicas, trees
from ..games import Game, Hyper, Player, Players
from ..optimizers import Optimizer, clip


class State(NamedTuple):
    """The state of most rules: the players, and their optimizers' slots as a pair."""

    players: Players
    slots: Players


def own_players(state: Any, new: Players | None = None) -> Any:
    """The players that a rule moves, where its state is them or keeps them as ``players``; or the state with ``new``.

    It is what a :class:`Rule` declares by default. Raises ``ValueError`` for a state in which they are not found.
    """
    if isinstance(state, Players):
        return state if new is None else new
    if isinstance(getattr(state, "players", None), Players) and hasattr(state, "_replace"):
        return state.players if new is None else state._replace(players=new)
    raise ValueError(
        f"the players are not found in a {type(state).__name__}: a rule around this rule must reach them. Write "
        "Rule(init, step, view, players=f), where f(state) gives the players that the rule moves, and f(state, new) "
        "the state with new ones in their place."
    )


class Rule(NamedTuple):
    """An update rule for both players, as pure functions.

    ``init(game, players) -> state``: any tree that holds the players and the rule's own slots
    ``step(game, state, batches, seed, hyper) -> (state, Info)``: one update; ``batches(seed)`` draws a batch
    ``view(state) -> Players``: the players to be evaluated (averaged ones, where a rule keeps them)
    ``players(state) -> Players``, ``players(state, new) -> state``: the players that it moves, for rules around it
    """

    init: Callable
    step: Callable
    view: Callable
    players: Callable = own_players


def inside(rule: Rule) -> Callable:
    """The ``players`` of a rule around ``rule``, whose state keeps that of ``rule`` as ``inner``."""

    def players(state, new=None):
        if new is None:
            return rule.players(state.inner)
        return state._replace(inner=rule.players(state.inner, new))

    return players


class Cost(NamedTuple):
    """What something costs; scalars, or one entry per step.

    ``gen_grads``, ``disc_grads``: gradients of each player's loss, a penalty's share included (a gradient of ``L_D``
    with R1 counts as 1.87). ``products``: second-order products (a Hessian, mixed second derivative or Jacobian times a
    vector), each about as dear as two gradients. ``examples``: rows of batches that were drawn.
    """

    gen_grads: Any
    disc_grads: Any
    products: Any
    examples: Any

    @property
    def gradients(self) -> Any:
        """All in gradients: those of both players, and two for each product."""
        return self.gen_grads + self.disc_grads + 2 * self.products


NO_COST = Cost(0.0, 0.0, 0.0, 0.0)


class Info(NamedTuple):
    """What one step saw and what it cost.

    ``scalars``: by name, what is to be watched. A rule of two players gives "gen_loss" and "disc_loss", the losses at
    which the gradients were taken; a controller, an estimator or a rule of yours adds what it wants. ``cost``: a
    :class:`Cost`.
    """

    scalars: dict[str, Any]
    cost: Cost


def info(
    game: Game, losses: Any, batches_drawn: Any, *, gen_grads: float = 1, disc_grads: float = 1, products: float = 0
) -> Info:
    """The :class:`Info` of a step: both losses, what was differentiated how often, and the list of drawn batches.

    Losses of a game in float64 stay so: a controller may be differentiated through them.
    """
    gen_loss, disc_loss = replicas.mean(tuple(losses))
    examples = sum(rows(batch) for batch in batches_drawn) * replicas.count()
    cost = Cost(gen_grads * game.cost.gen, disc_grads * game.cost.disc, products, examples)
    cost = Cost(*(tf.cast(x, tf.float32) for x in cost))
    return Info({"gen_loss": gen_loss, "disc_loss": disc_loss}, cost)


def rows(batch: Any) -> Any:
    """How many examples a batch holds: the length of its first tensor, or array; 0 for no data."""
    leaves = trees.leaves(batch)
    shape = tf.TensorShape(leaves[0].shape) if leaves else tf.TensorShape([])
    if shape.rank == 0:
        return 0
    return shape[0] if shape[0] is not None else tf.shape(leaves[0])[0]


def pair(gen_optimizer: Any, disc_optimizer: Any) -> Players:
    """Both optimizers, as :func:`optimizer_of` has them."""
    return Players(optimizer_of(gen_optimizer), optimizer_of(disc_optimizer))


def optimizer_of(optimizer: Any) -> Optimizer:
    """``optimizer``; ``ValueError`` for what is none, with the line to write instead."""
    if not isinstance(optimizer, Optimizer):
        kind = type(optimizer).__name__
        if hasattr(optimizer, "learning_rate"):
            instead = f"a Keras optimizer cannot be differentiated through: write mg.optimizers.{_known(kind)}"
        elif isinstance(optimizer, (int, float)):
            instead = f"write mg.optimizers.sgd({optimizer}), or another optimizer of this rate"
        else:
            instead = "write for example mg.optimizers.adam(2e-4)"
        raise ValueError(f"a rule moves each player by an optimizer, not {kind} ({instead}); the generator's first.")
    return optimizer


def _known(kind: str) -> str:
    return {"SGD": "sgd(lr)", "RMSprop": "rmsprop(lr)"}.get(kind, "adam(lr)")


def warn_of_schedules(optimizers: Players, moves: Players) -> None:
    """A schedule inside an optimizer counts that player's moves: say so where a step has several."""
    for who, optimizer, count in zip(Players._fields, optimizers, moves, strict=True):
        if optimizer.counts and count > 1:
            warnings.warn(
                f"the schedule in the {who} optimizer counts moves, {count} a step here, and so ends after 1/{count} "
                "of the steps that it was given. For one of the rule's steps write mg.rules.controlled(rule, "
                f"mg.rules.controllers.schedule(...)), or give it {count} times the steps.",
                stacklevel=4,
            )


def init(optimizers: Players) -> Callable:
    """The ``init`` of a rule with the pair of ``optimizers``: fresh slots for each player."""

    def fresh(game, players):
        return State(players, Players(*(o.init(p.params) for o, p in zip(optimizers, players, strict=True))))

    return fresh


def view(state: State) -> Players:
    """The ``view`` of a rule whose players are evaluated as they are."""
    return state.players


def local_gradient(game: Game, who: str, players: Players, batch: Any, seed: Any, hyper: Hyper) -> Any:
    """:func:`gradient` on this replica's share of the batch: for products, which are averaged themselves."""
    loss = getattr(game, f"{who}_loss")
    own = getattr(players, who)

    def at(params):
        return loss(players._replace(**{who: own._replace(params=params)}), batch, seed, hyper)

    return autodiff.value_and_grad(at)(own.params)


def gradient(game: Game, who: str, players: Players, batch: Any, seed: Any, hyper: Hyper) -> Any:
    """``(loss, new state), ∂loss/∂params`` of the player ``who`` ("gen" or "disc") in its own parameters.

    The gradient is that on the global batch, so that clipping, Adam and unrolling see the same on one replica and many.
    """
    result, grads = local_gradient(game, who, players, batch, seed, hyper)
    return result, replicas.mean(grads)


def move(who: str, optimizers: Players, state: State, grads: Any, player_state: Any, hyper: Hyper) -> State:
    """The state after player ``who`` has taken one step of its optimizer: ``params + lr-factor · update``.

    Where ``hyper`` has thresholds the gradient is clipped first.
    """
    if hyper.clip:
        grads = clip(grads, getattr(hyper.clip, who))
    updates, slots = getattr(optimizers, who).update(grads, getattr(state.slots, who))
    updates = trees.scale(getattr(hyper.lr, who), updates)
    player = Player(trees.add(getattr(state.players, who).params, updates), player_state)
    return State(state.players._replace(**{who: player}), state.slots._replace(**{who: slots}))


def turn(
    game: Game, who: str, optimizers: Players, state: State, batch: Any, seed: Any, hyper: Hyper
) -> tuple[State, tf.Tensor]:
    """Player ``who`` takes its gradient and moves: the state after it, and the loss before it."""
    (loss, player_state), grads = gradient(game, who, state.players, batch, seed, hyper)
    return move(who, optimizers, state, grads, player_state, hyper), loss


def merge(gen_moved: State, disc_moved: State) -> State:
    """The state in which the generator is taken from one state and the discriminator from the other."""
    return State(*(Players(g.gen, d.disc) for g, d in zip(gen_moved, disc_moved, strict=True)))
