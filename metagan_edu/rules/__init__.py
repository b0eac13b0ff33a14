"""Update rules: how the two players move. One short file each; the generator's optimizer comes first everywhere."""

from .alternating import alternating
from .averaged import averaged
from .base import Info, Rule, State
from .simultaneous import simultaneous
from .unrolled import unrolled

__all__ = ["Info", "Rule", "State", "alternating", "averaged", "simultaneous", "unrolled"]
