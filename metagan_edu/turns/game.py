"""Turns on the game of two players: V by hand, the best discriminator, two slopes."""

import math

from .answers import Turn, near

V = math.log(0.8) + math.log(1 - 0.4)


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
}
