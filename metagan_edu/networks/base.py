"""A network as pure functions: a Keras model supplies layers and initial values; parameters are explicit arguments."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from .. import autodiff, replicas, seeds, trees
from . import initial, refusals, traced


def _as_they_are(params: Any, state: Any) -> tuple[Any, Any]:
    return params, state


class Network(NamedTuple):
    """A network as two pure functions.

    ``init(seed) -> (params, state)``: initial trainable values, and the non-trainable state (moving statistics).
    ``apply(params, state, x, training=True) -> (y, state)``: the output for a batch, and the state after it; ``x`` is a
    tuple of batches where the model has several inputs.
    ``input_shape``, ``output_shape``: of one example, without the batch axis; a tuple of shapes for several inputs.
    ``model``: the Keras model behind it, for ``model.summary()``; its own variables are never read in training.
    ``weights(params, state) -> (trainable, non-trainable values)`` of that model, as :func:`to_keras` writes them.
    """

    init: Callable
    apply: Callable
    input_shape: tuple
    output_shape: tuple
    model: keras.Model | None
    weights: Callable = _as_they_are


def network(model: keras.Model, *, keep_weights: bool = False) -> Network:
    """Any built Keras model as a :class:`Network`, with one output, and one input or a list of them.

    Every weight is drawn anew from ``init``'s seed, by the initializer that its layer declares, and so are the states
    of seed generators (dropout): a pretrained model begins from nothing. ``keep_weights=True`` starts from the model's
    present weights instead. Layers that are frozen (``trainable=False``) keep theirs in either case, and stay in
    evaluation mode where they know one. What has a derivative of first order only is refused, or warned of, where a
    second derivative is taken of it. Give layers names where every bit counts: Keras' own count all layers of the
    program, and TensorFlow rounds in the order of the operations' names.

    Raises ``ValueError`` for what is no built Keras model of this kind; for constraints, regularizers and layers that
    assign their own trainable weights, which nothing here would carry out; and for a weight of which it is not known
    how it is drawn.
    """
    input_shape, output_shape = refusals.shapes(model)
    refusals.no_side_effects(model, input_shape)
    values = initial.initial_values(model, keep_weights)
    looked_at: set = set()

    def init(seed):
        params = values(model.trainable_variables, seeds.make(seed))
        return params, values(model.non_trainable_variables, seeds.make(seed), len(params))

    def apply(params, state, x, training=True):
        if autodiff.order() >= 2 and training not in looked_at:
            _look_at_second_order(model, x, training)
            looked_at.add(training)
        if training and replicas.count() > 1:
            refusals.no_share_of_a_batch(model)
        return traced.called(model, params, state, x, training)

    return Network(init, apply, input_shape, output_shape, model)


def bound_of(network: Network) -> str | None:
    """What bounds the network's output, in words (``"a sigmoid in the layer 'dense'"``); ``None`` if nothing is seen.

    Seen are activations, layers and operations at the end of the model, through reshapes and constants; not seen is
    what is bounded by more than one operation of its input (a sine of the output, a division by a norm).
    """
    if network.model is None:
        return None
    return traced.ends_in(network.model, refusals.batch_like(network.model, network.input_shape))


def _look_at_second_order(model: keras.Model, x: Any, training: bool) -> None:
    """``ValueError`` for derivatives that TensorFlow does not know; a warning for gradients that are stopped.

    It is asked where a function is traced, once for each network.
    """
    like = trees.map(lambda x: tf.TensorSpec([2, *x.shape[1:]], x.dtype), x)
    unknown, stopped = traced.wrong_to_second_order(model, like, training)
    if unknown:
        layer, operation = unknown[0]
        raise ValueError(
            f"the layer {layer!r} of the model {model.name!r} cannot be differentiated twice, as a gradient penalty, "
            f"an unrolled step or a meta-gradient does: TensorFlow knows no derivative of its {operation}, which may "
            f"count as 0 in silence; take another layer in its place{traced.INSTEAD.get(operation, '')}."
        )
    kinds = {layer.name: type(layer).__name__ for layer in model._flatten_layers()}
    for layer in dict.fromkeys(layer for layer, _ in stopped):
        ours = traced.OURS.get(kinds.get(layer, ""))
        remedy = f"take mg.normalization.{ours}" if ours else "take a layer that stops no gradient, unless it is meant"
        warnings.warn(
            f"the layer {layer!r} ({kinds.get(layer, 'model')}) of the model {model.name!r} stops a gradient inside, "
            f"so that the second derivative taken here lacks a term; {remedy}.",
            stacklevel=3,
        )
