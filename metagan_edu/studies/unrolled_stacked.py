"""Look-ahead on stacked digits, beside as many real steps of D: three 8x8 digits as one image's channels, 1,000 modes.

After the setting of Metz et al. (2017): a discriminator with a quarter of the generator's channels, too small to see
all modes at once. 2,000 generator steps of batch 64; the five real steps also at the gradients of the five imagined
ones, a second-order product counted as two, in whole hundreds; that takes somewhat longer than these. The rate 1e-3
of both players was chosen on seed 0 *for the look-ahead and the plain rule* from two pairs, (1e-3, 1e-3) and (1e-3,
1e-4), each tried with K = 0 and 5; at the second neither covered more than two modes. Nothing was tuned for the real
steps. The row with R1 takes the settings that ``digit_gans`` tuned for single digits, with the same two networks.
What is reported is from other seeds. 25,600 samples, as in the published tables; uniform noise and held-out stacks
are the floor and the ceiling.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import metagan_edu as mg
from metagan_edu.studies import runs, stages

SEEDS = range(11, 16)
NUM_STEPS, BATCH, SAMPLES = 2000, 64, 25_600
LATENT_DIM, GEN_WIDTH, DISC_WIDTH = 64, 16, 4
SHAPE = (8, 8, 3)
SAME_GRADIENTS = (1 + 3 * 5) * NUM_STEPS // 6 // 100 * 100  # steps of n_D = 5, of 6 gradients, for K = 5's of 16


def game(penalty: mg.losses.Penalty = mg.losses.no_penalty) -> mg.games.Game:
    """The non-saturating GAN on stacks: 17,000 parameters against 700."""
    gen = mg.networks.dcgan_generator(LATENT_DIM, SHAPE, width=GEN_WIDTH, norm=mg.normalization.BatchNorm)
    return mg.games.gan(gen, mg.networks.dcgan_discriminator(SHAPE, width=DISC_WIDTH), penalty=penalty)


def ahead(num_unroll: int) -> tuple[mg.games.Game, mg.rules.Rule]:
    """K imagined steps at the rate 1e-3 of both players, Adam with β1 = 0.5; K = 0 is the plain rule."""
    adam = mg.optimizers.adam(1e-3)
    return game(), mg.rules.unrolled(adam, adam, num_unroll=num_unroll)


def real(disc_steps: int) -> tuple[mg.games.Game, mg.rules.Rule]:
    """n_D real steps of the discriminator, then one of the generator, by the same optimizers."""
    adam = mg.optimizers.adam(1e-3)
    return game(), mg.rules.alternating(adam, adam, disc_steps=disc_steps)


def regularized() -> tuple[mg.games.Game, mg.rules.Rule]:
    """(game, rule) with R1 and averaged weights, as ``digit_gans`` has them."""
    adam = mg.optimizers.adam(2e-3, beta1=0.0, beta2=0.99)
    return game(mg.losses.r1(0.3)), mg.rules.averaged(mg.rules.simultaneous(adam, adam), decay=0.995)


def contender(play: Any, *how: int) -> tuple[mg.games.Game, mg.rules.Rule, Any]:
    """What ``play(*how)`` returns, on stacks."""
    return *play(*how), mg.data.stacked_digits("train").batches(BATCH)


@functools.cache
def judge() -> Any:
    """The classifier of single digits."""
    return mg.metrics.classifier("digits")


def judged(samples: Any) -> dict[str, Any]:
    """The modes of the samples."""
    return mg.metrics.stacked_coverage(samples, judge())._asdict()


def measure(game: mg.games.Game, players: mg.games.Players, seed: Any) -> dict[str, Any]:
    """The modes of 25,600 samples."""
    return judged(mg.sample(game, players, SAMPLES, seed=seed))


def noise(seed: int) -> np.ndarray:
    """25,600 stacks of uniform noise."""
    return np.random.default_rng(seed).uniform(-1, 1, (SAMPLES, *SHAPE))


def held_out(seed: int) -> Any:
    """25,600 stacks of held-out digits."""
    return mg.data.stacked_digits("test").sample(SAMPLES, seed=seed)[0]


def make() -> dict[str, Any]:
    """The record."""
    config = {"latent_dim": LATENT_DIM, "gen_width": GEN_WIDTH, "disc_width": DISC_WIDTH, "batch": BATCH, "lr": 1e-3}
    five = {"n_D = 5": NUM_STEPS, "n_D = 5, same gradients": SAME_GRADIENTS}
    contenders = {
        "n_D = 5": (functools.partial(contender, real, 5), five),
        "K = 5": (functools.partial(contender, ahead, 5), {"K = 5": NUM_STEPS}),
        "K = 0": (functools.partial(contender, ahead, 0), {"K = 0": NUM_STEPS}),
        "plain with R1": (functools.partial(contender, regularized), {"plain with R1": NUM_STEPS}),
    }
    folder, config = runs("unrolled_stacked"), config | {"set_up": __doc__}
    record = stages.compare(contenders, seeds=SEEDS, measure=measure, config=config, folder=folder / "runs")
    samplers = {"floor: uniform noise": noise, "ceiling: held-out stacks": held_out}
    return mg.experiments.merge(record, stages.bounds(samplers, seeds=SEEDS, measure=judged, folder=folder / "bounds"))
