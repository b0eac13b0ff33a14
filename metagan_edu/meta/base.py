"""What a meta-learner is: where ``theta`` enters an inner run. How its gradient is had is an estimator's business.

An *inner run* plays a game on one task's support set, as :func:`metagan_edu.train` would; ``theta`` is what is learned
over many tasks, so that runs on unseen ones go well. Every technique here is a :class:`MetaLearner`: theta enters as
the players to start from, through the rule that moves them, or both.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from .. import autodiff, checks, seeds, trees
from ..data import Task
from ..games import Game, Hyper, Players
from ..rules.base import NO_COST, Cost
from ..values import by_value


class MetaLearner(NamedTuple):
    """A technique, as pure functions of an explicit ``theta``.

    ``init(seed) -> theta``: any tree of floating-point tensors
    ``players(theta, seed) -> Players``: where an inner run starts; ``rule(theta) -> Rule``: by which it goes on
    ``batches(task)``: the sampler ``seed -> batch`` of a task's support set
    ``reached(players) -> theta``: the theta that would start where these players stand (``None`` where there is none)
    """

    game: Game
    init: Callable
    players: Callable
    rule: Callable
    batches: Callable
    reached: Callable | None = None


class Inner(NamedTuple):
    """An inner run under way: the rule's state, the steps taken, and their :class:`~metagan_edu.rules.Cost`."""

    run: Any
    t: Any
    cost: Cost


class Curve(NamedTuple):
    """``players[i]``: the players after ``num_steps[i]`` steps of adaptation."""

    num_steps: tuple
    players: tuple


@by_value
def drawn(batch_size: int) -> Callable:
    """Batches of ``batch_size`` support examples, drawn uniformly with replacement: a function of the task."""
    checks.whole("batch_size", batch_size)

    def batches(task):
        def sample(seed):
            return tf.gather(task.support, seeds.integers([batch_size], seed, tf.shape(task.support)[0]))

        return sample

    return batches


def everything(task: Task) -> Callable:
    """Batches that are the whole support set each time."""
    return lambda seed: task.support


def begin(learner: MetaLearner, theta: Any, seed: Any) -> Inner:
    """The :class:`Inner` run before its first step."""
    players = learner.players(theta, seeds.fold_in(seed, "start"))
    run = learner.rule(theta).init(learner.game, players)
    return Inner(run, tf.constant(0), trees.map(tf.constant, NO_COST))


def late(inner: Inner, seed: Any, num_segments: int, segment: int) -> Inner:
    """``inner`` as if it were at the beginning of a segment that ``seed`` draws: so that the runs of several tasks,
    which go on from segment to segment, do not all begin at once."""
    return inner._replace(t=seeds.integers([], seeds.fold_in(seed, "late"), num_segments) * segment)


def view(learner: MetaLearner, theta: Any, inner: Inner) -> Players:
    """The players of an inner run, to be evaluated."""
    return learner.rule(theta).view(inner.run)


def advance(
    learner: MetaLearner, theta: Any, inner: Inner, task: Task, num_steps: Any, seed: Any, *,
    loop: Callable = autodiff.unroll, each: Callable | None = None,
) -> tuple[Inner, Any]:  # fmt: skip
    """The inner run after ``num_steps`` further steps, and the mean over these steps of ``each(theta, players, t)``.

    Step ``t`` draws from ``fold_in(seed, t)``. ``theta`` goes through ``loop`` as part of the state that is carried, so
    that a loop that recomputes its steps (:func:`~metagan_edu.autodiff.recomputed`) sees all that it must
    differentiate. Without ``each`` the mean is 0.
    """
    batches = learner.batches(task)

    def body(carry):
        theta, (run, t, cost), total = carry
        run, info = learner.rule(theta).step(learner.game, run, batches, seeds.fold_in(seed, t), Hyper(step=t))
        inner = Inner(run, t + 1, trees.add(cost, info.cost))
        if each is not None:
            total = trees.add(total, each(theta, view(learner, theta, inner), t))
        return theta, inner, total

    total = tf.zeros(()) if each is None else trees.zeros(each(theta, view(learner, theta, inner), inner.t))
    _, inner, total = loop(body, (theta, inner, total), num_steps)
    return inner, trees.scale(1 / num_steps, total)


@functools.lru_cache(maxsize=32)
def _advancing(learner):
    """``(theta, inner, task, count, seed) -> inner``, compiled once for a learner and all tasks of one shape."""

    @tf.function(autograph=False)
    def run(theta, inner, task, count, seed):
        return advance(learner, theta, inner, task, count, seed, loop=autodiff.while_loop)[0]

    return run


def adapt(
    learner: MetaLearner, theta: Any, task: Task, *, num_steps: int | Sequence[int] = (0, 10, 25, 50, 100), seed: Any
) -> Curve:
    """Train on one task's support set from what was learned: a :class:`Curve` of the players after ``num_steps``.

    ``num_steps``: whole numbers from 0 up, rising, or one of them. Raises ``ValueError`` for others, and for a task
    that is no (support, query), or whose support and query sets share an example.
    """
    num_steps = checks.wholes("num_steps", (num_steps,) if checks.is_whole(num_steps) else num_steps, 0)
    if not num_steps or list(num_steps) != sorted(set(num_steps)):
        raise ValueError(f"num_steps must be rising numbers of steps, not {num_steps}.")
    task, seed = Task(*map(tf.convert_to_tensor, check_task(task))), seeds.make(seed)
    inner, players = begin(learner, theta, seed), []
    for before, now in zip((0, *num_steps), num_steps, strict=False):
        if now > before:
            inner = _advancing(learner)(theta, inner, task, tf.constant(now - before), seed)
        players.append(view(learner, theta, inner))
    return Curve(num_steps, tuple(players))


def check_task(task: Any) -> Task:
    """``task`` as a :class:`~metagan_edu.data.Task`.

    ``ValueError`` where it is not a pair, or where a support example is among the query examples: adaptation would be
    judged on what it saw.
    """
    if not isinstance(task, (tuple, list)) or len(task) != 2:
        raise ValueError(f"a task is mg.data.Task(support, query), not {type(task).__name__}.")
    support, query = (np.asarray(part) for part in task)
    if query.size and support.shape[1:] == query.shape[1:]:
        seen = {row.tobytes() for row in support}
        both = [i for i, row in enumerate(query) if row.tobytes() in seen]
        if both:
            raise ValueError(f"{len(both)} of the task's {len(query)} query examples are also in its support set "
                             f"(the first is query {both[0]}); the two must share none.")  # fmt: skip
    return Task(*task)
