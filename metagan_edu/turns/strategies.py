"""Turns on update strategies: clipping as code, one hypergradient, the brake in a game, what is meta-learning."""

import numpy as np

from .answers import Turn, computes, near, option


def _clip(g, c):
    """g · min(1, c/‖g‖)."""
    return g * min(1, c / np.linalg.norm(g))


def _gradient(rng):
    g = rng.normal(size=5)
    return g, np.linalg.norm(g) * rng.choice([0.3, 0.6, 3.0])


TURNS = {
    "clip": Turn(
        ask="clip(g, c): the gradient g, shortened to the length c where it is longer",
        check=computes(
            _clip,
            _gradient,
            draws=8,
            slips=[
                (lambda g, c: np.clip(g, -c, c), "this clips each entry, which turns the gradient: scale all of it."),
                (lambda g, c: g * c / np.linalg.norm(g), "a gradient that is shorter than c stays as it is."),
                (lambda g, c: g * min(1, c / np.sum(g**2)), "divide by the norm, not by its square."),
                (lambda g, c: g * max(1, c / np.linalg.norm(g)), "take the smaller of 1 and c/‖g‖."),
                (lambda g, c: g * min(1, c / np.abs(g).max()), "the length is the root of the sum of squares."),
            ],
            otherwise="g · min(1, c/‖g‖).",
        ),
        right="the direction stays, the length is at most c.",
        solution=_clip,
        wrong=(
            (lambda g, c: np.clip(g, -c, c), "each entry"),
            (lambda g, c: g * c / np.linalg.norm(g), "shorter than c"),
            (lambda g, c: g * max(1, c / np.linalg.norm(g)), "smaller"),
            (lambda g, c: min(1, c / np.linalg.norm(g)), "shape"),
            (lambda g, c: g * min(1, c / g), "raises ValueError"),
        ),
    ),
    "hypergradient": Turn(
        ask="the next rate, where η = 0.1 and β = 0.01, the last direction u = (3, -1) and the new gradient (1, 2)",
        check=near(
            0.1 + 0.01 * 1,
            within=1e-4,
            slips=[
                (0.09, "the new gradient points along u: the last step was too short."),
                (0.15, "multiply entry by entry and add, signs included."),
                (0.01, "this is by how much the rate changes."),
                (1.1, "β scales the change."),
            ],
            otherwise="η + β g·u.",
        ),
        right="the step was too short, and the rate grows.",
        solution=0.11,
        wrong=(
            (0.09, "too short"),
            (0.15, "signs"),
            (0.01, "changes"),
            (1.1, "β"),
            (0.1, "g·u"),
            ((0.13, 0.08), "shape"),
        ),
    ),
    "brake": Turn(
        ask="gᵀJ_g g for g = (3, 4) and J_g = [[0, -1], [1, 0.5]], the rotation with R1 of weight 0.5",
        check=near(
            8,
            slips=[
                (0, "this is without R1, which adds to the discriminator's diagonal entry."),
                (32, "the two mixed terms cancel: J_g is antisymmetric but for R1's entry."),
                (2, "g enters twice."),
                (24, "the mixed terms have opposite signs."),
                ((-4, 5), "this is J_g g; multiply by g once more."),
            ],
            otherwise="the sum of g_i (J_g)_ij g_j over all four entries.",
        ),
        right="without R1 it is 0: no brake.",
        solution=0.5 * 4**2,
        wrong=((0, "without R1"), (24, "opposite"), (2, "twice"), ((-4, 5), "J_g g"), (12.5, "sum of")),
    ),
    "meta": Turn(
        ask="the letter of the strategy that is meta-learning",
        check=option(
            "c",
            a="somebody wrote that curve down; nothing is learned over tasks.",
            b="it looks at one run, by a rule that a person made.",
            d="it follows one run, and forgets it.",
        ),
        right="and the hand-made ones are what it has to beat.",
        solution="c",
        wrong=(("a", "wrote"), ("b", "person"), ("d", "forgets"), ("cosine", "letters")),
    ),
}
