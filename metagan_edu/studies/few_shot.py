"""Few-shot characters: from ten drawings of a character never seen, 16x16 pixels, how soon does a GAN draw it?

Four ways to begin: scratch (Glorot, Keras' default); joint pre-training on all training characters together; Reptile;
and first-order MAML (on the game's own losses, the meta-game) on one training character at a time. Pre-training of
every kind takes 20,000 inner steps, on glyphs of a font, distorted to look drawn by hand, or on real Omniglot
characters. Tested on 36 Omniglot characters of two alphabets that neither has.

Adaptation is a run of its own for each of ``HORIZONS``, at rates that fall to 0 on its last step; batches and D's steps
are those of ``HORIZONS``, the same for all starts. Each way to begin has its own rate for each horizon (``search``): of
three, followed one step further where the best is at the edge, then with D's other number of steps, if it has one; on
8 of the 22 Early Aramaic characters, which are neither trained nor tested on, one seed, from pre-training on Omniglot.
The smallest mean distance in features is taken. Joint pre-training has two rates of pre-training and first-order MAML
two of meta-training, each searched so; the one with the smallest at 10 steps is taken, for all horizons. Reptile's rate
of 4e-3 was the best of 1e-3, 2e-3 and 4e-3 before.

* **Features** (leads): the energy distance between features of samples and of drawings 10 to 19, by a classifier of
  *other* alphabets' characters; the mean of three such classifiers. ``few_shot_judges`` has that of pictures whose
  order is plain.
* **Score**: the mean probability that a classifier of the 36 characters gives to the right one. It was trained on
  drawings 10 to 19 of each, with random affine changes, and never saw drawings 0 to 9, the support: their own score
  says what real drawings get ("ceiling" in the record). It is no upper limit, and the score sees blur poorly.
* **Diversity**: relative to drawings 10 to 19, in features of the classifier of the 36. **Copies**: the share of
  samples that ``mg.metrics.copies`` takes for copies of the support.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu.studies import FOLDER, handwriting
from metagan_edu.studies import runs as kept_runs

SEEDS, SEARCH_SEED = range(1, 6), 0
NUM_STEPS, SAMPLES = (0, 10, 25, 50, 100, 300), 64
INNER, TASKS, META_STEPS, BATCH, RATE = 25, 4, 200, 20, 4e-3


class Horizon(NamedTuple):
    """A number of steps, its batches, D's steps (the first is tried with all rates), the rates that are tried, and of
    how many characters one is played: of every one, of every second, ..."""

    num_steps: int
    batch: int
    disc_steps: tuple[int, ...]
    rates: tuple[float, ...]
    every: int


HORIZONS = (
    Horizon(10, 128, (4, 2), (4e-3, 8e-3, 1.6e-2), 1),
    Horizon(100, 32, (2, 1), (2e-3, 4e-3, 8e-3), 2),
    Horizon(300, 20, (1,), (1e-3, 2e-3, 4e-3), 3),
)


def game_and_rule(lr: float = RATE, disc_steps: int = 1) -> tuple[mg.games.Game, mg.rules.Rule]:
    """DCGAN of width 24 with LayerNorm in G; non-saturating with R1; Adam, β = (0, 0.9); D first, by turns."""
    shape = (16, 16, 1)
    gen = mg.networks.dcgan_generator(32, shape, width=24, norm=mg.normalization.LayerNorm)
    game = mg.games.gan(gen, mg.networks.dcgan_discriminator(shape, width=24), penalty=mg.losses.r1(0.3))
    adam = mg.optimizers.adam(lr, beta1=0.0, beta2=0.9)
    return game, mg.rules.alternating(adam, adam, disc_steps=disc_steps)


def learner(lr: float = RATE) -> mg.meta.MetaLearner:
    """The learner whose theta is where both players start, as pre-training plays it."""
    return mg.meta.learned_initialization(*game_and_rule(lr), batches=mg.meta.drawn(BATCH))


@functools.cache
def adapting(horizon: Horizon, lr: float, disc_steps: int) -> mg.meta.MetaLearner:
    """The learner as a new character is learned: the same game and Adam, at a rate that falls to 0 over the horizon."""
    game, rule = game_and_rule(lr, disc_steps)
    fall = mg.rules.controllers.schedule(mg.optimizers.linear_decay(1.0, horizon.num_steps))
    return mg.meta.learned_initialization(game, mg.rules.controlled(rule, fall), batches=mg.meta.drawn(horizon.batch))


def joint(letters: mg.data.Characters, seed: Any, lr: float = RATE, num_steps: int = META_STEPS * TASKS * INNER) -> Any:
    """Both players trained on all training characters together, as a theta."""
    game, rule = game_and_rule(lr)
    result = mg.train(game, rule, letters.batches(BATCH), num_steps=num_steps, seed=seed, progress=False)
    return learner().reached(result.players)


def meta_trained(
    letters: mg.data.Characters,
    seed: Any,
    estimator: mg.meta.Estimator,
    optimizer: mg.optimizers.Optimizer,
    num_steps: int = META_STEPS,
    **options: Any,
) -> Any:
    """Theta by meta-training on one training character a task."""
    return mg.meta_train(
        learner(), letters.tasks(handwriting.SHOTS), estimator=estimator, num_steps=num_steps, seed=seed,
        tasks_per_step=TASKS, meta_optimizer=optimizer, progress=False, **options,
    ).theta  # fmt: skip


def reptile(
    letters: mg.data.Characters, seed: Any, rate: float = 0.7, num_steps: int = META_STEPS, inner_steps: int = INNER,
    **options: Any,
) -> Any:  # fmt: skip
    """Theta by Reptile: the displacement averaged over 4 characters, at a rate that falls to 0."""
    rate = mg.optimizers.linear_decay(rate, num_steps)
    estimator = mg.meta.reptile(inner_steps)
    return meta_trained(letters, seed, estimator, mg.optimizers.sgd(rate), num_steps, **options)


def first_order_maml(letters: mg.data.Characters, seed: Any, rate: float = 1e-3) -> Any:
    """Theta by first-order MAML on the meta-game, with Adam at a rate that falls to 0."""
    adam = mg.optimizers.adam(mg.optimizers.linear_decay(rate, META_STEPS), beta1=0.9)
    return meta_trained(letters, seed, mg.meta.first_order(INNER), adam, outer=mg.meta.outer.meta_game())


WAYS = {"joint pre-training": joint, "Reptile": reptile, "first-order MAML": first_order_maml}
BEFORE = {"scratch": (None,), "joint pre-training": (1e-3, 4e-3), "Reptile": (0.7,), "first-order MAML": (1e-3, 4e-3)}
PLAN = [("glyphs", "joint pre-training"), ("glyphs", "Reptile"), ("glyphs", "first-order MAML"),
        ("omniglot", "joint pre-training"), ("omniglot", "Reptile")]  # fmt: skip
KEPT = ("joint pre-training, glyphs", "Reptile, glyphs")  # whose thetas the notebooks show


def begun(way: str, source: str, seed: Any, before: float | None) -> Any:
    """The theta of a way to begin: from a source of characters, a seed and its own rate before adaptation."""
    return learner().init(seed) if way == "scratch" else WAYS[way](handwriting.training(source), seed, before)


def after(
    horizon: Horizon, lr: float, disc_steps: int, theta: Any, those: handwriting.Judges, seed: int, every: int
) -> Any:
    """What adaptation gives by ``horizon``: metric -> one value for each ``every``-th character."""
    found = curves(
        adapting(horizon, lr, disc_steps), theta, those.unseen, those.known, seed, horizon.num_steps, every,
        lambda made, query: {"features": np.mean([handwriting.distance(made, query, one) for one in those.strangers])},
    )  # fmt: skip
    return {name: np.round(values[:, 0], 4) for name, values in found.items()}


def search(seed: int, way: str, before: float | None, every: int = 3) -> dict[str, Any]:
    """The best setting of adaptation for each horizon, and all that was tried: the mean distance in features."""
    theta, found = begun(way, "omniglot", seed, before), {}
    for horizon in HORIZONS:
        tried = {}

        def attempt(lr, disc_steps, horizon=horizon, tried=tried):
            setting = (float(f"{lr:.2g}"), disc_steps)
            if setting not in tried:
                tried[setting] = after(horizon, *setting, theta, handwriting.judges(True), seed, every)[
                    "features"
                ].mean()

        first, *others = horizon.disc_steps
        for lr in horizon.rates:
            attempt(lr, first)
        best = min(tried, key=tried.get)[0]
        attempt({horizon.rates[0]: best / 2, horizon.rates[-1]: best * 2}.get(best, best), first)
        for disc_steps in others:
            attempt(min(tried, key=tried.get)[0], disc_steps)
        lr, disc_steps = min(tried, key=tried.get)
        found[str(horizon.num_steps)] = {
            "lr": lr, "disc_steps": disc_steps, "features": float(tried[lr, disc_steps]),
            "tried": {f"rate {a}, {b} D steps": round(float(value), 3) for (a, b), value in tried.items()},
        }  # fmt: skip
    return found


def curves(
    start: mg.meta.MetaLearner,
    theta: Any,
    unseen: mg.data.Characters,
    classifier: Any,
    seed: Any,
    num_steps: Any = NUM_STEPS,
    every: int = 1,
    more: Callable[[np.ndarray, np.ndarray], dict[str, Any]] = lambda made, query: {},
) -> dict[str, np.ndarray]:
    """Score, diversity, copies and ``more(samples, query)`` after each of ``num_steps``, of every ``every``-th
    character: arrays (characters, steps)."""
    draw = tf.function(lambda players: start.game.generate(players, SAMPLES, mg.seeds.make(7)), autograph=False)
    found: dict[str, list[list[float]]] = {}
    for k in range(0, len(unseen.images), every):
        support, query = unseen.images[k, : handwriting.SHOTS], unseen.images[k, handwriting.SHOTS :]
        task = mg.data.Task(support, query)
        curve = mg.meta.adapt(start, theta, task, num_steps=num_steps, seed=1000 * seed + k)
        looks = [
            more(made, query) | {
                "score": mg.metrics.class_probability(made, classifier, k),
                "diversity": mg.metrics.diversity(made, query, classifier),
                "copies": mg.metrics.copies(made, support, query),
            }
            for made in (draw(players).numpy() for players in curve.players)
        ]  # fmt: skip
        for name in looks[0]:
            found.setdefault(name, []).append([look[name] for look in looks])
    return {name: np.array(values) for name, values in found.items()}


def run(seed: int, way: str, source: str, before: float | None, settings: dict[str, Any]) -> dict[str, Any]:
    """One contender from one seed: the seconds before adaptation, and what each horizon's adaptation gives.

    Its seconds are those for each character, with judging; to the first horizon, where a process has no judges yet,
    with the training of these.
    """
    began = time.monotonic()
    theta = begun(way, source, seed, before)
    found: dict[str, Any] = {"before": round(time.monotonic() - began, 1)}
    if seed == SEEDS[0] and f"{way}, {source}" in KEPT:
        keep(f"{way}, {source}", theta, seed, found["before"])
    for horizon in HORIZONS:
        setting = settings[str(horizon.num_steps)]
        began = time.monotonic()
        values = after(horizon, setting["lr"], setting["disc_steps"], theta, handwriting.judges(), seed, horizon.every)
        found[f"seconds to {horizon.num_steps}"] = round((time.monotonic() - began) / len(values["score"]), 2)
        found |= {f"{metric} at {horizon.num_steps}": value.tolist() for metric, value in values.items()}
    return found


def trials() -> dict[str, Any]:
    """What the searches found: way and rate before adaptation -> horizon -> the best setting."""
    settings = {f"{way}, {rate}": {"way": way, "before": rate} for way, rates in BEFORE.items() for rate in rates}
    made = mg.experiments.sweep(search, settings, [SEARCH_SEED], folder=kept_runs("few_shot") / "search")["results"]
    return {name: {steps: found[0] for steps, found in own.items()} for name, own in made.items()}


def make() -> dict[str, Any]:
    """The record: for each contender and seed the means over characters; and each character's, over seeds."""
    tried = trials()
    chosen = {
        way: min(rates, key=lambda rate: tried[f"{way}, {rate}"]["10"]["features"]) for way, rates in BEFORE.items()
    }
    settings = {}
    for source, way in [("", "scratch"), *PLAN]:
        own = {steps: {key: found[key] for key in ("lr", "disc_steps")}
               for steps, found in tried[f"{way}, {chosen[way]}"].items()}  # fmt: skip
        name = f"{way}, {source}" if source else way
        settings[name] = {"way": way, "source": source, "before": chosen[way], "settings": own}
    made = mg.experiments.sweep(run, settings, SEEDS, folder=kept_runs("few_shot") / "runs")
    results, by_character, costs = {}, {}, {}
    for name, found in made["results"].items():
        metrics = {key: np.array(values) for key, values in found.items() if " at " in key}  # (seeds, characters)
        results[name] = {key: values.mean(1).round(4).tolist() for key, values in metrics.items()}
        by_character[name] = {key: values.mean(0).round(4).tolist() for key, values in metrics.items()}
        costs[name] = {"before": found["before"]} | {key: found[key] for key in found if key.startswith("seconds")}
    real = handwriting.ceiling(handwriting.judges().unseen, handwriting.judges().known)
    config = {"what": __doc__, "shots": handwriting.SHOTS, "inner_steps": INNER, "tasks_per_step": TASKS,
              "meta_steps": META_STEPS, "batch": BATCH, "lr": RATE, "settings": settings, "tried": tried,
              "horizons": [horizon._asdict() for horizon in HORIZONS]}  # fmt: skip
    return made | {
        "config": config, "num_steps": dict.fromkeys(results, HORIZONS[-1].num_steps), "results": results,
        "by_character": by_character, "spent": costs, "ceiling": np.round(real, 4).tolist(),
    }  # fmt: skip


def keep(name: str, theta: Any, seed: Any, seconds: float) -> None:
    """The theta of the first seed, beside the record."""
    made = {"command": "make records ONLY=few_shot", "what": name, "seed": seed, "seconds": seconds}
    made |= {k: str(v) for k, v in mg.experiments.provenance().items()}
    mg.meta.save_theta(FOLDER / f"few_shot_{name.replace(', ', '_').replace(' ', '_')}.safetensors", theta, made)


def as_recorded(record: dict[str, Any], name: str, horizon: Horizon) -> mg.meta.MetaLearner:
    """The learner that a contender of a record adapts with."""
    setting = record["config"]["settings"][name]["settings"][str(horizon.num_steps)]
    return adapting(horizon, setting["lr"], setting["disc_steps"])
