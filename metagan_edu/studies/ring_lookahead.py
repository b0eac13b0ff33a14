"""Look-ahead against plain on the ring, where look-ahead was shown: rates G 1e-3, D 1e-4, as in the public notebook of
Metz et al. (2017), which is "not identical to the paper".

Both at 3,000 steps of batch 256, as a figure of the same number of generator updates; plain also for 17/2 times as many
steps, a little more than the look-ahead costs in gradients (16/2), and more than it costs in time. The networks'
initialization (orthogonal), β1 (0.5) and latent dimension (64) were chosen for the look-ahead on seeds 0 to 2, among
three initializations, two activations, two β1 and two dimensions (six combinations); what is reported is from other
seeds. The strongest simple rival, as many real steps of the discriminator, is in ``ring_real_steps`` (and, with smaller
batches, in ``unrolled_ring``).
"""

from __future__ import annotations

import functools
from typing import Any

import metagan_edu as mg
from metagan_edu.studies import runs

SEEDS = range(5, 10)
NUM_STEPS = 3000
LATENT_DIM, HIDDEN = 64, (128, 128)


def contender(num_unroll: int) -> tuple[mg.games.Game, mg.rules.Rule, Any]:
    """The look-ahead of so many steps, or the plain rule where there are none."""
    optimizers = mg.optimizers.adam(1e-3), mg.optimizers.adam(1e-4)
    game = mg.games.gan(mg.networks.mlp(LATENT_DIM, HIDDEN, 2), mg.networks.mlp(2, HIDDEN, 1))
    rule = mg.rules.unrolled(*optimizers, num_unroll=num_unroll) if num_unroll else mg.rules.simultaneous(*optimizers)
    return game, rule, mg.data.ring().batches(256)


def measure(game: mg.games.Game, players: mg.games.Players, seed: Any) -> dict[str, Any]:
    """Mode coverage of 2,500 samples."""
    coverage = mg.metrics.mode_coverage(mg.sample(game, players, 2500, seed=seed), mg.data.ring())
    return {"modes": coverage.modes, "modes20": coverage.modes20, "high_quality": coverage.high_quality,
            "reverse_kl_all": coverage.reverse_kl_all}  # fmt: skip


def make() -> dict[str, Any]:
    """The record."""
    plain, ahead = (functools.partial(contender, k) for k in (0, 5))
    config = {"latent_dim": LATENT_DIM, "hidden": HIDDEN, "batch": 256, "loss": "non-saturating", "lr": [1e-3, 1e-4]}
    record = mg.experiments.compare(
        {"plain": plain, "unrolled, K = 5": ahead}, budget=mg.experiments.steps(NUM_STEPS), seeds=SEEDS,
        measure=measure, config=config, folder=runs("ring_lookahead") / "equal steps",
    )  # fmt: skip
    longer = mg.experiments.compare(
        {"plain, at the cost of K = 5": plain}, budget=mg.experiments.gradient_evaluations(17 * NUM_STEPS),
        seeds=SEEDS, measure=measure, folder=runs("ring_lookahead") / "equal cost",
    )  # fmt: skip
    return mg.experiments.merge(record, longer)
