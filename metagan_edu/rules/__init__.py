"""Update rules: how the two players move. One short file each; the generator's optimizer comes first everywhere."""

from .alternating import alternating
from .averaged import averaged
from .base import Info, Rule, State
from .competitive import competitive
from .consensus import consensus
from .controlled import Controller, controlled
from .extragradient import extragradient
from .lookahead import lookahead
from .optimistic import optimistic
from .simultaneous import simultaneous
from .symplectic import symplectic
from .unrolled import unrolled

__all__ = [
    "Controller",
    "Info",
    "Rule",
    "State",
    "alternating",
    "averaged",
    "competitive",
    "consensus",
    "controlled",
    "extragradient",
    "lookahead",
    "optimistic",
    "simultaneous",
    "symplectic",
    "unrolled",
]
