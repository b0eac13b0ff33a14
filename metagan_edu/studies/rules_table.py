"""Every rule on the ring and on 8x8 digits, at equal cost. (The games of two numbers are in closed form in the course.)

Cost is counted in gradients of a player's loss: a second-order product as two, a gradient of D with R1 as what it was
measured to cost, 1.87. All rules move by Adam with β = (0.5, 0.99). Each contender has the same search (``search``):
six trials on one seed, of rates and, where it has one, of its own setting (``OWN``); the best two are tried on a second
seed, and the better mean is taken. What is reported is from other seeds: ten on the ring and for the optimizers, five
on the digits. ``contests`` keeps all trials. The networks and budgets are small so that the record takes minutes: this
is a comparison of rules, not the best that any of them can do.

``optimizers`` compares, under the alternating rule on 512 fixed points of a ring, full-batch gradient descent with
stochastic ones, at equal numbers of *examples* times gradients; seven rates each on the first seed.

``floors``: the same metrics of samples that nothing was learned for, and of held-out real data.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import seeds, trees
from metagan_edu.games import Hyper, Players
from metagan_edu.studies import runs

SELECT, SEEDS = (
    (100, 101),
    {"ring": tuple(range(1, 11)), "digits": tuple(range(1, 6)), "optimizers": tuple(range(1, 11))},
)
RATES, RING_BUDGET, DIGITS_BUDGET = (1e-3, 3e-3, 1e-2), 4000, 2400
OPTIMIZER_RATES, OPTIMIZER_BUDGET = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0), 192_000
ADAM = mg.optimizers.adam(1.0, beta1=0.5, beta2=0.99)  # rates are a factor, of Hyper
ALPHA, REACTION_ITERATIONS = 0.5, 2

# A contender's own setting: the first is what is tried with all rates.
OWN = {
    "consensus": (1.0, 0.1, 10.0), "symplectic": (1.0, 0.3, 3.0), "competitive": (0.1, 0.03, 0.3),
    "lookahead": (5, 10, 20), "lookahead around alternating": (5, 10, 20), "unrolled": (5, 1, 2),
    "alternating, more D steps": (5, 2, 3), "alternating, R1": (0.1, 0.01, 1.0),
}  # fmt: skip

# Rules of two optimizers and their own setting.
RULES = {
    "simultaneous": lambda gen, disc, _: mg.rules.simultaneous(gen, disc),
    "alternating": lambda gen, disc, _: mg.rules.alternating(gen, disc),
    "alternating, more D steps": lambda gen, disc, steps: mg.rules.alternating(gen, disc, disc_steps=steps),
    "extragradient": lambda gen, disc, _: mg.rules.extragradient(gen, disc),
    "optimistic": lambda gen, disc, _: mg.rules.optimistic(gen, disc),
    "consensus": lambda gen, disc, gamma: mg.rules.consensus(gen, disc, gamma=gamma),
    "symplectic": lambda gen, disc, strength: mg.rules.symplectic(gen, disc, strength=strength),
    "competitive": lambda gen, disc, reaction: mg.rules.competitive(
        gen, disc, reaction=reaction, num_iterations=REACTION_ITERATIONS
    ),
    "lookahead": lambda gen, disc, every: mg.rules.lookahead(
        mg.rules.simultaneous(gen, disc), every=every, alpha=ALPHA
    ),
    "lookahead around alternating": lambda gen, disc, every: mg.rules.lookahead(
        mg.rules.alternating(gen, disc), every=every, alpha=ALPHA
    ),
    "unrolled": lambda gen, disc, num_unroll: mg.rules.unrolled(gen, disc, num_unroll=num_unroll),
}


class Trial(NamedTuple):
    """What is tried: a rate, and the contender's own setting (``None`` where it has none)."""

    lr: float
    own: Any


def search(score: Callable[[Trial, int], float], own: Any) -> tuple[Trial, dict[str, Any]]:
    """The best of six trials, and all that was tried: three rates; the next one where the best is at the edge, else the
    one between the two best; then the other two of its own settings, or rates 1.4 times as small and as large. The best
    two are tried on the second seed, too. ``score(trial, seed)``: the smaller the better."""
    tried: dict[Trial, list[float]] = {}

    def best() -> Trial:
        return min(tried, key=lambda trial: tried[trial][0])

    def attempt(lr, setting):
        trial = Trial(float(f"{lr:.2g}"), setting)
        tried.setdefault(trial, []) or tried[trial].append(score(trial, SELECT[0]))

    for lr in RATES:
        attempt(lr, own[0])
    first, second, *_ = sorted(tried, key=lambda trial: tried[trial][0])
    beyond = {RATES[0]: RATES[0] / 3, RATES[-1]: RATES[-1] * 3}
    attempt(beyond.get(first.lr, np.sqrt(first.lr * second.lr)), own[0])
    if len(own) > 1:
        for setting in own[1:]:
            attempt(best().lr, setting)
    else:
        for lr in (best().lr / 1.4, best().lr * 1.4):
            attempt(lr, None)
    return _settled(score, tried)


def _settled(score, tried):
    """The best two on the second seed, and the better of them."""
    for trial in sorted(tried, key=lambda trial: tried[trial][0])[:2]:
        tried[trial].append(score(trial, SELECT[1]))
    twice = [trial for trial, scores in tried.items() if len(scores) > 1]
    chosen = min(twice, key=lambda trial: np.mean(tried[trial]))
    return chosen, {f"rate {t.lr}" + ("" if t.own is None else f", {t.own}"): s for t, s in tried.items()}


def contest(
    part: str, make: Callable[[Any], tuple[Any, Any]], batches: Callable, *, own: Any, budget: float, measure: Callable,
    loss: Callable, rates: Any = None,
) -> dict[str, Any]:  # fmt: skip
    """The best trial by ``loss(measured)``, and what it measures on the seeds of its part; a diverged run ends at its
    last finite state. ``make(own) -> (game, rule)``."""
    made = {setting: make(setting) for setting in own}

    def result(trial, seed):
        game, rule = made[trial.own]
        num_steps = mg.experiments.gradient_evaluations(budget)(game, rule, batches)
        hyper = Hyper(lr=Players(trial.lr, trial.lr))  # an argument of the loop: all rates share one compiled graph
        try:
            run, diverged = mg.train(game, rule, batches, num_steps=num_steps, seed=seed, players=game.init(seed),
                                     hyper=hyper, progress=False), 0  # fmt: skip
        except mg.Diverged as error:
            run, diverged = error.result, 1
        measured = measure(run.players, seeds.fold_in(seed, "measure"))
        values = {**{k: float(v) for k, v in measured.items()}, "diverged": diverged}
        return values, run.history, num_steps

    def score(trial, seed):
        values = result(trial, seed)[0]
        return 1e9 if values["diverged"] or not np.isfinite(loss(values)) else float(loss(values))

    if rates is None:
        chosen, tried = search(score, own)
    else:
        chosen, tried = _settled(score, {Trial(lr, None): [score(Trial(lr, None), SELECT[0])] for lr in rates})
    values, histories, steps = zip(*(result(chosen, seed) for seed in SEEDS[part]), strict=True)
    spent = mg.experiments.costs(histories[0])
    own_setting = {} if chosen.own is None else {"own": chosen.own}
    return own_setting | {
        "lr": chosen.lr, "tried": tried, "num_steps": steps[0],
        "gradients": spent["gradients"], "examples": spent["examples"],
        "seconds": [round(history.seconds, 2) for history in histories],
        "results": {metric: [run[metric] for run in values] for metric in values[0]},
    }  # fmt: skip


def net_rules(nets: tuple[Any, Any]) -> dict[str, Callable]:
    """name -> (own setting -> (game, rule)): every rule on the non-saturating GAN; competitive needs the minimax one,
    and R1 is what the rules compete with."""
    plain, minimax = mg.games.gan(*nets), mg.games.gan(*nets, loss=mg.losses.minimax())

    def on(game, name):
        return lambda own: (game, RULES[name](ADAM, ADAM, own))

    made = {name: on(plain, name) for name in RULES if name != "competitive"}
    made["competitive, minimax"] = on(minimax, "competitive")
    made["simultaneous, minimax"] = on(minimax, "simultaneous")

    def damped(weight):
        return mg.games.gan(*nets, penalty=mg.losses.r1(weight)), RULES["alternating"](ADAM, ADAM, None)

    return made | {"alternating, R1": damped}


def net_table(
    part: str, nets: tuple[Any, Any], batches: Callable, budget: float, quality: Callable, loss: Callable
) -> dict[str, Any]:
    """The contests on one data set: name -> the function that carries it out."""
    judge = mg.games.gan(*nets)  # one game's field for all contenders
    fixed = tf.concat([batches(seeds.make(s)) for s in range(4)], 0)

    def measure(players, seed):
        norm = trees.norm(mg.dynamics.field(judge, players, fixed, 1))
        return {"field": float(norm), **quality(judge, players, seed)}

    return {
        f"{part}: {name}": functools.partial(
            contest, part, make, batches, own=OWN.get(name.split(", minimax")[0], (None,)), budget=budget,
            measure=measure, loss=loss,
        )
        for name, make in net_rules(nets).items()
    }  # fmt: skip


def ring_quality(game: mg.games.Game, players: mg.games.Players, seed: Any) -> dict[str, Any]:
    """Energy distance and mode coverage of 2,500 samples."""
    return of_points(mg.sample(game, players, 2500, seed=seed))


def of_points(points: Any) -> dict[str, Any]:
    """Energy distance and mode coverage of some points."""
    if not np.isfinite(points).all():  # finite parameters that are about to overflow
        return {"energy_distance": np.inf, "modes20": 0, "high_quality": 0}
    coverage = mg.metrics.mode_coverage(points, mg.data.ring())
    distance = mg.metrics.energy_distance(tf.constant(points), mg.data.ring().sample(2500, 9))
    return {"energy_distance": distance, "modes20": coverage.modes20, "high_quality": coverage.high_quality}


def ring_nets() -> tuple[Any, Any]:
    """Generator and discriminator for the plane."""
    return mg.networks.mlp(16, (64, 64), 2), mg.networks.mlp(2, (64, 64), 1)


@functools.cache
def ring_table() -> dict[str, Any]:
    """The ring: 8 modes of standard deviation 0.02; the rate is chosen by the energy distance."""
    return net_table("ring", ring_nets(), mg.data.ring().batches(128), RING_BUDGET, ring_quality,
                     lambda m: m["energy_distance"])  # fmt: skip


def digits_nets() -> tuple[Any, Any]:
    """Generator and discriminator for 64 pixels in a row: dense layers, which compile in a fraction of the time."""
    return mg.networks.mlp(16, (64, 64), 64, output="tanh"), mg.networks.mlp(64, (64, 64), 1)


@functools.cache
def digits_table() -> dict[str, Any]:
    """8x8 digits: the classifier's score of 1,000 samples as a share of that of real test images."""

    def quality(game, players, seed):
        return of_images(mg.sample(game, players, 1000, seed=seed).reshape(-1, 8, 8, 1))

    batches = mg.data.batches(tf.reshape(mg.data.digits("train").images, [-1, 64]), 64)
    return net_table("digits", digits_nets(), batches, DIGITS_BUDGET, quality, lambda m: -m["share_of_real"])


def of_images(images: Any) -> dict[str, Any]:
    """The classifier's score of some images, as a share of that of real test images."""
    classifier = mg.metrics.classifier("digits")
    real = mg.metrics.classifier_score(mg.data.digits("test").images, classifier)
    return {"share_of_real": mg.metrics.classifier_score(images, classifier) / real}


def floors() -> dict[str, Any]:
    """Both games' metrics of samples that nothing was learned for, and of held-out real data."""
    ring, digits, rng = mg.data.ring(), np.asarray(mg.data.digits("train").images), np.random.default_rng(0)
    angle, radius = rng.uniform(0, 2 * np.pi, 2500), rng.normal(2.0, 0.2, 2500)
    points = mg.metrics.floors(np.asarray(ring.sample(2500, 10)), 2500)
    points["annulus"] = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    points["held-out real"] = np.asarray(ring.sample(2500, 11))
    made = {f"ring: {name}": of_points(x.astype(np.float32)) for name, x in points.items()}
    images = mg.metrics.floors(digits, 1000) | {"held-out real": np.asarray(mg.data.digits("test").images)}
    made |= {f"digits: {name}": of_images(x) for name, x in images.items()}
    return {name: {metric: float(value) for metric, value in row.items()} for name, row in made.items()}


@functools.cache
def optimizer_table() -> dict[str, Any]:
    """Optimizers under the alternating rule, on 512 fixed points: full batch against batches of 64."""
    points = mg.data.ring().sample(512, seeds.make(77))
    plain, heavy = mg.optimizers.sgd(1.0), functools.partial(mg.optimizers.momentum, 1.0)
    game, made = mg.games.gan(*ring_nets()), {}
    for name, optimizer, size in (
        ("full-batch GD", plain, 512), ("SGD", plain, 64), ("momentum +0.9", heavy(0.9), 64),
        ("momentum -0.5", heavy(-0.5), 64), ("RMSProp", mg.optimizers.rmsprop(1.0, decay=0.99), 64), ("Adam", ADAM, 64),
    ):  # fmt: skip
        batches = (lambda seed: points) if size == 512 else mg.data.batches(points, size)
        rule = mg.rules.alternating(optimizer, optimizer)
        made[f"optimizers: {name}"] = functools.partial(
            contest, "optimizers", lambda own, rule=rule: (game, rule), batches, own=(None,), rates=OPTIMIZER_RATES,
            budget=OPTIMIZER_BUDGET // size, measure=functools.partial(ring_quality, game),
            loss=lambda m: m["energy_distance"],
        )  # fmt: skip
    return made


PARTS = {"ring": ring_table, "digits": digits_table, "optimizers": optimizer_table}


def run(seed: int, part: str, name: str) -> dict[str, Any]:
    """One contest, whose settings are chosen on the seeds ``SELECT``."""
    return {"contest": PARTS[part]()[name]()}


def make() -> dict[str, Any]:
    """The record."""
    contests = {name: {"part": part, "name": name} for part, table in PARTS.items() for name in table()}
    made = mg.experiments.sweep(run, contests, SELECT[:1], folder=runs("rules_table"))
    found = {name: result["contest"][0] for name, result in made["results"].items()}
    config = {
        "search": __doc__, "select": list(SELECT), "seeds": {part: list(those) for part, those in SEEDS.items()},
        "rates": {"networks": RATES, "optimizers": OPTIMIZER_RATES}, "own": OWN,
        "budget": {"ring": RING_BUDGET, "digits": DIGITS_BUDGET, "optimizers": OPTIMIZER_BUDGET},
        "alpha": ALPHA, "iterations": REACTION_ITERATIONS,
        "chosen": {name: c["lr"] for name, c in found.items()},
        "chosen_own": {name: c["own"] for name, c in found.items() if "own" in c},
        "tried": {name: c["tried"] for name, c in found.items()},
    }  # fmt: skip
    record = {"name": "", "command": "", "config": config, "seeds": list(SEEDS["ring"]), "floors": floors()}
    fields = ("num_steps", "gradients", "examples", "seconds", "results")
    record |= {field: {name: c[field] for name, c in found.items()} for field in fields}
    return record | mg.experiments.provenance()
