"""Every rule on the ring and on 8x8 digits, at equal cost. (Notebook 08 has the games of two numbers in closed form.)

Cost is counted in gradients of a player's loss, a second-order product as two. All rules move by Adam with β = (0.5,
0.99). What is tuned is the rate, by a search that is the same for all contenders of a game, on seed 0 alone; what is
reported is from other seeds. A rule's own settings were fixed beforehand and are in ``config``. The networks and
budgets are small so that the whole record takes minutes: this is a comparison of rules, not the best that any of them
can do.

``optimizers`` compares, under the alternating rule on 512 fixed points of a ring, full-batch gradient descent with
stochastic ones, at equal numbers of *examples* times gradients.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import seeds, trees
from metagan_edu.games import Hyper, Players
from metagan_edu.studies import runs

SELECT, SEEDS = 0, (1, 2, 3)
RATES, RING_BUDGET, DIGITS_BUDGET = (3e-4, 1e-3, 3e-3), 4000, 2400
OPTIMIZER_RATES, OPTIMIZER_BUDGET = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1), 192_000
ADAM = mg.optimizers.adam(1.0, beta1=0.5, beta2=0.99)  # rates are a factor, of Hyper
R1, EVERY, ALPHA, NUM_UNROLL, GAMMA, STRENGTH, REACTION, ITERATIONS = 0.1, 5, 0.5, 5, 1.0, 1.0, 0.1, 2

# Rules of two optimizers.
RULES = {
    "simultaneous": lambda gen, disc: mg.rules.simultaneous(gen, disc),
    "alternating": lambda gen, disc: mg.rules.alternating(gen, disc),
    "extragradient": lambda gen, disc: mg.rules.extragradient(gen, disc),
    "optimistic": lambda gen, disc: mg.rules.optimistic(gen, disc),
    "consensus": lambda gen, disc: mg.rules.consensus(gen, disc, gamma=GAMMA),
    "symplectic": lambda gen, disc: mg.rules.symplectic(gen, disc, strength=STRENGTH),
    "competitive": lambda gen, disc: mg.rules.competitive(gen, disc, reaction=REACTION, num_iterations=ITERATIONS),
    "lookahead": lambda gen, disc: mg.rules.lookahead(mg.rules.simultaneous(gen, disc), every=EVERY, alpha=ALPHA),
    "unrolled": lambda gen, disc: mg.rules.unrolled(gen, disc, num_unroll=NUM_UNROLL),
}


def contest(
    game: mg.games.Game,
    rule: mg.rules.Rule,
    batches: Callable,
    *,
    rates: Any,
    budget: Any,
    measure: Callable,
    loss: Any,
    select: int,
) -> dict[str, Any]:
    """The best rate on seed ``select`` by ``loss(measured)``, and what it measures on ``SEEDS``; a diverged run ends at
    its last finite state."""
    num_steps = mg.experiments.gradient_evaluations(budget)(game, rule, batches)

    def result(lr, seed):
        hyper = Hyper(lr=Players(lr, lr))  # an argument of the loop: all rates share one compiled graph
        try:
            run, diverged = mg.train(game, rule, batches, num_steps=num_steps, seed=seed, players=game.init(seed),
                                     hyper=hyper, progress=False), 0  # fmt: skip
        except mg.Diverged as error:
            run, diverged = error.result, 1
        measured = measure(run.players, seeds.fold_in(seed, "measure"))
        return {**{k: float(v) for k, v in measured.items()}, "diverged": diverged}, round(run.history.seconds, 2)

    tried = {lr: result(lr, select)[0] for lr in rates}
    lr = min(rates, key=lambda lr: np.inf if tried[lr]["diverged"] else loss(tried[lr]))
    runs, times = zip(*(result(lr, seed) for seed in SEEDS), strict=True)
    results = {metric: [run[metric] for run in runs] for metric in runs[0]}
    return {"lr": lr, "num_steps": num_steps, "seconds": list(times), "results": results}


def net_rules(nets: tuple[Any, Any]) -> dict[str, Any]:
    """name -> (game, rule): every rule on the non-saturating GAN; competitive needs the minimax one, and R1 is what the
    rules compete with."""
    plain = mg.games.gan(*nets)
    minimax, damped = mg.games.gan(*nets, loss=mg.losses.minimax()), mg.games.gan(*nets, penalty=mg.losses.r1(R1))

    made = {name: (plain, make(ADAM, ADAM)) for name, make in RULES.items() if name != "competitive"}
    made["competitive, minimax"] = minimax, RULES["competitive"](ADAM, ADAM)
    made["simultaneous, minimax"] = minimax, RULES["simultaneous"](ADAM, ADAM)
    return made | {"alternating, R1": (damped, RULES["alternating"](ADAM, ADAM))}


def net_table(
    name: str, nets: tuple[Any, Any], batches: Callable, budget: Any, quality: Callable, loss: Any
) -> dict[str, Any]:
    """The contests on one data set: name -> the function of the selecting seed that carries it out."""
    judge = mg.games.gan(*nets)  # one game's field for all contenders
    fixed = tf.concat([batches(seeds.make(s)) for s in range(4)], 0)
    made = {}
    for rule_name, (game, rule) in net_rules(nets).items():

        def measure(players, seed, game=game):
            norm = trees.norm(mg.dynamics.field(judge, players, fixed, 1))
            return {"field": float(norm), **quality(game, players, seed)}

        made[f"{name}: {rule_name}"] = functools.partial(
            contest, game, rule, batches, rates=RATES, budget=budget, measure=measure, loss=loss
        )
    return made


def ring_quality(game: mg.games.Game, players: mg.games.Players, seed: Any) -> dict[str, Any]:
    """Energy distance and mode coverage of 2,500 samples."""
    points = mg.sample(game, players, 2500, seed=seed)
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
    train, test, classifier = mg.data.digits("train"), mg.data.digits("test"), mg.metrics.classifier("digits")
    ceiling = mg.metrics.classifier_score(test.images, classifier)

    def quality(game, players, seed):
        images = mg.sample(game, players, 1000, seed=seed).reshape(-1, 8, 8, 1)
        return {"share_of_real": mg.metrics.classifier_score(images, classifier) / ceiling}

    batches = mg.data.batches(tf.reshape(train.images, [-1, 64]), 64)
    return net_table("digits", digits_nets(), batches, DIGITS_BUDGET, quality, lambda m: -m["share_of_real"])


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
        made[f"optimizers: {name}"] = functools.partial(
            contest, game, mg.rules.alternating(optimizer, optimizer), batches, rates=OPTIMIZER_RATES,
            budget=OPTIMIZER_BUDGET // size, measure=functools.partial(ring_quality, game),
            loss=lambda m: m["energy_distance"],
        )  # fmt: skip
    return made


PARTS = {"ring": ring_table, "digits": digits_table, "optimizers": optimizer_table}


def run(seed: int, part: str, name: str) -> dict[str, Any]:
    """One contest, whose rate is chosen on ``seed``."""
    return {"contest": PARTS[part]()[name](select=seed)}


def make() -> dict[str, Any]:
    """The record."""
    contests = {name: {"part": part, "name": name} for part, table in PARTS.items() for name in table()}
    made = mg.experiments.sweep(run, contests, [SELECT], folder=runs("rules_table"))
    found = {name: result["contest"][0] for name, result in made["results"].items()}
    config = {
        "search": __doc__, "rates": {"networks": RATES, "optimizers": OPTIMIZER_RATES},
        "budget": {"ring": RING_BUDGET, "digits": DIGITS_BUDGET, "optimizers": OPTIMIZER_BUDGET},
        "r1": R1, "lookahead": [EVERY, ALPHA], "num_unroll": NUM_UNROLL, "gamma": GAMMA, "strength": STRENGTH,
        "reaction": REACTION, "iterations": ITERATIONS, "chosen": {name: c["lr"] for name, c in found.items()},
    }  # fmt: skip
    record = {"name": "", "command": "", "config": config, "seeds": list(SEEDS)}
    record |= {field: {name: c[field] for name, c in found.items()} for field in ("num_steps", "seconds", "results")}
    return record | mg.experiments.provenance()
