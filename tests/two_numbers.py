"""Games of two numbers as the page's script has them (`notebooks/_static/two_numbers.js`): settings, and the package's
paths and eigenvalues for each, in float64."""

import itertools

import numpy as np
import tensorflow as tf

import metagan_edu as mg

PLAIN = {
    "game": "dirac", "loss": "non_saturating", "rule": "simultaneous", "r1": 0.0, "momentum": 0.0, "rates": [0.2, 0.3],
    "start": [0.9, -0.7], "discSteps": 1, "numUnroll": 2, "gamma": 0.3, "steps": 8,
}  # fmt: skip
LOSSES = ("minimax", "non_saturating", "least_squares", "hinge", "wasserstein")
RULES = ("simultaneous", "alternating", "unrolled", "optimistic", "extragradient", "consensus")
# Every rule on three games, with and without R1 and momentum in turn; then what one rule or one loss has of its own.
TURNS = itertools.cycle([(0.0, 0.0), (0.4, 0.5), (0.0, -0.3), (0.4, 0.0)])
GAMES = {"loss": "minimax"}, {"loss": "least_squares"}, {"game": "bilinear"}
SETTINGS = [
    PLAIN | {"rule": rule, **game, "r1": r1, "momentum": momentum}
    for (rule, game), (r1, momentum) in zip(itertools.product(RULES, GAMES), TURNS)  # noqa: B905 - they go round
]
SETTINGS += [
    PLAIN | {"r1": 0.4, "momentum": 0.5},
    PLAIN | {"rule": "alternating", "discSteps": 4},
    PLAIN | {"rule": "unrolled", "numUnroll": 0, "momentum": 0.5},
    PLAIN | {"rule": "unrolled", "numUnroll": 3, "r1": 0.2, "start": [-2.0, 2.0]},
    PLAIN | {"rule": "consensus", "gamma": 2.0, "loss": "wasserstein"},
    PLAIN | {"loss": "hinge", "start": [-1.5, 1.5], "rates": [0.5, 0.05]},  # D is sure, and its slope is 0
    PLAIN | {"rule": "extragradient", "loss": "hinge", "rates": [0.0, 0.5]},
    PLAIN | {"loss": "least_squares", "rates": [2.0, 2.0], "start": [2.0, 2.0]},  # it leaves all bounds
]
FAR = 1e6


def game_of(how):
    """The package's game with these settings."""
    if how["game"] == "bilinear":
        return mg.games.bilinear()
    penalty = mg.losses.r1(how["r1"]) if how["r1"] else None
    return mg.games.dirac(getattr(mg.losses, how["loss"])(), penalty=penalty)


def rule_of(how):
    """The package's rule with these settings."""
    own = {"alternating": {"disc_steps": how["discSteps"]}, "unrolled": {"num_unroll": how["numUnroll"]}}
    own["consensus"] = {"gamma": how["gamma"]}
    optimizers = [mg.optimizers.momentum(rate, how["momentum"]) for rate in how["rates"]]
    return getattr(mg.rules, how["rule"])(*optimizers, **own.get(how["rule"], {}))


def path(how):
    """The numbers before each step and after the last, (steps + 1, 2), up to where they leave all bounds."""
    game, rule = game_of(how), rule_of(how)
    shape = [1] if how["game"] == "bilinear" else []
    players = mg.games.Players(*(mg.games.Player(tf.fill(shape, tf.constant(x, tf.float64))) for x in how["start"]))
    state, found = rule.init(game, players), [how["start"]]
    for _ in range(how["steps"]):
        state, _ = rule.step(game, state, mg.games.no_data, mg.seeds.make(0), mg.games.Hyper())
        now = np.array([float(tf.squeeze(player.params)) for player in rule.view(state)])
        if not np.hypot(*now) < FAR:
            break
        found.append(now)
    return np.array(found)


def largest_modulus(how):
    """Of the eigenvalues of the rule's update map close to the equilibrium: at 0 itself TensorFlow has no third
    derivative of a square, which look-ahead needs."""
    close = 1e-7
    at = ([close], [close]) if how["game"] == "bilinear" else (close, close)
    return abs(mg.dynamics.eigenvalues(game_of(how), rule_of(how), at=at)[0])
