"""N replicas and one process with the whole batch take the same steps: every rule, penalty, loss and estimator."""

import json
import pathlib
import subprocess
import sys

import pytest

import metagan_edu as mg
from metagan_edu import replicas, seeds

SCRIPT = pathlib.Path(__file__).with_name("on_two_replicas.py")


@pytest.fixture(scope="module")
def found():
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_two_replicas_take_the_steps_of_one_process(found):
    """Within float64 rounding of two steps; W4: R1 used to average the slopes of different images."""
    too_far = {name: values for name, values in found.items() if max(values) > 1e-9}
    assert not too_far


def test_every_rule_is_among_them_and_all_losses(found):
    rules = {n for n in mg.rules.__all__ if n.islower()} - {"averaged", "controllers", "jointly", "policies", "under"}
    assert {f"rule: {name}" for name in rules} <= found.keys()
    assert "all losses and penalties" in found


def test_outside_a_strategy_nothing_changes():
    assert replicas.count() == 1
    draw = replicas.share(lambda n: seeds.normal([n, 2], 0), 5)
    assert draw.shape == (5, 2)
    assert replicas.mean(draw) is draw
    assert replicas.split(7) == 7
