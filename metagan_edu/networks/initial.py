"""Initial values of a Keras model's weights, as a function of one seed.

Keras draws initial values where a layer is built, from a global generator, and forgets how. Here each layer is built a
second time from its own configuration, in a scope in which variables remember their initializers; these then draw from
the seed that they are handed.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .. import seeds


class _Drawing(keras.random.SeedGenerator, threading.local):
    """What initializers draw from: the seed of the weight that is being made, and another for each further draw."""

    def __init__(self):
        self.seed, self.draws = None, 0

    def next(self, ordered: bool = True) -> tf.Tensor:
        self.draws += 1
        return self.seed if self.draws == 1 else seeds.fold_in(self.seed, self.draws)

    @contextlib.contextmanager
    def of(self, seed: tf.Tensor) -> Iterator[None]:
        before = self.seed, self.draws
        self.seed, self.draws = seed, 0
        try:
            yield
        finally:
            self.seed, self.draws = before


_drawing = _Drawing()


def own_variables(layer: keras.Layer) -> list:
    """The variables that belong to the layer itself, not to a layer inside it."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def _seeded(initializer: Any) -> Any:
    """The initializer, drawing from :data:`_drawing` where it draws by a seed of its own.

    Keras' own are drawn here, by the package's algorithm: theirs is another one where XLA compiles.
    """
    for kind, draw in DRAWN.items():
        if isinstance(initializer, kind) and type(initializer).__call__ is kind.__call__:
            return functools.partial(_by_seeds, draw, initializer)
    if not isinstance(initializer, keras.initializers.Initializer) or not hasattr(initializer, "seed"):
        return initializer
    initializer = copy.copy(initializer)
    initializer.seed = _drawing
    return initializer


def _by_seeds(draw, initializer, shape, dtype=None, **_):
    return draw(initializer, tuple(shape), _drawing.next(), tf.as_dtype(dtype or keras.config.floatx()))


def _uniform(of, shape, seed, dtype):
    return seeds.uniform(shape, seed, of.minval, of.maxval, dtype)


def _normal(of, shape, seed, dtype):
    return of.mean + of.stddev * seeds.normal(shape, seed, dtype)


def _truncated_normal(of, shape, seed, dtype):
    return of.mean + of.stddev * seeds.truncated_normal(shape, seed, dtype)


def _variance_scaling(of, shape, seed, dtype):
    """Variance ``scale / fan`` (Glorot & Bengio 2010, eq. 12; He et al. 2015, eq. 10)."""
    field = math.prod(shape[:-2])
    fan_in, fan_out = (field * shape[-2], field * shape[-1]) if len(shape) > 1 else 2 * (shape or (1,))
    fan = {"fan_in": fan_in, "fan_out": fan_out}.get(of.mode, (fan_in + fan_out) / 2)
    sd = math.sqrt(of.scale / max(1.0, fan))
    if of.distribution == "uniform":
        return seeds.uniform(shape, seed, -math.sqrt(3) * sd, math.sqrt(3) * sd, dtype)
    if of.distribution == "untruncated_normal":
        return sd * seeds.normal(shape, seed, dtype)
    return sd / 0.87962566103423978 * seeds.truncated_normal(shape, seed, dtype)  # what truncation leaves of sd 1


def _orthogonal(of, shape, seed, dtype):
    """Orthonormal columns or rows, from the QR decomposition of normal draws (Saxe et al. 2014)."""
    rows, columns = math.prod(shape[:-1]), shape[-1]
    q, r = tf.linalg.qr(seeds.normal([max(rows, columns), min(rows, columns)], seed, dtype))
    q *= tf.sign(tf.linalg.diag_part(r))
    return of.gain * tf.reshape(tf.transpose(q) if rows < columns else q, shape)


DRAWN = {
    keras.initializers.RandomUniform: _uniform, keras.initializers.RandomNormal: _normal,
    keras.initializers.TruncatedNormal: _truncated_normal, keras.initializers.VarianceScaling: _variance_scaling,
    keras.initializers.Orthogonal: _orthogonal,
}  # fmt: skip


def _built_again(layer: keras.Layer) -> dict:
    """The initializers of the weights of the layer and the layers inside it, by the weights' ids, from a second layer
    of its configuration; empty where that cannot be made, or has other weights."""
    try:
        with keras.StatelessScope():
            twin = type(layer).from_config(layer.get_config())
            twin.build_from_config(layer.get_build_config())
            found = [variable._initializer for variable in twin.weights]
    except Exception:  # whatever a layer of somebody's own raises, it cannot be built again
        return {}
    shapes, wanted = ([(tuple(v.shape), v.dtype) for v in of.weights] for of in (twin, layer))
    if shapes != wanted or not all(map(callable, found)):
        return {}
    for inside in twin._flatten_layers():
        for name, value in list(vars(inside).items()):  # for functions that ask the layer, as that of an LSTM's bias
            if isinstance(value, keras.initializers.Initializer):
                setattr(inside, name, _seeded(value))
    return {id(v): _seeded(initializer) for v, initializer in zip(layer.weights, found, strict=True)}


def _by_name(layer: keras.Layer, variable: Any) -> Any:
    """The initializer that stands beside the variable in the layer, as ``kernel_initializer`` beside ``kernel``."""
    for name, value in vars(layer).items():
        beside = getattr(layer, f"{name.lstrip('_')}_initializer", None)
        if value is variable and callable(beside):
            return _seeded(beside)
    return None


def _drawn(initializer: Callable, variable: Any, seed: tf.Tensor) -> tf.Tensor:
    with _drawing.of(seed):
        return tf.cast(initializer(tuple(variable.shape), dtype=variable.dtype), variable.dtype)


def _is_function_of_the_seed(initializer: Callable, variable: Any) -> bool:
    if isinstance(initializer, functools.partial) or type(initializer).__module__.startswith("keras."):
        return True
    seed = seeds.make(0)
    first, again = (_drawn(initializer, variable, seed).numpy() for _ in range(2))
    return np.array_equal(first, again)


def _present(variable: Any) -> Callable:
    value = variable.numpy()
    return lambda shape, dtype: tf.constant(value)


def _initializer(layer: keras.Layer, variable: Any, declared: Any) -> Callable:
    initializer = declared or _by_name(layer, variable)
    value = variable.numpy()
    if initializer is None and (value.size == 0 or (value == value.flat[0]).all()):
        return _present(variable)  # zeros, ones, a counter: no draw
    if initializer is None:
        why = f"the {type(layer).__name__} {layer.name!r} cannot be built again from its get_config()"
    elif not _is_function_of_the_seed(initializer, variable):
        why = "its initializer draws from a global generator"
    else:
        return initializer
    raise ValueError(
        f"the weight {variable.path!r} cannot be drawn from a seed, because {why}; give the layer a get_config() and a "
        "Keras initializer, or write mg.networks.network(model, keep_weights=True)."
    )


def initial_values(model: keras.Model, keep_weights: bool) -> Callable:
    """``(variables, seed, first) -> values``: initial values of variables of ``model``, number ``first`` and on.

    Weights are drawn anew; those of frozen layers, and all where ``keep_weights``, stay at the model's present values.
    States of seed generators are always drawn. Raises ``ValueError`` that names a weight of which it is not known how
    it is drawn.
    """
    made = {id(v): _present(v) for v in model.variables}  # right for what belongs to no layer, as of metrics
    declared: dict[int, Any] = {}
    done: set[int] = set()
    for layer in model._flatten_layers():  # what holds a layer comes before it
        whole = layer is model and not own_variables(layer)  # its layers are built again one by one
        if not whole and not keep_weights and any(id(v) not in declared for v in layer.weights):
            declared = _built_again(layer) | declared
        own = [variable for variable in own_variables(layer) if id(variable) not in done]
        done |= {id(variable) for variable in own}
        if layer.trainable and not keep_weights:
            made |= {id(v): _initializer(layer, v, declared.get(id(v))) for v in own}

    def value(variable, seed):
        if "seed_generator_state" in variable.path:
            return tf.cast(tf.math.abs(seed), variable.dtype)
        return _drawn(made[id(variable)], variable, seed)

    def values(variables, seed, first=0):
        return tuple(value(variable, seeds.fold_in(seed, first + i)) for i, variable in enumerate(variables))

    return values
