"""Turns on the generator that looks ahead: K = 0, the imagined steps as code, its brake, its price."""

import numpy as np

from .answers import Turn, computes, near, option, parts


def _imagined(theta, psi, lr, num_steps):
    """ψ after ``num_steps`` steps of the Dirac-GAN's discriminator on sp(ψθ), θ held still."""
    for _ in range(num_steps):
        psi = psi - lr * theta / (1 + np.exp(-psi * theta))
    return psi


def _start(rng):
    return rng.normal(1, 0.3), rng.normal(1, 0.3), rng.uniform(0.1, 0.5), int(rng.integers(3, 7))


TURNS = {
    "no_steps": Turn(
        ask="the letter of what the generator's step is at K = 0",
        check=option(
            "a",
            b="with ψ⁰ = ψ the generator still has a loss to lower.",
            c="that is the other end, K without bound.",
        ),
        right="look-ahead is the plain rule and a correction that grows with K.",
        solution="a",
        wrong=(("b", "to lower"), ("c", "other end"), (0, "letters")),
    ),
    "imagined": Turn(
        ask="imagined(theta, psi, lr, num_steps): ψ after num_steps steps down sp(ψθ), with theta held still",
        check=computes(
            _imagined,
            _start,
            slips=[
                (lambda theta, psi, lr, k: _imagined(theta, psi, -lr, k), "it goes up: D lowers its loss."),
                (lambda theta, psi, lr, k: _imagined(theta, psi, lr, 1), "this is one step."),
                (
                    lambda theta, psi, lr, k: psi - k * lr * theta / (1 + np.exp(-psi * theta)),
                    "the gradient is taken anew at each imagined ψ.",
                ),
                (lambda theta, psi, lr, k: psi - k * lr * theta / 2, "σ(ψθ) is ½ only near the equilibrium."),
                (lambda theta, psi, lr, k: _imagined(-theta, psi, lr, k), "the slope of sp(ψθ) in ψ is θ σ(ψθ)."),
            ],
            otherwise="repeat ψ ← ψ - lr θ σ(ψθ).",
        ),
        right="a function of θ: that is what the total derivative goes through.",
        solution=_imagined,
        wrong=(
            (lambda theta, psi, lr, k: _imagined(theta, psi, -lr, k), "goes up"),
            (lambda theta, psi, lr, k: _imagined(theta, psi, lr, 1), "one step"),
            (lambda theta, psi, lr, k: psi - k * lr * theta / 2, "only near"),
            (lambda theta, psi, lr, k: psi - k * lr * theta / (1 + np.exp(-psi * theta)), "anew"),
            (lambda theta, psi, lr, k: psi, "repeat"),
            (lambda theta, psi: psi, "raises TypeError"),
        ),
    ),
    "brake": Turn(
        ask="γ_eff, the weight of R1 that damps the Dirac-GAN as much as K = 6 and η = 0.1 with the total derivative",
        check=near(
            0.3,
            slips=[
                (0.15, "this is the stopped variant: the total derivative counts twice as much."),
                (0.6, "σ(0) = ½ is missing."),
                (0.05, "each of the K steps adds to it."),
            ],
            otherwise="Kη times the slope of the sigmoid's argument, ½.",
        ),
        right="near the equilibrium, and only there.",
        solution=6 * 0.1 / 2,
        wrong=((0.15, "stopped"), (0.6, "½"), (0.05, "adds"), (-0.3, "sign"), (6, "Kη")),
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
