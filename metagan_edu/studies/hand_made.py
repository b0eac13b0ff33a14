"""The hand-made rules that the learned optimizer is compared with, each a function of its rate.

A rate may be a tensor (games, 1), so that many rates are played side by side.
"""

from __future__ import annotations

from typing import Any

import metagan_edu as mg
from metagan_edu.games import saddles

INSIDE = ("simultaneous", "alternating", "extragradient")  # rules that others are put around
EVERY, MEMORY = (4, 6, 10), (10, 5)


def _hand_made(rule, make):
    def of_rate(lr):
        return rule(make(lr), make(lr))

    return of_rate


def _around(inside, wrap):
    def of_rate(lr):
        return wrap(getattr(mg.rules, inside)(mg.optimizers.sgd(lr), mg.optimizers.sgd(lr)))

    return of_rate


def variants() -> dict[str, Any]:
    """name -> {variant: rate -> rule}."""
    optimizers, rules, found = mg.optimizers, mg.rules, {}
    for turns, rule in (("simultaneous", rules.simultaneous), ("alternating", rules.alternating)):

        def momenta(*betas, rule=rule):
            return {f"beta {b}": _hand_made(rule, lambda lr, b=b: optimizers.momentum(lr, b)) for b in betas}

        adams = {f"beta1 {b}": _hand_made(rule, lambda lr, b=b: optimizers.adam(lr, beta1=b)) for b in (0.0, 0.5, 0.9)}
        # fmt: off
        found |= {f"{turns} gradient descent": {"": _hand_made(rule, optimizers.sgd)},
                  f"{turns}, positive momentum": momenta(0.25, 0.5, 0.9),
                  f"{turns}, negative momentum": momenta(-0.25, -0.5, -0.75),
                  f"{turns} RMSProp": {"": _hand_made(rule, optimizers.rmsprop)}, f"{turns} Adam": adams,
                  f"{turns}, optimistic": {"": _hand_made(rule, lambda lr: optimizers.optimistic(optimizers.sgd(lr)))}}
        # fmt: on
    found |= {"extragradient": {"": _hand_made(rules.extragradient, optimizers.sgd)}}
    for inside in INSIDE:
        found[f"lookahead around {inside}"] = {
            f"every {k}": _around(inside, lambda rule, k=k: rules.lookahead(rule, every=k, alpha=0.5)) for k in EVERY
        }
    return found | {accelerated(memory): accelerations(memory) for memory in MEMORY}


def accelerated(memory: int) -> str:
    """The name of acceleration with so much memory."""
    return f"Anderson, memory {memory}"


def accelerations(memory: int) -> dict[str, Any]:
    """Its variants, the rule that it is around: rate -> rule."""

    def wrap(rule):
        return mg.rules.anderson(rule, memory=memory, gram=saddles.game_gram)

    return {inside: _around(inside, wrap) for inside in INSIDE}
