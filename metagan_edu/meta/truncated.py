"""Backpropagation through a window of a longer run: the estimator with which optimizers are usually learned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import autodiff, seeds, trees
from ..values import by_value
from .base import begin, late
from .estimators import (
    Estimate,
    Estimator,
    default_optimizer,
    differentiated,
    draw_task,
    each_step,
    named,
    outer_loss,
    segments,
)


class Window(NamedTuple):
    """``inner``: the run, where the next window begins; ``seed``: of the task and the run that it is at."""

    inner: Any
    seed: Any


@by_value
def truncated_backprop(
    inner_steps: int, *, segment: int, loop: Callable = autodiff.unroll, objective: Callable = each_step
) -> Estimator:
    """The gradient through ``segment`` steps of a run of ``inner_steps``; each meta-step plays a run's next window.

    What lies before the window counts as a constant: that is biased, since what theta did there is not seen, and it is
    what makes long runs affordable and their gradients tame. (Truncated backpropagation through time; for learned
    optimizers Andrychowicz et al. 2016.) The runs of several tasks begin at windows of their own, so that early and
    late steps are seen together. Raises ``ValueError`` unless ``inner_steps`` is a multiple of ``segment``.
    """
    num_segments = segments(inner_steps, segment)

    def init(learner, theta, seed):
        inner = begin(learner, theta, seeds.fold_in(seed, "run"))
        return Window(late(inner, seed, num_segments, segment), seeds.make(seed))

    def grad(learner, outer, theta, state, tasks, seed):
        anew = tf.equal(state.inner.t % inner_steps, 0)
        run_seed = tf.where(anew, seed, state.seed)
        task, draw = draw_task(tasks, run_seed)
        outer = outer_loss(learner, outer)

        def value(theta):
            fresh = begin(learner, theta, draw)
            inner = trees.where(anew, fresh, state.inner)
            value, after = objective(learner, outer, theta, inner, task, segment, draw, loop)
            return value, (after, trees.sub(after.cost, inner.cost))

        (value, (after, cost)), grads = autodiff.own_gradients(value)(theta)
        return Estimate(named(value), grads, differentiated(cost)), Window(after, run_seed)

    return Estimator(init, grad, default_optimizer)
