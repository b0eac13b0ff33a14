"""N replicas and one process with the whole batch take the same steps: every rule, penalty, loss and estimator."""

import json
import pathlib
import subprocess
import sys

import pytest

import metagan_edu as mg
from metagan_edu import replicas, seeds

SCRIPT = pathlib.Path(__file__).with_name("on_two_replicas.py")


def play(num_replicas, *cases):
    done = subprocess.run([sys.executable, SCRIPT, str(num_replicas), *cases], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


RULES = {f"rule: {name}" for name in mg.rules.__all__ if name.islower()} - {"rule: controllers", "rule: policies"}
ESTIMATORS = {
    f"estimator: {name}" for name in mg.meta.__all__
    if getattr(getattr(mg.meta, name), "__annotations__", {}).get("return") == "Estimator"
} - {"estimator: over_tasks"}  # fmt: skip


TOLERANCES = {  # of float64 over twenty steps, of float32 over two hundred, of five steps of bfloat16
    "rule: ": 1e-12, "all losses and penalties": 1e-12, "spectral": 1e-12, "batch statistics to second order": 1e-8,
    "float32": 1e-4, "estimator: ": 1e-4, "mixed precision": 0.1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("num_replicas", "cases", "among_them"),
    [
        (2, ["rule: "], RULES),
        (2, ["all losses and penalties", "spectral", "batch statistics to second order", "mixed precision"], set()),
        (2, ["estimator: ", "float32"], ESTIMATORS),
        (4, ["rule: alternating", "estimator: reptile"], set()),
    ],
)
def test_replicas_give_what_one_process_gives(num_replicas, cases, among_them):
    """W4: R1 used to average the slopes of other images."""
    found = play(num_replicas, *cases)
    assert all(any(name.startswith(case) for name in found) for case in cases) and among_them <= found.keys()
    allowed = {name: next(TOLERANCES[start] for start in TOLERANCES if name.startswith(start)) for name in found}
    assert not {name: apart for name, apart in found.items() if max(apart) > allowed[name]}


REFUSALS = {
    "batch": "a batch of 7 examples cannot be shared by 2 replicas; take a multiple of it.",
    "own batch": "a batch of 7 examples cannot be shared by 2 replicas; take a multiple of it.",
    "scalar": "replicas share a batch of n examples by its leading axis, but a value of shape () has none of known",
    "tasks": "a meta-step of 3 tasks cannot be shared by 2 replicas; take a multiple of it.",
    "dropout": "the layer 'drop' draws the same numbers on each replica",
    "keras": "the layer 'bn' normalizes over a replica's share of the batch alone",
    "jit": "jit=True and a strategy do not go together",
    "word": "strategy must be one of tf.distribute, such as tf.distribute.MirroredStrategy(), not str.",
}


def test_what_would_be_another_run_is_refused():
    found = play(2, "refused: ")
    assert found.keys() == {f"refused: {name}" for name in REFUSALS}
    assert not {
        name: found[f"refused: {name}"] for name, said in REFUSALS.items() if said not in found[f"refused: {name}"]
    }


def test_outside_a_strategy_nothing_changes():
    assert replicas.count() == 1
    draw = replicas.share(lambda n: seeds.normal([n, 2], 0), 5)
    assert draw.shape == (5, 2)
    for same in (replicas.mean, replicas.gathered, lambda x: replicas.rows(x, "{} rows")):
        assert same(draw) is draw
    assert replicas.split(7) == 7
