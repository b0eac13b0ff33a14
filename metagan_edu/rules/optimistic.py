"""Both players expect their next update to differ from this one as this one did from the last.

    w ← w + 2 u_t - u_{t-1}

``u_t`` are the updates of the players' optimizers (:func:`metagan_edu.optimizers.optimistic`). A step costs what a
plain one does. (Daskalakis, Ilyas, Syrgkanis & Zeng 2018.)
"""

from ..optimizers import Optimizer
from ..optimizers import optimistic as expecting
from ..values import by_value
from . import base
from .simultaneous import simultaneous


@by_value
def optimistic(gen_optimizer: Optimizer, disc_optimizer: Optimizer) -> base.Rule:
    """The optimistic rule: the simultaneous one, each optimizer made optimistic."""
    return simultaneous(*map(expecting, base.pair(gen_optimizer, disc_optimizer)))
