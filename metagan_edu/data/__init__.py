"""Data sets and task families: mixtures, digits, glyphs, and readers of the real archives."""

from metagan_edu.data.base import Characters, Images, Task, TaskFamily, batches
from metagan_edu.data.digits import digits
from metagan_edu.data.mixtures import Mixture, grid, mixture, mixture_tasks, random_mixture, ring

__all__ = [
    "Characters",
    "Images",
    "Mixture",
    "Task",
    "TaskFamily",
    "batches",
    "digits",
    "grid",
    "mixture",
    "mixture_tasks",
    "random_mixture",
    "ring",
]
