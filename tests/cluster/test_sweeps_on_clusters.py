"""Sweeps on real clusters of Dask and Ray on this machine: ``make test-cluster``, each in an environment of its own."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import joblib
import numpy as np
import pytest
import swept
import there

import metagan_edu as mg
from metagan_edu.experiments import RunsFailed, sweep

RATES = {f"rate {rate}": {"rate": rate} for rate in (1e-3, 1e-2)}


def needs(name):
    pytest.importorskip(name, reason=f"'make test-cluster ONLY={name}' has it, in an environment of its own")


@pytest.fixture(scope="module", params=sorted(there.CLUSTERS))
def backend(request):
    """The name of joblib's backend, while its cluster is there."""
    needs(request.param)
    with there.CLUSTERS[request.param]():
        yield request.param


@pytest.fixture
def on(backend):
    """Inside, joblib hands runs to the cluster."""
    with joblib.parallel_config(backend=backend):
        yield backend


@pytest.fixture
def log(tmp_path):
    (tmp_path / "log").mkdir()
    return tmp_path / "log"


def begun(log):
    """How often each seed was begun."""
    seeds = [int(path.name.split()[1]) for path in log.glob("* * *")]
    return {seed: seeds.count(seed) for seed in sorted(seeds)}


def test_the_results_are_those_of_one_process_to_the_bit(on):
    there_ = sweep(there.two_dimensional, RATES, range(3), progress=False)
    with joblib.parallel_config(backend="loky"):
        here = sweep(there.two_dimensional, RATES, range(3), n_jobs=1, progress=False)
    assert there_["results"] == here["results"] and there_["gradients"] == here["gradients"]


def test_two_runs_at_a_time_with_a_thread_each(on):
    found = sweep(there.timed, {"a": {}}, range(6), progress=False)["results"]["a"]
    at_once = [
        sum(b <= began < e for b, e in zip(found["began"], found["ended"], strict=True)) for began in found["began"]
    ]
    assert max(at_once) == there.WORKERS
    found = sweep(swept.threads, {"a": {}}, range(6), progress=False)["results"]["a"]
    assert set(found["intra"]) == set(found["inter"]) == set(found["openmp"]) == {1}
    assert len(set(found["pid"])) == there.WORKERS and os.getpid() not in found["pid"]


def test_nothing_is_computed_twice_and_what_grew_computes_what_is_new(on, tmp_path, log):
    one, two = ({"x": x, "log": str(log)} for x in (1.0, 2.0))
    first = sweep(swept.product, {"one": one}, range(4), folder=tmp_path / "f", progress=False)
    assert sweep(swept.product, {"one": one}, range(4), folder=tmp_path / "f", progress=False) == first
    assert begun(log) == dict.fromkeys(range(4), 1)
    grown = sweep(swept.product, {"one": one, "two": two}, range(5), folder=tmp_path / "f", progress=False)
    assert grown["results"]["two"]["y"] == [4, 5, 6, 7, 8] and len(list(log.iterdir())) == 10


def test_a_run_that_fails_is_kept_apart_and_tried_again(on, tmp_path, log):
    (log / "broken").touch()
    named = {"one": {"x": 1.0, "log": str(log)}}
    with pytest.raises(RunsFailed, match="2 of 6 runs failed, 'one' from seed 1 and 1 more") as error:
        sweep(swept.unless_there, named, [0, 1, 2, 3, 4, 6], folder=tmp_path / "f", progress=False)
    assert all("in unless_there" in text for text in error.value.failures.values())
    (log / "broken").unlink()
    again = sweep(swept.unless_there, named, [0, 1, 2, 3, 4, 6], folder=tmp_path / "f", progress=False)
    assert again["results"]["one"]["y"] == [2, 3, 4, 5, 6, 8] and set(begun(log).values()) == {1}


def test_a_run_that_takes_its_process_with_it_is_lost_alone(on):
    began = time.monotonic()
    with pytest.raises(RunsFailed, match=r"1 of 6 runs failed, 'a' from seed 2; .* was lost, .* dies") as error:
        sweep(swept.dies, {"a": {"x": 2}}, range(6), progress=False)
    np.testing.assert_equal(error.value.record["results"]["a"]["y"], [0, 1, np.nan, 3, 4, 5])
    assert time.monotonic() - began < 120
    assert sweep(swept.anything, {"a": {}}, range(4), progress=False)["results"]["a"]["y"] == [0, 1, 2, 3]


def test_what_cannot_be_sent_is_refused_as_elsewhere(on, tmp_path):
    for function in (swept.closing_over(2), lambda seed: {"y": 1}):
        with pytest.raises(ValueError, match="a lambda or a closure: write a function with a name"):
            sweep(function, {"a": {}}, [0], folder=tmp_path / "f")
    with pytest.raises(ValueError, match=r"n_jobs must be a whole number from 1 to ., the cores or workers"):
        sweep(swept.anything, {"a": {}}, [0], n_jobs=3)
    assert not (tmp_path / "f").exists()


def processes(marker):
    """The processes of this machine that were started with this variable around them."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if marker.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:  # it has just ended, or is another user's
            pass
    return found


@pytest.mark.skipif(not pathlib.Path("/proc/self/environ").exists(), reason="looks for processes in Linux's /proc")
@pytest.mark.parametrize("name", sorted(there.CLUSTERS))
def test_a_sweep_that_is_killed_leaves_no_process_and_goes_on(name, tmp_path, log):
    needs(name)
    marker = f"SWEEP={uuid.uuid4()}"
    with tempfile.TemporaryDirectory(
        prefix="ray", ignore_cleanup_errors=True
    ) as short:  # Ray's sockets have long names
        environment = {**os.environ, "TMPDIR": short, **dict([marker.split("=")])}
        command = [sys.executable, there.__file__, name, tmp_path]
        process = subprocess.Popen(command, env=environment)
        kept, deadline = tmp_path / "kept", time.monotonic() + 120
        while len(list(kept.glob("*.json"))) < 6 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
        _gone(marker)
        begun_then = begun(log)
        assert 5 <= len(list(kept.glob("*.json"))) - 1 < 30 and len(begun_then) < 30
        assert subprocess.run(command, env=environment, timeout=120, check=False).returncode == 0
        _gone(marker)
    runs = [json.loads(path.read_text()) for path in kept.glob("*.json") if path.name != "sweep.json"]
    assert {run["description"]["seed"]: run["result"]["y"] for run in runs} == {seed: 2.0 + seed for seed in range(30)}
    again = [seed for seed, times in begun(log).items() if times > 1]
    assert len(again) <= 2 * there.WORKERS, "more was begun again than can have been under way"


def _gone(marker):
    """Wait until the processes have ended, two minutes at most: Ray's agents look for it once in a while."""
    deadline = time.monotonic() + 120
    while processes(marker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not processes(marker)


def test_without_workers_the_runs_are_given_up_after_the_time_that_dask_was_told(tmp_path):
    needs("dask")
    import dask
    from dask.distributed import Client, LocalCluster

    with (
        dask.config.set({"distributed.scheduler.no-workers-timeout": "3s"}),
        LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0") as cluster,
        Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        sweep(there.timed, {"a": {}}, [0, 1], folder=tmp_path, progress=False)
        threading.Timer(1.2, cluster.scale, [0]).start()
        with pytest.raises(RunsFailed, match=r"of 12 runs failed, .* was lost, .*NoWorkerError"):
            sweep(there.timed, {"a": {}}, range(12), folder=tmp_path, progress=False)
        cluster.scale(2)
        client.wait_for_workers(2)
        record = sweep(there.timed, {"a": {}}, range(12), folder=tmp_path, progress=False)
        assert len(record["results"]["a"]["began"]) == 12 and len(list(tmp_path.glob("*.json"))) == 13


@pytest.mark.filterwarnings("ignore:Port 8787 is already in use")  # where somebody else has a scheduler here
def test_the_file_for_slurm_asks_for_jobs_with_workers_of_one_thread(tmp_path, monkeypatch):
    pytest.importorskip("dask_jobqueue", reason="'make test-cluster ONLY=dask' has it, in an environment of its own")
    page = (pathlib.Path(mg.__file__).parents[1] / "notebooks" / "cluster.md").read_text(encoding="utf-8")
    (code,) = (code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "SLURMCluster(" in code)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "rates"}
    exec(compile(code, "rates.py", "exec"), names)
    with names["jobs_of_slurm"]() as cluster:
        script = cluster.job_script()
    print(script)
    for line in (
        "#SBATCH --cpus-per-task=4",
        "#SBATCH --mem=15G",
        "#SBATCH -t 04:00:00",
        "--nthreads 1",
        "--nworkers 4",
    ):
        assert line in script
