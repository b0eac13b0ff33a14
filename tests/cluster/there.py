"""A cluster on this machine, of Dask or of Ray, with two workers of one thread; and a sweep on it that can be killed.

``python there.py NAME FOLDER`` starts the cluster and carries on the sweep in FOLDER, whose runs leave their names in
FOLDER/log.
"""

import contextlib
import os
import pathlib
import secrets
import sys
import tempfile
import time

import joblib

import metagan_edu as mg

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))  # beside the tests of sweeps
import swept

WORKERS = 2


@contextlib.contextmanager
def dask():
    import dask
    from dask.distributed import Client, LocalCluster

    with (
        dask.config.set(
            {"distributed.deploy.lost-worker-timeout": "2 minutes"}
        ),  # those that die are slow to come back
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0") as cluster,
        Client(cluster),
    ):
        yield


@contextlib.contextmanager
def ray():
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent home
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # of this cluster alone: none is kept in the home folder
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # Ray's workers look where the script lies
    import ray
    from ray.util.joblib import register_ray

    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        ray.init(
            num_cpus=WORKERS, include_dashboard=False, object_store_memory=10**8, _temp_dir=folder, log_to_driver=False,
            _node_ip_address="127.0.0.1",
        )  # fmt: skip
        register_ray()
        try:
            yield
        finally:
            ray.shutdown()


CLUSTERS = {"dask": dask, "ray": ray}


def two_dimensional(seed, rate):
    """A few steps of a small GAN on the ring, and all its losses."""
    adam = mg.optimizers.adam(rate)
    game = mg.games.gan(mg.networks.mlp(2, (32,), 2), mg.networks.mlp(2, (32,), 1))
    rule = mg.rules.alternating(adam, adam)
    result = mg.train(game, rule, mg.data.ring().batches(64), num_steps=30, seed=seed, progress=False)
    return {"losses": result.history.scalars["gen_loss"], **mg.experiments.costs(result.history)}


def timed(seed):
    """When it began and ended, in seconds."""
    began = time.time()
    time.sleep(0.5)
    return {"began": began, "ended": time.time()}


if __name__ == "__main__":
    name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    with CLUSTERS[name](), joblib.parallel_config(backend=name):
        setting = {"x": 1.0, "log": str(folder / "log"), "wait": 0.2}
        mg.experiments.sweep(swept.product, {"one": setting}, range(30), folder=folder / "kept", progress=False)
