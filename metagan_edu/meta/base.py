"""What a meta-learner is: where ``theta`` enters an inner run. How its gradient is had is an estimator's business.

An *inner run* plays a game on one task's support set, as :func:`metagan_edu.train` would; ``theta`` is what is learned
over many tasks, so that runs on unseen ones go well. Every technique here is one call of :func:`learner`: theta enters
as the players to start from, through the rule that moves them, or both.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from .. import autodiff, seeds, trees
from ..data import Task
from ..games import Game, Hyper
from ..rules.base import whole


class MetaLearner(NamedTuple):
    """A technique, as pure functions of an explicit ``theta``.

    ``init(seed) -> theta``: any tree of floating-point tensors
    ``start(game, theta, seed) -> run``: the state of an inner run before its first step
    ``step(game, theta, run, batches, seed) -> (run, Info)``: one inner step; ``view(theta, run) -> Players``
    ``batches(task)``: the sampler ``seed -> batch`` of a task's support set
    ``reached(players) -> theta``: the theta that would start where these players stand (``None`` where there is none)
    """

    game: Game
    init: Callable
    start: Callable
    step: Callable
    view: Callable
    batches: Callable
    reached: Callable | None = None


class Inner(NamedTuple):
    """An inner run under way: its state, the steps taken, and their cost (gradients of G, of D, second-order
    products)."""

    run: Any
    t: Any
    cost: Any


class Curve(NamedTuple):
    """``players[i]``: the players after ``num_steps[i]`` steps of adaptation."""

    num_steps: tuple
    players: tuple


def drawn(batch_size):
    """Batches of ``batch_size`` support examples, drawn uniformly with replacement: a function of the task."""
    whole("batch_size", batch_size, 1)

    def batches(task):
        def sample(seed):
            count = tf.shape(task.support)[0]
            return tf.gather(task.support, tf.random.stateless_uniform([batch_size], seed, 0, count, tf.int32))

        return sample

    return batches


def everything(task):
    """Batches that are the whole support set each time."""
    return lambda seed: task.support


def learner(game, *, init, players, rule, batches, reached=None):
    """The :class:`MetaLearner` in which ``theta`` enters as ``players(theta, seed)``, the start of an inner run, and
    through ``rule(theta)``, the :class:`~metagan_edu.rules.Rule` by which it goes on."""

    def start(game, theta, seed):
        return rule(theta).init(game, players(theta, seed))

    def step(game, theta, run, batches, seed):
        return rule(theta).step(game, run, batches, seed, Hyper())

    return MetaLearner(game, init, start, step, lambda theta, run: rule(theta).view(run), batches, reached)


def begin(learner, theta, seed):
    """The :class:`Inner` run before its first step."""
    run = learner.start(learner.game, theta, seeds.fold_in(seed, "start"))
    return Inner(run, tf.constant(0), tf.zeros(3))


def advance(learner, theta, inner, task, num_steps, seed, *, loop=autodiff.unroll, each=None):
    """The inner run after ``num_steps`` further steps, and the mean over these steps of ``each(theta, players, t)``.

    Step ``t`` draws from ``fold_in(seed, t)``. ``theta`` goes through ``loop`` as part of the state that is carried, so
    that a loop that recomputes its steps (:func:`~metagan_edu.autodiff.recomputed`) sees all that it must
    differentiate. Without ``each`` the mean is 0.
    """
    batches = learner.batches(task)

    def body(carry):
        theta, (run, t, cost), total = carry
        run, info = learner.step(learner.game, theta, run, batches, seeds.fold_in(seed, t))
        if each is not None:
            total = trees.add(total, each(theta, learner.view(theta, run), t))
        return theta, Inner(run, t + 1, cost + tf.stack(info[2:5])), total

    total = tf.zeros(()) if each is None else trees.zeros(each(theta, learner.view(theta, inner.run), inner.t))
    _, inner, total = loop(body, (theta, inner, total), num_steps)
    return inner, trees.scale(1 / num_steps, total)


@functools.lru_cache(maxsize=32)
def _advancing(learner):
    """``(theta, inner, task, count, seed) -> inner``, compiled once for a learner and all tasks of one shape."""

    @tf.function(autograph=False)
    def run(theta, inner, task, count, seed):
        return advance(learner, theta, inner, task, count, seed, loop=autodiff.while_loop)[0]

    return run


def adapt(learner, theta, task, *, num_steps=(0, 10, 25, 50, 100), seed):
    """Train on one task's support set from what was learned: a :class:`Curve` of the players after ``num_steps``.

    ``num_steps``: whole numbers from 0 up, rising. Raises ``ValueError`` for others, and for a task whose support and
    query sets share an example.
    """
    num_steps = tuple(num_steps)
    for number in num_steps:
        whole("each of num_steps", number, 0)
    if not num_steps or list(num_steps) != sorted(set(num_steps)):
        raise ValueError(f"num_steps must be rising numbers of steps, not {num_steps}.")
    check_task(task)
    task, seed = Task(*map(tf.convert_to_tensor, task)), seeds.make(seed)
    inner, players = begin(learner, theta, seed), []
    for before, now in zip((0, *num_steps), num_steps, strict=False):
        if now > before:
            inner = _advancing(learner)(theta, inner, task, tf.constant(now - before), seed)
        players.append(learner.view(theta, inner.run))
    return Curve(num_steps, tuple(players))


def check_task(task):
    """``ValueError`` where a support example is among the query examples: adaptation would be judged on what it saw."""
    support, query = (np.asarray(part) for part in task)
    if query.size and support.shape[1:] == query.shape[1:]:
        seen = {row.tobytes() for row in support}
        both = [i for i, row in enumerate(query) if row.tobytes() in seen]
        if both:
            raise ValueError(f"{len(both)} of the task's {len(query)} query examples are also in its support set "
                             f"(the first is query {both[0]}); the two must share none.")  # fmt: skip
