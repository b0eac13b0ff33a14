"""Learned initialization: theta is where both players start.

    run(theta, task):  φ⁰ = theta,  φᵏ⁺¹ = one step of the rule on the task's support set

With :func:`~metagan_edu.meta.backprop` on a query loss this is MAML (Finn, Abbeel & Levine 2017), with
:func:`~metagan_edu.meta.first_order` its first-order form, with :func:`~metagan_edu.meta.reptile` it is Reptile
(Nichol, Achiam & Schulman 2018), on both players at once as in FIGR (Clouâtre & Demers 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import seeds
from ..games import Game, Players
from ..rules import Rule
from ..values import by_value
from .base import MetaLearner, drawn


def starts(players: Players, of: tuple[str, ...]) -> Players:
    """``Players`` of the parameters of those named in ``of``; empty for a player that starts afresh."""
    return Players(*(getattr(players, who).params if who in of else () for who in Players._fields))


def started(fresh: Players, start: Players, of: tuple[str, ...]) -> Players:
    """The ``fresh`` players, with those named in ``of`` at the parameters of ``start``: undoes :func:`starts`."""
    return fresh._replace(**{who: getattr(fresh, who)._replace(params=getattr(start, who)) for who in of})


@by_value
def learned_initialization(
    game: Game, rule: Rule, *, batches: Callable | None = None, of: tuple[str, ...] = Players._fields
) -> MetaLearner:
    """The learner whose theta is ``Players(gen, disc)``, the parameters that the players named in ``of`` start from.

    A player that is not named starts afresh in every run, from ``game.init``, and its part of theta is empty: with
    ``of=("gen",)`` a learned generator meets a fresh discriminator. ``batches``: by default ``drawn(20)``.
    Raises ``ValueError`` where ``of`` does not name players.
    """
    of = tuple(of)
    if not of or not set(of) <= set(Players._fields):
        raise ValueError(f"of must name 'gen', 'disc' or both, not {of!r}.")

    def reached(players: Players) -> Any:
        return starts(players, of)

    return MetaLearner(
        game, init=lambda seed: reached(game.init(seeds.make(seed))), rule=lambda theta: rule, reached=reached,
        players=lambda theta, seed: started(game.init(seed), theta, of), batches=batches or drawn(20),
    )  # fmt: skip
