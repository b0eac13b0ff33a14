"""One run under way: where it stands, what its hooks measure, how it ends, and its files."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from . import checkpoints, seeds, trees, workers
from .hooks import Hook, Stop
from .progress import bar as progress_bar
from .rules import Cost

FIRST_STEP_TOLERANCE = 1e-3  # relative: what other threads, machines and versions change in one step is far below


class History(NamedTuple):
    """What was recorded, in NumPy arrays.

    ``scalars``: name -> one value per step, as in :class:`~metagan_edu.rules.Info` ("gen_loss", "disc_loss", …);
    ``cost``: a :class:`~metagan_edu.rules.Cost` of such arrays; ``metrics``: name -> (steps at which a hook measured
    it, values); ``seconds``: time spent in this call, compiling included.
    """

    scalars: dict[str, np.ndarray]
    cost: Cost
    metrics: dict[str, tuple[np.ndarray, np.ndarray]]
    seconds: float


class At(NamedTuple):
    """Where a run stands. It is replaced as a whole, so that an interrupt at any moment finds it consistent.

    ``rows``: what its steps reported, in blocks; ``metrics``: name -> (steps, values); ``measured``: how many of the
    hooks have been called after this step.
    """

    state: Any
    step: int
    rows: tuple
    metrics: dict
    measured: int


class Run:
    """The mutable side of a run."""

    def __init__(self, process: Any, subject: Any, seed: tf.Tensor, strategy: Any = None):
        self.process, self.seed, self.began = process, seed, time.monotonic()
        self.strategy, self.is_chief = strategy, workers.is_chief(strategy)
        self.names: tuple[str, ...] = ()
        self.at = At(process.init(subject, seed), 0, (), {}, 0)
        self.folder: Any = None
        self.saved: tuple[int, int] | None = None  # step and measured, as they were last written
        self.words: dict[str, str] = {}

    def add(self, state: Any, rows: np.ndarray, done: int) -> None:
        """Take over the state after ``done`` more steps, and what they reported."""
        rows = rows[:done, : self.width]
        self.at = At(state, self.at.step + done, (*self.at.rows, rows), self.at.metrics, 0)

    @property
    def width(self) -> int:
        """Numbers that a step reports."""
        return len(self.names) + len(Cost._fields)

    def measure(self, hooks: tuple[Hook, ...]) -> bool:
        """Call the hooks that are due after this step and have not been called yet; whether the run goes on.

        Of several workers the chief calls them, and decides.
        """
        with self._together():
            going_on = self._measured(hooks)
        return bool(workers.agreed(self.strategy, going_on))

    def _measured(self, hooks):
        for hook in hooks[self.at.measured :]:
            measured: Any = None
            if self.is_chief and self.at.step and self.at.step % hook.every == 0:
                measured = hook.measure(self.at.step, self.process.view(self.at.state))
            ends = isinstance(measured, Stop)
            found = self._dict(measured.metrics if ends else measured)
            new = {name: self._extended(name, value) for name, value in found.items()}
            self.at = self.at._replace(metrics=self.at.metrics | new, measured=self.at.measured + 1)
            if ends:
                return False
        return True

    def _dict(self, measured):
        if measured is not None and not isinstance(measured, dict):
            raise ValueError(f"a hook returns a dict of numbers, None, or mg.stop, not {type(measured).__name__} "
                             f"(at step {self.at.step}).")  # fmt: skip
        return measured or {}

    def _extended(self, name, value):
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(f"the name of a metric must be a word without '/', not {name!r} (step {self.at.step}).")
        try:
            value = np.asarray(value)
        except ValueError as error:
            raise ValueError(f"the metric {name!r} at step {self.at.step} is no array: {error}.") from error
        if value.dtype.kind not in "fiub":
            raise ValueError(f"the metric {name!r} must be made of numbers, not {value.dtype} (at step "
                             f"{self.at.step}); a hook that only looks returns None.")  # fmt: skip
        at, values = self.at.metrics.get(name, ([], []))
        if values and values[0].shape != value.shape:
            raise ValueError(f"the metric {name!r} has shape {value.shape} at step {self.at.step}, "
                             f"but had {values[0].shape} at step {at[0]}.")  # fmt: skip
        return [*at, self.at.step], [*values, value]

    def fault(self, row: np.ndarray) -> str:
        """The sentence on a step that reported ``row`` and was not finite."""
        bad = [name for name, value in zip(self.names, row, strict=False) if not np.isfinite(value)]
        where = " and ".join(bad) if bad else "the updated parameters (the losses were still finite)"
        return f"training diverged at step {self.at.step}: not finite: {where}. The state before that step is kept."

    def rows(self) -> np.ndarray:
        """What all steps reported, (steps, width)."""
        return np.concatenate([np.zeros((0, self.width), np.float32), *self.at.rows])

    def result(self) -> Any:
        """The run up to here, as the process hands it over."""
        metrics = {name: (np.array(at), np.stack(values)) for name, (at, values) in self.at.metrics.items()}
        *scalars, gen, disc, products, examples = self.rows().T
        history = History(
            dict(zip(self.names, scalars, strict=True)), Cost(gen, disc, products, examples), metrics,
            time.monotonic() - self.began,
        )  # fmt: skip
        return self.process.result(self.process.view(self.at.state), self.at.state, history)

    @contextlib.contextmanager
    def shown(self, total: int, progress: bool) -> Iterator[Callable]:
        """A progress bar with the last losses; yields the function that moves it by a number of steps."""
        with progress_bar(total, initial=self.at.step, disable=not (progress and self.is_chief)) as bar:

            def move(done):
                last = self.at.rows[-1][-1:] if self.at.rows else ()
                named = zip(self.names, last[0], strict=False) if len(last) else ()
                bar.update(done, **{name: x for name, x in named if name.endswith("loss")})

            yield move

    # --- Its files ------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def kept_in(self, folder: Any, resume: bool | str, num_steps: int, advance: Callable) -> Iterator[None]:
        """Inside, the run is kept in ``folder`` (``None``: it is not), alone; it is saved on the way out, however.

        Of several workers the chief alone reads and writes; the others begin where it stands.
        """
        if folder is None:
            yield
            return
        with contextlib.ExitStack() as held:
            with self._together():
                found = held.enter_context(self._opened(folder, resume)) if self.is_chief else None
            first = self._first_step(advance)
            with self._together():
                if self.is_chief:
                    self._take_up(found, first, resume, num_steps)
            state, step = workers.agreed(self.strategy, (self.at.state, self.at.step))
            self.at = self.at._replace(state=state, step=int(step))
            try:
                yield
            finally:
                self.save()

    def save(self) -> None:
        """Write the checkpoint of where the run stands, unless that is done, or another worker's business."""
        if not self.is_chief or self.saved == (self.at.step, self.at.measured):
            return
        at = self.at
        arrays = {f"state/{i:05d}": x.numpy() for i, x in enumerate(trees.leaves(at.state))}
        arrays["rows"] = self.rows()
        for name, (steps, values) in at.metrics.items():
            arrays[f"steps/{name}"], arrays[f"values/{name}"] = np.array(steps), np.stack(values)
        words = {**self.words, "step": str(at.step), "measured": str(at.measured), "names": json.dumps(self.names)}
        checkpoints.save(self.folder, at.step, arrays, words)
        self.saved = at.step, at.measured

    @contextlib.contextmanager
    def _together(self):
        """Where one worker fails inside, as the chief may with its files, all of them end and none waits for it."""
        failed = None
        try:
            yield
        except Exception as error:
            failed = error
        if not workers.agreed(self.strategy, failed is None):
            raise failed or RuntimeError("the chief of the workers could not go on; what it says tells why.")

    @contextlib.contextmanager
    def _opened(self, folder, resume):
        """The checkpoint to go on from, or ``None``; inside, the folder is this run's alone."""
        self.folder = folder
        checkpoints.check_writable(folder)
        with checkpoints.locked(folder):
            if not resume and checkpoints.steps(folder):
                raise ValueError(f"{folder} already holds a run; continue it with resume=True, or name another folder.")
            yield checkpoints.latest(folder) if resume else None

    def _take_up(self, found, first, resume, num_steps):
        """Go to where the checkpoint stands, if there is one and it is of this run."""
        folder, shapes = self.folder, [(x.shape.as_list(), x.dtype.name) for x in trees.leaves(self.at.state)]
        self.words = {"shapes": str(shapes), "seed": str(self.seed.numpy()), "first": json.dumps(first)}
        self.words["run"] = secrets.token_hex(8)
        if found is None:
            return
        arrays, words = found
        if any(words[name] != self.words[name] for name in ("shapes", "seed")) or words["names"] != json.dumps(
            self.names
        ):
            raise ValueError(f"{folder} holds a run with other shapes or another seed; name another folder.")
        if resume != "changed":
            _compare(folder, json.loads(words["first"]), first)
        if int(words["step"]) > num_steps:
            raise ValueError(f"{folder} holds a run of {words['step']} steps, more than num_steps = {num_steps}.")
        self.words["run"] = words["run"]
        state = [tf.constant(arrays[f"state/{i:05d}"]) for i in range(len(shapes))]
        names = [name.removeprefix("steps/") for name in arrays if name.startswith("steps/")]
        metrics = {n: (list(arrays[f"steps/{n}"]), list(arrays[f"values/{n}"])) for n in names}
        step, measured = int(words["step"]), int(words["measured"])
        self.at = At(trees.like(self.at.state, state), step, (arrays["rows"],), metrics, measured)
        self.saved = step, measured

    def _first_step(self, advance):
        """What tells this experiment from another: what its first step draws and reports, and how far it moves."""
        state, rows, _ = advance(self.at.state, 0, 1)
        drawn = [x for x in trees.leaves(self.process.look(seeds.fold_in(self.seed, "look"))) if x.dtype.is_numeric]
        moved = zip(trees.leaves(state), trees.leaves(self.at.state), strict=True)
        return {
            "what it reports": dict(zip(self.names, map(float, rows[0].numpy()), strict=False)),
            "what it costs": [float(x) for x in rows[0].numpy()[len(self.names) : self.width]],
            "the batches": [[*x.shape.as_list(), *_moments(x)] for x in map(tf.convert_to_tensor, drawn)],
            "how far it moves": [_moments(new - old)[1] for new, old in moved if new.dtype.is_floating],
        }


def _moments(x):
    x = tf.cast(x, tf.float64)
    return [float(tf.reduce_mean(x)), float(tf.sqrt(tf.reduce_mean(x * x)))]


def _compare(folder, before, now):
    """``ValueError`` where the first step of the run in ``folder`` and of this one differ by more than rounding."""
    for what in now:
        was, new = (np.array(trees.leaves(found[what]), np.float64) for found in (before, now))
        size = np.abs(was).max(initial=0) if what == "how far it moves" else 1
        alike = was.shape == new.shape and np.isclose(
            was, new, rtol=FIRST_STEP_TOLERANCE, atol=1e-4 * size, equal_nan=True
        )
        if not np.all(alike):
            at = np.argmin(alike) if was.shape == new.shape else 0
            there, here = (
                f"{found[at]:.6g}" if was.shape == new.shape else f"{len(found)} numbers" for found in (was, new)
            )
            raise ValueError(
                f"{folder} holds another experiment: its first step differs in {what} ({there} there, {here} here). "
                "Name another folder, or say that the change is meant: resume='changed'."
            )
