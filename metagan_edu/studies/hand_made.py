"""The hand-made rules that the learned optimizer is compared with, each a function of its rate.

A rate may be a tensor (games, 1), so that many rates are played side by side.
"""

import metagan_edu as mg
from metagan_edu import trees
from metagan_edu.optimizers import Optimizer


def optimistic(optimizer):
    """An optimizer's updates made optimistic, ``2u_t - u_{t-1}``, to be played by turns too."""

    def update(grads, slots):
        now, inner = optimizer.update(grads, slots[0])
        return trees.sub(trees.scale(2, now), slots[1]), (inner, now)

    return Optimizer(lambda params: (optimizer.init(params), trees.zeros(params)), update)


def _hand_made(rule, make):
    def of_rate(lr):
        optimizer = make(lambda t: lr)
        return rule(optimizer, optimizer)

    return of_rate


def variants():
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
                  f"{turns}, optimistic": {"": _hand_made(rule, lambda lr: optimistic(optimizers.sgd(lr)))}}
        # fmt: on
    return found | {"extragradient": {"": _hand_made(rules.extragradient, optimizers.sgd)}}
