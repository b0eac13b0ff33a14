"""Pictures: arrays in, a picture out. Nothing here imports TensorFlow.

What fills one panel draws on ``ax``, or on a figure of its own, and returns the ``Axes``; what needs several returns
the ``Figure``; what moves returns an ``Image`` for a notebook to show. Colors, sizes and paper: ``style.py``. All raise
``ValueError`` for arrays of another shape.
"""

from .clouds import phase_portrait, samples, turning
from .curves import comparison, critics, curves, densities
from .diagrams import PARTS, Arrow, Box, diagram
from .images import images, strips
from .style import COLORS, DATA, DISC, GEN, GRAY, LINES, MARKS, NEW, SMALL, WIDTH
from .surfaces import animation, discriminator, film, moments

__all__ = [
    "COLORS", "DATA", "DISC", "GEN", "GRAY", "LINES", "MARKS", "NEW", "PARTS", "SMALL", "WIDTH", "Arrow", "Box",
    "animation", "comparison", "critics", "curves", "densities", "diagram", "discriminator", "film", "images",
    "moments", "phase_portrait", "samples", "strips", "turning",
]  # fmt: skip
