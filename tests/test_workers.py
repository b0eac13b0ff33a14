"""Workers on loopback: they agree with one process, the chief writes, and one that is lost or never comes is named."""

import contextlib
import functools
import json
import pathlib
import socket
import subprocess
import sys
import time

import numpy as np
import one_worker
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import checkpoints, workers

SCRIPT = pathlib.Path(__file__).with_name("one_worker.py")


def free_ports(count):
    with contextlib.ExitStack() as held:
        return [held.enter_context(socket.create_server(("", 0))).getsockname()[1] for _ in range(count)]


@contextlib.contextmanager
def two(folder, *runs):
    """Two workers that carry out the runs, one after the other; they are ended with the block."""
    ports = ",".join(map(str, free_ports(2)))
    with contextlib.ExitStack() as held:
        workers = []
        for index in range(2):
            arguments = [sys.executable, SCRIPT, str(index), ports, folder, *map(json.dumps, runs)]
            worker = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            held.enter_context(worker)
            held.callback(worker.kill)
            workers.append(worker)
        yield workers


def reached(worker, step):
    """Once the worker's hook has seen this step."""
    assert str(step) in (line.strip() for line in iter(worker.stdout.readline, ""))


def ended(worker):
    """How the next run of this worker ended."""
    return json.loads(next(line for line in iter(worker.stdout.readline, "") if line.startswith("{")))


def test_two_workers_give_what_one_process_gives_the_chief_decides_and_a_lost_worker_is_named(tmp_path):
    folder, alone = tmp_path / "two", one_worker.train(tmp_path / "alone", 100)
    stopped, whole, another, endless = (
        {"num_steps": 100, "stop_at": 30}, {"num_steps": 100}, {"num_steps": 200, "seed": 5}, {"num_steps": 100_000},
    )  # fmt: skip
    with two(folder, stopped, whole, another, endless) as (chief, other):
        # The chief's hook stops both; they go on together, and end where one process ends.
        first, same = ended(chief), ended(other)
        assert first["said"] == same["said"] == "done" and first["gen"] == same["gen"]
        assert (first["metrics"], same["metrics"]) == (["gen"], [])
        first, same = ended(chief), ended(other)
        assert first["said"] == same["said"] == "done" and first["gen"] == same["gen"]
        np.testing.assert_allclose(first["gen"], alone["gen"], rtol=1e-4, atol=1e-6)

        # Neither waits for the other where the folder holds another run, and that is left as it is.
        assert "holds a run with other shapes or another seed; name another folder." in ended(chief)["said"]
        assert "the chief of the workers could not go on; what it says tells why." in ended(other)["said"]
        with_one = checkpoints.latest(tmp_path / "alone")[0]
        with_two, words = checkpoints.latest(folder)
        assert words["step"] == "100" and with_two.keys() == with_one.keys()
        np.testing.assert_allclose(with_two["rows"], with_one["rows"], rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(with_two["steps/gen"], with_one["steps/gen"])

        # One dies; one process alone goes on from the checkpoint.
        reached(chief, 140)
        other.kill()
        began = time.monotonic()
        said = ended(chief)["said"]
        assert time.monotonic() - began < 60
    assert "another worker was lost after step" in said and "start all of them again" in said
    step = checkpoints.steps(folder)[-1][0]
    assert step >= 140
    again, whole = (one_worker.train(where, step + 10) for where in (folder, tmp_path / "alone"))
    assert again["said"] == "done"
    np.testing.assert_allclose(again["gen"], whole["gen"], rtol=1e-2, atol=1e-3)


def test_a_chief_that_dies_leaves_its_last_checkpoint_and_the_others_end(tmp_path):
    with two(tmp_path, {"num_steps": 100_000}) as (chief, other):
        reached(chief, 30)
        chief.kill()
        began = time.monotonic()
        assert "another worker was lost" in ended(other)["said"]
        assert time.monotonic() - began < 60
    assert checkpoints.steps(tmp_path)[-1][0] >= 20


@pytest.mark.parametrize(
    ("addresses", "index", "sentence"),
    [
        ("localhost:9000", 0, "addresses must be a list such as"),
        ([], 0, "addresses must be a list such as"),
        (["localhost"], 0, "\"host:port\", with a port below 65536, not 'localhost'"),
        (["localhost:99999"], 0, "with a port below 65536"),
        (["localhost:0"], 0, "with a port below 65536"),
        (["localhost:9000", "localhost:9000"], 0, "each worker needs an address of its own"),
        (["localhost:9000", "localhost:9001"], 2, "index must be below 2, the number of addresses, not 2"),
        (["localhost:9000"], -1, "index must be a whole number of at least 0"),
    ],
)
def test_a_description_of_workers_that_is_none_is_refused(addresses, index, sentence):
    with pytest.raises(ValueError) as caught:
        mg.workers.join(addresses, index)
    assert sentence in str(caught.value)


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"port {port} of this worker, localhost:{port}, is taken"):
            mg.workers.join([f"localhost:{port}", "localhost:9"], 0)


def test_a_worker_that_never_comes_is_named_in_time():
    ports = free_ports(2)
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=f"worker 1 of 2, localhost:{ports[1]}, did not come within 0.5 s"):
        mg.workers.join([f"localhost:{port}" for port in ports], 0, wait=0.5)
    assert time.monotonic() - began < 5


def test_one_process_agrees_with_itself():
    assert workers.count(None) == 1 and workers.is_chief(None) and workers.agreed(None, 7) == 7


@pytest.mark.parametrize("strategy", [tf.distribute.get_strategy(), tf.distribute.OneDeviceStrategy("CPU:0")])
def test_a_strategy_of_one_device_gives_the_same_run(strategy):
    game, rule = mg.games.bilinear(), mg.rules.simultaneous(mg.optimizers.sgd(0.1), mg.optimizers.sgd(0.1))
    run = functools.partial(mg.train, game, rule, mg.games.no_data, num_steps=3, seed=0, progress=False)
    np.testing.assert_array_equal(run(strategy=strategy).players.gen.params[0], run().players.gen.params[0])
