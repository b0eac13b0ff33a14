"""Few-shot characters: from ten drawings of a character never seen, 16x16 pixels, how soon does a GAN draw it?

Four ways to begin: scratch (Glorot, Keras' default); joint pre-training on all training characters together; Reptile;
and first-order MAML (on the game's own losses, the meta-game) on one training character at a time. All play the same
game by the same rule; pre-training of every kind takes 20,000 inner steps. Trained on glyphs of a font, distorted to
look drawn by hand, or on real Omniglot characters; tested on 36 Omniglot characters of two alphabets that neither has.

Score: the mean probability that a classifier of the 36 characters gives to the right one. It was trained on drawings 10
to 19 of each, with random affine changes, and never saw drawings 0 to 9, the support: their own score says what real
drawings get ("ceiling" in the record), and a generator that copied its support would get just that. It is no upper
limit, and the score does not see blur: see ``few_shot_judges``. Diversity: relative to drawings 10 to 19, in its
features.

Chosen on the 22 Early Aramaic characters, which are neither trained nor tested on: see ``SEARCH``.
"""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu.studies import FOLDER
from metagan_edu.studies import runs as kept_runs

SEEDS = (1, 2, 3)
SHOTS, NUM_STEPS, SAMPLES = 10, (0, 10, 25, 50, 100, 300), 64
INNER, TASKS, META_STEPS, BATCH, RATE = 25, 4, 200, 20, 4e-3
TRAIN, TEST = ("Greek", "Latin"), {"Balinese": 18, "Korean": 18}
SCRATCH_RATES, JOINT_RATES = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2), (1e-3, 4e-3)
SEARCH = """Early Aramaic, one seed. Reptile's inner rate: 1e-3, 2e-3, 4e-3 with batches of 20 on Omniglot; 1e-3 and
4e-3 with 20, 2e-3 with 10 on glyphs; 4e-3 was best on both. First-order MAML was given the same rate.
Scratch: five rates. Joint pre-training: two rates of pre-training times two of adaptation. The rate with
the best mean score over the curve (10 to 300 steps) was taken. Before that, Reptile's settings (25 inner
steps, 4 tasks, rate falling from 0.7) were taken over from earlier trials on other characters."""


def game_and_rule(lr: float = RATE) -> tuple[mg.games.Game, mg.rules.Rule]:
    """DCGAN of width 24 with LayerNorm in G; non-saturating with R1; alternating Adam with β = (0, 0.9)."""
    shape = (16, 16, 1)
    gen = mg.networks.dcgan_generator(32, shape, width=24, norm=mg.normalization.LayerNorm)
    game = mg.games.gan(gen, mg.networks.dcgan_discriminator(shape, width=24), penalty=mg.losses.r1(0.3))
    adam = mg.optimizers.adam(lr, beta1=0.0, beta2=0.9)
    return game, mg.rules.alternating(adam, adam)


def learner(lr: float = RATE) -> mg.meta.MetaLearner:
    """The learner whose theta is where both players start."""
    return mg.meta.learned_initialization(*game_and_rule(lr), batches=mg.meta.drawn(BATCH))


def distorted(images: np.ndarray, seed: Any, *, turn: float, stretch: float, slant: float, shift: float) -> np.ndarray:
    """Images (n, 16, 16, 1), each with its own random affine change (standard deviations; angles in radians)."""
    from scipy.ndimage import affine_transform

    rng, made, center = np.random.default_rng(seed), [], np.array([7.5, 7.5])
    for image in images:
        angle, scale, slope = rng.normal(0, turn), np.exp(rng.normal(0, stretch, 2)), rng.normal(0, slant)
        matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = matrix @ np.array([[scale[0], slope], [0, scale[1]]])
        offset = center - matrix @ center + rng.normal(0, shift, 2)
        made.append(affine_transform(image[..., 0], matrix, offset, order=1, cval=-1)[..., None])
    return np.clip(np.array(made, np.float32), -1, 1)


def characters(alphabets: Any) -> mg.data.Characters:
    """The first so many characters of each alphabet of Omniglot's small archive (all, where no number is given)."""
    omniglot = mg.data.omniglot(16)
    counts = dict.fromkeys(alphabets, 10**6) | (alphabets if isinstance(alphabets, dict) else {})
    places = {name: [i for i, own in enumerate(omniglot.alphabets) if own == name] for name in counts}
    return omniglot.select([i for name, count in counts.items() for i in places[name][:count]])


@functools.cache
def training(source: str) -> mg.data.Characters:
    """The training characters of a source, "glyphs" or "omniglot", each also turned by 90, 180 and 270 degrees."""
    if source == "omniglot":
        return characters(TRAIN).turned()
    return by_hand(mg.data.glyph_splits(16)["train"]).turned()


def by_hand(glyphs: mg.data.Characters) -> mg.data.Characters:
    """Glyphs distorted to look more like handwriting."""
    flat = distorted(glyphs.images.reshape(-1, 16, 16, 1), 0, turn=0.2, stretch=0.2, slant=0.2, shift=1.5)
    return mg.data.as_characters(flat.reshape(glyphs.images.shape), glyphs.alphabets, glyphs.names)


def judge(unseen: mg.data.Characters, seed: int = 0) -> Any:
    """The classifier of the unseen characters, from the drawings that are not support."""
    count, drawings = len(unseen.images), unseen.images.shape[1] - SHOTS
    images, labels = unseen.images[:, SHOTS:].reshape(-1, 16, 16, 1), np.repeat(np.arange(count), drawings)
    changed = distorted(np.repeat(images, 20, 0), 0, turn=0.15, stretch=0.1, slant=0.1, shift=0.7)
    return mg.metrics.train_classifier(
        np.concatenate([images, changed]), np.concatenate([labels, np.repeat(labels, 20)]), num_steps=3000, seed=seed
    )


def ceiling(unseen: mg.data.Characters, classifier: Any) -> list[float]:
    """The score of each character's own support: what real drawings get."""
    return [mg.metrics.class_probability(x[:SHOTS], classifier, k) for k, x in enumerate(unseen.images)]


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
        learner(), letters.tasks(SHOTS), estimator=estimator, num_steps=num_steps, seed=seed, tasks_per_step=TASKS,
        meta_optimizer=optimizer, progress=False, **options,
    ).theta  # fmt: skip


def reptile(
    letters: mg.data.Characters, seed: Any, num_steps: int = META_STEPS, inner_steps: int = INNER, **options: Any
) -> Any:
    """Theta by Reptile: the displacement averaged over 4 characters, at a rate that falls from 0.7 to 0."""
    rate = mg.optimizers.linear_decay(0.7, num_steps)
    estimator = mg.meta.reptile(inner_steps)
    return meta_trained(letters, seed, estimator, mg.optimizers.sgd(rate), num_steps, **options)


def first_order_maml(letters: mg.data.Characters, seed: Any) -> Any:
    """Theta by first-order MAML on the meta-game, with Adam."""
    adam = mg.optimizers.adam(mg.optimizers.linear_decay(1e-3, META_STEPS), beta1=0.9)
    return meta_trained(letters, seed, mg.meta.first_order(INNER), adam, outer=mg.meta.outer.meta_game())


WAYS = {"joint pre-training": joint, "Reptile": reptile, "first-order MAML": first_order_maml}
PLAN = [("glyphs", "joint pre-training"), ("glyphs", "Reptile"), ("glyphs", "first-order MAML"),
        ("omniglot", "joint pre-training"), ("omniglot", "Reptile")]  # fmt: skip
KEPT = ("joint pre-training, glyphs", "Reptile, glyphs")  # whose thetas the notebooks show


def curves(
    start: mg.meta.MetaLearner,
    theta: Any,
    unseen: mg.data.Characters,
    classifier: Any,
    seed: Any,
    num_steps: Any = NUM_STEPS,
) -> dict[str, np.ndarray]:
    """Score, diversity and copies after each of ``num_steps``: arrays (characters, steps)."""
    draw = tf.function(lambda players: start.game.generate(players, SAMPLES, mg.seeds.make(7)), autograph=False)
    measured = {"score": [], "diversity": [], "copies": []}
    for k, drawings in enumerate(unseen.images):
        support, query = drawings[:SHOTS], drawings[SHOTS:]
        task = mg.data.Task(support, query)
        curve = mg.meta.adapt(start, theta, task, num_steps=num_steps, seed=1000 * seed + k)
        made = [draw(players).numpy() for players in curve.players]
        measured["score"].append([mg.metrics.class_probability(x, classifier, k) for x in made])
        measured["diversity"].append([mg.metrics.diversity(x, query, classifier) for x in made])
        measured["copies"].append([mg.metrics.copies(x, support, query) for x in made])
    return {name: np.array(values) for name, values in measured.items()}


def tuned() -> tuple[Any, ...]:
    """The rates of scratch and of joint pre-training with the best mean score from 10 steps on, on Early Aramaic."""
    unseen = characters(["Early_Aramaic"])
    classifier, found = judge(unseen), {"scratch": {}, "joint pre-training": {}}

    def score(lr, theta):
        return curves(learner(lr), theta, unseen, classifier, seed=0)["score"].mean(0)[1:].round(4).tolist()

    for lr in SCRATCH_RATES:
        found["scratch"][lr] = score(lr, learner(lr).init(0))
    for before in JOINT_RATES:
        theta = joint(training("omniglot"), 0, before)
        found["joint pre-training"] |= {f"{before} then {after}": score(after, theta) for after in JOINT_RATES}
    return {way: max(scores, key=lambda lr: np.mean(scores[lr])) for way, scores in found.items()}, found


def rates(record: dict[str, Any]) -> dict[str, float]:
    """The rates of adaptation that a record of :func:`make` chose."""
    best = record["config"]["rates"]
    joint_rate = float(best["joint pre-training"].split(" then ")[1])
    return {"scratch": best["scratch"], "joint": joint_rate, "Reptile": RATE}


@functools.cache
def judged() -> tuple[mg.data.Characters, Any]:
    """The characters that are tested on, and their classifier."""
    unseen = characters(TEST)
    return unseen, judge(unseen)


def run(seed: int, name: str, lr: float, before: float) -> dict[str, Any]:
    """One contender from one seed: the seconds of pre-training (at rate ``before``, where it is joint), and what
    adaptation at rate ``lr`` gives."""
    start, (way, _, source) = learner(lr), name.partition(", ")
    ways = WAYS | {"joint pre-training": functools.partial(joint, lr=before)}
    letters = training(source) if source else None
    began = time.monotonic()
    theta = ways[way](letters, seed) if source else start.init(seed)
    seconds = round(time.monotonic() - began, 1)
    if seed == SEEDS[0] and name in KEPT:
        keep(name, theta, seed, seconds)
    return {"seconds": seconds, **curves(start, theta, *judged(), seed)}


def make() -> dict[str, Any]:
    """The record: metrics of each character, averaged over the seeds of pre-training; and of each seed."""
    best, search = tuned()
    print(best, search, flush=True)
    before, after = map(float, best["joint pre-training"].split(" then "))
    settings = {"scratch": {"name": "scratch", "lr": best["scratch"], "before": before}}
    for source, way in PLAN:
        name = f"{way}, {source}"
        settings[name] = {"name": name, "lr": after if way == "joint pre-training" else RATE, "before": before}
    made = mg.experiments.sweep(run, settings, SEEDS, folder=kept_runs("few_shot"))
    runs = {
        name: [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]
        for name, found in made["results"].items()
    }
    return record(runs, made["seconds"], ceiling(*judged()), {"rates": best, "rate_search": search})


def keep(name: str, theta: Any, seed: Any, seconds: float) -> None:
    """The theta of the first seed, beside the record."""
    made = {"command": "make records ONLY=few_shot", "what": name, "seed": seed, "seconds": seconds}
    made |= {k: str(v) for k, v in mg.experiments.provenance().items()}
    mg.meta.save_theta(FOLDER / f"few_shot_{name.replace(', ', '_').replace(' ', '_')}.safetensors", theta, made)


def record(runs: Any, seconds: Any, ceiling: Any, tuning: dict[str, Any]) -> dict[str, Any]:
    """Means over seeds for each character (``results``), means over characters for each seed (``by_seed``)."""
    results, by_seed = {}, {}
    for name, measured in runs.items():
        results[name], by_seed[name] = {}, {}
        for metric in ("score", "diversity", "copies"):
            values = np.array([run[metric] for run in measured])  # (seeds, characters, steps)
            for i, steps in enumerate(NUM_STEPS):
                results[name][f"{metric} at {steps}"] = values[:, :, i].mean(0).round(4).tolist()
                by_seed[name][f"{metric} at {steps}"] = values[:, :, i].mean(1).round(4).tolist()
        results[name]["diverged"] = [0] * len(ceiling)
    config = {"what": __doc__, "search": SEARCH, "shots": SHOTS, "inner_steps": INNER, "tasks_per_step": TASKS,
              "meta_steps": META_STEPS, "batch": BATCH, "lr": RATE, **tuning}  # fmt: skip
    return {
        "config": config, "seeds": list(SEEDS),
        "entries": {"of": "characters", "count": len(ceiling)},
        "ceiling": np.round(ceiling, 4).tolist(),
        "num_steps": dict.fromkeys(results, max(NUM_STEPS)), "seconds": seconds, "results": results, "by_seed": by_seed,
        **mg.experiments.provenance(),
    }  # fmt: skip
