"""Estimators: how d(outer)/d(theta) of an inner run is obtained. Any technique goes with any that fits it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import autodiff, checks, optimizers, replicas, seeds, trees
from ..games import Game, Players
from ..rules.base import Cost
from ..values import by_value
from .base import Inner, MetaLearner, advance, begin, view


class Estimator(NamedTuple):
    """A way to a meta-gradient, as pure functions.

    ``init(learner, theta, seed) -> state``: what it keeps between meta-steps, often nothing
    ``grad(learner, outer, theta, state, tasks, seed) -> (Estimate, state)``, on a task drawn by ``tasks(seed)``
    ``optimizer(num_steps) -> Optimizer``: what its gradient is fed to unless another is named
    """

    init: Callable
    grad: Callable
    optimizer: Callable


class Estimate(NamedTuple):
    """``scalars``: by name, what is to be watched: "outer_loss", or "gen_outer_loss" and "disc_outer_loss" where each
    player has its own, float32; ``grads``: of theta's structure; ``cost``: a :class:`~metagan_edu.rules.Cost`."""

    scalars: dict[str, Any]
    grads: Any
    cost: Cost


def last(
    learner: MetaLearner,
    outer: Callable,
    theta: Any,
    inner: Inner,
    task: Any,
    num_steps: int,
    seed: Any,
    loop: Callable,
) -> tuple[Any, Inner]:
    """The objective of an inner run: the outer loss after its last step. Returns it and the run."""
    inner, _ = advance(learner, theta, inner, task, num_steps, seed, loop=loop)
    return outer(theta, view(learner, theta, inner), task, seeds.fold_in(seed, "outer")), inner


def each_step(
    learner: MetaLearner,
    outer: Callable,
    theta: Any,
    inner: Inner,
    task: Any,
    num_steps: int,
    seed: Any,
    loop: Callable,
) -> tuple[Any, Inner]:
    """The objective of an inner run: the mean of the outer loss over its steps. Returns it and the run."""

    def each(theta, players, t):
        return outer(theta, players, task, seeds.fold_in(seeds.fold_in(seed, "outer"), t))

    inner, value = advance(learner, theta, inner, task, num_steps, seed, loop=loop, each=each)
    return value, inner


def default_optimizer(num_steps: int) -> optimizers.Optimizer:
    """Adam at 1e-3, for gradients of any size."""
    return optimizers.adam(1e-3, beta1=0.9)


def stateless(grad: Callable, optimizer: Callable = default_optimizer) -> Estimator:
    """An estimator that keeps nothing: ``grad(learner, outer, theta, tasks, seed) -> Estimate``."""
    return Estimator(
        lambda learner, theta, seed: (),
        lambda learner, outer, theta, state, tasks, seed: (grad(learner, outer, theta, tasks, seed), state),
        optimizer,
    )


def segments(inner_steps: int, segment: int) -> int:
    """How many segments a run of ``inner_steps`` has; ``ValueError`` unless it is a whole number of them."""
    checks.whole("segment", segment), checks.whole("inner_steps", inner_steps)
    if inner_steps % segment:
        raise ValueError(f"inner_steps must be a multiple of segment = {segment}, not {inner_steps}.")
    return inner_steps // segment


def draw_task(tasks: Callable, seed: Any) -> tuple[Any, Any]:
    """A task, and the seed for all else."""
    return tasks(seeds.fold_in(seed, "task")), seeds.fold_in(seed, "run")


def outer_loss(learner: MetaLearner, outer: Callable | None) -> Callable:
    """``outer`` on the learner's game: ``(theta, players, task, seed) -> loss``; ``ValueError`` where there is none."""
    if outer is None:
        raise ValueError("this estimator needs an outer loss, such as outer=meta.outer.energy_distance().")
    return lambda theta, players, task, seed: outer(learner.game, theta, players, task, seed)


def _through(inner_steps, loop, objective, again, game_of):
    checks.whole("inner_steps", inner_steps)

    def grad(learner, outer, theta, tasks, seed):
        task, seed = draw_task(tasks, seed)
        outer, learner = outer_loss(learner, outer), learner._replace(game=game_of(learner.game))

        def value(theta):
            return objective(learner, outer, theta, begin(learner, theta, seed), task, inner_steps, seed, loop)

        (value, inner), grads = autodiff.own_gradients(value)(theta)
        return Estimate(named(value), grads, differentiated(inner.cost, again))

    return stateless(grad)


def named(value: Any) -> dict[str, tf.Tensor]:
    """The outer loss, or both players' outer losses, by name and in float32."""
    if isinstance(value, Players):
        pairs = zip(Players._fields, value, strict=True)
        return {f"{who}_outer_loss": tf.cast(own, tf.float32) for who, own in pairs}
    return {"outer_loss": tf.cast(value, tf.float32)}


def differentiated(cost: Cost, again: float = 1.0) -> Cost:
    """The cost of steps through which a gradient went back: each of their gradients was differentiated ``again``."""
    return cost._replace(products=cost.products + again * (cost.gen_grads + cost.disc_grads))


@by_value
def backprop(inner_steps: int, *, loop: Callable = autodiff.unroll, objective: Callable = last) -> Estimator:
    """The exact gradient, through all ``inner_steps`` updates: ``d outer(φᴷ(theta))/d theta`` (Finn et al. 2017).

    Each inner gradient is differentiated again, so it costs a second-order product for each, and memory that is linear
    in the number of steps; ``loop=autodiff.recomputed(every)`` trades a second forward pass for most of that memory.
    ``objective``: :func:`last` or :func:`each_step`. Raises ``ValueError`` for fewer than one step.
    """
    return _through(inner_steps, loop, objective, 1.0, _same)


def _same(game):
    return game


@by_value
def at_start() -> Estimator:
    """The gradient of the outer loss at the start itself, ``d outer(φ⁰(theta))/d theta``: no inner step is taken."""

    def grad(learner, outer, theta, tasks, seed):
        task, seed = draw_task(tasks, seed)
        outer = outer_loss(learner, outer)

        def value(theta):
            inner = begin(learner, theta, seed)
            return outer(theta, view(learner, theta, inner), task, seeds.fold_in(seed, "outer")), inner

        (value, inner), grads = autodiff.own_gradients(value)(theta)
        return Estimate(named(value), grads, inner.cost)

    return stateless(grad)


def tangents(game: Game) -> Game:
    """The game whose losses are replaced by their tangents at the players: same gradients, no second derivative.

    ``L̃(φ) = L(φ₀) + ∇L(φ₀)·(φ - φ₀)`` with ``φ₀ = φ`` held constant, in each player's own parameters.
    """

    def tangent(loss, who):
        def linear(players, batch, seed, hyper):
            fixed = trees.map(tf.stop_gradient, players)
            own = getattr(fixed, who)

            def at(params):
                return loss(fixed._replace(**{who: own._replace(params=params)}), batch, seed, hyper)

            with autodiff.held_constant():
                (value, state), grads = autodiff.value_and_grad(at)(own.params)
            moved = trees.sub(getattr(players, who).params, own.params)
            slope = trees.dot(trees.map(tf.stop_gradient, grads), moved)
            return tf.stop_gradient(value) + slope, trees.map(tf.stop_gradient, state)

        return linear

    return game._replace(gen_loss=tangent(game.gen_loss, "gen"), disc_loss=tangent(game.disc_loss, "disc"))


@by_value
def first_order(inner_steps: int, *, objective: Callable = last) -> Estimator:
    """The gradient with every inner gradient held constant (first-order MAML; Finn et al. 2017, section 5.2).

    It is :func:`backprop` on the :func:`tangents` of the game: for a learned start it is the outer gradient at φᴷ, for
    a learned rate the sum of ``-gₖ`` projected on it. What enters through the losses (such as the weight of a penalty)
    it cannot see.
    """
    return _through(inner_steps, autodiff.while_loop, objective, 0.0, tangents)


@by_value
def reptile(inner_steps: int) -> Estimator:
    """``theta - φᴷ``: the displacement of training itself (Nichol et al. 2018, algorithm 1), no outer loss needed.

    With one SGD step it is the plain gradient times the rate, which is joint training. By default ``theta`` moves by
    0.7 of it, falling linearly to 0. The value reported is half its squared norm, or the outer loss where one is given.
    Raises ``ValueError`` for a technique whose theta is no start.
    """
    checks.whole("inner_steps", inner_steps)

    def grad(learner, outer, theta, tasks, seed):
        if learner.reached is None:
            raise ValueError("reptile moves theta to where training ends, so theta must be where it starts; this "
                             "technique's theta is no start: take backprop or evolution_strategies.")  # fmt: skip
        task, seed = draw_task(tasks, seed)
        inner = begin(learner, theta, seed)
        inner, _ = advance(learner, theta, inner, task, inner_steps, seed, loop=autodiff.while_loop)
        players = view(learner, theta, inner)
        grads = trees.sub(theta, learner.reached(players))
        if outer is None:
            value = 0.5 * trees.dot(grads, grads)
        else:
            value = outer(learner.game, theta, players, task, seeds.fold_in(seed, "outer"))
        return Estimate(named(value), grads, inner.cost)

    return stateless(grad, lambda num_steps: optimizers.sgd(optimizers.linear_decay(0.7, num_steps)))


def mean_over(fn: Callable, over: Any, theta: Any, state: Any) -> tuple[Estimate, Any]:
    """``fn(element) -> (Estimate, state)`` over the leading axis of ``over``: means, the summed cost, all the states.

    ``theta`` and ``state`` give the structures of what one call returns.
    """
    names: list[str] = []  # of the scalars, known once ``one`` has been traced

    def one(element):
        estimate, kept = fn(element)
        names[:] = estimate.scalars
        return tf.stack([estimate.scalars[name] for name in names]), estimate.grads, estimate.cost, kept

    scalar, row = tf.TensorSpec([], tf.float32), tf.TensorSpec([None], tf.float32)
    signature = row, _specs(theta), Cost(*[scalar] * 4), _specs(state)
    values, grads, cost, states = tf.map_fn(one, over, parallel_iterations=1, fn_output_signature=signature)
    mean = tf.unstack(tf.reduce_mean(values, 0), len(names))
    total = trees.map(lambda x: tf.reduce_sum(x, 0), cost)
    return Estimate(
        dict(zip(names, mean, strict=True)), trees.map(lambda x: tf.reduce_mean(x, 0), grads), total
    ), states


def _specs(tree):
    return trees.map(lambda x: tf.TensorSpec(x.shape, x.dtype), tree)


@by_value
def over_tasks(estimator: Estimator, num_tasks: int) -> Estimator:
    """The estimator's mean over ``num_tasks`` tasks, drawn independently.

    The replicas of a strategy share the tasks, and play each alone. Raises ``ValueError`` for fewer than one, or where
    they do not go round.
    """
    checks.whole("num_tasks", num_tasks)

    def init(learner, theta, seed):
        states = [estimator.init(learner, theta, own) for own in seeds.split(seed, num_tasks)]
        return trees.map(lambda *x: tf.stack(x), *states)

    def grad(learner, outer, theta, state, tasks, seed):
        def one(element):
            own, own_seed = element
            return estimator.grad(learner, outer, theta, own, tasks, own_seed)

        tasks_drawn = state, tf.stack(seeds.split(seed, num_tasks))
        own = replicas.rows(tasks_drawn, "a meta-step of {} tasks")
        with replicas.alone():
            estimate, kept = mean_over(one, own, theta, trees.map(lambda x: x[0], state))
        scalars, grads = replicas.mean((estimate.scalars, estimate.grads))
        return Estimate(scalars, grads, replicas.total(estimate.cost)), replicas.gathered(kept)

    return Estimator(init, grad, estimator.optimizer)
