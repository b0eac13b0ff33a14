"""Plain and look-ahead GANs on stacked digits: three 8x8 digits as the channels of one image, 1,000 modes.

After the setting of Metz et al. (2017): a discriminator with a quarter of the generator's channels, too small to see
all modes at once. 2,000 steps of batch 64, but for "plain at the cost of K = 5". The rate 1e-3 of both players was
chosen on seed 0 from two pairs, (1e-3, 1e-3) and (1e-3, 1e-4), each tried with K = 0 and 5; at the second neither
covered more than two modes. The row with R1 takes the settings that ``digit_gans`` tuned for single digits, with the
same two networks. What is reported is from other seeds. 25,600 samples, as in the published tables.
"""

from __future__ import annotations

import functools
from typing import Any

import metagan_edu as mg
from metagan_edu.studies import runs

SEEDS = range(1, 4)
NUM_STEPS, BATCH, SAMPLES = 2000, 64, 25_600
LATENT_DIM, GEN_WIDTH, DISC_WIDTH = 64, 16, 4
SHAPE = (8, 8, 3)
COST_OF_FIVE = 2 + 3 * 5  # gradients of a step unrolled five times, a second-order product counted as two


def game(penalty: mg.losses.Penalty = mg.losses.no_penalty) -> mg.games.Game:
    """The non-saturating GAN on stacks: 17,000 parameters against 700."""
    gen = mg.networks.dcgan_generator(LATENT_DIM, SHAPE, width=GEN_WIDTH, norm=mg.normalization.BatchNorm)
    return mg.games.gan(gen, mg.networks.dcgan_discriminator(SHAPE, width=DISC_WIDTH), penalty=penalty)


def ahead(num_unroll: int) -> mg.rules.Rule:
    """The unrolled rule at the rate 1e-3 of both players, Adam with β1 = 0.5; K = 0 is the plain one."""
    adam = mg.optimizers.adam(1e-3)
    return mg.rules.unrolled(adam, adam, num_unroll=num_unroll)


def regularized() -> tuple[mg.games.Game, mg.rules.Rule]:
    """(game, rule) with R1 and averaged weights, as ``digit_gans`` has them."""
    adam = mg.optimizers.adam(2e-3, beta1=0.0, beta2=0.99)
    return game(mg.losses.r1(0.3)), mg.rules.averaged(mg.rules.simultaneous(adam, adam), decay=0.995)


def contender(num_unroll: int | None) -> tuple[mg.games.Game, mg.rules.Rule, Any]:
    """The unrolled rule on stacks; ``None``: the regularized one."""
    played = regularized() if num_unroll is None else (game(), ahead(num_unroll))
    return *played, mg.data.stacked_digits("train").batches(BATCH)


@functools.cache
def judge() -> Any:
    """The classifier of single digits."""
    return mg.metrics.classifier("digits")


def measure(game: mg.games.Game, players: mg.games.Players, seed: Any) -> dict[str, Any]:
    """The modes of 25,600 samples."""
    return mg.metrics.stacked_coverage(mg.sample(game, players, SAMPLES, seed=seed), judge())._asdict()


def make() -> dict[str, Any]:
    """The record."""
    config = {"latent_dim": LATENT_DIM, "gen_width": GEN_WIDTH, "disc_width": DISC_WIDTH, "batch": BATCH, "lr": 1e-3}
    run = functools.partial(
        mg.experiments.compare, seeds=SEEDS, config=config | {"set_up": __doc__}, measure=measure,
    )  # fmt: skip
    rows = {f"K = {k}": k for k in (0, 1, 5)} | {"plain with R1": None}
    contenders = {name: functools.partial(contender, k) for name, k in rows.items()}
    folder = runs("unrolled_stacked")
    record = run(contenders, budget=mg.experiments.steps(NUM_STEPS), folder=folder / "equal steps")
    budget = mg.experiments.gradient_evaluations(COST_OF_FIVE * NUM_STEPS)
    longer = {"plain at the cost of K = 5": contenders["K = 0"]}
    return mg.experiments.merge(record, run(longer, budget=budget, folder=folder / "equal cost"))
