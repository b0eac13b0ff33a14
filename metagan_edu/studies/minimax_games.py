"""Games of a few numbers, played by hand-made rules, by acceleration with memory and by the learned optimizers.

The families are those of ``learned_optimizer``: rotated saddles, seesaws and 5x5 matrix games (``WORLDS["families"]``).
The range: a, b ~ U[0.9, 1]; entries Bernoulli(0.5) · U[-1, 1]; starts U[-0.5, 0.5]. All play games that none has seen,
10 seeds x 64 of each family, non-singular matrices only (smallest singular value at least 1e-3), in three settings:
inside the range, with larger coefficients, from larger starts. Two more worlds, inside the range alone: matrix games of
20x20, forty numbers; and 5x5 ones in a *noisy* field, a normal number of standard deviation ``noise`` added to each
entry of each gradient.

Cost is counted in *plain steps*, of two gradients: a step of extragradient is two of them. Score: the cost until the
norm of the field is at most 1e-3; a game that takes more than ``LIMIT`` counts as ``LIMIT``. ``left``: the norm after
``LIMIT`` plain steps as a share of that at the start, the median game's. A game has *diverged* where that is ten or
more, or not finite.

Hand-made rules (``hand_made.variants``) choose among 15 rates (``RATES``) and at most three settings of their own *for
each family by themselves*, on 64 validation games inside the range, by the mean cost, and where that ties by the mean
logarithm of what is left; a learned one has nothing to choose. ``chosen`` says what tuning took; the best by hand of a
family is that with the best score there, before any game of the table is played.

The learned ones are as they are kept beside this file, from one seed of meta-training each; nothing is trained here.
``results[contender]["seesaws, inside: steps"]`` and so on have one value per seed: the median cost; ``solved`` and
``diverged`` are shares of the games.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import seeds
from metagan_edu.games import Game, Hyper, Player, Players, saddles
from metagan_edu.studies import hand_made, runs

FAMILIES = ("rotated saddles", "seesaws", "matrix games")
SETTINGS = {  # (coefficients a and b, scale of matrices, starts)
    "inside": (0.9, 1.0, 1.0, 0.5), "larger coefficients": (1.0, 3.0, 3.0, 0.5), "larger starts": (0.9, 1.0, 1.0, 2.0),
}  # fmt: skip
SEEDS, VALIDATION = tuple(range(11, 21)), 5
GAMES, LIMIT, TOLERANCE = 64, 300, 1e-3
# As many rates as games are played side by side of each draw, so that tuning and testing run in one compiled function.
RATES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0)


class World(NamedTuple):
    """Games that are played: of these families, with matrices of this size, in these settings, with this noise."""

    families: tuple[str, ...] = ("matrix games",)
    size: int = 5
    settings: tuple[str, ...] = ("inside",)
    noise: float = 0.0


WORLDS = {"families": World(FAMILIES, settings=tuple(SETTINGS)), "20x20": World(size=20), "noisy": World(noise=0.01)}


def draw(world: World, setting: str, seed: int) -> tuple[Any, Any]:
    """Starts and coefficients of ``GAMES`` games of each family of a world."""
    low, high, scale, start = SETTINGS[setting]
    count, matrices = len(world.families) * GAMES, {"size": world.size, "scale": scale, "least": 1e-3}
    if len(world.families) > 1:
        tasks = saddles.mixed_tasks(games=count, low=low, high=high, **matrices)
    else:
        tasks = saddles.matrix_tasks(games=count, **matrices)
    players = family(world)(games=count, size=world.size, start=start).init(seeds.fold_in(seeds.make(seed), "start"))
    return [player.params for player in players], tasks(seeds.fold_in(seeds.make(seed), "task")).support


def family(world: World) -> Callable[..., Game]:
    """The maker of a world's game."""
    return saddles.mixed if len(world.families) > 1 else saddles.matrix_game


def noisy(game: Game, deviation: float) -> Game:
    """The game with a normal number added to each entry of each gradient, drawn anew in each step."""
    if not deviation:
        return game

    def with_noise(loss, who):
        def noisy_loss(players, batch, seed, hyper):
            value, states = loss(players, batch, seed, hyper)
            params = getattr(players, who).params
            noise = deviation * seeds.normal(params.shape, seeds.fold_in(seed, who))
            return value + tf.reduce_sum(noise * params), states

        return noisy_loss

    return game._replace(gen_loss=with_noise(game.gen_loss, "gen"), disc_loss=with_noise(game.disc_loss, "disc"))


def _side_by_side(draws):
    """Draws one below the other: starts (2 tensors) and coefficients."""
    starts, coefficients = zip(*draws, strict=True)
    return [tf.concat(x, 0) for x in zip(*starts, strict=True)], tf.concat(coefficients, 0)


def price(rule: mg.rules.Rule) -> float:
    """What a step costs, in plain steps."""
    game = saddles.matrix_game()
    _, info = rule.step(game, rule.init(game, game.init(0)), lambda seed: tf.zeros([1, 5, 5]), seeds.make(0), Hyper())
    return float(info.cost.gradients) / 2


def player(of_rate: Callable, world: World = WORLDS["families"]) -> Callable:
    """``(starts, coefficients, rates) -> (cost in plain steps, share of the norm that is left at the end)`` for each
    of ``len(RATES)`` draws' games."""
    exact = family(world)(games=len(RATES) * len(world.families) * GAMES, size=world.size)
    game, each = noisy(exact, world.noise), price(of_rate(0.1))
    most = int(LIMIT // each)

    @tf.function(autograph=False)
    def run(starts, coefficients, lr):
        rule = of_rate(lr)
        players = Players(*(Player(x) for x in starts))
        first = mg.dynamics.field_norm(exact, players, coefficients, gram=saddles.game_gram)

        def step(i, steps, norm, state):
            state, _ = rule.step(game, state, lambda seed: coefficients, seeds.fold_in(seeds.make(0), i), Hyper())
            norm = mg.dynamics.field_norm(exact, rule.view(state), coefficients, gram=saddles.game_gram)
            new = (steps == most) & (norm <= TOLERANCE)
            return i + 1, tf.where(new, i + 1, steps), norm, state

        start = tf.constant(0), tf.fill([first.shape[0]], most), first, rule.init(game, players)
        _, steps, norm, _ = tf.while_loop(lambda i, *_: i < most, step, start)
        return tf.where(steps < most, each * tf.cast(steps, tf.float32), float(LIMIT)), norm / first

    return run


def tune(of_rate: Callable, seed: int, world: World) -> tuple[Callable, Any, Any]:
    """The best rate for each family, and the score with it: ``(run, rates, scores)``."""
    run, kinds = player(of_rate, world), len(world.families)
    starts, coefficients = _side_by_side([draw(world, "inside", seed)] * len(RATES))
    lr = tf.constant(np.repeat(RATES, kinds * GAMES)[:, None], tf.float32)
    cost, left = (x.numpy().reshape(len(RATES), GAMES, kinds) for x in run(starts, coefficients, lr))
    left = np.clip(np.nan_to_num(left, nan=1e9), 1e-9, 1e9)
    score = cost.mean(1) + 0.01 * np.log10(left).mean(1)  # what is left decides between equal costs
    return run, np.array(RATES)[score.argmin(0)], score.min(0)


def test(run: Callable, rates: Any, world: World = WORLDS["families"], tested: Any = SEEDS) -> dict[str, Any]:
    """Cost, what is left, and the shares of games solved and diverged, by family and setting: one value per seed."""
    places, kinds, parts = [(setting, seed) for setting in world.settings for seed in tested], len(world.families), []
    for i in range(0, len(places), len(RATES)):
        some = (places[i : i + len(RATES)] * len(RATES))[: len(RATES)]  # filled up with what was there
        starts, coefficients = _side_by_side([draw(world, *place) for place in some])
        lr = tf.constant(np.tile(rates, len(some) * GAMES)[:, None], tf.float32)
        parts.append([x.numpy().reshape(len(some), GAMES, kinds) for x in run(starts, coefficients, lr)])
    cost, left = (np.concatenate(x)[: len(places)] for x in zip(*parts, strict=True))
    shape, found = (len(world.settings), len(tested), GAMES, kinds), {}
    cost, left = cost.reshape(shape), np.nan_to_num(left, nan=np.inf).reshape(shape)
    for i, setting in enumerate(world.settings):
        for j, name in enumerate(world.families):
            at = f"{name}, {setting}: "
            found[at + "steps"] = np.median(cost[i, :, :, j], 1).tolist()
            found[at + "solved"] = (cost[i, :, :, j] < LIMIT).mean(1).tolist()
            found[at + "diverged"] = (left[i, :, :, j] > 10).mean(1).tolist()
            found[at + "left"] = np.minimum(np.median(left[i, :, :, j], 1), 1e9).tolist()
    return found


# -- runs: a contender each, in a world


def by_hand(seed: int, name: str, world: str) -> dict[str, Any]:
    """A hand-made contender with the best variant and rate for each family on validation games of a seed: what it does,
    and what these are, the variant as its number."""
    where, makers = WORLDS[world], contenders(world)[name]
    tuned = [tune(of_rate, seed, where) for of_rate in makers.values()]
    best = [min(range(len(tuned)), key=lambda i, j=j: tuned[i][2][j]) for j in range(len(where.families))]
    tested = {i: test(*tuned[i][:2], where) for i in dict.fromkeys(best)}
    played, chosen = {}, {}
    for j, (of_family, i) in enumerate(zip(where.families, best, strict=True)):
        _, rates, scores = tuned[i]
        gradients = 2 * price(list(makers.values())[i](0.1))
        chosen[of_family] = {"rate": rates[j], "variant": i, "score": scores[j], "gradients": gradients}
        played |= {key: value for key, value in tested[i].items() if key.startswith(of_family)}
    return {"played": played, "chosen": chosen}


def contenders(world: str) -> dict[str, Any]:
    """The hand-made ones of a world; among 20x20 games also one whose memory holds all forty numbers."""
    longer = {hand_made.accelerated(40): hand_made.accelerations(40)} if world == "20x20" else {}
    return hand_made.variants() | longer


def learned(seed: int, name: str, digest: str, world: str) -> dict[str, Any]:
    """What a learned optimizer that is kept does in a world: alone, with its safeguard, and as it was before
    meta-training. ``digest``: of its file, so that another one is played anew."""
    from metagan_edu.studies import learned_optimizer as study

    where, learner = WORLDS[world], study.learner(name)
    before = learner.init(seeds.fold_in(seeds.make(seed), "theta"))
    theta = mg.meta.load_theta(study.saved(name), before)[0]
    rules = study.rules(name, theta, before)
    rates = (1.0,) * len(where.families)
    return {"played": {end: test(player(lambda lr, rule=rule: rule, where), rates, where)
                       for end, rule in rules.items()}}  # fmt: skip


# -- the record


def make() -> dict[str, Any]:
    """The record: the families, and under ``worlds`` the larger and the noisy games, in the same form."""
    import hashlib

    from metagan_edu.studies import learned_optimizer as study

    found = {}
    files = {name: hashlib.sha256(study.saved(name).read_bytes()).hexdigest() for name in study.LEARNED}
    for world in WORLDS:
        folder, sweep = runs("minimax_games"), mg.experiments.sweep
        hand = sweep(by_hand, {name: {"name": name, "world": world} for name in contenders(world)}, [VALIDATION],
                     folder=folder / f"{world}, by hand")  # fmt: skip
        machines = {name: {"name": name, "digest": digest, "world": world} for name, digest in files.items()}
        machine = sweep(learned, machines, study.META_SEEDS[:1], folder=folder / f"{world}, learned")
        results, chosen = {}, {}
        for name, one in hand["results"].items():
            results[name], (chosen[name],) = one["played"][0], one["chosen"]
            for best in chosen[name].values():
                best["variant"] = list(contenders(world)[name])[best["variant"]]
        for end in ("", ", safeguarded", ", before meta-training"):
            for name, one in machine["results"].items():
                if end in one["played"][0]:
                    results[name + end] = one["played"][0][end]
        seconds = hand["seconds"] | machine["seconds"]
        found[world] = {"results": results, "chosen": chosen, "seconds": seconds}
    config = {"games": GAMES, "limit": LIMIT, "tolerance": TOLERANCE, "rates": RATES, "settings": SETTINGS,
              "worlds": {name: world._asdict() for name, world in WORLDS.items()}, "validation": VALIDATION,
              "learned": "as kept beside this file, not trained anew", "files": files}  # fmt: skip
    families = found.pop("families")
    return {"seeds": list(SEEDS), "config": config, "num_steps": dict.fromkeys(families["results"], LIMIT),
            **families, "worlds": found, **mg.experiments.provenance()}  # fmt: skip
