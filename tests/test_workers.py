"""Workers on loopback: they agree with one process, the chief writes, and one that is lost or never comes is named."""

import functools
import json
import pathlib
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import checkpoints, workers

SCRIPT = pathlib.Path(__file__).with_name("one_worker.py")


def free_ports(count):
    sockets = [socket.create_server(("", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def started(index, ports, folder, num_steps, stop_at=-1):
    arguments = [str(index), ",".join(map(str, ports)), str(folder), str(num_steps), str(stop_at)]
    return subprocess.Popen(
        [sys.executable, SCRIPT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def ended(process):
    """What the process printed at its end."""
    with process:
        out, _ = process.communicate(timeout=120)
    return json.loads(out.splitlines()[-1])


def two(folder, num_steps, stop_at=-1):
    ports = free_ports(2)
    return [ended(worker) for worker in [started(i, ports, folder, num_steps, stop_at) for i in range(2)]]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The run of 100 steps by one process, and its folder."""
    folder = tmp_path_factory.mktemp("alone")
    return ended(started(0, [0], folder, 100)), folder


def test_two_workers_give_what_one_process_gives_and_the_chief_alone_writes(tmp_path, alone):
    chief, other = two(tmp_path, 100)
    assert chief["said"] == other["said"] == "done"
    np.testing.assert_allclose(chief["gen"], alone[0]["gen"], rtol=1e-4, atol=1e-6)
    assert other["gen"] == chief["gen"]
    assert (chief["metrics"], other["metrics"]) == (["gen"], [])
    ours, whole = (checkpoints.latest(folder)[0] for folder in (tmp_path, alone[1]))
    assert ours.keys() == whole.keys()
    np.testing.assert_allclose(ours["rows"], whole["rows"], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(ours["steps/gen"], whole["steps/gen"])


def test_the_chief_stops_all_of_them_and_they_go_on_together(tmp_path, alone):
    chief, other = two(tmp_path, 100, stop_at=30)
    assert chief["said"] == other["said"] == "done" and chief["gen"] == other["gen"]
    assert checkpoints.steps(tmp_path)[-1][0] == 30
    chief, other = two(tmp_path, 100)
    assert other["gen"] == chief["gen"]
    np.testing.assert_allclose(chief["gen"], alone[0]["gen"], rtol=1e-4, atol=1e-6)


def test_a_worker_that_dies_is_named_and_one_process_goes_on_from_the_checkpoint(tmp_path, alone):
    ports = free_ports(2)
    chief, other = (started(i, ports, tmp_path, 100_000) for i in range(2))
    assert "40" in (line.strip() for line in iter(chief.stdout.readline, ""))
    other.kill()
    began = time.monotonic()
    said = ended(chief)["said"]
    other.communicate()
    assert time.monotonic() - began < 60
    assert "another worker was lost after step" in said and "start all of them again" in said
    reached = checkpoints.steps(tmp_path)[-1][0]
    assert reached >= 40
    again = ended(started(0, [0], tmp_path, reached + 10))  # another number of workers: none but this one
    whole = ended(started(0, [0], tmp_path / "whole", reached + 10))
    assert again["said"] == "done"
    np.testing.assert_allclose(again["gen"], whole["gen"], rtol=1e-2, atol=1e-3)


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
