"""Turns on the learned optimizer: a step by hand, a known rule that it can be, what acceleration with memory needs."""

from .answers import Turn, near, option, parts

TURNS = {
    "step": Turn(
        ask="φ after one step from φ = 1 with L = 10 and c = (2, -1) on (g_t, g_{t-1}) = (2, 1)",
        check=near(
            1 - (2 * 2 - 1 * 1) / 10,
            within=1e-4,
            slips=[
                (1.3, "the step goes down: subtract."),
                (0.5, "c has a sign: the second direction counts against the first."),
                (-2, "divide by the steepness L."),
                (0.3, "this is the step; φ is asked for."),
                (0.8, "this is a plain step: the coefficients are missing."),
                (1.0, "the first coefficient belongs to the newest gradient."),
            ],
            otherwise="φ - (c₀ g_t + c₁ g_{t-1})/L.",
        ),
        right="what is learned is a network that gives c.",
        solution=0.7,
        wrong=(
            (1.3, "subtract"),
            (0.5, "sign"),
            (-2, "steepness"),
            (0.3, "φ is asked"),
            (0.8, "plain"),
            (1.0, "newest"),
            (9, "c₀"),
        ),
    ),
    "known": Turn(
        ask="the letter of the rule that constant c = (2, -1) on (g_t, g_{t-1}) makes",
        check=option(
            "b",
            a="momentum adds past steps, with a sign that is the newest gradient's own.",
            c="extragradient takes a second gradient at a point ahead, which no memory holds.",
        ),
        right="the learned optimizer starts there, and costs as little.",
        solution="b",
        wrong=(("a", "adds past"), ("c", "ahead"), (1, "letters")),
    ),
    "memory": Turn(
        ask="(steps, memory): how many steps acceleration needs on a 4x4 matrix game, and how long its memory must be",
        check=parts(
            steps=near(
                9,
                within=1e-6,
                slips=[
                    (5, "both players have 4 numbers."),
                    (8, "after n steps the memory spans everything; the equilibrium is met by the next."),
                    (17, "there are 4 + 4 numbers, not 16."),
                ],
                otherwise="n numbers take n + 1 steps.",
            ),
            memory=near(
                8,
                within=1e-6,
                slips=[
                    (4, "both players have 4 numbers."),
                    (16, "there are 4 + 4 numbers, not 16."),
                    (9, "n directions are enough."),
                ],
                otherwise="as many as there are numbers.",
            ),
        ),
        right="where a memory that long fits, there is nothing to learn.",
        solution=(9, 8),
        wrong=(
            ((5, 4), "both players"),
            ((8, 8), "by the next"),
            ((17, 16), "not 16"),
            ((9, 4), "memory: both"),
            (9, "2 values"),
        ),
    ),
}
