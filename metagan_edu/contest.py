"""A strategy as plain data, played on tasks at equal cost: the same gradients and the same examples for everybody.

    log(G's rate, D's rate, R1's weight) = schedule(t) + gains · (m_G - asinh(log 2), m_D - asinh(2 log 2))

``m``: running means of ``asinh(L_G)`` and ``asinh(L_D)`` over some ten steps; they begin at 1. The losses' values in
brackets are those of an equilibrium of the non-saturating game.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from . import autodiff, checks, data, games, losses, meta, networks, optimizers, rules, seeds, trees
from .games import Hyper, Players
from .meta import base
from .rules import controlled, policies, under

GRADIENTS, EXAMPLES = 287.0, 12_800  # 100 steps of the alternating rule with R1, on batches of 64
WITH_R1 = 1.87  # gradients that one of D's loss with R1 costs
MOMENTS = 11  # at which a schedule is kept; between them its logarithm is straight
EQUILIBRIUM = (math.asinh(math.log(2)), math.asinh(2 * math.log(2)))
FAILED = 10.0  # the energy distance of a run that does not end in finite numbers
RULES = {name: getattr(rules, name) for name in ("alternating", "simultaneous", "optimistic", "extragradient")}
LAYERS = 6  # tensors of a network: kernel and bias of each layer, in the order of the data's way
SCHEDULES = {"gen_lr": (1e-5, 1.0), "disc_lr": (1e-5, 1.0), "penalty": (1e-3, 100.0)}
OTHERS: dict[str, Any] = {"rule": "alternating", "disc_steps": 1, "batch": 64, "gains": [[0.0] * 2] * 3,
          "gen_layers": [1.0] * LAYERS, "disc_layers": [1.0] * LAYERS}  # fmt: skip


class Shape(NamedTuple):
    """What a compiled run depends on."""

    rule: str
    disc_steps: int
    batch: int
    with_r1: bool

    @property
    def num_steps(self) -> int:
        """As many steps as the gradients and the examples of a run allow."""
        each = 2 if self.rule == "extragradient" else 1
        disc = WITH_R1 if self.with_r1 else 1.0
        moves = 2 if self.rule == "extragradient" else 1 + self.disc_steps if self.rule == "alternating" else 1
        return int(min(GRADIENTS / (each + each * self.disc_steps * disc) + 1e-9, EXAMPLES / (moves * self.batch)))


def num_steps(strategy: dict[str, Any]) -> int:
    """How many steps a strategy takes in a run. Raises ``ValueError`` as :func:`play`."""
    return _shape(_whole(strategy)).num_steps


def play(strategy: dict[str, Any], draw: Callable, numbers: Iterable[int]) -> np.ndarray:
    """The energy distances (n,) at the end of a strategy's runs, one on each task ``draw(seed)`` of these numbers.

    A strategy is a dict of ``gen_lr``, ``disc_lr`` and ``penalty`` (the weight of R1; empty: without R1), each a list
    of 1 to 50 values at equally spaced moments of a run; and, where wanted, ``rule``, ``disc_steps`` (of the
    alternating rule, 1 to 10), ``batch`` (8 to 256), ``gen_layers`` and ``disc_layers`` (a factor on the rate of each
    of the six tensors) and ``gains`` (3, 2). Raises ``ValueError`` for anything else, and for numbers that are not
    whole, of at least 0, or none.
    """
    tasks = checks.wholes("numbers", tuple(numbers), least=0)
    if not tasks:
        raise ValueError("numbers must name at least one task, such as range(10).")
    return np.array(_played(as_text(strategy), draw, tasks))


def as_text(strategy: dict[str, Any]) -> str:
    """A strategy and all that it leaves out as JSON, which ``json.loads`` reads. Raises as :func:`play`."""
    whole = {name: np.asarray(value).tolist() for name, value in _whole(strategy).items()}
    return json.dumps(whole, sort_keys=True)


@functools.lru_cache(maxsize=256)  # what was played once is not played again
def _played(text, draw, numbers):
    whole = json.loads(text)
    run, theta = _runner(_shape(whole)), _theta(whole)
    stacked = trees.map(lambda *x: tf.stack(x), *(_task(draw, number) for number in numbers))
    return tuple(np.nan_to_num(run(theta, stacked).numpy().astype(float), nan=FAILED, posinf=FAILED, neginf=FAILED))


def lead(values: Any, base: Any) -> float:
    """By how many percent ``values`` (n,) lie below a ``base``'s (n,) on the same tasks: of ``0.01 + value``, in
    geometric mean. ``ValueError`` unless both are finite numbers, one for each task."""
    ours, theirs = np.asarray(values, float), np.asarray(base, float)
    if ours.shape != theirs.shape or not ours.size or not np.isfinite([ours, theirs]).all():
        raise ValueError(f"a lead is that of finite values on the same tasks, not of {values!r} over {base!r}.")
    ratio = np.log(0.01 + np.maximum(ours, 0)) - np.log(0.01 + np.maximum(theirs, 0))
    return float(100 * (1 - np.exp(ratio.mean())))


def _task(draw, number):
    seed = seeds.make(number)
    return draw(seeds.fold_in(seed, "task")), seeds.fold_in(seed, "run")


def _whole(strategy: Any) -> dict[str, Any]:
    """The strategy with all that it leaves out; ``ValueError`` for what is none."""
    if not isinstance(strategy, dict) or not set(SCHEDULES) <= set(strategy) <= {*SCHEDULES, *OTHERS}:
        raise ValueError(f"a strategy is a dict with {', '.join(SCHEDULES)} and, where wanted, {', '.join(OTHERS)}.")
    whole = OTHERS | strategy
    checks.one_of("rule", whole["rule"], RULES)
    for name, least, most in (("disc_steps", 1, 10), ("batch", 8, 256)):
        if checks.whole(name, whole[name], least) > most:
            raise ValueError(f"{name} is at most {most}, not {whole[name]}.")
    if whole["disc_steps"] > 1 and whole["rule"] != "alternating":
        raise ValueError("only the alternating rule has disc_steps.")
    for name, (low, high) in SCHEDULES.items():
        count = len(_numbers(name, whole[name], (None,), low, high))
        if count > 50 or not (count or name == "penalty"):
            raise ValueError(f"{name} has 1 to 50 values, not {count}.")
    for name, shape, low, high in (("gains", (3, 2), -5, 5), *((f"{who}_layers", (LAYERS,), 0.01, 100)
                                                              for who in Players._fields)):  # fmt: skip
        _numbers(name, whole[name], shape, low, high)
    return whole


def _numbers(name, value, shape, low, high):
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of several lengths
        raise ValueError(f"{name} must be numbers, not {value!r}.") from error
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be numbers, not {value!r}.")
    if array.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
        raise ValueError(f"{name} has shape {array.shape}; it must be {shape if None not in shape else 'one row'}.")
    if not np.all((array >= low) & (array <= high)):
        raise ValueError(f"{name} must lie in [{low}, {high}].")
    return array


def _shape(whole):
    return Shape(whole["rule"], int(whole["disc_steps"]), int(whole["batch"]), len(whole["penalty"]) > 0)


def _theta(whole):
    """What a compiled run takes: schedules at all moments as logarithms (moments, 3), gains (3, 2), factors (6,)."""
    rows = []
    for name in SCHEDULES:
        values = np.log(whole[name] or [1.0])
        rows.append(np.interp(np.linspace(0, 1, MOMENTS), np.linspace(0, 1, len(values)), values))
    arrays = np.transpose(rows), whole["gains"], whole["gen_layers"], whole["disc_layers"]
    return tuple(tf.constant(array, tf.float32) for array in arrays)


def _log_factors(theta, features):
    moments, gains, *_ = theta
    far = features[3:5] - tf.constant(EQUILIBRIUM, features.dtype)
    return policies.phases(MOMENTS).apply(moments, features) + tf.linalg.matvec(gains, far)


@functools.lru_cache(maxsize=16)
def _runner(shape: Shape) -> Callable:
    """``(theta, tasks and seeds) -> energy distances``, compiled once for strategies of one shape."""
    nets = networks.mlp(2, (32, 32), 2), networks.mlp(2, (32, 32), 1)
    game = games.gan(*nets, penalty=losses.r1(1.0) if shape.with_r1 else None)
    adams = [optimizers.adam(1.0, beta1=0.0, beta2=0.99)] * 2  # rates are factors on 1
    rule = RULES[shape.rule](*adams, **({"disc_steps": shape.disc_steps} if shape.rule == "alternating" else {}))
    template = game.init(seeds.make(0))
    policy = policies.Policy(lambda seed, outputs: (), _log_factors)

    def strategy(theta):
        factors = Players(*(trees.like(player.params, tf.unstack(own))
                            for player, own in zip(template, theta[2:], strict=True)))  # fmt: skip
        return controlled(under(rule, Hyper(lr=factors)), policies.controller(policy, theta, num_steps=shape.num_steps))

    learner = base.MetaLearner(
        game, init=lambda seed: (), players=lambda theta, seed: game.init(seed), rule=strategy,
        batches=meta.drawn(shape.batch),
    )  # fmt: skip
    distance = meta.outer.energy_distance(500)

    @tf.function(autograph=False)
    def run(theta, pairs):
        def one(pair):
            task, seed = pair
            inner = base.begin(learner, theta, seed)
            inner, _ = base.advance(learner, theta, inner, task, shape.num_steps, seed, loop=autodiff.while_loop)
            return distance(game, theta, base.view(learner, theta, inner), task, seeds.fold_in(seed, "outer"))

        return tf.map_fn(one, pairs, parallel_iterations=1, fn_output_signature=tf.float32)

    return run


def mixtures(num_modes: int = 5, split: str = "train") -> Callable:
    """Tasks of random mixtures, 500 points to train on and 500 to be judged by: ``draw(seed)``, for :func:`play`."""
    checks.one_of("split", split, data.TaskFamily._fields)
    return getattr(data.mixture_tasks(shots=500, queries=500, num_modes=num_modes), split)
