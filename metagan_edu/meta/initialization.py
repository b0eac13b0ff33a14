"""Learned initialization: theta is where both players start.

    run(theta, task):  φ⁰ = theta,  φᵏ⁺¹ = one step of the rule on the task's support set

With :func:`~metagan_edu.meta.backprop` on a query loss this is MAML (Finn, Abbeel & Levine 2017), with
:func:`~metagan_edu.meta.first_order` its first-order form, with :func:`~metagan_edu.meta.reptile` it is Reptile
(Nichol, Achiam & Schulman 2018), on both players at once as in FIGR (Clouâtre & Demers 2019).
"""

from .. import seeds
from ..games import Players
from .base import drawn, learner


def learned_initialization(game, rule, *, batches=None, of=Players._fields):
    """The learner whose theta is ``Players(gen, disc)``, the parameters that the players named in ``of`` start from.

    A player that is not named starts afresh in every run, from ``game.init``, and its part of theta is empty: with
    ``of=("gen",)`` a learned generator meets a fresh discriminator. ``batches``: by default ``drawn(20)``.
    Raises ``ValueError`` where ``of`` does not name players.
    """
    of = tuple(of)
    if not of or not set(of) <= set(Players._fields):
        raise ValueError(f"of must name 'gen', 'disc' or both, not {of!r}.")

    def reached(players):
        return Players(*(getattr(players, who).params if who in of else () for who in Players._fields))

    def players(theta, seed):
        fresh = game.init(seed)
        return fresh._replace(**{who: getattr(fresh, who)._replace(params=getattr(theta, who)) for who in of})

    def init(seed):
        return reached(game.init(seeds.make(seed)))

    return learner(
        game, init=init, players=players, rule=lambda theta: rule, batches=batches or drawn(20), reached=reached
    )
