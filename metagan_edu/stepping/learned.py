"""What was learned for the shapes, kept beside this file: where both players start, and a factor on each tensor's rate.

``python -m metagan_edu.stepping.learn`` makes both again.
"""

from __future__ import annotations

import pathlib

from .. import meta, seeds
from ..games import Game, Players
from ..rules import Rule

FOLDER = pathlib.Path(__file__).parent
START, RATES = FOLDER / "start.safetensors", FOLDER / "rates.safetensors"


def start(game: Game, players: Players) -> Players:
    """The players at the start that was learned, in the game of the shapes."""
    params = Players(*(player.params for player in players))
    theta, _ = meta.load_theta(START, params)
    return Players(*(player._replace(params=own) for player, own in zip(players, theta, strict=True)))


def rates(game: Game, rule: Rule) -> Rule:
    """``rule`` with the learned factors on the rates."""
    learner = learner_of_rates(game, rule)
    return learner.rule(meta.load_theta(RATES, learner.init(seeds.make(0)))[0])


def learner_of_rates(game: Game, rule: Rule) -> meta.MetaLearner:
    """The learner whose theta is the logarithm of a factor for each tensor's rate, from 1."""
    return meta.meta_sgd(game, lr=1.0, of=(), rule=rule, batches=meta.drawn(64))
