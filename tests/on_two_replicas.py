"""One step on two replicas against one process with the whole batch, in float64: started by test_replicas.py.

Two logical CPUs stand for two devices. What is printed: for each case the largest difference between what both
replicas hold after a step, and between them and the one process, relative to how far the step moved.
"""

import json
import sys

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import meta, replicas, seeds, trees
from metagan_edu.games import Hyper

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
STRATEGY = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

SGD, ADAM = mg.optimizers.sgd(0.1), mg.optimizers.adam(0.01)
CLIPPED = mg.optimizers.chain(mg.optimizers.clip_by_global_norm(0.05), SGD)
RULES = {
    "simultaneous": mg.rules.simultaneous(ADAM, SGD),
    "alternating": mg.rules.alternating(ADAM, CLIPPED, disc_steps=2),
    "extragradient": mg.rules.extragradient(SGD, ADAM),
    "optimistic": mg.rules.optimistic(SGD, SGD),
    "consensus": mg.rules.consensus(SGD, SGD, gamma=1.0),
    "symplectic": mg.rules.symplectic(SGD, SGD),
    "competitive": mg.rules.competitive(SGD, SGD, reaction=0.5, num_iterations=3),
    "unrolled": mg.rules.unrolled(SGD, SGD, num_unroll=3),
    "lookahead": mg.rules.lookahead(mg.rules.averaged(mg.rules.alternating(SGD, SGD)), every=1),
    "controlled": mg.rules.controlled(mg.rules.alternating(SGD, SGD), mg.rules.controllers.balance(speed=0.5)),
    "safeguarded": mg.rules.safeguarded(SGD, growth=1.0, patience=1),
}
PENALTIES = mg.losses.penalties(mg.losses.r1(1.0), mg.losses.r2(1.0), mg.losses.gradient_penalty(1.0))
NAMES = ("minimax", "non_saturating", "least_squares", "hinge", "wasserstein", "relativistic")
LOSSES = [getattr(mg.losses, name)() for name in NAMES]
ALL_LOSSES = mg.losses.Loss(
    gen=lambda *logits: tf.add_n([loss.gen(*logits) for loss in LOSSES]),
    disc=lambda *logits: tf.add_n([loss.disc(*logits) for loss in LOSSES]),
)
ESTIMATORS = {
    "backprop": meta.backprop(2), "at start": meta.at_start(),
}  # fmt: skip


def game(loss=None, penalty=mg.losses.no_penalty):
    gen = mg.networks.mlp(3, (4,), 2, activation="tanh", dtype="float64")
    disc = mg.networks.mlp(2, (4,), 1, activation="tanh", dtype="float64")
    return mg.games.gan(gen, disc, loss=loss, penalty=penalty)


def batches(seed):
    return replicas.share(lambda n: seeds.normal([n, 2], seed, tf.float64), replicas.split(8))


def double(tree):
    return trees.map(lambda x: tf.cast(x, tf.float64) if x.dtype.is_floating else x, tree)


def some_steps(played, rule):
    def steps(state):
        state, info = rule.step(played, state, batches, seeds.make(5), Hyper())
        return state, (info.scalars, info.cost)

    return steps, rule.init(played, double(played.init(0)))


def meta_step(estimator):
    """One meta-gradient: the tasks' points are shared by the replicas as any batch is."""
    played = game()
    learner = meta.learned_initialization(played, RULES["alternating"], batches=lambda task: task.support)
    outer = meta.outer.meta_game()

    def tasks(seed):
        drawn = batches(seed)
        return mg.data.Task(lambda seed: drawn, drawn)

    def steps(theta):
        estimate, _ = estimator.grad(learner, outer, theta, (), tasks, seeds.make(3))
        return trees.add(theta, estimate.grads), (estimate.scalars, estimate.cost)

    return steps, double(learner.init(0))


def compare(steps, state):
    function = tf.function(steps, autograph=False)
    alone, seen = function(state)
    per_replica = STRATEGY.run(function, args=(state,))
    mirrored = [trees.map(lambda x, i=i: STRATEGY.experimental_local_results(x)[i], per_replica) for i in range(2)]
    pairs = zip(trees.leaves(alone), trees.leaves(state), strict=True)
    moved = max(float(tf.norm(a - b)) for a, b in pairs if a.dtype.is_floating)

    def apart(one, other):
        pairs = zip(trees.leaves(one), trees.leaves(other), strict=True)
        return max(float(np.max(np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64)))) for a, b in pairs)

    assert moved > 1e-6
    return [apart(m[0], alone) / moved for m in mirrored] + [apart(m[1], seen) for m in mirrored]


MINIMAX = game(mg.losses.minimax(), mg.losses.r1(0.5))
CASES = {f"rule: {name}": some_steps(MINIMAX, rule) for name, rule in RULES.items()}
CASES["all losses and penalties"] = some_steps(game(ALL_LOSSES, PENALTIES), RULES["simultaneous"])
CASES |= {f"estimator: {name}": meta_step(estimator) for name, estimator in ESTIMATORS.items()}

if __name__ == "__main__":
    wanted = sys.argv[1:] or CASES
    print(json.dumps({name: compare(*CASES[name]) for name in wanted}))
