"""Data sets and task families: mixtures, digits, glyphs, readers of the real archives, of folders, and of your own."""

from __future__ import annotations

from . import mnist as _mnist
from . import omniglot as _omniglot
from .base import Characters, Images, Task, TaskFamily, as_characters, as_images, batches, character_tasks
from .digits import digits
from .glyphs import glyph_splits, glyph_tasks, glyphs
from .mixtures import Mixture, grid, mixture, mixture_tasks, random_mixture, ring
from .mnist import fashion_mnist, mnist
from .omniglot import omniglot
from .picture_files import folder
from .reader import Reader, from_reader
from .samplers import Sampler, check_sampler
from .stacked import Stacked, stacked_digits

__all__ = [
    "Characters", "Images", "Mixture", "Reader", "Sampler", "Stacked", "Task", "TaskFamily", "as_characters",
    "as_images", "available", "batches", "character_tasks", "check_sampler", "digits", "fashion_mnist", "folder",
    "from_reader", "glyph_splits", "glyph_tasks", "glyphs", "grid", "mixture", "mixture_tasks", "mnist", "omniglot",
    "random_mixture", "ring", "stacked_digits",
]  # fmt: skip


def available(name: str) -> bool:
    """Whether "mnist", "fashion_mnist" (their test parts) or "omniglot" (its small part) can be read without network.

    Raises ``ValueError`` for another name, and ``FileNotFoundError`` where ``METAGAN_EDU_DATA`` names no folder.
    """
    if name == "omniglot":
        return _omniglot.at_hand()
    if name in ("mnist", "fashion_mnist"):
        return _mnist.at_hand(name)
    raise ValueError(f"name must be mnist, fashion_mnist or omniglot, not {name!r}.")
