"""Turns of the tour: two losses by hand, three steps of gradient descent, and what meta-learning is."""

import math

from .answers import Turn, near, option, parts

L_D, L_G = -math.log(0.8) - math.log(1 - 0.3), -math.log(0.3)

TURNS = {
    "losses": Turn(
        ask="(L_D, L_G), where D gives a real sample the probability 0.8 and a generated one 0.3",
        check=parts(
            L_D=near(
                L_D,
                logs=True,
                slips=[
                    (-math.log(0.8) - math.log(0.3), "of the generated sample D should say 1 - 0.3."),
                    (L_G, "this is the other player's loss."),
                ],
                otherwise="add -log of the probability that D gives to the truth, for both samples.",
            ),
            L_G=near(
                L_G,
                logs=True,
                slips=[
                    (L_D, "this is the other player's loss."),
                    (-math.log(0.7), "G wants its sample to be called real, which D does with 0.3."),
                ],
                otherwise="only the generated sample counts.",
            ),
        ),
        right="D does better than chance, whose L_D is 1.39.",
        solution=(L_D, L_G),
        wrong=(
            ((L_G, L_D), "the other player's"),
            ((L_D / math.log(10), L_G / math.log(10)), "base 10"),
            ((1.43, L_G), "1 - 0.3"),
            ((L_D, -L_G), "L_G: the sign"),
            (L_D, "2 values"),
        ),
    ),
    "inner_steps": Turn(
        ask="x after three steps of gradient descent on (x - 5)², from x = 0, at the rate 0.1",
        check=near(
            5 * (1 - 0.8**3),
            slips=[
                (5 * 0.8**3, "this is how far x still is from 5."),
                (5 * (1 - 0.9**3), "the slope of (x - 5)² is 2 (x - 5), not x - 5."),
                (5 * (1 - 0.8**2), "this is after two steps."),
                (-5 * (1.2**3 - 1), "x should go down the slope, not up."),
            ],
            otherwise="each step shrinks x - 5 by one and the same factor: which?",
        ),
        right="from the start 0 three steps go about half of the way.",
        solution=2.44,
        wrong=(
            (2.56, "how far"),
            (1.355, "slope of"),
            (1.8, "two steps"),
            (-2.44, "sign"),
            (5.0, "factor"),
            ("5", "text"),
        ),
    ),
    "meta": Turn(
        ask="the letter of what is meta-learning",
        check=option(
            "b",
            a="Adam adapts within one run, and keeps nothing for the next task.",
            c="that was chosen by a person; nothing was learned over tasks.",
            d="that is one task, however long it takes.",
        ),
        right="what is learned over tasks is judged on tasks that were never seen.",
        solution="b",
        wrong=(("a", "one run"), ("c", "person"), ("d", "one task"), ("e", "letters"), (2, "letters")),
    ),
}
