"""Update rules: how the two players move. One short file each; the generator's optimizer comes first everywhere."""

from . import controllers, policies
from .alternating import alternating
from .anderson import anderson
from .averaged import averaged
from .base import Cost, Info, Rule, State
from .competitive import competitive
from .consensus import consensus
from .controlled import Controller, controlled, under
from .extragradient import extragradient
from .lookahead import lookahead
from .optimistic import optimistic
from .safeguard import jointly, safeguarded
from .simultaneous import simultaneous
from .symplectic import symplectic
from .unrolled import unrolled

__all__ = [
    "Controller", "Cost", "Info", "Rule", "State", "alternating", "anderson", "averaged", "competitive", "consensus",
    "controlled", "controllers", "extragradient", "jointly", "lookahead", "optimistic", "policies", "safeguarded",
    "simultaneous", "symplectic", "under", "unrolled",
]  # fmt: skip
