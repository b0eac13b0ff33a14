"""Networks as pure functions: a Keras model supplies layers and initial values; parameters are explicit arguments.

:func:`network` turns any built Keras model into a :class:`Network`, :func:`to_keras` goes the way back; :func:`mlp`,
:func:`dcgan_generator` and :func:`dcgan_discriminator` build the models that the course uses.
"""

from . import backend  # isort: skip - before anything imports Keras
from .base import Network, bound_of, network
from .export import to_keras
from .models import dcgan_discriminator, dcgan_generator, leaky_relu, mlp
from .spectral import spectral

__all__ = [
    "Network", "backend", "bound_of", "dcgan_discriminator", "dcgan_generator", "leaky_relu", "mlp", "network",
    "spectral", "to_keras",
]  # fmt: skip
