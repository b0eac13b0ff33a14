"""Fair comparisons: rules × seeds at equal cost, kept as records with intervals, and claims that are checked.

The unit of cost is chosen by a *budget*, a function ``(game, rule, batches) -> number of steps``:
:func:`steps`, :func:`gradient_evaluations` or :func:`seconds`.
"""

import datetime
import html
import json
import math
import os
import pathlib
import platform
from typing import NamedTuple

from . import checkpoints, training
from . import seeds as seeds_module
from .games import Hyper
from .statistics import Interval, interval, paired_difference, prediction_interval

__all__ = [
    "Interval", "Prediction", "Table", "claim", "compare", "gradient_evaluations", "interval", "load_record", "merge",
    "paired_difference", "predict", "prediction_interval", "profile", "provenance", "save_record", "seconds", "steps",
    "table",
]  # fmt: skip

PROFILES = ("laptop", "gpu")


def profile():
    """What ``METAGAN_PROFILE`` names: "laptop" (default) or "gpu" (full size). ``ValueError`` for another word."""
    name = os.environ.get("METAGAN_PROFILE", "laptop")
    if name not in PROFILES:
        raise ValueError(f"METAGAN_PROFILE is {name!r}; it must be 'laptop' or 'gpu'.")
    return name


def claim(text, verdict, expected=True):
    """Print one line that says whether a claim holds; ``AssertionError`` where that is not what the course expects.

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
        _option("answer", answer, self.options)
        said = "no prediction was made" if self.choice is None else f"you predicted {self.choice}"
        mark = "" if self.choice is None else (" – right" if self.choice == answer else " – not this time")
        print(f"It is {answer}: {self.options[answer - 1]} ({said}{mark})")


def _option(name, number, options):
    if number not in range(1, len(options) + 1):
        raise ValueError(f"{name} must be a number from 1 to {len(options)}, not {number!r}.")


def predict(question, *options, choice=None):
    """Ask before you plot: print a question with numbered options; set ``choice`` to the number of yours.

    Returns a :class:`Prediction`, whose ``score`` says later who was right. ``ValueError`` for a choice that is no
    option.
    """
    if choice is not None:
        _option("choice", choice, options)
    print(question, *(f"  {i}. {option}" for i, option in enumerate(options, 1)), sep="\n")
    return Prediction(options, choice)


def steps(num_steps):
    """The budget of a given number of steps."""
    return lambda game, rule, batches: num_steps


def gradient_evaluations(total):
    """The budget of so many gradients of a player's loss, both players' counted: as many steps as these pay for.

    A second-order product counts as two gradients, so that a step unrolled K times costs 2 + 3K where a plain one costs
    2.

    Raises ``ValueError`` where they do not pay for one step.
    """

    def num_steps(game, rule, batches):
        seed = seeds_module.make(0)
        _, info = rule.step(game, rule.init(game, game.init(seed)), batches, seed, Hyper())
        cost = float(info.gen_grads + info.disc_grads + 2 * info.products)
        if not total >= cost:
            raise ValueError(f"a budget of {total} gradients does not pay for one step, which takes {cost:.0f}.")
        return int(total // cost)

    return num_steps


def seconds(total):
    """The budget of a wall-clock time on this machine, compiling not counted: measured on two calls of the loop.

    Raises ``ValueError`` for a time that is not positive.
    """
    if not 0 < total < math.inf:
        raise ValueError(f"a budget of time must be a positive number of seconds, not {total!r}.")

    def num_steps(game, rule, batches):
        _run(game, rule, batches, 1, 0)
        result, _ = _run(game, rule, batches, 2 * training.STEPS_PER_CALL, 0)
        return max(1, int(total / result.history.seconds * max(1, len(result.history.gen_loss))))

    return num_steps


def _run(game, rule, batches, num_steps, seed):
    """The result of a run, and whether it diverged: then the result is that of its last finite state."""
    try:
        return training.train(game, rule, batches, num_steps=num_steps, seed=seed, progress=False), False
    except training.Diverged as error:
        return error.result, True


def compare(contenders, batches, *, budget, seeds, measure, name="", command="", config=None):
    """Train every contender from every seed at equal cost and measure it: a record, a dict that JSON can hold.

    ``contenders``: name -> (game, rule); ``budget``: see this module; ``measure(game, players, seed) -> dict`` of
    numbers. A run that diverges is measured at its last finite state, and ``diverged`` says so (1, else 0). The record
    has the fields ``name, command, config, seeds, num_steps, seconds, results, versions, machine, created``;
    ``results[contender][metric]`` and ``seconds[contender]`` (the first with compiling) are lists with one value per
    seed. Raises ``ValueError`` where there is no contender or no seed.
    """
    seeds = [int(seed) for seed in seeds]
    if not contenders or not seeds:
        raise ValueError(f"a comparison needs contenders and seeds, not {len(contenders)} and {len(seeds)} of them.")
    record = {"name": name, "command": command, "config": config or {}, "seeds": seeds}
    record |= {"num_steps": {}, "seconds": {}, "results": {}}
    for contender, (game, rule) in contenders.items():
        num_steps = budget(game, rule, batches)
        runs, times = [], []
        for seed in seeds:
            result, diverged = _run(game, rule, batches, num_steps, seed)
            measured = measure(game, result.players, seeds_module.fold_in(seed, "measure"))
            runs.append({**{k: float(v) for k, v in measured.items()}, "diverged": int(diverged)})
            times.append(round(result.history.seconds, 2))
        record["num_steps"][contender], record["seconds"][contender] = num_steps, times
        record["results"][contender] = {metric: [run[metric] for run in runs] for metric in runs[0]}
    return record | provenance()


def merge(*records):
    """One record with the contenders of several, of the same seeds; all other fields are those of the first.

    Raises ``ValueError`` where seeds differ, or a contender is in two of them.
    """
    merged = dict(records[0])
    for record in records[1:]:
        if record["seeds"] != merged["seeds"]:
            raise ValueError(f"records of seeds {merged['seeds']} and {record['seeds']} cannot be merged.")
        twice = merged["results"].keys() & record["results"].keys()
        if twice:
            raise ValueError(f"records that are merged have contenders of their own, but {sorted(twice)} are in two.")
        merged |= {field: merged[field] | record[field] for field in ("num_steps", "seconds", "results")}
    return merged


def provenance():
    """Versions, machine and time, for a record."""
    import keras
    import tensorflow as tf

    gpus = len(tf.config.list_physical_devices("GPU"))
    return {
        "versions": {"python": platform.python_version(), "tensorflow": tf.__version__, "keras": keras.__version__},
        "machine": f"{os.cpu_count()} CPU cores, {platform.machine()}, {gpus} GPU",
        "created": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
    }


def _not_finite(tree, where=()):
    """The first number in nested dicts and lists that is not finite, as ``(number, where it stands)``, or ``None``."""
    if isinstance(tree, float) and not math.isfinite(tree):
        return tree, where
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, (list, tuple)) else ()
    return next(filter(None, (_not_finite(part, (*where, str(key))) for key, part in parts)), None)


def save_record(path, record):
    """Write a record as JSON, whole or not at all. ``ValueError`` for a number that is not finite, which JSON lacks."""
    found = _not_finite(record)
    if found:
        number, where = found
        raise ValueError(f"{path} was not written: a record holds finite numbers, but {' / '.join(where)} is {number}.")
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    checkpoints.replace(path, text.encode())


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


class Table(NamedTuple):
    """A table in every front end: HTML in Jupyter, Markdown on the website, aligned columns where there is only text.

    Formulas in dollars stay as they are: front ends set them in HTML too.
    """

    head: tuple
    rows: tuple

    def _repr_markdown_(self):
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        cells = [[str(cell).replace("|", r"\|") for cell in line] for line in lines]
        return "\n".join("| " + " | ".join(line) + " |" for line in cells)

    def _repr_html_(self):
        def row(cells, tag):
            return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

        body = "\n".join(row(cells, "td") for cells in self.rows)
        return f"<table>\n<thead>{row(self.head, 'th')}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"

    def _repr_pretty_(self, printer, cycle):  # what IPython shows as text, in place of repr
        printer.text(str(self))

    def __str__(self):
        lines = [[str(cell) for cell in line] for line in (self.head, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines.insert(1, ["-" * width for width in widths])
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def table(record, metrics=None):
    """A :class:`Table` of a record: one row per contender, mean and 95 % interval of each metric (default: all).

    "seconds", the time of a run, can be among the metrics. Where runs diverged, a last column says how many.
    """
    results = {name: values | {"seconds": record["seconds"][name]} for name, values in record["results"].items()}
    metrics = metrics or [m for m in next(iter(record["results"].values())) if m != "diverged"]
    counts = {name: sum(values.get("diverged", ())) for name, values in results.items()}
    rows = tuple(
        (
            name, record["num_steps"][name], *(interval(values[metric]) for metric in metrics),
            *([f"{counts[name]} of {len(values.get('diverged', ()))}"] if any(counts.values()) else []),
        )
        for name, values in results.items()
    )  # fmt: skip
    return Table(("", "steps", *metrics, *(["diverged"] if any(counts.values()) else [])), rows)
