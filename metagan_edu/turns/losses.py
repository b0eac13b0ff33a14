"""Turns on what the losses minimize: the forward KL, earth moved by hand, the slope of a critic."""

import math

from .answers import Turn, near

FORWARD = 0.5 * math.log(0.5 / 0.8) + 0.5 * math.log(0.5 / 0.2)
REVERSE = 0.8 * math.log(0.8 / 0.5) + 0.2 * math.log(0.2 / 0.5)


TURNS = {
    "forward_kl": Turn(
        ask="the forward KL(p‖p_g) for p = (½, ½) and p_g = (0.8, 0.2)",
        check=near(
            FORWARD,
            logs=True,
            slips=[(REVERSE, "this is the reverse one: average over the data, not over the samples.")],
            otherwise="average log(p/p_g) over p.",
        ),
        right="and it would be infinite if p_g gave up the second point.",
        solution=FORWARD,
        wrong=((REVERSE, "reverse"), (FORWARD / math.log(2), "base 2"), (-FORWARD, "sign"), (2 * FORWARD, "twice")),
    ),
    "wasserstein": Turn(
        ask="W₁ between data, half at 0 and half at 1, and samples that are all at 3",
        check=near(
            2.5,
            slips=[
                (5, "this is the sum of the ways; each half counts with its mass."),
                (3, "half of the mass has a shorter way."),
                (2, "half of the mass has a longer way."),
            ],
            otherwise="the least work: mass times distance, added up.",
        ),
        right="it says how far, where the Jensen-Shannon divergence says log 2 at any distance.",
        solution=2.5,
        wrong=((5, "mass"), (3, "shorter"), (2, "longer"), (math.log(2), "work"), (float("nan"), "finite")),
    ),
    "critic_slope": Turn(
        ask="the slope (the right one) of a critic, two-sided penalty of weight 5, from data at 0 to samples at 4",
        check=near(
            -(1 + 4 / (2 * 5)),
            slips=[
                (1 - 4 / (2 * 5), "this is the trap: the minimum of the wrong sign."),
                (-1, "the penalty is soft: the slope is a little steeper than -1."),
                (-(1 + 4 / 5), "the steepness beyond 1 is the distance over twice the weight."),
                (1.4, "a critic is high on real data, which lie at the left here."),
            ],
            otherwise="minimize 4c + 5(|c| - 1)² over c < 0.",
        ),
        right="so the distance is overrated by the same factor.",
        solution=-1.4,
        wrong=((0.6, "trap"), (-1.0, "soft"), (-1.8, "twice the weight"), (1.4, "high on real"), (-3, "minimize")),
    ),
}
