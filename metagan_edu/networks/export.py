"""The way out: a trained network as a plain Keras model."""

from __future__ import annotations

from typing import Any

import keras

from .. import normalization
from .base import Network
from .base import network as as_network
from .models import leaky_relu


def to_keras(network: Network | keras.Model, player: Any) -> keras.Model:
    """The model of ``network`` with the weights of ``player`` (its params and state), made of Keras' own layers.

    ``network``: also the Keras model that was given to a game. What is made can be saved (``.save("generator.keras")``)
    and loaded where this package is not installed. In evaluation mode its outputs are those of
    ``network.apply(…, training=False)``; Keras' normalization, which it has then, is right to first order only.
    Spectral normalization is carried out: kernels are written divided. Layers of your own stay what they are. Raises
    ``ValueError`` for a network without a Keras model, a subclassed model, weights that do not fit, and layers of this
    package that Keras has no equal of (``MinibatchStd``).
    """
    network = as_network(network) if isinstance(network, keras.Model) else network
    if not isinstance(network, Network) or network.model is None:
        raise ValueError(
            "to_keras takes a network that is made of a Keras model, and the player that holds its weights."
        )
    model = network.model
    if not isinstance(model, (keras.Sequential, keras.models.Model)) or not getattr(model, "inputs", None):
        raise ValueError(
            f"the model {model.name!r} is a subclass, whose layers cannot be taken apart; make it functional, or copy "
            "the weights yourself with model.set_weights."
        )
    copy = keras.models.clone_model(model, clone_function=_plain)
    for variables, values in zip(
        (copy.trainable_variables, copy.non_trainable_variables), network.weights(*player), strict=True
    ):
        shapes = [tuple(v.shape) for v in variables], [tuple(v.shape) for v in values]
        if shapes[0] != shapes[1]:
            raise ValueError(f"the player's weights have the shapes {shapes[1]}, but the model's have {shapes[0]}.")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    return copy


def _plain(layer: keras.Layer) -> keras.Layer:
    """The layer as Keras has it, by the same name."""
    config = layer.get_config()
    shared = {key: config[key] for key in ("name", "trainable", "dtype", "epsilon") if key in config}
    if isinstance(layer, normalization.BatchNorm):
        return keras.layers.BatchNormalization(momentum=layer.momentum, **shared)
    if isinstance(layer, normalization.LayerNorm):
        return keras.layers.GroupNormalization(groups=1, **shared)
    if isinstance(layer, normalization.GroupNorm):
        return keras.layers.GroupNormalization(groups=layer.groups, **shared)
    if isinstance(layer, keras.layers.Activation) and layer.activation is leaky_relu:
        return keras.layers.LeakyReLU(negative_slope=0.2, **shared)
    if type(layer).__module__.startswith("metagan_edu."):
        raise ValueError(
            f"Keras has no equal of the layer {layer.name!r}, a {type(layer).__name__}, so the model cannot be handed "
            "over; save its parameters instead, or hand over the other player."
        )
    if getattr(layer, "activation", None) is leaky_relu:
        config["activation"] = "leaky_relu"  # Keras' slope is 0.2 too
    return type(layer).from_config(config)
