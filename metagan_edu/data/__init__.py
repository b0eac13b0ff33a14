"""Data sets and task families: mixtures, digits, glyphs, and readers of the real archives."""

from metagan_edu.data import mnist as _mnist
from metagan_edu.data import omniglot as _omniglot
from metagan_edu.data.base import Characters, Images, Task, TaskFamily, batches, character_tasks
from metagan_edu.data.digits import digits
from metagan_edu.data.glyphs import glyph_splits, glyph_tasks, glyphs
from metagan_edu.data.mixtures import Mixture, grid, mixture, mixture_tasks, random_mixture, ring
from metagan_edu.data.mnist import fashion_mnist, mnist
from metagan_edu.data.omniglot import omniglot
from metagan_edu.data.samplers import check_sampler
from metagan_edu.data.stacked import Stacked, stacked_digits

__all__ = [
    "Characters",
    "Images",
    "Mixture",
    "Stacked",
    "Task",
    "TaskFamily",
    "available",
    "batches",
    "character_tasks",
    "check_sampler",
    "digits",
    "fashion_mnist",
    "glyph_splits",
    "glyph_tasks",
    "glyphs",
    "grid",
    "mixture",
    "mixture_tasks",
    "mnist",
    "omniglot",
    "random_mixture",
    "ring",
    "stacked_digits",
]


def available(name):
    """Whether "mnist", "fashion_mnist" (their test parts) or "omniglot" (its small part) can be read without network.

    Raises ``ValueError`` for another name.
    """
    if name == "omniglot":
        return _omniglot.at_hand()
    if name in ("mnist", "fashion_mnist"):
        return _mnist.at_hand(name)
    raise ValueError(f"name must be mnist, fashion_mnist or omniglot, not {name!r}.")
