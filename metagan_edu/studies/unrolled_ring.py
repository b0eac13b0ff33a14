"""Look-ahead on the ring beside what it must beat: as many real steps of the discriminator, for both losses.

K = 5 imagined steps against n_D = 5 real ones (the alternating rule), each at 2,000 generator steps of batch 128, and
the real ones also at the time and at the gradients of the imagined ones. A row "same time" has as many steps as were
measured to take as long on two idle cores (a step of K = 5 took 5.2 plain steps, one of n_D = 5 about 3.5); "same
gradients" counts a second-order product as two. The plain rule, both players at once, is K = 0.

Networks, initialization, β1 and latent dimension are those of ``ring_lookahead``, where they were chosen *for the
look-ahead*, with the non-saturating loss and the slow discriminator; nothing was tuned for any row, and the seeds are
others. Floors: points on a blurred circle (radius 2, sd 0.2) and uniform noise, which know nothing of the modes; the
ceiling is the ring itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import metagan_edu as mg
from metagan_edu.studies import runs, stages

SEEDS = range(11, 16)
NUM_STEPS, BATCH, SAMPLES = 2000, 128, 2500
LATENT_DIM, HIDDEN = 64, (128, 128)
LOSSES = {"non-saturating": mg.losses.non_saturating, "minimax": mg.losses.minimax}
RATES = {"slow D": (1e-3, 1e-4), "fast D": (1e-3, 1e-3)}  # of the generator and the discriminator
K = 5
SAME_TIME, PLAIN_SAME_TIME = 3000, 10_000  # steps of n_D = 5, and plain ones, in the time of 2,000 steps of K = 5
SAME_GRADIENTS = (1 + 3 * K) * NUM_STEPS // (1 + K) // 100 * 100  # of n_D = 5, a second-order product counted as two


@functools.cache
def game(loss: str) -> mg.games.Game:
    """The 2-D GAN with the loss of that name."""
    networks = mg.networks.mlp(LATENT_DIM, HIDDEN, 2), mg.networks.mlp(2, HIDDEN, 1)
    return mg.games.gan(*networks, loss=LOSSES[loss]())


def ahead(rates: str, num_unroll: int, stopped: bool = False) -> mg.rules.Rule:
    """K imagined steps, with Adam (β1 = 0.5); ``stopped``: without the gradient through them."""
    loop = mg.autodiff.without_gradient(mg.autodiff.unroll) if stopped else mg.autodiff.unroll
    return mg.rules.unrolled(*map(mg.optimizers.adam, RATES[rates]), num_unroll=num_unroll, loop=loop)


def real(rates: str, disc_steps: int) -> mg.rules.Rule:
    """n_D real steps of the discriminator, then one of the generator, by the same optimizers."""
    return mg.rules.alternating(*map(mg.optimizers.adam, RATES[rates]), disc_steps=disc_steps)


def contender(
    loss: str, rates: str, rule: Callable, *how: Any, data: mg.data.Mixture | None = None
) -> tuple[mg.games.Game, mg.rules.Rule, Any]:
    """The game and ``rule(rates, *how)`` on the ring, or on ``data``."""
    return game(loss), rule(rates, *how), (data or mg.data.ring()).batches(BATCH)


def judged(samples: Any, mixture: mg.data.Mixture) -> dict[str, Any]:
    """Mode coverage of the samples, and their energy distance to as many points of the mixture."""
    coverage = mg.metrics.mode_coverage(samples, mixture)
    real = mixture.sample(len(samples), 1)
    return {name: getattr(coverage, name) for name in ("modes20", "high_quality", "modes", "reverse_kl_all")} | {
        "energy": float(mg.metrics.energy_distance(np.asarray(samples, np.float32), real))
    }


def measure(game: mg.games.Game, players: mg.games.Players, seed: Any) -> dict[str, Any]:
    """What 2,500 samples are worth on the ring."""
    return judged(mg.sample(game, players, SAMPLES, seed=seed), mg.data.ring())


def rows(loss: str, rates: str) -> dict[str, tuple[Callable, dict[str, int]]]:
    """The contenders of one loss and pair of rates, for ``stages.compare``."""
    same_time = {f"n_D = {K}, same time": SAME_TIME, f"n_D = {K}, same gradients": SAME_GRADIENTS}
    played = {
        f"K = {K}": ((ahead, K), {f"K = {K}": NUM_STEPS}),
        f"n_D = {K}": ((real, K), {f"n_D = {K}": NUM_STEPS} | same_time),
        "K = 0": ((ahead, 0), {"K = 0": NUM_STEPS, "K = 0, same time": PLAIN_SAME_TIME}),
    }
    return {
        f"{loss}, {rates}, {name}": (
            functools.partial(contender, loss, rates, *how),
            {f"{loss}, {rates}, {row}": steps for row, steps in at.items()},
        )
        for name, (how, at) in played.items()
    }


def circle(seed: int) -> np.ndarray:
    """2,500 points on a blurred circle of radius 2, sd 0.2: it knows the radius, and no mode."""
    rng = np.random.default_rng(seed)
    angle, radius = rng.uniform(0, 2 * np.pi, SAMPLES), rng.normal(2, 0.2, SAMPLES)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)


def noise(seed: int) -> np.ndarray:
    """2,500 points, uniform on the square around the ring."""
    return np.random.default_rng(seed).uniform(-2.1, 2.1, (SAMPLES, 2))


def data(seed: int) -> Any:
    """2,500 points of the ring."""
    return mg.data.ring().sample(SAMPLES, mg.seeds.fold_in(seed, "measure"))


def on_the_ring(samples: Any) -> dict[str, Any]:
    """What samples of anything are worth there."""
    return judged(samples, mg.data.ring())


def make() -> dict[str, Any]:
    """The record."""
    config = {"latent_dim": LATENT_DIM, "hidden": HIDDEN, "batch": BATCH, "lr": RATES, "set_up": __doc__}
    folder = runs("unrolled_ring")
    contenders = {name: row for rates in RATES for loss in LOSSES for name, row in rows(loss, rates).items()}
    record = stages.compare(contenders, seeds=SEEDS, measure=measure, config=config, folder=folder / "runs")
    samplers = {"floor: blurred circle": circle, "floor: uniform noise": noise, "ceiling: real points": data}
    return mg.experiments.merge(
        record, stages.bounds(samplers, seeds=SEEDS, measure=on_the_ring, folder=folder / "bounds")
    )
