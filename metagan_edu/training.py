"""The training loop: one compiled function that takes many steps per call, of any process.

A *process* is a game that is played by a rule (:func:`train`), or a technique that is learned over tasks
(:func:`metagan_edu.meta_train`); the loop knows neither. Step ``t`` of a run draws all its randomness from
``fold_in(seed, t)``, so a run is a function of its seed alone: split in several calls, or stopped and resumed, it gives
the same bits.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from . import checks, replicas, seeds, trees, workers
from .data import check_sampler
from .data.samplers import shared
from .games import Game, Hyper, Players
from .hooks import Diverged, Hook, Interrupted, as_hooks, every, interruptible, stop
from .rules import Info, Rule
from .runs import History, Run
from .values import by_value

__all__ = [
    "Diverged", "History", "Hook", "Interrupted", "Process", "Result", "compiled", "every", "play", "playing",
    "step_seed", "stop", "train",
]  # fmt: skip

STEPS_PER_CALL = 100
WIDTH = 32  # numbers that a step may report: names of scalars, and four of cost


class Result(NamedTuple):
    """``players``: to be evaluated (the rule's view); ``state``: of the rule; ``history``: a :class:`History`."""

    players: Players
    state: Any
    history: History


class Process(NamedTuple):
    """What the loop plays, as pure functions.

    ``init(subject, seed) -> state``, where the subject is what training changes: players, or theta
    ``step(state, seed, hyper) -> (state, Info)``; from a state that is not finite it raises nothing (the loop has begun
    it by the time it knows)
    ``view(state) -> subject``: what hooks are called with and the result shows
    ``look(seed)``: what a step draws (a batch, a task), for telling runs apart
    ``result(subject, state, history)``: how a run's end is handed over; ``hyper()``: what a step gets by default.
    """

    init: Callable
    step: Callable
    view: Callable
    look: Callable
    result: Callable
    hyper: Callable


@functools.partial(by_value, kept=16)  # each holds its data set
def playing(game: Game, rule: Rule, batches: Callable) -> Process:
    """The process in which ``rule`` moves the players of ``game`` on ``batches``."""

    def step(state, seed, hyper):
        return rule.step(game, state, batches, seed, hyper)

    return Process(lambda players, seed: rule.init(game, players), step, rule.view, batches, Result, Hyper)


def step_seed(seed: Any, step: Any) -> tf.Tensor:
    """The seed from which step ``step`` (from 0) of a run of ``seed`` draws all its randomness."""
    return seeds.fold_in(seeds.fold_in(seed, "train"), step)


def compiled(process: Process, jit: bool = False, strategy: Any = None) -> tf.types.experimental.PolymorphicFunction:
    """The loop as one ``tf.function``: ``run(state, hyper, seed, start, count) -> (state, rows, done)``.

    It takes up to ``count`` ≤ ``STEPS_PER_CALL`` steps and stops early at a step whose scalars or new state are not all
    finite: then ``done < count`` and ``state`` is the one before that step. ``rows``: float32 ``(STEPS_PER_CALL,
    WIDTH)``; row i holds the scalars of step i, by the names of ``run.names`` (known once it is traced), then its cost.
    Numbers of ``hyper`` that are tensors are arguments: the function is traced once for all their values, and is kept
    for further runs of the same process. With a ``strategy`` each step is taken on all of its replicas.
    """
    return _compiled(process, jit, strategy)


@functools.lru_cache(maxsize=16)
def _compiled(process, jit, strategy):
    names: list[str] = []

    def taken(state, seed, hyper):
        state, info = stepped(process.step(state, seed, hyper))
        names[:] = info.scalars
        return state, info

    take, here = replicas.everywhere(strategy, taken), replicas.local(strategy)

    @tf.function(jit_compile=jit, autograph=False)
    def run(state, hyper, seed, start, count):
        # A step does not wait until the one before it is known to be finite: it is checked beside the next one, and
        # where it was not, the loop goes back by two.
        def step(i, finite, reported, before_last, last, states, rows):
            t = start + i
            new, info = take(states, seeds.fold_in(seed, t), hyper._replace(step=t))
            row = tf.stack([tf.cast(x, tf.float32) for x in (*info.scalars.values(), *info.cost)])
            if row.shape[0] > WIDTH:
                raise ValueError(f"a step may report {WIDTH - 4} scalars at most, not {len(names)}.")
            rows = rows.write(i, tf.pad(row, [[0, WIDTH - row.shape[0]]]))
            finite = tf.logical_and(tf.logical_or(tf.equal(i, 0), trees.all_finite(states[0])), reported)
            return i + 1, finite, trees.all_finite(list(info.scalars.values())), last, states[0], new, rows

        rows = tf.TensorArray(tf.float32, STEPS_PER_CALL, element_shape=(WIDTH,))
        i, finite, reported, before_last, last, states, rows = tf.while_loop(
            lambda i, finite, *_: tf.logical_and(i < count, finite),
            step,
            (tf.constant(0), tf.constant(True), tf.constant(True), state, state, (state,) * here, rows),
        )
        sound = tf.logical_and(trees.all_finite(states[0]), reported)
        done = tf.where(finite, tf.where(sound, i, i - 1), i - 2)
        state = trees.where(finite, trees.where(sound, states[0], last), before_last)
        return state, rows.stack(), done

    run.names = names
    return run


def stepped(result: Any) -> tuple[Any, Info]:
    """What a step returned; ``ValueError`` where it is not ``(state, Info)``."""
    if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], Info)):
        raise ValueError(
            f"a step returns (state, Info(scalars, cost)), not {type(result).__name__}; an Info is mg.rules.Info."
        )
    return result


def train(
    game: Game, rule: Rule, batches: Callable, *, num_steps: int, seed: Any, players: Players | None = None,
    hyper: Hyper | None = None, **options: Any,
) -> Result:  # fmt: skip
    """Play ``game`` by ``rule`` for ``num_steps`` steps from ``seed``; returns a :class:`Result`.

    ``batches``: a function ``seed -> batch`` (every data set has ``.batches(batch_size)``). ``players``: where to
    start, by default ``game.init``. ``hyper``: a :class:`~metagan_edu.games.Hyper` for all steps; its numbers are
    arguments of the compiled loop, so that a search over rates compiles once. ``options``: see :func:`play`.

    Raises ``ValueError`` for bad arguments, or a folder that holds another run; :class:`Diverged` at the first value
    that is not finite, with the last finite state in its ``result``; :class:`Interrupted` where it was stopped from
    outside.
    """
    if not isinstance(game, Game):
        raise ValueError(f"train takes a game first, then a rule, then batches; the first is a {type(game).__name__}.")
    if not isinstance(rule, Rule):
        raise ValueError(f"train takes a rule second, such as mg.rules.alternating(...), not {type(rule).__name__}.")
    check_sampler(batches)
    seed = seeds.make(seed)
    players = game.init(seeds.fold_in(seed, "init")) if players is None else players
    if not isinstance(players, Players):
        raise ValueError(f"players must be Players(gen, disc), as game.init makes them, not {type(players).__name__}.")
    batches = batches if options.get("strategy") is None else shared(batches)
    return play(playing(game, rule, batches), players, num_steps=num_steps, seed=seed, hyper=hyper, **options)


def play(
    process: Process, subject: Any, *, num_steps: int, seed: Any, hyper: Any = None, hooks: Any = (),
    checkpoint: Any = None, checkpoint_every: int = 1000, resume: bool | str = False, progress: bool = True,
    jit: bool = False, deterministic: bool = False, strategy: Any = None, steps_per_call: int = STEPS_PER_CALL,
) -> Any:  # fmt: skip
    """Take ``num_steps`` steps of a process that begins at ``subject``, and hand over ``process.result``.

    ``hooks``: a hook of :func:`every`, a function ``(step, subject)`` (called every 100 steps, or at the end of a
    shorter run), or several of them; one that returns :data:`stop` ends the run with what it has. ``checkpoint``: a
    folder in which the run is saved every ``checkpoint_every`` steps, at the end, and when it is interrupted or
    terminated; with ``resume`` a run found there goes on to ``num_steps`` with the same result, bit for bit, as one
    that was never stopped. What was saved must be the same experiment: its first step is taken again and compared
    (losses, batch, and how far each tensor moves); what first differs later, such as the length of a schedule, that
    cannot see. ``resume="changed"`` says that the change is meant. ``jit``: compile with XLA (for GPUs; slower on
    CPUs). ``deterministic``: equal bits on a GPU too, for the rest of the program, which is slower (a CPU has them
    anyway). ``strategy``: a ``tf.distribute`` strategy, on whose replicas each step is taken: batches and noise (or the
    tasks of a meta-step) are shared by them, and N replicas give what one process gives, up to rounding. Of several
    workers (:func:`metagan_edu.workers.join`) the first alone calls hooks, shows progress and writes checkpoints.
    ``steps_per_call``: how many steps pass between two looks at the clock, the hooks' turn apart.
    """
    num_steps = checks.whole("num_steps", num_steps)
    steps_per_call = min(checks.whole("steps_per_call", steps_per_call), STEPS_PER_CALL)
    checkpoint_every = checks.whole("checkpoint_every", checkpoint_every)
    checks.one_of("resume", resume, (False, True, "changed"))
    if resume and checkpoint is None:
        raise ValueError(f"resume={resume!r} needs the folder of the run: name it as checkpoint.")
    strategy = _checked(strategy, jit)
    hooks, seed = as_hooks(hooks, num_steps), seeds.make(seed)
    if deterministic and tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
    run = Run(process, subject, seed, strategy)
    hyper = process.hyper() if hyper is None else trees.map(tf.convert_to_tensor, hyper)
    advance = _advancing(run, hyper, jit, strategy)
    save_every = checkpoint_every if checkpoint is not None else None
    with (
        _said(run, num_steps), run.kept_in(checkpoint, resume, num_steps, advance),
        run.shown(num_steps, progress) as bar, interruptible(),
    ):  # fmt: skip
        _go_on(run, advance, hooks, num_steps, steps_per_call, save_every, bar)
    return run.result()


@contextlib.contextmanager
def _said(run, num_steps):
    """Inside, an end from outside becomes :class:`Interrupted`, with what the run has."""
    where = f"after step {{}} of {num_steps}"
    try:
        yield
    except KeyboardInterrupt as signal:
        raise Interrupted(f"interrupted {where.format(run.at.step)}.", run.result()) from signal
    except workers.LOST as error:
        if workers.count(run.strategy) == 1:
            raise
        raise Interrupted(f"another worker was lost {where.format(run.at.step)}: start all of them again, with "
                          "resume=True where the run is kept.", run.result()) from error  # fmt: skip


def _checked(strategy, jit):
    """The strategy; ``None`` for TensorFlow's default, which is none. ``ValueError`` for what is no strategy."""
    if strategy is None or (strategy is tf.distribute.get_strategy() and not tf.distribute.has_strategy()):
        return None
    if not isinstance(strategy, tf.distribute.Strategy):
        raise ValueError(f"strategy must be one of tf.distribute, such as tf.distribute.MirroredStrategy(), not "
                         f"{type(strategy).__name__}.")  # fmt: skip
    if jit:
        raise ValueError("jit=True and a strategy do not go together: what replicas exchange stands between the "
                         "operations that XLA would compile. Leave one of them away.")  # fmt: skip
    return strategy


def _advancing(run, hyper, jit, strategy):
    """``(state, start, count) -> (state, rows, done)``: the compiled loop of a run, traced."""
    if jit and any(x.dtype in seeds.OF_GENERATORS for x in trees.leaves(run.at.state)):
        warnings.warn(
            "Keras layers that draw by themselves, such as Dropout, draw other numbers where XLA compiles: jit=True "
            "makes another run of it.",
            stacklevel=4,
        )
    loop, noise = compiled(run.process, jit, strategy), seeds.fold_in(run.seed, "train")
    # Traced ahead of the first call: a call that traces is taken for retracing, with a warning, from the fifth game on.
    loop.get_concrete_function(run.at.state, hyper, noise, tf.constant(0), tf.constant(0))
    run.names = tuple(loop.names)
    return lambda state, start, count: loop(state, hyper, noise, tf.constant(start), tf.constant(count))


def _go_on(run, advance, hooks, num_steps, steps_per_call, save_every, bar):
    """Take the run to ``num_steps``, or to where a hook stops it."""
    stops = [hook.every for hook in hooks] + ([save_every] if save_every else [])
    wanted = run.measure(hooks)  # what an interrupt had left over
    while wanted and run.at.step < num_steps:
        step = run.at.step
        count = min([steps_per_call, num_steps - step, *(s - step % s for s in stops)])
        state, rows, done = advance(run.at.state, step, count)
        run.add(state, rows.numpy(), int(done))
        bar(int(done))
        if done < count:
            raise Diverged(run.fault(rows[int(done)].numpy()), run.at.step, run.result())
        wanted = run.measure(hooks)
        if save_every and run.at.step % save_every == 0:
            run.save()
