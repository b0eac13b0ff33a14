"""Turns on training that fails: the modulus of a step, which failure it is, reverse KL."""

import math

from .answers import Turn, near, option

TURNS = {
    "modulus": Turn(
        ask="by what number one step at the rate 0.2 multiplies the distance, where the eigenvalues are -0.3 ± 0.4i",
        check=near(
            abs(1 + 0.2 * (-0.3 + 0.4j)),
            within=1e-3,
            slips=[
                (0.5, "this is the modulus of λ; a step multiplies by 1 + ηλ."),
                (1 + 0.2 * -0.3, "the imaginary part counts, too."),
                (abs(1 + 0.2 * (-0.3 + 0.4j)) ** 2, "take the root: this is the square of the modulus."),
                (math.exp(0.2 * -0.3), "this is the flow; a step multiplies by 1 + ηλ."),
            ],
            otherwise="the modulus of 1 + ηλ.",
        ),
        right="below 1: the step converges.",
        solution=math.hypot(1 - 0.06, 0.08),
        wrong=(
            (0.5, "of λ"),
            (0.94, "imaginary"),
            (0.89, "square"),
            (1 + 0.2 * (-0.3 + 0.4j), "complex"),
            (1.1, "1 + ηλ"),
        ),
    ),
    "which": Turn(
        ask="the letter of the failure: G's gradient is nearly 0, D rejects every sample, and nothing moves",
        check=option(
            "b",
            a="in a rotation gradients stay large and point past each other.",
            c="in a collapse samples are good, and all alike; D does not reject them all.",
        ),
        right="the minimax loss has no slope where D is sure.",
        solution="b",
        wrong=(("a", "large"), ("C", "alike"), ("", "letters"), (None, "letters")),
    ),
    "reverse_kl": Turn(
        ask="the reverse KL of samples that are half in one mode and half in another, of 8 modes",
        check=near(
            math.log(4),
            logs=True,
            slips=[
                (math.log(8), "this is with all samples in one mode."),
                (math.log(2), "the data have a share of 1/8 in each mode, not 1/4."),
                (0, "only samples in all eight modes, in equal shares, have 0."),
            ],
            otherwise="add p̂ log(p̂/p) over the modes, with p = 1/8; a mode without samples adds 0.",
        ),
        right="two modes of eight: log 8 - log 2.",
        solution=math.log(4),
        wrong=(
            (math.log(8), "one mode"),
            (math.log(2), "1/8"),
            (-math.log(4), "sign"),
            (2, "base 2"),
            (math.inf, "finite"),
        ),
    ),
}
