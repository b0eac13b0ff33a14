"""One worker of the benchmark of several: ``python worker.py GAME INDEX PORTS THREADS`` prints its steps per second."""

import json
import sys

import metagan_edu as mg  # first: it quiets the log of TensorFlow's start

# isort: split
import tensorflow as tf
from ratios import adam_pair, convolutional_game, dense_game

game, index, ports, threads = sys.argv[1:]
tf.config.threading.set_intra_op_parallelism_threads(int(threads))
tf.config.threading.set_inter_op_parallelism_threads(int(threads))
addresses = [f"127.0.0.1:{port}" for port in ports.split(",")]
strategy = mg.workers.join(addresses, int(index)) if len(addresses) > 1 else None


def played(num_steps):
    """Seconds of so many steps."""
    options = {"num_steps": num_steps, "seed": 0, "strategy": strategy, "progress": False}
    rule = mg.rules.simultaneous(*adam_pair())
    if game == "meta-training":
        learner, tasks = mg.meta.learned_initialization(dense_game(), rule), mg.data.mixture_tasks(shots=64, queries=64)
        estimator = mg.meta.reptile(20)
        result = mg.meta_train(learner, tasks.train, estimator=estimator, tasks_per_step=8, **options)
    elif game == "2-D":
        result = mg.train(dense_game(), rule, mg.data.ring().batches(256), **options)
    else:
        size, batch = {"28x28": (28, 256), "64x64": (64, 64)}[game]
        images = mg.data.batches(mg.seeds.uniform([4 * batch, size, size, 1], 0, -1, 1).numpy(), batch)
        result = mg.train(convolutional_game(size=size), rule, images, **options)
    return result.history.seconds


few, many = {"2-D": (100, 1000), "28x28": (5, 40), "64x64": (2, 12), "meta-training": (2, 20)}[game]
played(few)  # compiles
print(json.dumps((many - few) / max(1e-9, played(many) - played(few))))
