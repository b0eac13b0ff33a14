"""The three set-ups of ``digit_gans`` on 28x28 MNIST after equally many examples.

DCGAN is Radford et al.'s recipe as it is; ``tuned`` was chosen on the 8x8 digits; ``quick`` was chosen here, on seed 0
(the search is told in ``time_to_quality``). No seed of the record was looked at before. As there, the GAN and its judge
see the first 8,000 images of the test archive, and the last 2,000 are held out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import metagan_edu as mg
from metagan_edu.studies import digit_gans, runs

SEEDS, EXAMPLES = range(11, 16), 51_200


def as_many_examples(game: mg.games.Game, rule: mg.rules.Rule, batches: Callable) -> int:
    """The budget: so many steps that each player is shown ``EXAMPLES`` images."""
    return EXAMPLES // len(batches(mg.seeds.make(0)))


def make() -> dict[str, Any]:
    """The record."""
    on_mnist = functools.partial(functools.partial, digit_gans.contender, "mnist")
    contenders = {
        "DCGAN": on_mnist(digit_gans.dcgan),
        "tuned": on_mnist(digit_gans.tuned),
        "quick": on_mnist(digit_gans.quick, 32),
    }
    record = mg.experiments.compare(
        contenders, budget=as_many_examples, seeds=SEEDS, folder=runs("digit_gans_mnist"),
        measure=functools.partial(digit_gans.measure, "mnist"), config={"search": __doc__, "examples": EXAMPLES},
    )  # fmt: skip
    return record | {"floors": digit_gans.floors("mnist")}
