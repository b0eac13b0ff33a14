"""Update strategies on unseen mixtures: tuned by hand, watching, and learned, at 100 steps each from a fresh start.

Every run plays the same small GAN (both networks 2 x 64 ReLU, batches of 64 of a task's 500 support points, alternating
moves) for 100 steps of two gradients each; the score is the energy distance of 500 samples to 500 query points.

Made by hand: Adam with beta = (0, 0.99). One search for each strategy: 48 draws of both rates (log-uniform in
[1e-3, 5e-2]) and R1's weight (log-uniform in [0.01, 1]), the same draws for all, on 8 validation tasks, then the best 6
again on 24 others. Clipping adds one threshold for both players to each draw (log-uniform in [0.03, 3]); the controller
is given one of two settings in turn.

Learned: each starts from the cosine decay that the search found and is trained by evolution strategies on training
tasks, on log(0.01 + energy distance). The family of hand-made strategies, of five numbers, is trained in the same way:
what remains of a gain beside it is the new strategy's, and not the training's. For plain SGD (Meta-SGD in the strict
sense) the search has rates in [1e-2, 2]; the learned start there comes from backpropagation through 20 steps.

Reported: 60 test tasks, on which nothing was chosen.
"""

import functools
import math
import pathlib
import time

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import meta, seeds, trees
from metagan_edu.games import Hyper, Players
from metagan_edu.meta.base import advance, begin
from metagan_edu.rules.controlled import under

NUM_STEPS, BATCH, HIDDEN, LATENT_DIM, SHORT = 100, 64, (64, 64), 2, 20
VALIDATION, FINAL, TEST = range(8), range(100, 124), range(1000, 1060)
DRAWS, FINALISTS, META_STEPS, PER_STEP, SIGMA, META_LR = 48, 6, 80, 8, 0.3, 0.15
SETTINGS = ((0.8, 0.03), (1.2, 0.03))  # (low, speed) of the controller
FAILED = 10.0  # the score of a run that does not end in finite numbers: several times an untrained generator's
OPEN = 20.0  # the logarithm of a threshold that clips nothing
TASKS = mg.data.mixture_tasks(shots=500, queries=500)
ARTIFACT = pathlib.Path(__file__).with_suffix(".safetensors")
energy_distance = meta.outer.energy_distance(500)


def game():
    """The GAN; R1 has weight 1 as configured, and all strategies set factors on it."""
    networks = mg.networks.mlp(LATENT_DIM, HIDDEN, 2), mg.networks.mlp(2, HIDDEN, 1)
    return mg.games.gan(*networks, penalty=mg.losses.r1(1.0))


def logged(game, theta, players, task, seed):
    """The outer loss of meta-training: relative, so that a few far-off tasks do not drown the others."""
    return tf.math.log(0.01 + tf.nn.relu(energy_distance(game, theta, players, task, seed)))


ADAM = mg.rules.alternating(*[mg.optimizers.adam(1.0, beta1=0.0, beta2=0.99)] * 2)
SGD = mg.rules.alternating(*[mg.optimizers.sgd(1.0)] * 2)


def decaying(theta, features):
    """The hand-made family: logarithms of G's rate, D's rate, R1's weight and the threshold; the share of decay."""
    gen, disc, penalty, threshold, share = tf.unstack(theta)
    shape = tf.math.log(tf.maximum(1 - share * 0.5 * (1 - tf.cos(math.pi * features[0])), 1e-4))
    return tf.stack([gen + shape, disc + shape, penalty, threshold, threshold])


def by_hand(gan, rule):
    """The learner of the hand-made family on ``rule``: share 0 is a constant rate, 1 is cosine decay to 0."""
    policy = meta.Policy(lambda seed, outputs: tf.zeros(5), decaying)
    return meta.learned_schedule(
        gan, rule, num_steps=NUM_STEPS, policy=policy, clip=Players(1.0, 1.0), batches=meta.drawn(BATCH)
    )


def tuned(theta, rule):
    """``rule`` with cosine decay, at the rates and the weight of a theta of :func:`by_hand`."""
    gen, disc, penalty = (float(x) for x in np.exp(theta[:3]))
    decay = mg.controllers.schedule(mg.optimizers.cosine_decay(1.0, NUM_STEPS))
    return under(mg.rules.controlled(rule, decay), Hyper(lr=Players(gen, disc), penalty=penalty))


def learned(gan, theta):
    """What is learned on top of the tuned cosine decay: name -> learner."""
    options = {"batches": meta.drawn(BATCH)}
    return {
        "learned schedule": meta.learned_schedule(
            gan, tuned(theta, ADAM), num_steps=NUM_STEPS, policy=meta.network(8, limit=5.0), **options
        ),
        "learned rates per layer": meta.meta_sgd(gan, lr=1.0, of=(), rule=tuned(theta, ADAM), **options),
    }


def scorer(learner, num_steps=NUM_STEPS):
    """``(theta, split, numbers) -> scores``: one run on each of the split's tasks of these numbers, compiled once."""

    @functools.partial(tf.function, autograph=False, jit_compile=True)
    def run(theta, draws, split):
        def one(seed):
            task, seed = getattr(TASKS, split)(seeds.fold_in(seed, "task")), seeds.fold_in(seed, "run")
            inner = begin(learner, theta, seed)
            inner, _ = advance(learner, theta, inner, task, num_steps, seed, loop=mg.autodiff.while_loop)
            players = learner.view(theta, inner.run)
            return energy_distance(learner.game, theta, players, task, seeds.fold_in(seed, "outer"))

        return tf.map_fn(one, draws, parallel_iterations=1, fn_output_signature=tf.float32)

    def scores(theta, split, numbers):
        parts = [numbers[i : i + 4] for i in range(0, len(numbers), 4)]
        found = [run(theta, tf.stack([seeds.make(n) for n in part]), split).numpy() for part in parts]
        return np.nan_to_num(np.concatenate(found).astype(float), nan=FAILED, posinf=FAILED)

    return scores


def draws(low=1e-3, high=5e-2):
    """The search space, ``(48, 4)``: logarithms of G's rate, D's rate, R1's weight and the threshold."""
    ranges = np.log([(low, high), (low, high), (0.01, 1.0), (0.03, 3.0)])
    return ranges[:, 0] + np.random.default_rng(0).uniform(size=(DRAWS, 4)) * (ranges[:, 1] - ranges[:, 0])


def space(rows, *, clip, share):
    """Draws as thetas of :func:`by_hand`."""
    rows = [[*row[:3], row[3] if clip else OPEN, share] for row in rows]
    return [tf.constant(row, tf.float32) for row in rows]


def search(scorers, thetas):
    """The best theta: all on 8 validation tasks, the best 6 on 24 others; and the scorer that it was found with."""
    first = [scorers[i % len(scorers)](theta, "validation", VALIDATION).mean() for i, theta in enumerate(thetas)]
    finalists = np.argsort(first)[:FINALISTS]
    second = [scorers[i % len(scorers)](thetas[i], "validation", FINAL).mean() for i in finalists]
    best = int(finalists[np.argmin(second)])
    print("  best of", len(thetas), np.exp(thetas[best][:4].numpy()).round(4), round(min(second), 4), flush=True)
    return thetas[best], best % len(scorers)


def evolve(learner, theta):
    """Theta after meta-training by antithetic evolution strategies: a pair of runs on each of 8 tasks per meta-step."""
    meta_optimizer = mg.optimizers.adam(mg.optimizers.cosine_decay(META_LR, META_STEPS), beta1=0.9)
    return mg.meta_train(
        learner, TASKS.train, outer=logged, num_steps=META_STEPS, seed=0, tasks_per_step=PER_STEP, theta=theta,
        estimator=meta.evolution_strategies(NUM_STEPS, pairs=1, sigma=SIGMA), meta_optimizer=meta_optimizer,
        progress=False, jit=True,
    ).theta  # fmt: skip


def meta_sgd(gan, theta, of):
    """Meta-SGD in the strict sense, on plain SGD, from the rates and the R1 weight of a theta of :func:`by_hand`."""
    gen, disc, penalty = (float(x) for x in np.exp(theta[:3]))
    rule = under(SGD, Hyper(penalty=penalty))
    return meta.meta_sgd(gan, lr=Players(gen, disc), of=of, rule=rule, batches=meta.drawn(BATCH))


def through(learner):
    """Theta after meta-training by backpropagation through 20 steps."""
    return mg.meta_train(
        learner, TASKS.train, outer=logged, num_steps=100, seed=0, tasks_per_step=4, progress=False,
        estimator=meta.backprop(SHORT), meta_optimizer=mg.optimizers.adam(mg.optimizers.cosine_decay(0.02, 100)),
    ).theta  # fmt: skip


class Study:
    """What the record is collected in."""

    def __init__(self):
        names = ("num_steps", "seconds", "results", "thetas", "training_seconds")
        self.record = {name: {} for name in names}
        self.arrays, self.began = {}, time.monotonic()

    def timed(self):
        """Seconds since the last call."""
        before, self.began = self.began, time.monotonic()
        return round(self.began - before, 1)

    def add(self, name, scores, theta, num_steps=NUM_STEPS):
        """Score a contender on the test tasks; small thetas go in the record, all in the artifact."""
        training = self.timed()
        values = scores(theta, "test", TEST)
        fields = {"energy_distance": values.tolist(), "diverged": [int(v == FAILED) for v in values]}
        self.record["results"][name], self.record["num_steps"][name] = fields, num_steps
        self.record["seconds"][name], self.record["training_seconds"][name] = [self.timed()], training
        for i, leaf in enumerate(trees.leaves(theta)):
            self.arrays[f"{name}/{i:02d}"] = leaf.numpy()
        print(f"{name}: {values.mean():.4f} ({training} s of training)", flush=True)


def make():
    """The record, and beside it the file of what was learned."""
    gan, study = game(), Study()
    hand, rows = scorer(by_hand(gan, ADAM)), draws()
    best = {}
    for name, clip, share in (("constant", False, 0.0), ("cosine", False, 1.0), ("cosine, clipped", True, 1.0)):
        best[name], _ = search([hand], space(rows, clip=clip, share=share))
        study.add(name, hand, best[name])

    watching = [mg.rules.controlled(ADAM, mg.controllers.balance(low, speed=speed)) for low, speed in SETTINGS]
    scorers = [scorer(by_hand(gan, rule)) for rule in watching]
    best["controller"], setting = search(scorers, space(rows, clip=False, share=1.0))
    study.add("cosine, controller", scorers[setting], best["controller"])

    start = tf.tensor_scatter_nd_update(best["cosine"], [[3], [4]], [np.log(3.0), 0.9])
    study.add("the hand-made family, evolved", hand, evolve(by_hand(gan, ADAM), start))
    for name, learner in learned(gan, best["cosine"]).items():
        study.add(name, scorer(learner), evolve(learner, learner.init(seeds.make(0))))

    short = scorer(by_hand(gan, SGD), SHORT)
    best["sgd"], _ = search([short], space(draws(1e-2, 2.0), clip=False, share=0.0))
    study.add("SGD, 20 steps", short, best["sgd"], SHORT)
    for name, of in (("Meta-SGD, rates, 20 steps", ()), ("Meta-SGD, rates and start, 20 steps", Players._fields)):
        learner = meta_sgd(gan, best["sgd"], of)
        study.add(name, scorer(learner, SHORT), through(learner), SHORT)

    provenance = mg.experiments.provenance()
    metadata = {"command": "make records ONLY=update_strategies", "seed": "0", "created": provenance["created"]}
    mg.checkpoints.write(ARTIFACT, study.arrays, metadata | {k: str(v) for k, v in provenance["versions"].items()})
    kept = {name: theta.numpy().astype(float).round(6).tolist() for name, theta in best.items()}
    config = {"search": __doc__, "controller": SETTINGS[setting], "batch": BATCH, "hidden": list(HIDDEN)}
    return study.record | {"seeds": list(TEST), "config": config, "tuned": kept} | provenance
