"""What :func:`~metagan_edu.networks.network` refuses: what is no Keras model, and what no pure function would do."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from .. import seeds
from . import traced

IN_TRAINING = (
    "training here applies no {what}, because parameters are explicit values: take it away and write {instead}"
)

APPROXIMATE = {"RandomAffine", "RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom"}


def shapes(model: Any) -> tuple[tuple, tuple]:
    """The shapes of one example of the input (a tuple of shapes for several) and of the output; else ``ValueError``."""
    if not isinstance(model, keras.Model):
        if type(model).__module__.split(".")[0] == "tf_keras":
            raise ValueError("this is a model of tf_keras (Keras 2); build it with Keras 3: import keras.")
        raise ValueError(
            f"network takes a Keras model, such as keras.Sequential([...]), not {type(model).__name__}; a single layer "
            "goes into one."
        )
    if not model.built:
        raise ValueError(
            f"the Keras model {model.name!r} must be built; give it an Input layer, or call it on a batch first."
        )
    given = model.input_shape if getattr(model, "inputs", None) else (model.get_build_config() or {}).get("input_shape")
    if given is None or isinstance(getattr(model, "_inputs_struct", None), dict):
        raise ValueError(
            f"the Keras model {model.name!r} must take one input, or one list of them, not several arguments or names."
        )
    several = any(not isinstance(size, (int, type(None))) for size in given)
    input_shape = tuple(tuple(shape[1:]) for shape in given) if several else tuple(given[1:])
    if several and len(input_shape) == 1:
        input_shape = input_shape[0]
    output_shape = _output_shape(model, input_shape)
    return input_shape, output_shape


def batch_like(model: keras.Model, input_shape: tuple) -> Any:
    """Specifications of a batch of two examples."""
    dtypes = [x.dtype for x in model.inputs] if getattr(model, "inputs", None) else [model.compute_dtype] * 99
    several = bool(input_shape) and isinstance(input_shape[0], tuple)
    specs = tuple(
        tf.TensorSpec([2, *shape], dtype)
        for shape, dtype in zip(input_shape if several else [input_shape], dtypes, strict=False)
    )
    return specs if several else specs[0]


def _output_shape(model: keras.Model, input_shape: tuple) -> tuple:
    if getattr(model, "outputs", None):
        outputs = [tuple(y.shape) for y in model.outputs]
    else:
        traced_model = traced.of_model(model, batch_like(model, input_shape), False, lambda call, *args: call(*args))
        outputs = [tuple(y.shape) for y in traced_model[-1].outputs]
    if len(outputs) != 1:
        raise ValueError(f"the Keras model {model.name!r} must have one output, not {len(outputs)}.")
    return outputs[0][1:]


def no_share_of_a_batch(model: keras.Model) -> None:
    """``ValueError`` for layers that would look at a replica's share of the batch alone, or draw the same for each."""
    for layer in model._flatten_layers(include_self=False, recursive=True):
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable:
            raise ValueError(f"the layer {layer.name!r} normalizes over a replica's share of the batch alone, so a "
                             "strategy would change the game; take mg.normalization.BatchNorm.")  # fmt: skip
        if any(tf.as_dtype(v.dtype) in seeds.OF_GENERATORS for v in layer.non_trainable_variables):
            raise ValueError(f"the layer {layer.name!r} draws the same numbers on each replica, for different "
                             "examples, so a strategy would change the game; take it away.")  # fmt: skip


def no_side_effects(model: keras.Model, input_shape: tuple) -> None:
    """``ValueError`` for constraints, regularizers, losses of layers, and layers that assign trainable weights."""
    for variable in model.trainable_variables:
        if variable.constraint is not None:
            instead = "mg.networks.spectral(network), or a penalty such as mg.losses.gradient_penalty()"
            _refuse(f"the weight {variable.path!r} has a constraint", "constraints", instead)
        if variable.regularizer is not None:
            _refuse(f"the weight {variable.path!r} has a regularizer", "regularizers",
                    "a penalty of gan(...), or decay in the optimizer")  # fmt: skip
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.SpectralNormalization):
            _refuse(f"{layer.name!r} is Keras' SpectralNormalization, which assigns its layer's kernel", "assignment",
                    "mg.networks.spectral(network)")  # fmt: skip
        kind = type(layer).__name__
        if kind in APPROXIMATE and not (kind == "RandomTranslation" and layer.fill_mode == "constant"):
            raise ValueError(
                f"{layer.name!r} is Keras' {kind}, whose gradient TensorFlow computes by a transform back that "
                "is not its adjoint, so that it is off by up to a tenth; change the images before they are batches."
            )
        if getattr(layer, "activity_regularizer", None) is not None:
            _refuse(f"the layer {layer.name!r} has an activity regularizer", "regularizers", "a penalty of gan(...)")
    if any(not type(layer).__module__.startswith(("keras.", "metagan_edu.")) for layer in model._flatten_layers()):
        _watch_a_call(model, input_shape)


def _refuse(found: str, what: str, instead: str) -> None:
    raise ValueError(f"{found}, but {IN_TRAINING.format(what=what, instead=instead)}.")


def _watch_a_call(model: keras.Model, input_shape: tuple) -> None:
    """A call in training mode, in which layers of somebody's own must assign no trainable weight and add no loss."""
    assigned, added = [], []

    def call(params, state, x):
        pairs = [*zip(model.trainable_variables, params, strict=True),
                 *zip(model.non_trainable_variables, state, strict=True)]  # fmt: skip
        with keras.StatelessScope(state_mapping=pairs, collect_losses=True) as scope:
            before = [scope.get_current_value(v) for v in model.trainable_variables]
            y = traced.told(model, list(x) if isinstance(x, tuple) else x, training=True)
            after = [scope.get_current_value(v) for v in model.trainable_variables]
            added.extend(scope.losses)
        assigned.extend(v.path for v, a, b in zip(model.trainable_variables, before, after, strict=True) if a is not b)
        return y

    specs = [tuple(tf.TensorSpec(v.shape, v.dtype) for v in of) for of in
             (model.trainable_variables, model.non_trainable_variables)]  # fmt: skip
    traced.graph_of(call, *specs, batch_like(model, input_shape))
    if assigned:
        _refuse(f"the weight {assigned[0]!r} is assigned by its own layer in a call", "assignments",
                "the layer so that it computes with the new value, or make the weight trainable=False")  # fmt: skip
    if added:
        _refuse(f"a layer of the model {model.name!r} calls add_loss", "losses of layers", "a penalty of gan(...)")
