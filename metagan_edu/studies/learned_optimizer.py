"""A learned minimax optimizer on families of saddles, inside and outside its range, and on a GAN that it never saw.

Four are meta-trained (``LEARNED``) and kept beside this file: on seesaws (the per-parameter network, and the LSTM after
Shen et al. 2021), on 5x5 matrix games, and on these two and rotated saddles together. The range: a, b ~ U[0.9, 1];
entries Bernoulli(0.5) · U[-1, 1]; starts U[-0.5, 0.5]. Then all play the games of ``minimax_games``, which they have
not seen; that study plays them against hand-made rules, from the files that are kept: it is made again after this one.

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
from metagan_edu.games import saddles
from metagan_edu.studies import FOLDER, minimax_games, runs

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


# -- runs: a contender each


def rules(name: str, theta: Any, before: Any) -> dict[str, Any]:
    """The optimizer as rules: alone, with its safeguard and, for one, with the theta of before meta-training."""
    body = LEARNED[name][0]
    optimizer = mg.meta.minimax_optimizer(theta, body, gram=saddles.game_gram)
    safeguarded = mg.rules.safeguarded(optimizer, gram=saddles.game_gram, restart=mg.meta.restart)
    found = {"": mg.rules.jointly(optimizer), ", safeguarded": safeguarded}
    if name == UNTRAINED:
        untrained = mg.meta.minimax_optimizer(before, body, gram=saddles.game_gram)
        found[", before meta-training"] = mg.rules.jointly(untrained)
    return found


def learn(seed: int, name: str) -> dict[str, Any]:
    """Meta-train from a seed, on windows of runs, for the mean over steps and games of the field's log norm: the leaves
    of theta, the seconds and the loss along the way; and what it does alone, and with its safeguard."""
    (_, (_, tasks), games, run, window, num_steps), optimizers = LEARNED[name], mg.optimizers
    adam, began = optimizers.adam(optimizers.cosine_decay(META_LR, num_steps), beta1=0.9, beta2=0.99), time.monotonic()
    result = mg.meta.meta_train(
        learner(name), tasks(games=games), outer=mg.meta.log_field_norm(),
        estimator=mg.meta.truncated_backprop(run, segment=window), num_steps=num_steps, seed=seed,
        tasks_per_step=TASKS, meta_optimizer=optimizers.chain(optimizers.clip_by_global_norm(1.0), adam),
        progress=False, jit=True,  # a thousand tiny operations per step: XLA makes one of many, also on a CPU
    )  # fmt: skip
    seconds = round(time.monotonic() - began)
    losses = [round(float(part.mean()), 2) for part in np.array_split(result.history.scalars["outer_loss"], 10)]

    before = learner(name).init(seeds.fold_in(seeds.make(seed), "theta"))
    played = {
        suffix: minimax_games.test(minimax_games.player(lambda lr, rule=rule: rule), (1.0, 1.0, 1.0))
        for suffix, rule in rules(name, result.theta, before).items()
    }
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


def make() -> dict[str, Any]:
    """The record, and beside it the files of what was learned from the first seed."""
    folder, sweep = runs("learned_optimizer"), mg.experiments.sweep
    learned = sweep(learn, {name: {"name": name} for name in LEARNED}, META_SEEDS, folder=folder / "learned")
    played = {
        name + suffix: [run[suffix] for run in found["played"]]
        for suffix in ("", ", safeguarded", ", before meta-training")
        for name, found in learned["results"].items()
        if suffix in found["played"][0]
    }
    spent = {name: keep(name, found, learned["seconds"][name][0]) for name, found in learned["results"].items()}
    on_the_ring, chosen = gan({name: learned["results"][name]["theta"][0] for name in RING_LEARNED})

    of_each = "games", "run", "window", "meta_steps"
    meta = {name: dict(zip(of_each, how[2:], strict=True)) for name, how in LEARNED.items()}
    config = {"meta": meta | {"lr": META_LR, "tasks_per_step": TASKS, "seeds": META_SEEDS}}
    return {
        "seeds": list(minimax_games.SEEDS), "num_steps": dict.fromkeys(played, minimax_games.LIMIT), "config": config,
        **{field: learned[field] for field in ("seconds", "peak_memory_gb")},
        "results": {name: means(those, 0) for name, those in played.items()},
        "by_seed": {name: means(those, 1) for name, those in played.items()},
        "chosen": {"gan": chosen}, "meta_training": spent, "gan": on_the_ring, **mg.experiments.provenance(),
    }  # fmt: skip
