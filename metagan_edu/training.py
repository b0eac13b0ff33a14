"""The training loop: one compiled function that takes many steps per call, on any game with any rule.

Step ``t`` of a run draws all its randomness from ``fold_in(seed, t)``, so a run is a function of its seed alone: split
in several calls, or stopped and resumed, it gives the same bits.
"""

import functools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from . import checkpoints, seeds, trees
from .games import Hyper
from .rules.base import Info, whole

STEPS_PER_CALL = 100


class History(NamedTuple):
    """What was recorded: NumPy arrays with one entry per step, and what hooks returned.

    ``gen_loss``, ``disc_loss``, ``gen_grads``, ``disc_grads``, ``products``: as in :class:`~metagan_edu.rules.Info`,
    shape (steps,).
    ``metrics``: name -> (steps at which it was measured, values). ``seconds``: time spent in this call, compiling
    included.
    """

    gen_loss: np.ndarray
    disc_loss: np.ndarray
    gen_grads: np.ndarray
    disc_grads: np.ndarray
    products: np.ndarray
    metrics: dict
    seconds: float


class Result(NamedTuple):
    """``players``: to be evaluated (the rule's view); ``state``: of the rule; ``history``: a :class:`History`."""

    players: Any
    state: Any
    history: History


class Hook(NamedTuple):
    """``measure(step, players) -> dict of numbers or arrays (or None)``, called after every ``every`` steps."""

    every: int
    measure: Callable


class Diverged(FloatingPointError):
    """Training met a value that is not finite. ``step``: the step at fault (from 0); ``result``: before that step."""

    def __init__(self, message, step, result):
        super().__init__(message)
        self.step, self.result = step, result


def every(num_steps, measure):
    """A hook for :func:`train` that calls ``measure(step, players)`` after every ``num_steps`` steps."""
    return Hook(_positive("every", num_steps), measure)


def step_seed(seed, step):
    """The seed from which step ``step`` (from 0) of a run of ``seed`` draws all its randomness."""
    return seeds.fold_in(seeds.fold_in(seed, "train"), step)


def _positive(name, value):
    whole(name, value, 1)
    return int(value)


@functools.lru_cache(maxsize=16)
def compiled(game, rule, batches, jit):
    """The loop as one ``tf.function``: ``run(state, seed, start, count) -> (state, infos, done)``.

    It takes up to ``count`` ≤ ``STEPS_PER_CALL`` steps and stops early at a step whose losses or new state are not all
    finite: then ``done < count`` and ``state`` is the one before that step. ``infos``: float32 ``(STEPS_PER_CALL, 5)``,
    the fields of :class:`Info`. The function is traced once and kept for further runs of the same game, rule and
    batches.
    """

    @tf.function(jit_compile=jit, autograph=False)
    def run(state, seed, start, count):
        def step(i, finite, last, state, infos):
            new, info = rule.step(game, state, batches, seeds.fold_in(seed, start + i), Hyper())
            finite = trees.all_finite((new, info.gen_loss, info.disc_loss))
            return i + 1, finite, state, new, infos.write(i, tf.stack([tf.cast(x, tf.float32) for x in info]))

        infos = tf.TensorArray(tf.float32, STEPS_PER_CALL, element_shape=(len(Info._fields),))
        i, finite, last, state, infos = tf.while_loop(
            lambda i, finite, *_: tf.logical_and(i < count, finite),
            step,
            (tf.constant(0), tf.constant(True), state, state, infos),
        )
        state = trees.map(lambda new, old: tf.where(finite, new, old), state, last)
        return state, infos.stack(), tf.where(finite, i, i - 1)

    return run


def train(
    game, rule, batches, *, num_steps, seed, players=None, hooks=(), checkpoint=None, checkpoint_every=1000,
    resume=False, progress=True, jit=False, steps_per_call=STEPS_PER_CALL,
):  # fmt: skip
    """Play ``game`` by ``rule`` for ``num_steps`` steps from ``seed``; returns a :class:`Result`.

    ``batches``: a function ``seed -> batch`` (every data set has ``.batches(batch_size)``). ``players``: where to
    start, by default ``game.init``. ``hooks``: see :func:`every`. ``checkpoint``: a folder in which the run is saved
    every ``checkpoint_every`` steps, at the end, and when interrupted; with ``resume`` a run found there goes on to
    ``num_steps`` with the same result, bit for bit, as one that was never stopped. ``jit``: compile with XLA (for GPUs;
    slower on CPUs). ``steps_per_call``: how many steps pass between two looks at the clock, the hooks' turn apart.

    Raises ``ValueError`` for bad arguments, or a folder that holds another run; :class:`Diverged` at the first value
    that is not finite, with the last finite state in its ``result``.
    """
    num_steps = _positive("num_steps", num_steps)
    steps_per_call = min(_positive("steps_per_call", steps_per_call), STEPS_PER_CALL)
    checkpoint_every = _positive("checkpoint_every", checkpoint_every)
    seed = seeds.make(seed)
    began = time.monotonic()
    players = game.init(seeds.fold_in(seed, "init")) if players is None else players
    run = _Run(rule, rule.init(game, players), seed)
    if checkpoint is not None:
        run.open(checkpoint, resume, num_steps)
    elif resume:
        raise ValueError("resume=True needs the folder of the run: name it as checkpoint.")
    loop = compiled(game, rule, batches, jit)
    hooks = tuple(hooks)
    stops = [hook.every for hook in hooks] + ([checkpoint_every] if checkpoint else [])
    noise = seeds.fold_in(seed, "train")
    # Traced ahead of the first call: a call that traces is taken for retracing, with a warning, from the fifth game on.
    loop.get_concrete_function(run.state, noise, tf.constant(0), tf.constant(0))
    with tqdm(total=num_steps, initial=run.step, disable=not progress, delay=2, leave=False, unit="step") as bar:
        try:
            run.measure(hooks)  # what an interrupt had left over
            while run.step < num_steps:
                count = min([steps_per_call, num_steps - run.step, *(s - run.step % s for s in stops)])
                state, infos, done = loop(run.state, noise, tf.constant(run.step), tf.constant(count))
                run.add(state, infos.numpy(), int(done))
                bar.update(int(done))
                if done < count:
                    raise Diverged(run.fault(infos[int(done)]), run.step, run.result(began))
                run.measure(hooks)
                if checkpoint and run.step % checkpoint_every == 0:
                    run.save(checkpoint)
        finally:
            if checkpoint:
                run.save(checkpoint)
    return run.result(began)


class _Run:
    """The mutable side of a run: where it stands, what was recorded, and its files."""

    def __init__(self, rule, state, seed):
        self.rule, self.state, self.seed = rule, state, seed
        self.step, self.saved, self.measured = 0, None, 0
        self.infos = [np.zeros((0, len(Info._fields)), np.float32)]
        self.metrics = {}

    def add(self, state, infos, done):
        infos = [*self.infos, infos[:done]]
        self.state, self.step, self.infos, self.measured = state, self.step + done, infos, 0

    def measure(self, hooks):
        """Call the hooks that are due after this step and have not been called yet."""
        for hook in hooks[self.measured :]:
            if self.step and self.step % hook.every == 0:
                measured = hook.measure(self.step, self.rule.view(self.state)) or {}
                new = {name: self._extended(name, np.asarray(value)) for name, value in measured.items()}
                self.metrics, self.measured = self.metrics | new, self.measured + 1
            else:
                self.measured += 1

    def _extended(self, name, value):
        at, values = self.metrics.get(name, ([], []))
        if values and values[0].shape != value.shape:
            raise ValueError(f"the metric {name!r} has shape {value.shape} at step {self.step}, "
                             f"but had {values[0].shape} at step {at[0]}.")  # fmt: skip
        return [*at, self.step], [*values, value]

    def fault(self, info):
        bad = [name for name, value in zip(Info._fields[:2], info.numpy(), strict=False) if not np.isfinite(value)]
        where = " and ".join(bad) if bad else "the updated parameters (the losses were still finite)"
        return f"training diverged at step {self.step}: not finite: {where}. The state before that step is kept."

    def result(self, began):
        metrics = {name: (np.array(at), np.stack(values)) for name, (at, values) in self.metrics.items()}
        columns = np.concatenate(self.infos).T
        return Result(self.rule.view(self.state), self.state, History(*columns, metrics, time.monotonic() - began))

    def _signature(self):
        return str([(x.shape.as_list(), x.dtype.name) for x in trees.leaves(self.state)]) + str(self.seed.numpy())

    def save(self, folder):
        if self.saved == self.step:
            return
        arrays = {f"state/{i:05d}": x.numpy() for i, x in enumerate(trees.leaves(self.state))}
        arrays["infos"] = np.concatenate(self.infos)
        for name, (at, values) in self.metrics.items():
            arrays[f"steps/{name}"], arrays[f"values/{name}"] = np.array(at), np.stack(values)
        metadata = {"step": self.step, "measured": self.measured, "signature": self._signature()}
        checkpoints.save(folder, self.step, arrays, {name: str(value) for name, value in metadata.items()})
        self.saved = self.step

    def open(self, folder, resume, num_steps):
        checkpoints.check_writable(folder)
        if not resume:
            if checkpoints.steps(folder):
                raise ValueError(f"{folder} already holds a run; continue it with resume=True, or name another folder.")
            return
        found = checkpoints.latest(folder)
        if found is None:
            return
        arrays, metadata = found
        if metadata["signature"] != self._signature():
            raise ValueError(f"{folder} holds a run with other shapes or another seed; name another folder.")
        if int(metadata["step"]) > num_steps:
            raise ValueError(f"{folder} holds a run of {metadata['step']} steps, more than num_steps = {num_steps}.")
        values = [tf.constant(arrays[f"state/{i:05d}"]) for i in range(len(trees.leaves(self.state)))]
        self.state, self.step = trees.like(self.state, values), int(metadata["step"])
        self.saved, self.infos, self.measured = self.step, [arrays["infos"]], int(metadata["measured"])
        names = [name.removeprefix("steps/") for name in arrays if name.startswith("steps/")]
        self.metrics = {n: (list(arrays[f"steps/{n}"]), list(arrays[f"values/{n}"])) for n in names}


def sample(game, players, n, *, seed, chunk=1000):
    """``n`` samples of a game's generator as a NumPy array ``(n, …)``, in evaluation mode, from ``seed``."""
    _positive("n", n)
    if game.generate is None:
        raise ValueError("this game has no generator to draw samples from.")
    sizes = [min(chunk, n - start) for start in range(0, n, chunk)]
    parts = [game.generate(players, size, seeds.fold_in(seed, i)) for i, size in enumerate(sizes)]
    return np.concatenate([part.numpy() for part in parts])
