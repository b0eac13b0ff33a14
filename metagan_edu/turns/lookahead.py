"""Turns on the generator that looks ahead: the imagined steps as code, and the price of a step."""

import numpy as np

from .answers import Turn, computes, near, parts


def _imagined(gen, disc, lr, num_steps):
    """The Dirac-GAN's discriminator after ``num_steps`` steps down sp(disc · gen), gen held still."""
    for _ in range(num_steps):
        disc = disc - lr * gen / (1 + np.exp(-disc * gen))
    return disc


def _start(rng):
    return rng.normal(1, 0.3), rng.normal(1, 0.3), rng.uniform(0.1, 0.5), int(rng.integers(3, 7))


TURNS = {
    "imagined": Turn(
        ask="imagined(gen, disc, lr, num_steps): disc after num_steps steps down sp(disc · gen), with gen held still",
        check=computes(
            _imagined,
            _start,
            slips=[
                (lambda gen, disc, lr, k: _imagined(gen, disc, -lr, k), "it goes up: D lowers its loss."),
                (lambda gen, disc, lr, k: _imagined(gen, disc, lr, 1), "this is one step."),
                (
                    lambda gen, disc, lr, k: disc - k * lr * gen / (1 + np.exp(-disc * gen)),
                    "the gradient is taken anew at each imagined step.",
                ),
                (lambda gen, disc, lr, k: disc - k * lr * gen / 2, "the sigmoid is ½ only near the equilibrium."),
                (
                    lambda gen, disc, lr, k: _imagined(-gen, disc, lr, k),
                    "the slope of sp(disc · gen) in disc is gen σ(disc · gen).",
                ),
            ],
            otherwise="repeat disc ← disc - lr gen σ(disc · gen).",
        ),
        right="it depends on gen: the total derivative goes through that.",
        solution=_imagined,
        wrong=(
            (lambda gen, disc, lr, k: _imagined(gen, disc, -lr, k), "goes up"),
            (lambda gen, disc, lr, k: _imagined(gen, disc, lr, 1), "one step"),
            (lambda gen, disc, lr, k: disc - k * lr * gen / 2, "only near"),
            (lambda gen, disc, lr, k: disc - k * lr * gen / (1 + np.exp(-disc * gen)), "anew"),
            (lambda gen, disc, lr, k: disc, "repeat"),
            (lambda gen, disc: disc, "raises TypeError"),
        ),
    ),
    "price": Turn(
        ask="(total, stopped, real): gradients of one step with K = 8 imagined steps, total or stopped, or 8 real ones",
        check=parts(
            total=near(
                25,
                within=1e-6,
                slips=[
                    (9, "each imagined step is differentiated again, which counts as two more."),
                    (26, "the first imagined step is the one that is really taken, and counts once."),
                    (17, "a second-order product counts as two gradients."),
                    (24, "the generator has a gradient, too."),
                ],
                otherwise="1 for G, and 3 for each of the K steps.",
            ),
            stopped=near(
                9,
                within=1e-6,
                slips=[(25, "without the gradient through the steps nothing is differentiated again.")],
                otherwise="1 for G, and 1 for each of the K steps.",
            ),
            real=near(
                9,
                within=1e-6,
                slips=[(25, "real steps are not differentiated again.")],
                otherwise="8 for D, and 1 for G.",
            ),
        ),
        right="so the rival at equal gradients has nearly three times as many steps.",
        solution=(1 + 3 * 8, 1 + 8, 1 + 8),
        wrong=(
            ((9, 9, 9), "two more"),
            ((26, 9, 9), "counts once"),
            ((25, 25, 9), "stopped: without"),
            ((25, 9, 8), "real: 8 for D"),
            (25, "3 values"),
        ),
    ),
}
