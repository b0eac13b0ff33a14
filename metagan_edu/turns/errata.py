"""Turns of the errata: a bound, and the objection that comes first."""

import math

from .answers import Turn, near, option

TURNS = {
    "bound": Turn(
        ask="Glorot's bound a for a layer of 100 inputs and 50 outputs",
        check=near(
            math.sqrt(6 / 150),
            slips=[
                (math.sqrt(6) / (10 + math.sqrt(50)), "one root over the sum, not a sum of roots."),
                (2 / 150, "this is the variance; a uniform start on (-a, a) has a²/3."),
                (math.sqrt(2 / 150), "this is the standard deviation; a uniform start on (-a, a) has a/√3."),
                (math.sqrt(6 / 100), "both counts enter: the inputs and the outputs."),
            ],
            otherwise="put both counts into √(6 / (n_in + n_out)).",
        ),
        right="the printed formula gives 0.143, about half of the variance.",
        solution=0.2,
        wrong=(
            (0.1435, "sum of roots"),
            (0.01333, "variance"),
            (0.1155, "standard deviation"),
            (0.2449, "both counts"),
            (0.5, "n_in + n_out"),
        ),
    ),
    "referee": Turn(
        ask="the letter of the objection that comes first",
        check=option(
            "b",
            a="few, but the runs do not even overlap; something else explains that.",
            c="of three values one shows the three values.",
            d="they differ; but was it the start that made the difference?",
        ),
        right="one side had 50 draws and the other none: what differs may be the search.",
        solution="b",
        wrong=(("a", "few"), ("c", "three values"), ("d", "made the difference"), ("e", "letters"), (2, "letters")),
    ),
}
