"""Turns on chosen starts: He's variance, thirty layers in a power, Glorot's bound as code."""

import numpy as np

from .answers import Turn, computes, near


def _glorot_bound(n_in, n_out):
    """a of a uniform draw from (-a, a) with the variance 2/(n_in + n_out)."""
    return np.sqrt(6 / (n_in + n_out))


TURNS = {
    "he": Turn(
        ask="He's variance of a weight in a convolution of kernel 4 with 64 input channels",
        check=near(
            2 / (16 * 64),
            slips=[
                (2 / 64, "16 · 64 products enter one output, not 64."),
                (1 / (16 * 64), "ReLU drops one half, which the variance makes good."),
                (6 / (16 * 64), "this is the square of the uniform bound, not the variance."),
                (np.sqrt(2 / (16 * 64)), "this is the standard deviation."),
                (2 / (4 * 64), "a kernel of size 4 has 4 · 4 weights for each channel."),
            ],
            otherwise="2/n_in, where n_in products enter one output.",
        ),
        right="the signal keeps its size through any number of ReLU layers.",
        solution=2 / 1024,
        wrong=(
            (2 / 64, "64 products"),
            (1 / 1024, "one half"),
            (6 / 1024, "bound"),
            (0.0442, "deviation"),
            (2 / 256, "4 · 4"),
            (512, "upside"),
        ),
    ),
    "depth": Turn(
        ask="the factor on the signal's variance after 20 ReLU layers of equal width from Glorot's start",
        check=near(
            0.5**20,
            slips=[
                (1, "that would be He's start: with ReLU Glorot's loses something in each layer."),
                (0.5, "this is one layer."),
                (0.25**20, "this is the formula with the roots of the fans."),
                (2.0**20, "it shrinks."),
                (0.5 * 20, "factors multiply: it is a power."),
                (0.5**10, "this is the factor on the standard deviation."),
            ],
            otherwise="each layer has one and the same factor: which, and to which power?",
        ),
        right="about a millionth: a wrong start acts as a power of the depth.",
        solution=2**-20,
        wrong=(
            (1, "He's"),
            (0.5, "one layer"),
            (0.25**20, "roots"),
            (2**20, "shrinks"),
            (10, "power"),
            (2**-10, "standard"),
        ),
    ),
    "glorot_bound": Turn(
        ask="glorot_bound(n_in, n_out): the bound a of a uniform draw from (-a, a) with Glorot's variance",
        check=computes(
            _glorot_bound,
            lambda rng: tuple(int(n) for n in rng.integers(8, 512, size=2)),
            slips=[
                (
                    lambda n, m: np.sqrt(6) / (np.sqrt(n) + np.sqrt(m)),
                    "this is the formula that circulates and is wrong: add the fans, then take the root.",
                ),
                (lambda n, m: 2 / (n + m), "this is the variance; a uniform draw from (-a, a) has a²/3."),
                (lambda n, m: np.sqrt(2 / (n + m)), "this is the standard deviation; a²/3 is the variance."),
                (lambda n, m: 6 / (n + m), "take the root."),
                (lambda n, m: np.sqrt(6 / n), "this is He's bound."),
            ],
            otherwise="a²/3 = 2/(n_in + n_out).",
        ),
        right="a bound of a random draw, and not 'the initial value'.",
        solution=_glorot_bound,
        wrong=(
            (lambda n, m: np.sqrt(6) / (np.sqrt(n) + np.sqrt(m)), "circulates"),
            (lambda n, m: 2 / (n + m), "variance"),
            (lambda n, m: np.sqrt(2 / (n + m)), "deviation"),
            (lambda n, m: 6 / (n + m), "root"),
            (lambda n, m: np.sqrt(6 / n), "He's"),
            (lambda n, m: np.sqrt(3 / (n + m)), "a²/3"),
            (lambda n, m: str(n), "not a text"),
        ),
    ),
}
