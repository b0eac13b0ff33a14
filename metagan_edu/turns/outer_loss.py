"""Turns on the outer loss of a GAN and its gradient: what a low loss says, energy distance as code, cost."""

import numpy as np

from .. import metrics
from .answers import Turn, computes, near, option, parts


def _energy(x, y):
    """2 E|x - y| - E|x - x'| - E|y - y'| of two sets of numbers, pairs of a number with itself left out."""

    def within(a):
        return abs(a[:, None] - a[None]).sum() / (len(a) * (len(a) - 1))

    return 2 * abs(x[:, None] - y[None]).mean() - within(x) - within(y)


def _package(x, y):
    return metrics.energy_distance(x[:, None], y[:, None]).numpy()


def _biased(x, y):
    return 2 * abs(x[:, None] - y).mean() - abs(x[:, None] - x).mean() - abs(y[:, None] - y).mean()


TURNS = {
    "low_loss": Turn(
        ask="the letter of what a low L_G on the query set says of a generator, in the meta-game",
        check=option(
            "b",
            a="a generator that faces a weak judge has a low loss, too.",
            c="a good generator does lower it; the question is what else does.",
        ),
        right="the game's own loss does not tell a good generator from a weak judge.",
        solution="b",
        wrong=(("a", "weak"), ("c", "what else"), (["b"], "letters")),
    ),
    "energy": Turn(
        ask="energy(x, y): the energy distance of two sets of numbers, without pairs of a number with itself",
        check=computes(
            _package,
            lambda rng: (rng.normal(size=6), rng.normal(1, 1, size=9)),
            slips=[
                (_biased, "leave out the pairs of a number with itself: divide by n (n - 1), not by n²."),
                (lambda x, y: 2 * abs(x[:, None] - y).mean(), "subtract the mean distance within each set."),
                (lambda x, y: abs(x.mean() - y.mean()), "this is the distance of the means: two sets can share it."),
                (lambda x, y: np.sqrt(abs(_energy(x, y))), "no root is taken."),
            ],
            otherwise="2 E|x - y| - E|x - x'| - E|y - y'|.",
        ),
        right="no discriminator is needed, and no gradient of the game.",
        solution=_energy,
        wrong=(
            (_biased, "itself"),
            (lambda x, y: 2 * abs(x[:, None] - y).mean(), "within each"),
            (lambda x, y: abs(x.mean() - y.mean()), "means"),
            (lambda x, y: -_energy(x, y), "sign"),
            (lambda x, y: _energy(x, y) / 2, "half"),
            (lambda x, y: abs(x - y), "raises ValueError"),
        ),
    ),
    "cost": Turn(
        ask="(Reptile, backprop, evolution strategies): gradients of one meta-gradient of K = 10 steps, with 4 pairs",
        check=parts(
            Reptile=near(
                20, slips=[(10, "both players take a gradient at each step.")], otherwise="2 gradients a step."
            ),
            backprop=near(
                60,
                slips=[
                    (30, "both players take each of the K steps."),
                    (40, "a gradient that is differentiated again counts as two more."),
                    (20, "each gradient is differentiated again."),
                ],
                otherwise="each of the 2K gradients is differentiated again, which counts as two more.",
            ),
            evolution=near(
                160,
                slips=[(80, "a pair is two runs."), (40, "each of the 4 pairs plays runs of its own.")],
                otherwise="4 pairs are 8 runs.",
            ),
        ),
        right="exact costs three times Reptile, and a direction by trial more than exact.",
        solution=(2 * 10, 6 * 10, 4 * 10 * 4),
        wrong=(
            ((10, 60, 160), "both players"),
            ((20, 40, 160), "two more"),
            ((20, 60, 80), "pair is two"),
            (240, "3 values"),
        ),
    ),
}
