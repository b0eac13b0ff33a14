"""Update strategies on unseen mixtures: tuned by hand, watching, and learned, at 100 steps each from a fresh start.

Every run plays the same small GAN (both networks 2 x 32 ReLU, batches of 64 of a task's 500 support points, alternating
Adam with beta = (0, 0.99)) for 100 steps of 2.9 gradients each (with R1); the score is the energy distance of 500
samples to 500 query points.

Made by hand: one search for each strategy, of 32 draws of both rates (log-uniform in [1e-3, 5e-2]) and R1's weight
(log-uniform in [0.01, 1]), the same draws for all, on 8 validation tasks, then the best 4 again on 16 others. Clipping
adds one threshold for both players to each draw (log-uniform in [0.03, 3]), the controller the lower end of its band
(uniform in [0.6, 1.3]) and its speed (log-uniform in [0.01, 0.1]). "Spectral D" has spectral normalization around D.

Learned: each starts from the cosine decay that the search found (the family a little away from it) and is trained by
evolution strategies on training tasks, on log(0.01 + energy distance); the perturbations' spread is 0.3, the
schedule's 0.1. The family of hand-made strategies, of five numbers, is trained in the same way: only what remains of a
gain beside it can be the new strategy's.

Reported: 120 test tasks, on which nothing was chosen; with several seeds of searches (``SEARCH_SEEDS``) and, from each,
of meta-training (``META_SEEDS``), the mean over them, and in the file and in ``tuned`` the first. A search plays 320
runs, a meta-training 2,560: with three searches and five meta-trainings from each an hour and a half, two at a time.
"""

from __future__ import annotations

import functools
import math
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import files, meta, seeds, trees
from metagan_edu.games import Hyper, Players
from metagan_edu.meta.base import advance, begin, view
from metagan_edu.rules import controlled, controllers, policies, under
from metagan_edu.studies import runs as kept_runs

NUM_STEPS, BATCH, HIDDEN, LATENT_DIM, CHUNK = 100, 64, (32, 32), 2, 4
VALIDATION, FINAL, TEST = range(8), range(100, 116), range(2000, 2120)
SEARCH_SEEDS, META_SEEDS = range(3), range(5)  # of the draws; of meta-training, each from each search's decay
DRAWS, FINALISTS, META_STEPS, PER_STEP, META_LR = 32, 4, 160, 8, 0.15
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


def tuned(theta: Any, num_steps: int = NUM_STEPS) -> mg.rules.Rule:
    """Adam with cosine decay at the rates and the weight of a theta of the family."""
    gen, disc, penalty = (float(x) for x in np.exp(theta[:3]))
    decay = controllers.schedule(mg.optimizers.cosine_decay(1.0, num_steps))
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


def space(seed: int, clip: bool, share: float, watch: bool) -> list[tf.Tensor]:
    """The 32 draws of a search as thetas of :func:`by_hand`."""
    ranges = [*np.log([(1e-3, 5e-2), (1e-3, 5e-2), (0.01, 1.0), (0.03, 3.0)]), (0.6, 1.3), np.log((0.01, 0.1))]
    low, high = np.transpose(ranges)
    rows = low + np.random.default_rng(seed).uniform(size=(DRAWS, 6)) * (high - low)
    watching = [(row[4], np.exp(row[5])) if watch else (1.0, 0.0) for row in rows]
    thetas = [[*r[:3], r[3] if clip else OPEN, share, *w] for r, w in zip(rows, watching, strict=True)]
    return [tf.constant(theta, tf.float32) for theta in thetas]


@functools.cache
def hand(spectral: bool = False) -> Callable:
    """The scorer of thetas of :func:`by_hand`, made once, so that it is compiled once."""
    return scorer(by_hand(game(mg.networks.spectral) if spectral else game()))


def tested(scores: Callable, theta: Any) -> dict[str, Any]:
    """What a run returns: the leaves of its theta, and the scores on the test tasks."""
    return {"theta": trees.leaves(theta), "energy_distance": scores(theta, "test", TEST)}


def search(
    seed: int, clip: bool = False, share: float = 1.0, watch: bool = False, spectral: bool = False
) -> dict[str, Any]:
    """The best theta of a search, all draws on 8 validation tasks, the best 4 on 16 others; and its test."""
    scores, thetas = hand(spectral), space(seed, clip, share, watch)
    first = [scores(theta, "validation", VALIDATION).mean() for theta in thetas]
    finalists = np.argsort(first)[:FINALISTS]
    second = [scores(thetas[i], "validation", FINAL).mean() for i in finalists]
    return tested(scores, thetas[int(finalists[np.argmin(second)])])


def evolve(learner: mg.meta.MetaLearner, theta: Any, seed: int, sigma: float) -> Any:
    """Theta after meta-training by antithetic evolution strategies: a pair of runs on each of 8 tasks per meta-step."""
    meta_optimizer = mg.optimizers.adam(mg.optimizers.cosine_decay(META_LR, META_STEPS), beta1=0.9)
    return mg.meta_train(
        learner, TASKS.train, outer=logged, num_steps=META_STEPS, seed=seed, tasks_per_step=PER_STEP, theta=theta,
        estimator=meta.evolution_strategies(NUM_STEPS, pairs=1, sigma=sigma), meta_optimizer=meta_optimizer,
        progress=False, jit=True,
    ).theta  # fmt: skip


def learn(seed: int, name: str, cosine: list[float], sigma: float = 0.3) -> dict[str, Any]:
    """What is learned on top of a tuned cosine decay, or the hand-made family from there; and its test."""
    if name == EVOLVED:
        start = tf.constant([*cosine[:3], math.log(3.0), 0.9])  # a little away from where clipping and decay saturate
        return tested(hand(), tf.concat([evolve(family(game()), start, seed, sigma), [1.0, 0.0]], 0))
    learner = learned(game(), cosine)[name]
    return tested(scorer(learner), evolve(learner, learner.init(seeds.make(seed)), seed, sigma))


EVOLVED = "the hand-made family, evolved"
SEARCHED = {
    "cosine": {}, "constant": {"share": 0.0}, "cosine, clipped": {"clip": True}, "cosine, controller": {"watch": True},
    "cosine, spectral D": {"spectral": True},
}  # fmt: skip
LEARNED = {"learned rates per layer": {}, "learned schedule": {"sigma": 0.1}, EVOLVED: {}}


def tuned_by(theta: list[Any]) -> list[float]:
    """The numbers of a theta of :func:`by_hand` as the record has them."""
    return [round(number, 6) for number in theta[0]]


def make() -> dict[str, Any]:
    """The record, each task's scores averaged over runs; and beside it the file of what the first runs found."""
    folder = kept_runs("update_strategies")
    parts = [mg.experiments.sweep(search, SEARCHED, SEARCH_SEEDS, folder=folder / "searches")]
    for seed, theta in zip(SEARCH_SEEDS, parts[0]["results"]["cosine"]["theta"], strict=True):
        settings = {name: {"name": name, "cosine": tuned_by(theta), **own} for name, own in LEARNED.items()}
        parts.append(mg.experiments.sweep(learn, settings, META_SEEDS, folder=folder / f"learned from search {seed}"))

    made = {}  # name -> what each run spent and returned
    for part in parts:
        for name, found in part["results"].items():
            spent = part["seconds"][name], part["peak_memory_gb"][name]
            made.setdefault(name, []).extend(zip(*spent, found["theta"], found["energy_distance"], strict=True))
    record: dict[str, Any] = {"searched": [tuned_by(theta) for theta in parts[0]["results"]["cosine"]["theta"]]}
    record |= {
        field: {} for field in ("num_steps", "seconds", "peak_memory_gb", "results", "by_seed", "scores", "tuned")
    }
    arrays = {}
    for name, own in made.items():
        seconds, peaks, (theta, *_), scores = zip(*own, strict=True)
        scores = np.array(scores)  # (runs, tasks)
        record["num_steps"][name], record["seconds"][name], record["peak_memory_gb"][name] = NUM_STEPS, seconds, peaks
        failed = (scores == FAILED).any(0).astype(int)
        record["results"][name] = {"energy_distance": scores.mean(0).tolist(), "diverged": failed.tolist()}
        record["by_seed"][name] = {"energy_distance": scores.mean(1).tolist()}
        record["scores"][name] = scores.round(5).tolist()  # runs (of each search in turn) x tasks
        if len(theta) == 1:
            record["tuned"][name] = tuned_by(theta)
        if name == "learned rates per layer":  # in the order of ``trees.leaves``: the logarithms of the factors
            record["log_factors"] = np.array([own_theta for _, _, own_theta, _ in own], float).round(4).tolist()
        arrays |= {f"{name}/{i:02d}": np.array(leaf, np.float32) for i, leaf in enumerate(theta)}

    provenance = mg.experiments.provenance()
    metadata = {"command": "make records ONLY=update_strategies", "created": provenance["created"],
                "seed": f"{SEARCH_SEEDS[0]} of the search, {META_SEEDS[0]} of meta-training"}  # fmt: skip
    files.write_arrays(ARTIFACT, arrays, metadata | provenance["versions"])
    config = {"search": __doc__, "batch": BATCH, "hidden": list(HIDDEN), "meta_steps": META_STEPS,
              "search_seeds": list(SEARCH_SEEDS)}  # fmt: skip
    entries = {"of": "test tasks", "count": len(TEST)}
    return record | {"seeds": list(META_SEEDS), "entries": entries, "config": config} | provenance


def load(name: str, learner: mg.meta.MetaLearner) -> Any:
    """What was learned for a contender, from the artifact; ``learner`` gives its structure."""
    arrays, _ = files.read_arrays(ARTIFACT)
    found = [tf.constant(arrays[key]) for key in sorted(arrays) if key.rpartition("/")[0] == name]
    return trees.like(learner.init(seeds.make(0)), found)
