"""The look-ahead generator on the ring: both losses, both kinds of gradient, two pairs of rates, and K = 0 to 10.

Every run has 2,000 steps of batch 128, but for "plain at the cost of K = 5", which takes as many steps as the gradients
of unrolled-5 pay for. Networks, initialization, β1 and latent dimension are those of ``ring_lookahead``, where they
were chosen for the look-ahead with the non-saturating loss. Length and batch were set by the time that they take; one
trial of twelve of these runs on seed 0 came first. Nothing was tuned for any row; the seeds reported are others.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import metagan_edu as mg
from metagan_edu.studies import runs

SEEDS = range(1, 4)
NUM_STEPS, BATCH = 2000, 128
LATENT_DIM, HIDDEN = 64, (128, 128)
LOSSES = {"minimax": mg.losses.minimax, "non-saturating": mg.losses.non_saturating}
RATES = {"slow D": (1e-3, 1e-4), "fast D": (1e-3, 1e-3)}  # of the generator and the discriminator
AHEAD, STOPPED = (0, 1, 2, 5, 10), (1, 2, 5)  # numbers of steps K with, and without, the gradient through them
COST_OF_FIVE = 2 + 3 * 5  # gradients of a step unrolled five times, a second-order product counted as two


@functools.cache
def game(loss: str) -> mg.games.Game:
    """The 2-D GAN with the loss of that name."""
    networks = mg.networks.mlp(LATENT_DIM, HIDDEN, 2), mg.networks.mlp(2, HIDDEN, 1)
    return mg.games.gan(*networks, loss=LOSSES[loss]())


def rule(rates: str, num_unroll: int, loop: Callable = mg.autodiff.unroll) -> mg.rules.Rule:
    """The unrolled rule with Adam (β1 = 0.5) at the rates of that name."""
    return mg.rules.unrolled(*map(mg.optimizers.adam, RATES[rates]), num_unroll=num_unroll, loop=loop)


def contender(
    loss: str, rates: str, num_unroll: int, stopped: bool = False
) -> tuple[mg.games.Game, mg.rules.Rule, Any]:
    """The unrolled rule on the ring; ``stopped``: without the gradient through the steps ahead."""
    loop = mg.autodiff.without_gradient(mg.autodiff.unroll) if stopped else mg.autodiff.unroll
    return game(loss), rule(rates, num_unroll, loop), mg.data.ring().batches(BATCH)


def measure(game: mg.games.Game, players: mg.games.Players, seed: Any) -> dict[str, Any]:
    """Mode coverage of 2,500 samples."""
    coverage = mg.metrics.mode_coverage(mg.sample(game, players, 2500, seed=seed), mg.data.ring())
    return {name: getattr(coverage, name) for name in ("modes", "modes20", "high_quality", "reverse_kl_all")}


def compare(part: str, rules: dict[str, tuple], budget: Any) -> dict[str, Any]:
    """The record of some rules, name -> how often unrolled and whether stopped, for every loss and pair of rates."""
    named = {
        f"{loss}, {rates}, {name}": functools.partial(contender, loss, rates, *how)
        for loss in LOSSES
        for rates in RATES
        for name, how in rules.items()
    }
    config = {"latent_dim": LATENT_DIM, "hidden": HIDDEN, "batch": BATCH, "lr": RATES, "set_up": __doc__}
    return mg.experiments.compare(
        named, budget=budget, seeds=SEEDS, measure=measure, config=config, folder=runs("unrolled_ring") / part
    )


def ahead() -> dict[str, Any]:
    """Unrolled K steps, with the gradient through them; K = 0 is the plain simultaneous rule."""
    return compare("ahead", {f"K = {k}": (k,) for k in AHEAD}, mg.experiments.steps(NUM_STEPS))


def stopped() -> dict[str, Any]:
    """Unrolled K steps, the gradient stopped at the discriminator that comes out."""
    return compare("stopped", {f"K = {k}, stopped": (k, True) for k in STOPPED}, mg.experiments.steps(NUM_STEPS))


def equal_cost() -> dict[str, Any]:
    """The plain rule for as long as K = 5 costs."""
    budget = mg.experiments.gradient_evaluations(COST_OF_FIVE * NUM_STEPS)
    return compare("equal cost", {"plain at the cost of K = 5": (0,)}, budget)


def make() -> dict[str, Any]:
    """The record."""
    return mg.experiments.merge(ahead(), stopped(), equal_cost())
