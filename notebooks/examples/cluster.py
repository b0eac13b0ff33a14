"""The code of the page "From a laptop to a cluster", on two logical CPUs that stand for two devices.

It runs without a network, in a temporary folder, and checks what the page says.
"""

import tempfile
from pathlib import Path

import metagan_edu as mg  # first: it quiets the log of TensorFlow's start

import numpy as np
import tensorflow as tf

scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
here = Path(scratch.name)

# fmt: off
# -- two devices on a laptop
cpu = tf.config.list_physical_devices("CPU")[0]  # before anything else of TensorFlow
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
# -- end two devices on a laptop

# -- one machine
game = mg.games.gan(mg.networks.mlp(2, (32,), 2), mg.networks.mlp(2, (32,), 1))
adam = mg.optimizers.adam(1e-3)
rule = mg.rules.alternating(adam, adam)
batches = mg.data.ring().batches(64)

alone = mg.train(game, rule, batches, num_steps=50, seed=0)
# -- end one machine

# -- several devices
two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])  # GPUs: MirroredStrategy()
together = mg.train(game, rule, batches, num_steps=50, seed=0, strategy=two)

losses = [run.history.scalars["gen_loss"] for run in (alone, together)]
print("largest difference in 50 losses:", abs(losses[0] - losses[1]).max())
# -- end several devices
np.testing.assert_allclose(*losses, rtol=1e-4)


# -- a run of a sweep
def run(seed, rate):
    """One run: what it needs, it makes, or has in its arguments."""
    ring, adam = mg.data.ring(), mg.optimizers.adam(rate)
    game = mg.games.gan(mg.networks.mlp(2, (32,), 2), mg.networks.mlp(2, (32,), 1))
    rule = mg.rules.alternating(adam, adam)
    result = mg.train(game, rule, ring.batches(64), num_steps=500, seed=seed)
    points = mg.sample(game, result.players, 500, seed=seed)
    costs = mg.experiments.costs(result.history)
    return {"modes": mg.metrics.mode_coverage(points, ring).modes, **costs}
# -- end a run of a sweep


# -- a sweep
settings = {f"rate {rate}": {"rate": rate} for rate in (1e-4, 1e-3)}
record = mg.experiments.sweep(run, settings, seeds=[1, 2], folder=here / "rates")
print(record["results"], record["gradients"])
# -- end a sweep
# fmt: on
again = mg.experiments.sweep(run, settings, seeds=[1, 2], folder=here / "rates")
assert again["results"] == record["results"] and again["seconds"] == record["seconds"]
