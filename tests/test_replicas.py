"""N replicas and one process with the whole batch take the same steps: every rule, penalty, loss and estimator."""

import json
import pathlib
import subprocess
import sys

import pytest

import metagan_edu as mg
from metagan_edu import replicas, seeds

SCRIPT = pathlib.Path(__file__).with_name("on_two_replicas.py")


def play(*arguments):
    done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def found():
    return play()


def test_two_replicas_give_what_one_process_gives(found):
    """In twenty steps of float64, and in two hundred of float32; W4: R1 used to average the slopes of other images."""
    too_far = {}
    for name, values in found.items():
        if name.startswith("refused: "):
            continue
        exact = name.startswith("rule: ") or name in ("all losses and penalties", "spectral")
        tolerance = 1e-12 if exact else 1e-8 if "second order" in name else 0.1 if "mixed" in name else 1e-4
        too_far |= {name: values} if max(values) > tolerance else {}
    assert not too_far


def test_four_replicas_give_it_too():
    assert max(play("4", "rule: alternating")["rule: alternating"]) < 1e-12


def test_every_rule_and_estimator_is_among_them(found):
    rules = {name for name in mg.rules.__all__ if name.islower()} - {"controllers", "policies"}
    assert {f"rule: {name}" for name in rules} <= found.keys()
    estimators = {
        name for name in mg.meta.__all__
        if getattr(getattr(mg.meta, name), "__annotations__", {}).get("return") == "Estimator"
    } - {"over_tasks"}  # fmt: skip
    assert estimators and {f"estimator: {name}" for name in estimators} <= found.keys()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("batch", "a batch of 7 examples cannot be shared by 2 replicas; take a multiple of it."),
        ("own batch", "a batch of 7 examples cannot be shared by 2 replicas; take a multiple of it."),
        ("tasks", "a meta-step of 3 tasks cannot be shared by 2 replicas; take a multiple of it."),
        ("dropout", "the layer 'drop' draws the same numbers on each replica"),
        ("keras", "the layer 'bn' normalizes over a replica's share of the batch alone"),
        ("jit", "jit=True and a strategy do not go together"),
        ("word", "strategy must be one of tf.distribute, such as tf.distribute.MirroredStrategy(), not str."),
    ],
)
def test_what_would_be_another_run_is_refused(found, name, sentence):
    assert sentence in found[f"refused: {name}"]


def test_outside_a_strategy_nothing_changes():
    assert replicas.count() == 1
    draw = replicas.share(lambda n: seeds.normal([n, 2], 0), 5)
    assert draw.shape == (5, 2)
    for same in (replicas.mean, replicas.gathered, lambda x: replicas.rows(x, "{} rows")):
        assert same(draw) is draw
    assert replicas.split(7) == 7
