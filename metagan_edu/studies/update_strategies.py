"""Update strategies on unseen mixtures: tuned by hand, watching, and learned, at 100 steps each from a fresh start.

Every run plays the same small GAN (both networks 2 x 32 ReLU, batches of 64 of a task's 500 support points, alternating
Adam with beta = (0, 0.99)) for 100 steps of two gradients each; the score is the energy distance of 500 samples to 500
query points.

Made by hand: one search for each strategy, of 32 draws of both rates (log-uniform in [1e-3, 5e-2]) and R1's weight
(log-uniform in [0.01, 1]), the same draws for all, on 8 validation tasks, then the best 4 again on 16 others. Clipping
adds one threshold for both players to each draw (log-uniform in [0.03, 3]), the controller the lower end of its band
(uniform in [0.6, 1.3]) and its speed (log-uniform in [0.01, 0.1]). "Spectral D" has spectral normalization around D.

Learned: each starts from the cosine decay that the search found and is trained by evolution strategies on training
tasks, on log(0.01 + energy distance). The family of hand-made strategies, of five numbers, is trained in the same way:
what remains of a gain beside it is the new strategy's, and not the training's.

Reported: 120 test tasks, on which nothing was chosen. (A shorter trial, with 60 meta-steps and the larger perturbations
for the schedule too, was looked at on 60 other test tasks before.)
"""

from __future__ import annotations

import functools
import math
import pathlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import files, meta, seeds, trees
from metagan_edu.games import Hyper, Players
from metagan_edu.meta.base import advance, begin, view
from metagan_edu.rules import controlled, controllers, policies, under

NUM_STEPS, BATCH, HIDDEN, LATENT_DIM, CHUNK = 100, 64, (32, 32), 2, 4
VALIDATION, FINAL, TEST = range(8), range(100, 116), range(2000, 2120)
DRAWS, FINALISTS, META_STEPS, PER_STEP, META_LR = 32, 4, 160, 8, 0.15
SIGMA = {"learned schedule": 0.1}  # of the perturbations; of all others 0.3
FAILED = 10.0  # the score of a run that does not end in finite numbers: several times an untrained generator's
OPEN = 20.0  # the logarithm of a threshold that clips nothing
TASKS = mg.data.mixture_tasks(shots=500, queries=500)
ARTIFACT = pathlib.Path(__file__).with_suffix(".safetensors")
energy_distance = meta.outer.energy_distance(500)
ADAM = mg.rules.alternating(*[mg.optimizers.adam(1.0, beta1=0.0, beta2=0.99)] * 2)  # rates are factors on 1


def game(around: Callable = lambda disc: disc) -> mg.games.Game:
    """The GAN; R1 has weight 1 as configured, all strategies set factors on it. ``around``: what is put around D."""
    networks = mg.networks.mlp(LATENT_DIM, HIDDEN, 2), around(mg.networks.mlp(2, HIDDEN, 1))
    return mg.games.gan(*networks, penalty=mg.losses.r1(1.0))


def logged(game: mg.games.Game, theta: Any, players: mg.games.Players, task: mg.data.Task, seed: Any) -> tf.Tensor:
    """The outer loss of meta-training: relative, so that a few far-off tasks do not drown the others."""
    return tf.math.log(0.01 + tf.nn.relu(energy_distance(game, theta, players, task, seed)))


def decaying(theta: Any, features: Any) -> tf.Tensor:
    """The hand-made family: logarithms of G's rate, D's rate, R1's weight and the threshold; the share of decay."""
    gen, disc, penalty, threshold, share = tf.unstack(theta)
    shape = tf.math.log(tf.maximum(1 - share * 0.5 * (1 - tf.cos(math.pi * features[0])), 1e-4))
    return tf.stack([gen + shape, disc + shape, penalty, threshold, threshold])


FAMILY = policies.Policy(lambda seed, outputs: tf.zeros(5), decaying)


def family(gan: mg.games.Game) -> mg.meta.MetaLearner:
    """The learner of the hand-made family: theta ``(5,)``. Share 0 is a constant rate, 1 is cosine decay to 0."""
    clip = Players(1.0, 1.0)
    return meta.learned_schedule(gan, ADAM, num_steps=NUM_STEPS, policy=FAMILY, clip=clip, batches=meta.drawn(BATCH))


def by_hand(gan: mg.games.Game) -> mg.meta.MetaLearner:
    """The same with the controller inside: theta ``(7,)``, of which the last two are its lower end and its speed."""

    def rule(theta):
        watching = controlled(ADAM, controllers.balance(theta[5], 1.5, speed=theta[6]))
        clip = Players(1.0, 1.0)
        return controlled(watching, policies.controller(FAMILY, theta[:5], num_steps=NUM_STEPS, clip=clip))

    return meta.MetaLearner(
        gan, init=lambda seed: tf.zeros(7), players=lambda theta, seed: gan.init(seed), rule=rule,
        batches=meta.drawn(BATCH),
    )  # fmt: skip


def tuned(theta: Any) -> mg.rules.Rule:
    """Adam with cosine decay at the rates and the weight of a theta of the family."""
    gen, disc, penalty = (float(x) for x in np.exp(theta[:3]))
    decay = controllers.schedule(mg.optimizers.cosine_decay(1.0, NUM_STEPS))
    return under(controlled(ADAM, decay), Hyper(lr=Players(gen, disc), penalty=penalty))


def learned(gan: mg.games.Game, theta: Any) -> dict[str, mg.meta.MetaLearner]:
    """What is learned on top of the tuned cosine decay: name -> learner."""
    rule, batches, policy = tuned(theta), meta.drawn(BATCH), policies.network(8, limit=5.0)
    return {
        "learned rates per layer": meta.meta_sgd(gan, lr=1.0, of=(), rule=rule, batches=batches),
        "learned schedule": meta.learned_schedule(gan, rule, num_steps=NUM_STEPS, policy=policy, batches=batches),
    }


@functools.cache
def runs(split: str, numbers: Any) -> list[Any]:
    """The tasks of these numbers and the seeds of their runs, stacked, in chunks of 4."""
    draws = [seeds.make(n) for n in numbers]
    made = [(getattr(TASKS, split)(seeds.fold_in(s, "task")), seeds.fold_in(s, "run")) for s in draws]
    return [trees.map(lambda *x: tf.stack(x), *made[i : i + CHUNK]) for i in range(0, len(made), CHUNK)]


def scorer(learner: mg.meta.MetaLearner, jit: bool = True) -> Callable:
    """``(theta, split, numbers) -> scores``: one run on each of the split's tasks of these numbers, compiled once."""

    @functools.partial(tf.function, autograph=False, jit_compile=jit)
    def run(theta, chunk):
        def one(element):
            task, seed = element
            inner = begin(learner, theta, seed)
            inner, _ = advance(learner, theta, inner, task, NUM_STEPS, seed, loop=mg.autodiff.while_loop)
            players = view(learner, theta, inner)
            return energy_distance(learner.game, theta, players, task, seeds.fold_in(seed, "outer"))

        return tf.map_fn(one, chunk, parallel_iterations=1, fn_output_signature=tf.float32)

    def scores(theta, split, numbers):
        found = np.concatenate([run(theta, chunk).numpy() for chunk in runs(split, numbers)])
        return np.nan_to_num(found.astype(float), nan=FAILED, posinf=FAILED)

    return scores


def space(*, clip: bool = False, share: float = 1.0, watch: bool = False) -> list[tf.Tensor]:
    """The 32 draws as thetas of :func:`by_hand`."""
    ranges = [*np.log([(1e-3, 5e-2), (1e-3, 5e-2), (0.01, 1.0), (0.03, 3.0)]), (0.6, 1.3), np.log((0.01, 0.1))]
    low, high = np.transpose(ranges)
    rows = low + np.random.default_rng(0).uniform(size=(DRAWS, 6)) * (high - low)
    watching = [(row[4], np.exp(row[5])) if watch else (1.0, 0.0) for row in rows]
    thetas = [[*r[:3], r[3] if clip else OPEN, share, *w] for r, w in zip(rows, watching, strict=True)]
    return [tf.constant(theta, tf.float32) for theta in thetas]


def search(scores: Callable, thetas: list[Any]) -> tf.Tensor:
    """The best theta: all on 8 validation tasks, the best 4 on 16 others."""
    first = [scores(theta, "validation", VALIDATION).mean() for theta in thetas]
    finalists = np.argsort(first)[:FINALISTS]
    second = [scores(thetas[i], "validation", FINAL).mean() for i in finalists]
    return thetas[int(finalists[np.argmin(second)])]


def evolve(learner: mg.meta.MetaLearner, theta: Any, sigma: float = 0.3) -> Any:
    """Theta after meta-training by antithetic evolution strategies: a pair of runs on each of 8 tasks per meta-step."""
    meta_optimizer = mg.optimizers.adam(mg.optimizers.cosine_decay(META_LR, META_STEPS), beta1=0.9)
    return mg.meta_train(
        learner, TASKS.train, outer=logged, num_steps=META_STEPS, seed=0, tasks_per_step=PER_STEP, theta=theta,
        estimator=meta.evolution_strategies(NUM_STEPS, pairs=1, sigma=sigma), meta_optimizer=meta_optimizer,
        progress=False, jit=True,
    ).theta  # fmt: skip


class Study:
    """What the record is collected in."""

    def __init__(self):
        self.record = {name: {} for name in ("num_steps", "seconds", "results", "tuned", "training_seconds")}
        self.arrays, self.began = {}, time.monotonic()

    def add(self, name: str, scores: Any, theta: Any) -> None:
        """Score a contender on the test tasks; hand-made thetas go in the record, all in the artifact."""
        trained = time.monotonic()
        values = scores(theta, "test", TEST)
        fields = {"energy_distance": values.tolist(), "diverged": [int(v == FAILED) for v in values]}
        self.record["results"][name], self.record["num_steps"][name] = fields, NUM_STEPS
        self.record["training_seconds"][name] = round(trained - self.began, 1)
        self.record["seconds"][name] = [round((time.monotonic() - trained) / len(TEST), 3)]  # the mean, with compiling
        if tf.is_tensor(theta):
            self.record["tuned"][name] = [round(float(x), 6) for x in theta]
        self.arrays |= {f"{name}/{i:02d}": leaf.numpy() for i, leaf in enumerate(trees.leaves(theta))}
        self.began = time.monotonic()
        print(f"  {name}: {values.mean():.4f}", flush=True)


def make() -> dict[str, Any]:
    """The record, and beside it the file of what was learned."""
    gan, study = game(), Study()
    hand = scorer(by_hand(gan))
    searches = {
        "cosine": {}, "constant": {"share": 0.0},
        "cosine, clipped": {"clip": True}, "cosine, controller": {"watch": True},
    }  # fmt: skip
    for name, options in searches.items():
        study.add(name, hand, search(hand, space(**options)))
    normalized = scorer(by_hand(game(mg.networks.spectral)))
    study.add("cosine, spectral D", normalized, search(normalized, space()))
    cosine = study.record["tuned"]["cosine"]
    for name, learner in learned(gan, cosine).items():
        study.add(name, scorer(learner), evolve(learner, learner.init(seeds.make(0)), SIGMA.get(name, 0.3)))
    start = tf.constant([*cosine[:3], math.log(3.0), 0.9])  # a little away from where clipping and decay saturate
    evolved = evolve(family(gan), start)
    study.add("the hand-made family, evolved", hand, tf.concat([evolved, [1.0, 0.0]], 0))

    provenance = mg.experiments.provenance()
    metadata = {"command": "make records ONLY=update_strategies", "seed": "0", "created": provenance["created"]}
    files.write_arrays(ARTIFACT, study.arrays, metadata | provenance["versions"])
    config = {"search": __doc__, "batch": BATCH, "hidden": list(HIDDEN), "meta_steps": META_STEPS}
    return study.record | {"seeds": list(TEST), "config": config} | provenance


def load(name: str, learner: mg.meta.MetaLearner) -> Any:
    """What was learned for a contender, from the artifact; ``learner`` gives its structure."""
    arrays, _ = files.read_arrays(ARTIFACT)
    found = [tf.constant(arrays[key]) for key in sorted(arrays) if key.rpartition("/")[0] == name]
    return trees.like(learner.init(seeds.make(0)), found)
