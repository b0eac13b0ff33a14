"""Estimators: how d(outer)/d(theta) of an inner run is obtained. Any technique goes with any that fits it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import autodiff, optimizers, seeds, trees
from ..games import Players
from ..rules.base import whole
from .base import advance, begin


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
    """``value``: the outer losses of both players, float32 (one that they share stands twice); ``grads``: of theta's
    structure; ``cost``: float32 ``(3,)``, the gradients of G, of D, and the second-order products spent."""

    value: Any
    grads: Any
    cost: Any


def last(learner, outer, theta, inner, task, num_steps, seed, loop):
    """The objective of an inner run: the outer loss after its last step. Returns it and the run."""
    inner, _ = advance(learner, theta, inner, task, num_steps, seed, loop=loop)
    return outer(theta, learner.view(theta, inner.run), task, seeds.fold_in(seed, "outer")), inner


def each_step(learner, outer, theta, inner, task, num_steps, seed, loop):
    """The objective of an inner run: the mean of the outer loss over its steps. Returns it and the run."""

    def each(theta, players, t):
        return outer(theta, players, task, seeds.fold_in(seeds.fold_in(seed, "outer"), t))

    inner, value = advance(learner, theta, inner, task, num_steps, seed, loop=loop, each=each)
    return value, inner


def default_optimizer(num_steps):
    return optimizers.adam(1e-3, beta1=0.9)


def stateless(grad, optimizer=default_optimizer):
    return Estimator(
        lambda learner, theta, seed: (),
        lambda learner, outer, theta, state, tasks, seed: (grad(learner, outer, theta, tasks, seed), state),
        optimizer,
    )


def segments(inner_steps, segment):
    """How many segments a run of ``inner_steps`` has; ``ValueError`` unless it is a whole number of them."""
    whole("segment", segment, 1), whole("inner_steps", inner_steps, 1)
    if inner_steps % segment:
        raise ValueError(f"inner_steps must be a multiple of segment = {segment}, not {inner_steps}.")
    return inner_steps // segment


def draw_task(tasks, seed):
    """A task, and the seed for all else."""
    return tasks(seeds.fold_in(seed, "task")), seeds.fold_in(seed, "run")


def bound(learner, outer):
    if outer is None:
        raise ValueError("this estimator needs an outer loss, such as outer=meta.outer.energy_distance().")
    return lambda theta, players, task, seed: outer(learner.game, theta, players, task, seed)


def _through(inner_steps, loop, objective, again, game_of):
    whole("inner_steps", inner_steps, 1)

    def grad(learner, outer, theta, tasks, seed):
        task, seed = draw_task(tasks, seed)
        outer, learner = bound(learner, outer), learner._replace(game=game_of(learner.game))

        def value(theta):
            return objective(learner, outer, theta, begin(learner, theta, seed), task, inner_steps, seed, loop)

        (value, inner), grads = autodiff.own_gradients(value)(theta)
        gen, disc, products = tf.unstack(inner.cost)
        return Estimate(both(value), grads, tf.stack([gen, disc, products + again * (gen + disc)]))

    return stateless(grad)


def both(value):
    return Players(*(tf.cast(x, tf.float32) for x in (value if isinstance(value, Players) else (value, value))))


def backprop(inner_steps, *, loop=autodiff.unroll, objective=last):
    """The exact gradient, through all ``inner_steps`` updates: ``d outer(φᴷ(theta))/d theta`` (Finn et al. 2017).

    Each inner gradient is differentiated again, so it costs a second-order product for each, and memory that is linear
    in the number of steps; ``loop=autodiff.recomputed(every)`` trades a second forward pass for most of that memory.
    ``objective``: :func:`last` or :func:`each_step`. Raises ``ValueError`` for fewer than one step.
    """
    return _through(inner_steps, loop, objective, 1.0, lambda game: game)


def at_start():
    """The gradient of the outer loss at the start itself, ``d outer(φ⁰(theta))/d theta``: no inner step is taken."""

    def grad(learner, outer, theta, tasks, seed):
        task, seed = draw_task(tasks, seed)
        outer = bound(learner, outer)

        def value(theta):
            inner = begin(learner, theta, seed)
            return outer(theta, learner.view(theta, inner.run), task, seeds.fold_in(seed, "outer")), inner

        (value, inner), grads = autodiff.own_gradients(value)(theta)
        return Estimate(both(value), grads, inner.cost)

    return stateless(grad)


def tangents(game):
    """The game whose losses are replaced by their tangents at the players: same gradients, no second derivative.

    ``L̃(φ) = L(φ₀) + ∇L(φ₀)·(φ - φ₀)`` with ``φ₀ = φ`` held constant, in each player's own parameters.
    """

    def tangent(loss, who):
        def linear(players, batch, seed, hyper):
            fixed = trees.map(tf.stop_gradient, players)
            own = getattr(fixed, who)

            def at(params):
                return loss(fixed._replace(**{who: own._replace(params=params)}), batch, seed, hyper)

            (value, state), grads = autodiff.value_and_grad(at)(own.params)
            moved = trees.sub(getattr(players, who).params, own.params)
            slope = trees.dot(trees.map(tf.stop_gradient, grads), moved)
            return tf.stop_gradient(value) + slope, trees.map(tf.stop_gradient, state)

        return linear

    return game._replace(gen_loss=tangent(game.gen_loss, "gen"), disc_loss=tangent(game.disc_loss, "disc"))


def first_order(inner_steps, *, objective=last):
    """The gradient with every inner gradient held constant (first-order MAML; Finn et al. 2017, section 5.2).

    It is :func:`backprop` on the :func:`tangents` of the game: for a learned start it is the outer gradient at φᴷ, for
    a learned rate the sum of ``-gₖ`` projected on it. What enters through the losses (such as the weight of a penalty)
    it cannot see.
    """
    return _through(inner_steps, autodiff.while_loop, objective, 0.0, tangents)


def reptile(inner_steps):
    """``theta - φᴷ``: the displacement of training itself (Nichol et al. 2018, algorithm 1), no outer loss needed.

    With one SGD step it is the plain gradient times the rate, which is joint training. By default ``theta`` moves by
    0.7 of it, falling linearly to 0. The value reported is half its squared norm, or the outer loss where one is given.
    Raises ``ValueError`` for a technique whose theta is no start.
    """
    whole("inner_steps", inner_steps, 1)

    def grad(learner, outer, theta, tasks, seed):
        if learner.reached is None:
            raise ValueError("reptile moves theta to where training ends, so theta must be where it starts; this "
                             "technique's theta is no start: take backprop or evolution_strategies.")  # fmt: skip
        task, seed = draw_task(tasks, seed)
        inner = begin(learner, theta, seed)
        inner, _ = advance(learner, theta, inner, task, inner_steps, seed, loop=autodiff.while_loop)
        players = learner.view(theta, inner.run)
        grads = trees.sub(theta, learner.reached(players))
        if outer is None:
            value = 0.5 * trees.dot(grads, grads)
        else:
            value = outer(learner.game, theta, players, task, seeds.fold_in(seed, "outer"))
        return Estimate(both(value), grads, inner.cost)

    return stateless(grad, lambda num_steps: optimizers.sgd(optimizers.linear_decay(0.7, num_steps)))


def mean_over(fn, over, theta, state):
    """``fn(element) -> (Estimate, state)`` over the leading axis of ``over``: means, the summed cost, all the states.

    ``theta`` and ``state`` give the structures of what one call returns.
    """
    scalar = tf.TensorSpec([], tf.float32)
    result = Estimate(Players(scalar, scalar), _specs(theta), tf.TensorSpec([3], tf.float32)), _specs(state)
    estimates, states = tf.map_fn(fn, over, parallel_iterations=1, fn_output_signature=result)
    mean = trees.map(lambda x: tf.reduce_mean(x, 0), estimates)
    return mean._replace(cost=tf.reduce_sum(estimates.cost, 0)), states


def _specs(tree):
    return trees.map(lambda x: tf.TensorSpec(x.shape, x.dtype), tree)


def over_tasks(estimator, num_tasks):
    """The estimator's mean over ``num_tasks`` tasks, drawn independently. Raises ``ValueError`` for fewer than one."""
    whole("num_tasks", num_tasks, 1)

    def init(learner, theta, seed):
        states = [estimator.init(learner, theta, own) for own in seeds.split(seed, num_tasks)]
        return trees.map(lambda *x: tf.stack(x), *states)

    def grad(learner, outer, theta, state, tasks, seed):
        def one(element):
            own, own_seed = element
            return estimator.grad(learner, outer, theta, own, tasks, own_seed)

        own = trees.map(lambda x: x[0], state)
        return mean_over(one, (state, tf.stack(seeds.split(seed, num_tasks))), theta, own)

    return Estimator(init, grad, estimator.optimizer)
