"""Evolution strategies: meta-gradients from values alone, by perturbing theta."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from .. import autodiff, checks, seeds, trees
from ..games import Players
from ..values import by_value
from .base import begin, late
from .estimators import (
    Estimate,
    Estimator,
    default_optimizer,
    draw_task,
    last,
    mean_over,
    named,
    outer_loss,
    segments,
    stateless,
)


def _normal(theta, seed, sigma):
    draws = seeds.split(seed, len(trees.leaves(theta)))
    noise = [seeds.normal(x.shape, s, x.dtype) for x, s in zip(trees.leaves(theta), draws, strict=True)]
    return trees.scale(sigma, trees.like(theta, noise))


def _population(pairs, sigma):
    checks.whole("pairs", pairs), checks.number("sigma", sigma, above=0)


@by_value
def evolution_strategies(
    inner_steps: int, *, pairs: int = 8, sigma: float = 0.01, objective: Callable = last
) -> Estimator:
    """Antithetic sampling: ``1/(2Nσ²) Σᵢ (L(theta + εᵢ) - L(theta - εᵢ)) εᵢ`` with ``εᵢ ~ N(0, σ²I)``, N ``pairs``.

    Unbiased for the gradient of the loss *smoothed* by the noise; no derivative is taken, so nothing must be smooth and
    memory does not grow with the steps; its variance grows with the size of theta. Both runs of a pair share one seed.
    (Salimans et al. 2017, section 2.) Raises ``ValueError`` for sigma or counts out of range, and for the meta-game.
    """
    checks.whole("inner_steps", inner_steps), _population(pairs, sigma)

    def grad(learner, outer, theta, tasks, seed):
        task, seed = draw_task(tasks, seed)
        outer = outer_loss(learner, outer)

        def value(theta):
            inner = begin(learner, theta, seed)
            value, inner = objective(learner, outer, theta, inner, task, inner_steps, seed, autodiff.while_loop)
            return _one(value), inner.cost

        def pair(pair_seed):
            noise = _normal(theta, pair_seed, sigma)
            (ahead, cost), (behind, more) = value(trees.add(theta, noise)), value(trees.sub(theta, noise))
            return _estimate(ahead, behind, noise, sigma, trees.add(cost, more)), ()

        return mean_over(pair, tf.stack(seeds.split(seeds.fold_in(seed, "noise"), pairs)), theta, ())[0]

    return stateless(grad)


def _one(value):
    if isinstance(value, Players):
        raise ValueError("evolution strategies need one outer loss; the meta-game's two fit backprop or first_order.")
    return value


def _estimate(ahead, behind, direction, sigma, cost):
    return Estimate(named((ahead + behind) / 2), trees.scale((ahead - behind) / (2 * sigma**2), direction), cost)


class Persistent(NamedTuple):
    """The state of persistent evolution strategies: the runs of each pair ahead and behind, the perturbations that each
    pair has accumulated (all with a leading axis of pairs), and the seed of the task that they are at."""

    ahead: Any
    behind: Any
    noise: Any
    seed: Any


@by_value
def persistent_evolution_strategies(
    inner_steps: int, *, segment: int, pairs: int = 8, sigma: float = 0.01, objective: Callable = last
) -> Estimator:
    """Evolution strategies in segments of a long run: ``1/(2Nσ²) Σᵢ (L(run⁺ᵢ) - L(run⁻ᵢ)) Σ_{s≤now} εᵢˢ``.

    Each meta-step plays ``segment`` steps of every run and goes on from there at the next one; a run's perturbations
    are accumulated, which removes the bias of judging a long run by its pieces. It estimates the gradient of the sum of
    the segments' losses. The runs of several tasks begin at segments of their own, as those of
    :func:`~metagan_edu.meta.truncated_backprop` do. (Vicol, Metz & Sohl-Dickstein 2021, eq. 9 and algorithm 2.)
    Raises ``ValueError`` unless ``inner_steps`` is a multiple of ``segment``, and as :func:`evolution_strategies`.
    """
    num_segments = segments(inner_steps, segment)
    _population(pairs, sigma)

    def init(learner, theta, seed):
        inner = late(begin(learner, theta, seeds.fold_in(seed, "run")), seed, num_segments, segment)
        none = trees.zeros(theta)
        ahead, behind, noise = (trees.map(lambda x: tf.stack([x] * pairs), tree) for tree in (inner, inner, none))
        return Persistent(ahead, behind, noise, seeds.make(seed))

    def grad(learner, outer, theta, state, tasks, seed):
        outer = outer_loss(learner, outer)
        anew = tf.equal(state.ahead.t[0] % inner_steps, 0)
        run_seed = tf.where(anew, seed, state.seed)
        task, draw = draw_task(tasks, run_seed)

        def play(theta, inner):
            inner = trees.where(anew, begin(learner, theta, draw), inner)
            value, inner = objective(learner, outer, theta, inner, task, segment, draw, autodiff.while_loop)
            return _one(value), inner

        def pair(element):
            (ahead, behind, total), pair_seed = element
            noise = _normal(theta, pair_seed, sigma)
            spent = trees.add(ahead.cost, behind.cost)
            above, ahead = play(trees.add(theta, noise), ahead)
            below, behind = play(trees.sub(theta, noise), behind)
            total = trees.where(anew, noise, trees.add(total, noise))
            before = trees.where(anew, trees.zeros(spent), spent)
            cost = trees.sub(trees.add(ahead.cost, behind.cost), before)
            return _estimate(above, below, total, sigma, cost), (ahead, behind, total)

        one = trees.map(lambda x: x[0], tuple(state[:3]))
        draws = tf.stack(seeds.split(seeds.fold_in(seed, "noise"), pairs))
        estimate, kept = mean_over(pair, (tuple(state[:3]), draws), theta, one)
        return estimate, Persistent(*kept, run_seed)

    return Estimator(init, grad, default_optimizer)
