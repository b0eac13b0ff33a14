"""A game played by hand: what a reader chooses, the steps that follow, a picture of each, and the buttons.

:func:`metagan_edu.lab.stepper` puts them together. Nothing here needs ipywidgets but ``controls``.
"""

from .choices import Choices, chosen, setting
from .model import Model, begin
from .view import View, film
from .words import sentence

__all__ = ["Choices", "Model", "View", "begin", "chosen", "film", "sentence", "setting"]
