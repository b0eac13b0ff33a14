"""Meta-training: theta moves by an optimizer, against the meta-gradient that an estimator finds on a few tasks.

    theta ← theta + optimizer(mean over tasks of estimated d(outer)/d(theta))

It is a process like training itself, so the one loop of :mod:`metagan_edu.training` plays it: compiled, recorded,
interrupted, resumed and guarded as every run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import checks, seeds, trees
from ..data import check_sampler
from ..optimizers import Optimizer
from ..rules import Info
from ..training import Diverged, History, Process, play, step_seed
from ..values import by_value
from .base import MetaLearner, check_task
from .estimators import Estimator, over_tasks

STEPS_PER_CALL = 10  # a meta-step takes as long as many steps: this often the loop can be interrupted


class MetaState(NamedTuple):
    """``theta``; the optimizer's slots; what the estimator keeps."""

    theta: Any
    slots: Any
    estimator: Any


class MetaResult(NamedTuple):
    """``theta``: what was learned; ``state``: a :class:`MetaState`; ``history``: its scalars are those of the
    estimator, "outer_loss" among them, at each meta-step."""

    theta: Any
    state: MetaState
    history: History


class MetaHyper(NamedTuple):
    """What may change while meta-training goes on: ``lr``, a factor on theta's update; ``step``: meta-steps so far."""

    lr: Any = 1.0
    step: Any = 0


@by_value
def learning(
    learner: MetaLearner, tasks: Callable, outer: Callable | None, estimator: Estimator, optimizer: Optimizer
) -> Process:
    """The process in which theta moves by ``optimizer`` against what ``estimator`` finds on one draw of ``tasks``."""

    def init(theta, seed):
        return MetaState(theta, optimizer.init(theta), estimator.init(learner, theta, seeds.fold_in(seed, "estimator")))

    def step(state, seed, hyper):
        estimate, kept = estimator.grad(learner, outer, state.theta, state.estimator, tasks, seed)
        updates, slots = optimizer.update(estimate.grads, state.slots)
        theta = trees.add(state.theta, trees.scale(hyper.lr, updates))
        return MetaState(theta, slots, kept), Info(estimate.scalars, estimate.cost)

    return Process(init, step, lambda state: state.theta, tasks, MetaResult, MetaHyper)


def meta_train(
    learner: MetaLearner, tasks: Callable, *, estimator: Estimator, num_steps: int, seed: Any,
    outer: Callable | None = None, meta_optimizer: Optimizer | None = None, tasks_per_step: int = 4, theta: Any = None,
    hyper: MetaHyper | None = None, **options: Any,
) -> MetaResult:  # fmt: skip
    """Learn ``theta`` over tasks: ``num_steps`` meta-steps, each on ``tasks_per_step`` tasks; a :class:`MetaResult`.

    ``tasks``: a sampler ``seed -> Task`` (one split of a :class:`~metagan_edu.data.TaskFamily`); ``outer``: see
    :mod:`metagan_edu.meta.outer` (Reptile needs none); ``meta_optimizer``: by default the estimator's own choice;
    ``theta``: where to start, by default ``learner.init``; ``hyper``: a :class:`MetaHyper`; ``options``: hooks (called
    with the meta-step and theta), checkpoint, resume, progress and jit, as in :func:`metagan_edu.training.play`.

    Raises ``ValueError`` for bad arguments, an estimator that does not fit the learner, or tasks whose support and
    query sets share an example; :class:`~metagan_edu.Diverged` at the first value that is not finite, with the task and
    the meta-step named and the last finite theta in ``result.theta``.
    """
    for name, value, kind in (("a technique", learner, MetaLearner), ("estimator", estimator, Estimator)):
        if not isinstance(value, kind):
            raise ValueError(f"{name} of mg.meta is expected, such as mg.meta.{_SUCH_AS[kind]}, not {value!r}.")
    checks.whole("num_steps", num_steps), checks.whole("tasks_per_step", tasks_per_step)
    seed = seeds.make(seed)
    if hasattr(tasks, "train"):
        raise ValueError("tasks must be one split of a family of tasks: write .train, .validation or .test after it.")
    check_sampler(tasks, "tasks")
    check_task(tasks(seeds.fold_in(seed, "look")))
    theta = learner.init(seeds.fold_in(seed, "theta")) if theta is None else theta
    process = learning(learner, tasks, outer, over_tasks(estimator, tasks_per_step),
                       meta_optimizer or estimator.optimizer(num_steps))  # fmt: skip
    options = {"steps_per_call": STEPS_PER_CALL, **options}
    try:
        return play(process, theta, num_steps=num_steps, seed=seed, hyper=hyper, **options)
    except Diverged as error:
        fault = _fault(learner, outer, estimator, error, tasks, tasks_per_step, seed)
        raise Diverged(f"meta-{error} {fault}", error.step, error.result) from None


_SUCH_AS = {MetaLearner: "learned_initialization(game, rule)", Estimator: "backprop(5)"}


def _fault(learner, outer, estimator, error, tasks, tasks_per_step, seed):
    """Which of the tasks of the meta-step at fault gave a value that is not finite, with the seed that draws it."""
    state, draws = error.result.state, seeds.split(step_seed(seed, error.step), tasks_per_step)

    @tf.function(autograph=False)  # as in the loop: outside a graph an outer loss may refuse what is not finite
    def finite(theta, kept, own):
        return trees.all_finite(estimator.grad(learner, outer, theta, kept, tasks, own)[0])

    for i, own in enumerate(draws):
        kept = trees.map(lambda x, i=i: x[i], state.estimator)
        if not finite(state.theta, kept, own):
            where = seeds.fold_in(own, "task").numpy().tolist()
            return f"At fault is task {i + 1} of {tasks_per_step}, which the sampler draws from seed {where}."
    return "No single task is at fault: the step of the meta-optimizer is."
