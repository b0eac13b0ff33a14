"""Turns on what the losses minimize: forward KL, earth moved by hand, the critic's slope, its loss as code."""

import math

import numpy as np
import tensorflow as tf

from .. import losses
from .answers import Turn, computes, near, option

FORWARD = 0.5 * math.log(0.5 / 0.8) + 0.5 * math.log(0.5 / 0.2)
REVERSE = 0.8 * math.log(0.8 / 0.5) + 0.2 * math.log(0.2 / 0.5)


def _critic_loss(real, fake):
    return losses.wasserstein().disc(tf.constant(real), tf.constant(fake)).numpy()


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
    "critic_loss": Turn(
        ask="critic_loss(real, fake): L_D of the Wasserstein critic, from its values on real and generated samples",
        check=computes(
            _critic_loss,
            lambda rng: (rng.normal(size=6), rng.normal(size=6)),
            slips=[
                (
                    lambda real, fake: real.mean() - fake.mean(),
                    "this is what the critic wants large; a loss is minimized.",
                ),
                (lambda real, fake: (fake - real).sum(), "take means, not sums."),
            ],
            otherwise="L_D = E D(G(z)) - E D(x), without a sigmoid or a logarithm.",
        ),
        right="all the work is in the constraint on D.",
        solution=lambda real, fake: fake.mean() - real.mean(),
        wrong=(
            (lambda real, fake: real.mean() - fake.mean(), "minimized"),
            (lambda real, fake: (fake - real).sum(), "means"),
            (lambda real, fake: fake - real, "shape"),
            (lambda real, fake: -np.log(np.mean(fake)), "finite"),
            (lambda real, fake: None, "return"),
        ),
    ),
    "covers": Turn(
        ask="the letter of the cost that can give up no bump of the data, however rare or far",
        check=option(
            "a",
            b="the reverse KL averages over the samples, and is content with one bump.",
            c="2·JSD is bounded, so the price of a lost bump is, too.",
        ),
        right="it is infinite where there are data and no samples.",
        solution="a",
        wrong=(("b", "content"), ("c", "bounded"), ("forward", "letters")),
    ),
}
