"""Games of two players, from two scalars to image GANs, all of one type."""

from . import saddles
from .base import Game, Hyper, Player, Players, no_data
from .gan import gan
from .sampling import between, sample
from .toys import bilinear, dirac

__all__ = ["Game", "Hyper", "Player", "Players", "between", "bilinear", "dirac", "gan", "no_data", "saddles", "sample"]
