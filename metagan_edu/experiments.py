"""Fair comparisons: rules × seeds at equal cost, kept as records with intervals, and claims that are checked.

The unit of cost is chosen by a *budget*, a function ``(game, rule, batches) -> number of steps``:
:func:`steps`, :func:`gradient_evaluations` or :func:`seconds`.
"""

import datetime
import json
import os
import pathlib
import platform
import tempfile
import time
from typing import NamedTuple

import numpy as np

from . import seeds as seeds_module
from . import training

PROFILES = ("laptop", "gpu")


def profile():
    """The profile that ``METAGAN_PROFILE`` names: "laptop" (default) or "gpu" (full size). ``ValueError`` for others."""
    name = os.environ.get("METAGAN_PROFILE", "laptop")
    if name not in PROFILES:
        raise ValueError(f"METAGAN_PROFILE is {name!r}; it must be 'laptop' or 'gpu'.")
    return name


def claim(text, verdict, expected=True):
    """Print one line that says whether a claim holds; raise ``AssertionError`` where that is not what the course expects.

    ``expected=False`` is for a lesson whose point is that something does *not* hold.
    """
    verdict = bool(verdict)
    line = f"{'holds' if verdict else 'does not hold'}: {text}"
    print(line)
    if verdict is not expected:
        raise AssertionError(f"{line} (the course expects that it {'holds' if expected else 'does not hold'})")


class Prediction(NamedTuple):
    """An answer that was committed to before the experiment; ``choice`` is ``None`` as long as there is none."""

    options: tuple
    choice: int | None

    def score(self, answer):
        """Print what is right (the number of an option, from 1), and whether that was predicted."""
        said = "no prediction was made" if self.choice is None else f"you predicted {self.choice}"
        mark = "" if self.choice is None else (" – right" if self.choice == answer else " – not this time")
        print(f"It is {answer}: {self.options[answer - 1]} ({said}{mark})")


def predict(question, *options, choice=None):
    """Ask before you plot: print a question with numbered options; set ``choice`` to the number of yours.

    Returns a :class:`Prediction`, whose ``score`` says later who was right. ``ValueError`` for a choice that is no option.
    """
    if choice is not None and choice not in range(1, len(options) + 1):
        raise ValueError(f"choice must be a number from 1 to {len(options)}, not {choice!r}.")
    print(question, *(f"  {i}. {option}" for i, option in enumerate(options, 1)), sep="\n")
    return Prediction(options, choice)


def steps(num_steps):
    """The budget of a given number of steps."""
    return lambda game, rule, batches: num_steps


def gradient_evaluations(total):
    """The budget of so many gradients of a player's loss, both players' counted: as many steps as these pay for."""

    def num_steps(game, rule, batches):
        history = training.train(game, rule, batches, num_steps=1, seed=0, progress=False).history
        return max(1, int(total // float(history.gen_grads[0] + history.disc_grads[0])))

    return num_steps


def seconds(total):
    """The budget of a wall-clock time on this machine, compiling not counted: measured on two calls of the loop."""

    def num_steps(game, rule, batches):
        probe = 2 * training.STEPS_PER_CALL
        training.train(game, rule, batches, num_steps=1, seed=0, progress=False)
        began = time.monotonic()
        training.train(game, rule, batches, num_steps=probe, seed=0, progress=False)
        return max(1, int(total / (time.monotonic() - began) * probe))

    return num_steps


def compare(contenders, batches, *, budget, seeds, measure, name="", command="", config=None):
    """Train every contender from every seed at equal cost and measure it: a record, a dict that JSON can hold.

    ``contenders``: name -> (game, rule); ``budget``: see this module; ``measure(game, players, seed) -> dict`` of numbers.
    A run that diverges is measured at its last finite state, and ``diverged`` counts it. The record has the fields ``name,
    command, config, seeds, num_steps, seconds, results, versions, machine, created``; ``results[contender][metric]``
    is a list with one value per seed.
    """
    seeds = list(seeds)
    record = {"name": name, "command": command, "config": config or {}, "seeds": seeds}
    record |= {"num_steps": {}, "seconds": {}, "results": {}}
    for contender, (game, rule) in contenders.items():
        num_steps = budget(game, rule, batches)
        runs, times = [], []
        for seed in seeds:
            diverged = 0
            try:
                result = training.train(game, rule, batches, num_steps=num_steps, seed=seed, progress=False)
            except training.Diverged as error:
                result, diverged = error.result, 1
            measured = measure(game, result.players, seeds_module.fold_in(seed, "measure"))
            runs.append({**{k: float(v) for k, v in measured.items()}, "diverged": diverged})
            times.append(round(result.history.seconds, 2))
        record["num_steps"][contender], record["seconds"][contender] = num_steps, times
        record["results"][contender] = {metric: [run[metric] for run in runs] for metric in runs[0]}
    return record | provenance()


def provenance():
    """Versions, machine and time, for a record."""
    import keras
    import tensorflow as tf

    return {
        "versions": {"python": platform.python_version(), "tensorflow": tf.__version__, "keras": keras.__version__},
        "machine": f"{os.cpu_count()} CPU cores, {platform.machine()}, {len(tf.config.list_physical_devices('GPU'))} GPU",
        "created": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
    }


def save_record(path, record):
    """Write a record as JSON, atomically; numbers that are not finite are refused with ``ValueError``."""
    path = pathlib.Path(path)
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", delete=False) as file:
        file.write(text)
    os.replace(file.name, path)


def load_record(path):
    """Read a record. ``FileNotFoundError`` says how it is made; ``ValueError`` where the file is not a record."""
    path = pathlib.Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no record {path}; `make records ONLY={path.stem}` makes it.")
    try:
        record = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is not a record: {error}.") from error
    if not isinstance(record, dict) or "results" not in record:
        raise ValueError(f"{path} is not a record: it has no field 'results'.")
    return record


class Interval(NamedTuple):
    """A mean with its 95 % confidence interval over seeds."""

    mean: float
    low: float
    high: float

    def __contains__(self, value):
        return self.low <= value <= self.high

    def __str__(self):
        return f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}]"


def interval(values):
    """Student's 95 % interval ``mean ± t · s/√n`` of at least two values, one per seed."""
    from scipy import stats

    values = np.asarray(values, np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"an interval needs at least two values in one row, not shape {values.shape}.")
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return Interval(values.mean(), values.mean() - half, values.mean() + half)


def paired_difference(first, second):
    """The interval of ``first - second``, seed by seed: both lists must be of the same seeds."""
    if len(first) != len(second):
        raise ValueError(f"paired values must be of the same seeds: {len(first)} against {len(second)}.")
    return interval(np.asarray(first, np.float64) - np.asarray(second, np.float64))


class Table(NamedTuple):
    """A table that notebooks and the website render."""

    head: tuple
    rows: tuple

    def _repr_markdown_(self):
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)

    def __str__(self):
        return self._repr_markdown_()


def table(record, metrics=None):
    """A :class:`Table` of a record: one row per contender, mean and interval of each metric (default: all)."""
    results = record["results"]
    metrics = metrics or [m for m in next(iter(results.values())) if m != "diverged"]
    rows = tuple(
        (name, record["num_steps"][name], *(interval(values[metric]) for metric in metrics))
        for name, values in results.items()
    )
    return Table(("", "steps", *metrics), rows)
