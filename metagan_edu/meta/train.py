"""Meta-training: theta moves by an optimizer, against the meta-gradient that an estimator finds on a few tasks.

    theta ← theta + optimizer(mean over tasks of estimated d(outer)/d(theta))

A meta-step is a step like any other, so the one loop of :mod:`metagan_edu.training` plays it: compiled, recorded,
interrupted, resumed and guarded as every training run.
"""

import functools
from typing import Any, NamedTuple

import tensorflow as tf

from .. import seeds, trees
from ..rules.base import Rule, info, whole
from ..training import Diverged, History, step_seed, train
from .base import check_task
from .estimators import over_tasks

STEPS_PER_CALL = 10  # a meta-step takes as long as many steps: this often the loop can be interrupted


class MetaState(NamedTuple):
    """``theta``; the optimizer's slots; what the estimator keeps."""

    theta: Any
    slots: Any
    estimator: Any


class MetaResult(NamedTuple):
    """``theta``: what was learned; ``state``: a :class:`MetaState`; ``history``: its ``gen_loss`` and ``disc_loss`` are
    the outer losses of each meta-step (the same where there is one)."""

    theta: Any
    state: MetaState
    history: History


@functools.lru_cache(maxsize=16)
def meta_rule(learner, outer, estimator, optimizer):
    """A meta-step as a rule: its "players" are theta, its "batches" are tasks."""

    def init(game, theta):
        return MetaState(theta, optimizer.init(theta), estimator.init(learner, theta, seeds.make(0)))

    def step(game, state, tasks, seed, hyper):
        estimate, kept = estimator.grad(learner, outer, state.theta, state.estimator, tasks, seed)
        updates, slots = optimizer.update(estimate.grads, state.slots)
        return MetaState(trees.add(state.theta, updates), slots, kept), info(
            *estimate.value, *tf.unstack(estimate.cost)
        )

    return Rule(init, step, lambda state: state.theta)


def meta_train(
    learner, tasks, *, estimator, num_steps, seed, outer=None, meta_optimizer=None, tasks_per_step=4, theta=None,
    **options,
):  # fmt: skip
    """Learn ``theta`` over tasks: ``num_steps`` meta-steps, each on ``tasks_per_step`` tasks; a :class:`MetaResult`.

    ``tasks``: a sampler ``seed -> Task`` (one split of a :class:`~metagan_edu.data.TaskFamily`); ``outer``: see
    :mod:`metagan_edu.meta.outer` (Reptile needs none); ``meta_optimizer``: by default the estimator's own choice;
    ``theta``: where to start, by default ``learner.init``; ``options``: hooks, checkpoint, resume, progress and jit, as
    in :func:`metagan_edu.train` (a hook is called with the meta-step and theta).

    Raises ``ValueError`` for bad arguments, an estimator that does not fit the learner, or tasks whose support and
    query sets share an example; :class:`~metagan_edu.Diverged` at the first value that is not finite, with the task and
    the meta-step named and the last finite theta in ``result.players``.
    """
    whole("num_steps", num_steps, 1)
    seed = seeds.make(seed)
    check_task(tasks(seeds.fold_in(seed, "look")))
    theta = learner.init(seeds.fold_in(seed, "theta")) if theta is None else theta
    rule = meta_rule(learner, outer, over_tasks(estimator, tasks_per_step),
                     meta_optimizer or estimator.optimizer(num_steps))  # fmt: skip
    try:
        result = train(
            learner.game, rule, tasks, num_steps=num_steps, seed=seed, players=theta, steps_per_call=STEPS_PER_CALL,
            **options,
        )  # fmt: skip
    except Diverged as error:
        fault = _fault(learner, outer, estimator, error, tasks, tasks_per_step, seed)
        raise Diverged(f"meta-{error} {fault}", error.step, error.result) from None
    return MetaResult(*result)


def _fault(learner, outer, estimator, error, tasks, tasks_per_step, seed):
    """Which of the tasks of the meta-step at fault gave a value that is not finite, with the seed that draws it."""
    state, draws = error.result.state, seeds.split(step_seed(seed, error.step), tasks_per_step)
    for i, own in enumerate(draws):
        kept = trees.map(lambda x, i=i: x[i], state.estimator)
        estimate, _ = estimator.grad(learner, outer, state.theta, kept, tasks, own)
        if not trees.all_finite(estimate):
            where = seeds.fold_in(own, "task").numpy().tolist()
            return f"At fault is task {i + 1} of {tasks_per_step}, which the sampler draws from seed {where}."
    return "No single task is at fault: the step of the meta-optimizer is."
