"""A tuned, regularized plain GAN on the ring and on the grid: what a look-ahead or a learned technique has to beat.

Chosen on seeds 0, 100 and 101 among: leaky ReLU with He's initialization or ReLU with the orthogonal one; R1 with γ
0.01, 0.02, 0.1; non-saturating or relativistic loss; rate 1e-3 or 2e-3; batch 128 or 256; linear or cosine decay (about
fifteen combinations, not all). ReLU with the orthogonal initialization mattered most: with the rest as below, leaky
ReLU with He's left 15 % of the samples between the modes of the ring. What is reported is from other seeds.
"""

from __future__ import annotations

import functools
from typing import Any

import metagan_edu as mg
from metagan_edu.studies import runs

SEEDS = range(1, 6)
NUM_STEPS, BATCH = 10000, 128
DATA = {"ring": mg.data.ring(), "grid": mg.data.grid()}


def baseline(num_steps: int = NUM_STEPS) -> tuple[mg.games.Game, mg.rules.Rule]:
    """(game, rule): alternating Adam with β = (0, 0.99), cosine decay to 0, R1, averaged weights."""
    hidden = (128, 128, 128)
    game = mg.games.gan(mg.networks.mlp(2, hidden, 2), mg.networks.mlp(2, hidden, 1), penalty=mg.losses.r1(0.1))
    adam = mg.optimizers.adam(mg.optimizers.cosine_decay(1e-3, num_steps), beta1=0.0, beta2=0.99)
    return game, mg.rules.averaged(mg.rules.alternating(adam, adam), decay=0.999)


def contender(name: str, num_steps: int) -> tuple[mg.games.Game, mg.rules.Rule, Any]:
    """The baseline on the mixture of that name."""
    return *baseline(num_steps), DATA[name].batches(BATCH)


def measure(name: str, game: mg.games.Game, players: mg.games.Players, seed: Any) -> dict[str, Any]:
    """Mode coverage of 2,500 samples of the mixture of that name."""
    coverage = mg.metrics.mode_coverage(mg.sample(game, players, 2500, seed=seed), DATA[name])
    return {name: getattr(coverage, name) for name in ("modes", "modes20", "high_quality", "reverse_kl_all")}


def make() -> dict[str, Any]:
    """The record."""
    config = {"search": __doc__, "batch": BATCH, "latent_dim": 2, "hidden": [128] * 3, "r1": 0.1, "lr": 1e-3}
    records = [
        mg.experiments.compare(
            {name: functools.partial(contender, name, NUM_STEPS)}, budget=mg.experiments.steps(NUM_STEPS), seeds=SEEDS,
            measure=functools.partial(measure, name), config=config, folder=runs("baselines_2d") / name,
        )
        for name in DATA
    ]  # fmt: skip
    return mg.experiments.merge(*records)
