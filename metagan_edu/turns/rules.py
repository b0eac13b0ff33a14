"""Turns on rules for two players: a modulus, steps for equal gradients, lookahead by hand."""

import math

from .answers import Turn, near, parts

TURNS = {
    "modulus": Turn(
        ask="by what number a simultaneous step at the rate 0.5 multiplies the distance in the bilinear game",
        check=near(
            math.sqrt(1.25),
            within=1e-3,
            slips=[
                (1.25, "this is its square."),
                (1.5, "the eigenvalue is imaginary: the modulus of 1 + 0.5i."),
                (0.5, "the modulus of 1 + 0.5i, not of its imaginary part."),
                (1, "that is taking turns; both move at once here."),
                (math.sqrt(0.75), "squares of real and imaginary part are added."),
            ],
            otherwise="the modulus of 1 + ηλ, with λ = i.",
        ),
        right="above 1 at any rate: the players spiral outward.",
        solution=abs(1 + 0.5j),
        wrong=(
            (1.25, "square"),
            (1.5, "imaginary"),
            (1, "turns"),
            (0.866, "added"),
            (1 + 0.5j, "complex"),
            (3, "λ = i"),
        ),
    ),
    "budget": Turn(
        ask="(plain, extragradient, consensus): the steps that 1,200 gradients pay for",
        check=parts(
            plain=near(600, slips=[(1200, "a step takes a gradient of each player.")], otherwise="2 gradients a step."),
            extragradient=near(300, slips=[(600, "it takes both gradients twice.")], otherwise="4 gradients a step."),
            consensus=near(
                200,
                slips=[
                    (300, "a second-order product counts as two gradients, for each player."),
                    (600, "its second-order products count, too."),
                ],
                otherwise="2 gradients and 2 products, each as dear as two.",
            ),
        ),
        right="the dearer a rule, the fewer steps it has.",
        solution=(600, 300, 200),
        wrong=(
            ((1200, 300, 200), "each player"),
            ((600, 600, 200), "twice"),
            ((600, 300, 300), "product"),
            ("abc", "number"),
        ),
    ),
    "lookahead": Turn(
        ask="the slow point after lookahead, α = 0.25, where it was (1, 0) and the fast one has gone to (0, 1)",
        check=near(
            (0.75, 0.25),
            slips=[
                ((0.25, 0.75), "α is the part of the way that the slow point goes, not the part that stays."),
                ((1.25, -0.25), "the slow point goes toward the fast one, not away."),
                ((0.5, 0.5), "that is α = ½."),
                ((1.0, 0.25), "both coordinates move."),
            ],
            otherwise="slow + α (fast - slow).",
        ),
        right="a quarter of the way, for the cost of plain steps.",
        solution=(0.75, 0.25),
        wrong=(
            ((0.25, 0.75), "stays"),
            ((1.25, -0.25), "away"),
            ((0.5, 0.5), "½"),
            ((0, 1), "slow +"),
            (0.75, "shape"),
        ),
    ),
}
