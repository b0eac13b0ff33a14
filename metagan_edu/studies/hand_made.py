"""The hand-made rules that the learned optimizer is compared with, each a function of its rate.

A rate may be a tensor (games, 1), so that many rates are played side by side.
"""

from __future__ import annotations

from typing import Any

import metagan_edu as mg


def _hand_made(rule, make):
    def of_rate(lr):
        return rule(make(lr), make(lr))

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
    return found | {"extragradient": {"": _hand_made(rules.extragradient, optimizers.sgd)}}
