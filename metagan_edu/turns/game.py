"""Turns on the game of two players: V by hand, the best discriminator, two slopes, the Jensen-Shannon divergence."""

import math

import numpy as np

from .answers import Turn, computes, near

V = math.log(0.8) + math.log(1 - 0.4)


def _jsd(p, q):
    """½ KL(p‖m) + ½ KL(q‖m) with m = (p + q)/2."""
    m = (p + q) / 2
    return np.sum(p * np.log(p / m) + q * np.log(q / m)) / 2


def _two_distributions(rng):
    return tuple(rng.dirichlet(np.ones(5), size=2))


TURNS = {
    "value": Turn(
        ask="V, where D gives a real sample the probability 0.8 and a generated one 0.4",
        check=near(
            V,
            logs=True,
            slips=[
                (-V, "this is L_D, which is -V."),
                (math.log(0.8) + math.log(0.4), "the generated sample counts with log(1 - 0.4)."),
            ],
            otherwise="V = log s(real) + log(1 - s(generated)), with natural logarithms.",
        ),
        right="above -1.39, what a D gets that always says 0.5.",
        solution=V,
        wrong=(
            (-V, "L_D"),
            (math.log(0.32), "1 - 0.4"),
            (V / math.log(10), "base 10"),
            (0.48, "natural"),
            (None, "None"),
        ),
    ),
    "best_logit": Turn(
        ask="the best discriminator's logit where the data have density 0.2 and the generated samples 0.6",
        check=near(
            math.log(0.2 / 0.6),
            logs=True,
            slips=[
                (0.25, "this is the probability of 'real'; its logit is asked for."),
                (1 / 3, "this is the ratio of the densities; the logit is its logarithm."),
                (0.75, "this is the probability of 'generated'."),
            ],
            otherwise="the best logit is a logarithm of a ratio of densities.",
        ),
        right="below 0: here generated samples are three times as frequent.",
        solution=math.log(0.2) - math.log(0.6),
        wrong=(
            (0.25, "probability"),
            (1.0986, "sign"),
            (1 / 3, "ratio"),
            (-0.477, "base 10"),
            (3, "ratio of densities"),
        ),
    ),
    "slopes": Turn(
        ask="how many times steeper the non-saturating loss is than the minimax loss, at the logit -4",
        check=near(
            math.exp(4),
            slips=[
                (math.exp(-4), "it is the other way round: which of the two still has a slope there?"),
                (1 / (1 + math.exp(-4)), "this is the non-saturating slope; divide it by the other."),
                (1 / (1 + math.exp(4)), "this is the minimax slope; the other is to be divided by it."),
            ],
            otherwise="divide σ(4) by σ(-4), with σ(a) = 1/(1 + exp(-a)).",
        ),
        right="so a sample that D rejects hardly moves G under the minimax loss.",
        solution=math.exp(4),
        wrong=((math.exp(-4), "other way"), (0.982, "non-saturating slope"), (0.018, "minimax slope"), (4, "divide")),
    ),
    "jsd": Turn(
        ask="jsd(p, q): the Jensen-Shannon divergence of two distributions over the same points",
        check=computes(
            _jsd,
            _two_distributions,
            slips=[
                (lambda p, q: 2 * _jsd(p, q), "this is 2·JSD: take half of the sum."),
                (lambda p, q: np.sum(p * np.log(p / q)), "this is KL(p‖q); hold both against their mean m."),
                (lambda p, q: np.sqrt(_jsd(p, q)), "this is its root, the distance, as SciPy has it."),
                (lambda p, q: _jsd(p, q) / math.log(2), "take the natural logarithm."),
            ],
            otherwise="half the sum of KL(p‖m) and KL(q‖m), with m = (p + q)/2.",
        ),
        right="0 where p = q, and never above log 2.",
        solution=_jsd,
        wrong=(
            (lambda p, q: 2 * _jsd(p, q), "2·JSD"),
            (lambda p, q: np.sum(p * np.log(p / q)), "their mean"),
            (lambda p, q: -_jsd(p, q), "sign"),
            (lambda p, q: p * np.log(2 * p / (p + q)), "shape"),
            (lambda p: 0.0, "raises TypeError"),
            (0.5, "a function"),
        ),
    ),
}
