"""What a reader chooses, and the game, rule and players that follow from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from .. import checks, data, games, losses, networks, optimizers, rules, seeds
from ..games import Game, Players
from ..rules import Rule
from ..values import by_value
from . import learned

TWO_NUMBERS = ("dirac", "bilinear")
BATCH, HIDDEN, LATENT_DIM = 64, (32, 32), 2
SD = 0.1  # of a clump: seen in the picture, and met within some hundred steps
SHAPES = {
    "ring": lambda choices: data.ring(sd=SD),
    "grid": lambda choices: data.grid(3, sd=SD),
    "pair": lambda choices: data.mixture([[-1.5, 0.0], [1.5, 0.0]], sd=SD),
    "unequal": lambda choices: data.mixture([[-1.5, -1.0], [1.5, -1.0], [0.0, 1.5]], sd=SD, weights=[0.7, 0.2, 0.1]),
    "random": lambda choices: data.mixture(data.random_mixture(choices.seed, split="test").centers, sd=SD),
    "points": lambda choices: data.mixture(choices.points, sd=SD),
}
LOSSES = {made.__name__: made for made in losses.LOSSES}
INITIALIZERS = ("orthogonal", "glorot_uniform", "he_uniform", "zeros")
LIMIT = 3.0  # of the window in which the points lie
OWN_LOSS = "x y"  # of the bilinear game


class Technique(NamedTuple):
    """``rule(optimizers, k)``; ``in_turns``: whether one player moves after the other, and answers it as it then
    stands. Where both move at once, one player's move alone is its share of the whole step. ``k``: what k counts, ""
    where it counts nothing."""

    rule: Callable[[Players, int], Rule]
    in_turns: bool = False
    k: str = ""


def _alternating(own, k):
    return rules.alternating(*own)


TECHNIQUES = {
    "alternating": Technique(_alternating, in_turns=True),
    "simultaneous": Technique(lambda own, k: rules.simultaneous(*own)),
    "more D steps": Technique(lambda own, k: rules.alternating(*own, disc_steps=k), in_turns=True, k="steps of D"),
    "look-ahead": Technique(lambda own, k: rules.unrolled(*own, num_unroll=k), k="steps ahead"),
    "optimistic": Technique(lambda own, k: rules.optimistic(*own)),
    "extragradient": Technique(lambda own, k: rules.extragradient(*own)),
    "learned start": Technique(_alternating, in_turns=True),
    "learned rates": Technique(_alternating, in_turns=True),
}
LEARNED = ("learned start", "learned rates")


class Choices(NamedTuple):
    """What a reader can set.

    ``data``: "dirac" or "bilinear" (two numbers), one of the shapes "ring", "grid", "pair", "unequal" and "random" (a
    mixture that no technique was learned on, drawn from the seed), or "points", the clumps being at ``points``;
    ``loss``: a name of :mod:`~metagan_edu.losses` (of the bilinear game "x y"); ``technique``: a name of ``TECHNIQUES``
    with its ``k`` (D's steps, or steps looked ahead); ``r1``: the weight of R1; ``gen_lr, disc_lr``: rates, of SGD in
    games of two numbers, else of Adam (β = 0, 0.99); ``start``: the two numbers, or the initializer of both networks.
    """

    data: str = "dirac"
    points: tuple[tuple[float, float], ...] = ()
    loss: str = "minimax"
    technique: str = "alternating"
    k: int = 5
    r1: float = 0.0
    gen_lr: float = 0.1
    disc_lr: float = 0.1
    start: Any = (1.0, 1.0)
    seed: int = 0


class Setting(NamedTuple):
    """What is played: as :func:`metagan_edu.train` takes it. ``mixture``: the data's, ``None`` for two numbers."""

    choices: Choices
    game: Game
    rule: Rule
    batches: Callable
    players: Players
    mixture: Any


def defaults(data_name: str) -> Choices:
    """The choices to begin with for this data."""
    if data_name in TWO_NUMBERS:
        return Choices(data_name, loss=OWN_LOSS if data_name == "bilinear" else "minimax")
    points = ((-1.5, 0.0), (1.5, 0.0)) if data_name == "points" else ()
    return Choices(data_name, points, "non_saturating", r1=0.1, gen_lr=0.005, disc_lr=0.005, start="orthogonal")


def pace(data: str) -> int:
    """How many steps a picture takes at first: a cloud moves less in one than two numbers do."""
    return 1 if data in TWO_NUMBERS else 10


def fitting(data: str) -> dict[str, tuple[str, ...]]:
    """The names of losses and techniques that go with this data."""
    small = data in TWO_NUMBERS
    return {
        "loss": (OWN_LOSS,) if data == "bilinear" else tuple(LOSSES),
        "technique": tuple(name for name in TECHNIQUES if not (small and name in LEARNED)),
    }


def unused(choices: Choices) -> set[str]:
    """The choices that a game of these ``choices`` has no use for."""
    used = {
        "points": choices.data == "points",
        "k": TECHNIQUES[choices.technique].k,
        "r1": choices.data != "bilinear",
        "start": choices.technique != "learned start",
        "seed": choices.data not in TWO_NUMBERS,  # where nothing is drawn
    }
    return {name for name, is_used in used.items() if not is_used}


def chosen(data: str = "dirac", **other: Any) -> Choices:
    """The defaults of this data with the ``other`` choices; ``ValueError`` for a name that is no choice."""
    checks.one_of("data", data, (*TWO_NUMBERS, *SHAPES))
    for name in other:
        checks.one_of("a choice of the stepper", name, Choices._fields)
    return checked(defaults(data)._replace(**{name: _as_tuples(value) for name, value in other.items()}))


def _as_tuples(value):
    """A value whose lists, and lists within them, are tuples, as choices are compared."""
    return tuple(map(_as_tuples, value)) if isinstance(value, list | tuple) else value


def checked(choices: Choices) -> Choices:
    """``choices`` as they are; ``ValueError`` for the first that is out of range, or does not go with another."""
    small, name = choices.data in TWO_NUMBERS, choices.technique
    checks.one_of("technique", name, tuple(TECHNIQUES))
    checks.whole("k", choices.k), checks.number("r1", choices.r1, least=0), seeds.make(choices.seed)
    checks.number("gen_lr", choices.gen_lr, above=0), checks.number("disc_lr", choices.disc_lr, above=0)
    checks.one_of("loss", choices.loss, fitting(choices.data)["loss"])
    if choices.data == "bilinear" and choices.r1:
        raise ValueError(f"R1 needs data, which the bilinear game has none of: r1 must be 0 there, not {choices.r1}.")
    if name not in fitting(choices.data)["technique"]:
        raise ValueError(f"{name!r} was learned on the shapes; take data='ring' or another, not {choices.data!r}.")
    if not small:
        checks.one_of("start", choices.start, INITIALIZERS)
    elif not (isinstance(choices.start, tuple) and len(choices.start) == 2):
        raise ValueError(f"start must be the two numbers (φ_G, φ_D), not {choices.start!r}.")
    for value in choices.start if small else ():
        checks.number("each number of start", value, least=-LIMIT, most=LIMIT)
    _check_points(choices)
    return choices


def _check_points(choices):
    if choices.data == "points":
        if not choices.points:
            raise ValueError("the data are no points: give at least one, such as 1, 0; -1, 0.5.")
        for point in choices.points:
            if not (isinstance(point, tuple) and len(point) == 2):
                raise ValueError(f"each point must be a pair in [-{LIMIT:g}, {LIMIT:g}]², not {point!r}.")
            for value in point:
                checks.number("each number of points", value, least=-LIMIT, most=LIMIT)
            if choices.points.count(point) > 1:
                raise ValueError(f"each clump has a point of its own, and {point!r} is there more than once.")
    elif choices.points:
        raise ValueError(f"points are the data where data='points', not {choices.data!r}.")


def points_of(text: str) -> tuple[tuple[float, float], ...]:
    """The points of a text such as "1, 0; -1, 0.5"; ``ValueError`` for a piece that is no pair of numbers."""
    found = []
    for piece in filter(str.strip, text.split(";")):
        try:
            x, y = map(float, re.split(r"[,\s]+", piece.strip()))
        except ValueError:
            raise ValueError(f"points are written as 1, 0; -1, 0.5, and {piece.strip()!r} is no pair.") from None
        found.append((x, y))
    return tuple(found)


def written(points: Iterable[tuple[float, float]]) -> str:
    """The text of points, as :func:`points_of` reads it."""
    return "; ".join(f"{x:g}, {y:g}" for x, y in points)


def setting(choices: Choices) -> Setting:
    """The game, the rule, the batches and the players of these ``choices``; ``ValueError`` as :func:`checked`."""
    choices = checked(choices)
    game, own = _game(choices), _optimizers(choices)
    rule = TECHNIQUES[choices.technique].rule(own, choices.k)
    mixture = None if choices.data in TWO_NUMBERS else SHAPES[choices.data](choices)
    batches = games.no_data if mixture is None else mixture.batches(BATCH)
    players = game.init(seeds.fold_in(seeds.make(choices.seed), "init"))
    if choices.technique == "learned start":
        players = learned.start(game, players)
    if choices.technique == "learned rates":
        rule = learned.rates(game, rule)
    return Setting(choices, game, rule, batches, players, mixture)


def _game(choices):
    if choices.data == "bilinear":
        return games.bilinear(start=tuple((float(number),) for number in choices.start))
    loss, penalty = LOSSES[choices.loss](), losses.r1(choices.r1) if choices.r1 else None
    if choices.data == "dirac":
        return games.dirac(loss, penalty=penalty, start=choices.start)
    return networks_game(choices.start, loss, penalty)


def networks_game(initializer: str, loss: losses.Loss | None = None, penalty: losses.Penalty | None = None) -> Game:
    """The GAN of the shapes: both networks 2 x 32 ReLU."""
    gen, disc = (networks.mlp(*ends, initializer=initializer) for ends in ((LATENT_DIM, HIDDEN, 2), (2, HIDDEN, 1)))
    return games.gan(gen, disc, loss=loss, penalty=penalty)


def _optimizers(choices):
    make = optimizers.sgd if choices.data in TWO_NUMBERS else adam
    return Players(make(choices.gen_lr), make(choices.disc_lr))


@by_value
def adam(lr: float) -> optimizers.Optimizer:
    """Adam as the shapes are played with."""
    return optimizers.adam(lr, beta1=0.0, beta2=0.99)
