"""A learned minimax optimizer on families of saddles, inside and outside its range, and on a GAN that it never saw.

Four are meta-trained (``LEARNED``) and kept beside this file: on seesaws (the per-parameter network, and the LSTM after
Shen et al. 2021), on 5x5 matrix games, and on these two and rotated saddles together. The range: a, b ~ U[0.9, 1];
entries Bernoulli(0.5) · U[-1, 1]; starts U[-0.5, 0.5]. Then all play games that they have not seen: 5 seeds x 64 games
of each family, non-singular matrices only (smallest singular value at least 1e-3), in three settings: inside the range,
with larger coefficients, and from larger starts. Each also plays the families that it was not trained on.

Score: the first step at which the norm of the field is at most 1e-3; a game in which that takes more than ``LIMIT``
steps counts as ``LIMIT``. A game has *diverged* where the norm at the end is ten times that at the start or more, or
not finite.

Hand-made rules: simultaneous and alternating gradient descent, positive and negative momentum, RMSProp, Adam, optimism,
and extragradient. Each may choose its rate and momentum *for each family by itself* on 64 validation games inside the
range (``RATES``, ``variants``), by the mean number of steps; a learned one has nothing to choose. A step of
extragradient takes four gradients, of every other contender two (one of each player).

``results[contender]["seesaws, inside: steps"]`` and so on hold one value per seed: the median number of steps;
``solved`` and ``diverged`` are shares of the games. ``chosen`` says what tuning took. ``gan`` holds the
runs on the ring (2x64 networks, non-saturating loss, batch 128): Adam and SGD by turns, rates tuned on seeds 0 and 1,
and two of the learned optimizers as they are, on seeds 5 to 7: energy distance of 2,000 samples, and modes, after 250
and 1,000 steps. ``meta_training`` says what learning took; its seconds, and all others here, are of a machine that was
busy with other work. What is learned from several seeds of meta-training is averaged over them, one value per seed of
the games still; the first is what is kept, and what plays on the ring.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import seeds, trees
from metagan_edu.games import Hyper, Player, Players, saddles
from metagan_edu.studies import FOLDER, runs
from metagan_edu.studies.hand_made import variants

MLP, LSTM = mg.meta.coordinatewise.mlp(32), mg.meta.coordinatewise.lstm(20)
SEESAWS, MATRICES = (saddles.seesaw, saddles.scalar_tasks), (saddles.matrix_game, saddles.matrix_tasks)
# network; games and tasks; how many side by side; steps of a run, and of the window of it that is differentiated;
# meta-steps
LEARNED = {
    "learned on seesaws": (MLP, SEESAWS, 96, 30, 10, 4000),
    "learned on seesaws (LSTM)": (LSTM, SEESAWS, 96, 30, 10, 4000),
    "learned on matrix games": (MLP, MATRICES, 64, 120, 20, 1500),
    "learned on all three": (MLP, (saddles.mixed, saddles.mixed_tasks), 96, 120, 20, 1200),
}
META_SEEDS, TASKS, META_LR = (0,), 2, 3e-3
UNTRAINED = "learned on all three"  # plays before meta-training, too: what that adds

FAMILIES = ("rotated saddles", "seesaws", "matrix games")
SETTINGS = {  # (coefficients a and b, scale of matrices, starts)
    "inside": (0.9, 1.0, 1.0, 0.5), "larger coefficients": (1.0, 3.0, 3.0, 0.5), "larger starts": (0.9, 1.0, 1.0, 2.0),
}  # fmt: skip
SEEDS, VALIDATION = (11, 12, 13, 14, 15), 5
GAMES, LIMIT, TOLERANCE = 64, 300, 1e-3
# As many rates as settings x seeds, so that tuning and testing run in one compiled function.
RATES = (0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


def saved(name: str) -> Path:
    """The file of what was learned."""
    words = name.replace("(", "").replace(")", "").split()[2:]
    return FOLDER / f"learned_optimizer_{'_'.join(words).lower()}.safetensors"


def learner(name: str) -> mg.meta.MetaLearner:
    """The learner of a contender, on games of its family side by side."""
    body, (game, _), games, *_ = LEARNED[name]
    return mg.meta.learned_optimizer(game(games=games), body=body, gram=saddles.game_gram)


def keep(name: str, found: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Write what was learned from the first seed beside this file; what that took."""
    _, _, games, _, window, num_steps = LEARNED[name]
    theta = [np.array(leaf, np.float32) for leaf in found["theta"][0]]
    spent = {"seconds": seconds, "meta_steps": num_steps, "loss": found["loss"][0],
             "game_steps": num_steps * TASKS * window * games, "numbers": sum(x.size for x in theta)}  # fmt: skip
    made = {"command": "make records ONLY=learned_optimizer", "what": name, "seed": META_SEEDS[0], **spent}
    mg.meta.save_theta(saved(name), theta, made | mg.experiments.provenance())
    return spent


# -- playing


def draw(setting: Any, seed: Any) -> tuple[Any, Any]:
    """Starts and coefficients of ``GAMES`` games of each family."""
    low, high, scale, start = SETTINGS[setting]
    tasks = saddles.mixed_tasks(games=3 * GAMES, low=low, high=high, scale=scale, least=1e-3)
    players = saddles.mixed(games=3 * GAMES, start=start).init(seeds.fold_in(seeds.make(seed), "start"))
    return [player.params for player in players], tasks(seeds.fold_in(seeds.make(seed), "task")).support


def _side_by_side(draws):
    """Draws one below the other: starts (2 tensors) and coefficients."""
    starts, coefficients = zip(*draws, strict=True)
    return [tf.concat(x, 0) for x in zip(*starts, strict=True)], tf.concat(coefficients, 0)


def player(of_rate: Callable) -> Callable:
    """``(starts, coefficients, rates) -> (steps, share of the norm that is left at the end)`` for each game."""
    game = saddles.mixed(games=len(RATES) * 3 * GAMES)

    @tf.function(autograph=False)
    def run(starts, coefficients, lr):
        rule = of_rate(lr)
        players = Players(*(Player(x) for x in starts))
        first = mg.dynamics.field_norm(game, players, coefficients, gram=saddles.game_gram)

        def step(i, steps, norm, state):
            state, _ = rule.step(game, state, lambda seed: coefficients, seeds.make(0), Hyper())
            norm = mg.dynamics.field_norm(game, rule.view(state), coefficients, gram=saddles.game_gram)
            new = (steps == LIMIT) & (norm <= TOLERANCE)
            return i + 1, tf.where(new, i + 1, steps), norm, state

        start = tf.constant(0), tf.fill([first.shape[0]], LIMIT), first, rule.init(game, players)
        _, steps, norm, _ = tf.while_loop(lambda i, *_: i < LIMIT, step, start)
        return steps, norm / first

    return run


def tune(of_rate: Callable, seed: int) -> tuple[Any, Any, Any]:
    """The best rate for each family, and the mean number of steps with it: ``(run, rates (3,), steps (3,))``."""
    run = player(of_rate)
    starts, coefficients = _side_by_side([draw("inside", seed)] * len(RATES))
    lr = tf.constant(np.repeat(RATES, 3 * GAMES)[:, None], tf.float32)
    steps, _ = run(starts, coefficients, lr)
    mean = steps.numpy().reshape(len(RATES), GAMES, 3).mean(1)
    return run, np.array(RATES)[mean.argmin(0)], mean.min(0)


def test(run: Callable, rates: Any) -> dict[str, Any]:
    """Steps, and the shares of games solved and diverged, by family and setting: lists with one value per seed."""
    places = [(setting, seed) for setting in SETTINGS for seed in SEEDS]
    starts, coefficients = _side_by_side([draw(*place) for place in places])
    lr = tf.constant(np.tile(rates, len(places) * GAMES)[:, None], tf.float32)
    steps, left = (x.numpy().reshape(len(SETTINGS), len(SEEDS), GAMES, 3) for x in run(starts, coefficients, lr))
    diverged, found = ~(left <= 10), {}
    for i, setting in enumerate(SETTINGS):
        for j, family in enumerate(FAMILIES):
            found[f"{family}, {setting}: steps"] = np.median(steps[i, :, :, j], 1).tolist()
            found[f"{family}, {setting}: solved"] = (steps[i, :, :, j] < LIMIT).mean(1).tolist()
            found[f"{family}, {setting}: diverged"] = diverged[i, :, :, j].mean(1).tolist()
    return found


# -- runs: a contender each


def by_hand(seed: int, name: str) -> dict[str, Any]:
    """A hand-made contender with the best variant and rate for each family on validation games of a seed: what it does,
    and what these are, the variant as its number."""
    tuned = [tune(of_rate, seed) for of_rate in variants()[name].values()]
    best = [min(range(len(tuned)), key=lambda i, j=j: tuned[i][2][j]) for j in range(len(FAMILIES))]
    tested = {i: test(*tuned[i][:2]) for i in dict.fromkeys(best)}
    played, chosen = {}, {}
    for j, (family, i) in enumerate(zip(FAMILIES, best, strict=True)):
        _, rates, steps = tuned[i]
        chosen[family] = {"rate": rates[j], "variant": i, "mean_steps": steps[j]}
        played |= {key: value for key, value in tested[i].items() if key.startswith(family)}
    return {"played": played, "chosen": chosen}


def learn(seed: int, name: str) -> dict[str, Any]:
    """Meta-train from a seed, on windows of runs, for the mean over steps and games of the field's log norm: the leaves
    of theta, the seconds and the loss along the way; and what it does alone, and with its safeguard."""
    (body, (_, tasks), games, run, window, num_steps), optimizers = LEARNED[name], mg.optimizers
    adam, began = optimizers.adam(optimizers.cosine_decay(META_LR, num_steps), beta1=0.9, beta2=0.99), time.monotonic()
    result = mg.meta.meta_train(
        learner(name), tasks(games=games), outer=mg.meta.log_field_norm(),
        estimator=mg.meta.truncated_backprop(run, segment=window), num_steps=num_steps, seed=seed,
        tasks_per_step=TASKS, meta_optimizer=optimizers.chain(optimizers.clip_by_global_norm(1.0), adam),
        progress=False, jit=True,  # a thousand tiny operations per step: XLA makes one of many, also on a CPU
    )  # fmt: skip
    seconds = round(time.monotonic() - began)
    losses = [round(float(part.mean()), 2) for part in np.array_split(result.history.scalars["outer_loss"], 10)]

    optimizer = mg.meta.minimax_optimizer(result.theta, body, gram=saddles.game_gram)
    safeguarded = mg.rules.safeguarded(optimizer, gram=saddles.game_gram, restart=mg.meta.restart)
    rules = {"": mg.rules.jointly(optimizer), ", safeguarded": safeguarded}
    if name == UNTRAINED:
        before = learner(name).init(seeds.fold_in(seeds.make(seed), "theta"))
        optimizer = mg.meta.minimax_optimizer(before, body, gram=saddles.game_gram)
        rules[", before meta-training"] = mg.rules.jointly(optimizer)
    played = {suffix: test(player(lambda lr, rule=rule: rule), (1.0, 1.0, 1.0)) for suffix, rule in rules.items()}
    return {"seconds": seconds, "theta": trees.leaves(result.theta), "loss": losses, "played": played}


# -- a GAN that none of them was learned on

RING_SEEDS, RING_TUNING, RING_STEPS = (5, 6, 7), (0, 1), 1000
OVERFLOW = 1e9  # the distance of samples that are too large for it to be computed
RING_RATES = {"Adam": (3e-4, 1e-3, 3e-3, 1e-2), "SGD": (0.01, 0.03, 0.1, 0.3)}
RING_LEARNED = ("learned on matrix games", "learned on all three")


@functools.cache
def ring_game() -> tuple[mg.games.Game, Callable]:
    """The GAN and its batches, made once, so that a rule is compiled once for all seeds."""
    networks = mg.networks
    return mg.games.gan(networks.mlp(16, (64, 64), 2), networks.mlp(2, (64, 64), 1)), mg.data.ring().batches(128)


def ring(seed: int, name: str, tuned: Any) -> dict[str, Any]:
    """What a run on the ring reached after 250 and 1,000 steps, whether it stayed finite, and its seconds. ``tuned``:
    the rate of Adam or SGD, the leaves of the theta of a learned optimizer."""
    (game, batches), mixture = ring_game(), mg.data.ring()
    if name in RING_RATES:
        optimizer = {"Adam": mg.optimizers.adam, "SGD": mg.optimizers.sgd}[name](tuned)
        rule = mg.rules.alternating(optimizer, optimizer)
    else:
        theta = trees.like(learner(name).init(0), [tf.constant(leaf) for leaf in tuned])
        rule = mg.rules.jointly(mg.meta.minimax_optimizer(theta, LEARNED[name][0]))
    real = mixture.sample(2000, 1)

    def measure(step, players):
        made = mg.sample(game, players, 2000, seed=1)
        distance = float(mg.metrics.energy_distance(tf.constant(made), real))
        return {
            "distance": distance if np.isfinite(distance) else OVERFLOW,
            "modes": mg.metrics.mode_coverage(made, mixture).modes,
        }

    try:
        result, finite = mg.train(game, rule, batches, num_steps=RING_STEPS, seed=seed, progress=False,
                                  hooks=[mg.every(250, measure)]), True  # fmt: skip
        at = result.history.metrics
    except mg.Diverged as error:
        result, finite = error.result, False
        last = measure(0, result.players)
        at = {key: (None, [last[key]]) for key in last}
    found = {f"{key}, {when} steps": float(at[key][1][i]) for key in at for i, when in ((0, 250), (-1, 1000))}
    return found | {"diverged": int(not finite), "seconds": round(result.history.seconds, 1)}


def gan(thetas: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """All contenders on the ring: name -> metric -> one value per seed; and the rates that were chosen."""
    folder, chosen, settings = runs("learned_optimizer"), {}, {}
    rates = {f"{name}, {lr}": {"name": name, "tuned": lr} for name, those in RING_RATES.items() for lr in those}
    tried = mg.experiments.sweep(ring, rates, RING_TUNING, folder=folder / "ring, rates")["results"]
    for name, those in RING_RATES.items():
        score = {lr: np.mean(tried[f"{name}, {lr}"]["distance, 1000 steps"]) for lr in those}
        chosen[name] = {"rate": min(score, key=score.get), "distances": {str(lr): score[lr] for lr in those}}
        settings[f"{name}, alternating, tuned"] = {"name": name, "tuned": chosen[name]["rate"]}
    settings |= {name: {"name": name, "tuned": theta} for name, theta in thetas.items()}
    made = mg.experiments.sweep(ring, settings, RING_SEEDS, folder=folder / "ring")
    return {name: found | {"seconds": made["seconds"][name]} for name, found in made["results"].items()}, chosen


# -- the record


def means(played: list[dict[str, Any]], axis: int) -> dict[str, list[float]]:
    """Of what runs of a contender played, metric by metric: the means over the runs (axis 0), or over the games."""
    return {key: np.mean([run[key] for run in played], axis).tolist() for key in played[0]}


def entry(name: str, played: list[dict[str, Any]]) -> dict[str, list[float]]:
    """What a contender did, one value per seed of the games."""
    results = means(played, 0) | {"gradients per step": [4.0 if name == "extragradient" else 2.0] * len(SEEDS)}
    inside = [value for key, value in results.items() if key.endswith("inside: diverged")]
    return results | {"diverged": [int(share > 0) for share in np.max(inside, 0)]}


def make() -> dict[str, Any]:
    """The record, and beside it the files of what was learned from the first seed."""
    folder, sweep = runs("learned_optimizer"), mg.experiments.sweep
    hand = sweep(by_hand, {name: {"name": name} for name in variants()}, [VALIDATION], folder=folder / "by hand")
    learned = sweep(learn, {name: {"name": name} for name in LEARNED}, META_SEEDS, folder=folder / "learned")
    played, chosen = {}, {}
    for name, found in hand["results"].items():
        played[name], (chosen[name],) = found["played"], found["chosen"]
        for best in chosen[name].values():
            best["variant"] = list(variants()[name])[best["variant"]]
    for suffix in ("", ", safeguarded", ", before meta-training"):
        for name, found in learned["results"].items():
            if suffix in found["played"][0]:
                played[name + suffix] = [run[suffix] for run in found["played"]]
    spent = {name: keep(name, found, learned["seconds"][name][0]) for name, found in learned["results"].items()}
    on_the_ring, chosen["gan"] = gan({name: learned["results"][name]["theta"][0] for name in RING_LEARNED})

    of_each = "games", "run", "window", "meta_steps"
    meta = {name: dict(zip(of_each, how[2:], strict=True)) for name, how in LEARNED.items()}
    config = {"games": GAMES, "limit": LIMIT, "tolerance": TOLERANCE, "rates": RATES, "settings": SETTINGS,
              "meta": meta | {"lr": META_LR, "tasks_per_step": TASKS, "seeds": META_SEEDS}}  # fmt: skip
    return {
        "seeds": list(SEEDS), "num_steps": dict.fromkeys(played, LIMIT), "config": config,
        **{field: hand[field] | learned[field] for field in ("seconds", "peak_memory_gb")},
        "results": {name: entry(name, those) for name, those in played.items()},
        "by_seed": {name: means(those, 1) for name, those in played.items()},
        "chosen": chosen, "meta_training": spent, "gan": on_the_ring, **mg.experiments.provenance(),
    }  # fmt: skip
