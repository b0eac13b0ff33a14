"""Networks as pure functions: a Keras model supplies layers and initial values; parameters are explicit arguments.

:func:`network` turns any built Keras model into a :class:`Network`; :func:`mlp`, :func:`dcgan_generator` and
:func:`dcgan_discriminator` build the models that the course uses.
"""

from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from . import checks, seeds
from .values import by_value


class Network(NamedTuple):
    """A network as two pure functions.

    ``init(seed) -> (params, state)``: initial trainable values, and the non-trainable state (moving statistics).
    ``apply(params, state, x, training=True) -> (y, state)``: the output for a batch, and the state after it.
    ``input_shape``, ``output_shape``: of one example, without the batch axis. ``model``: the Keras model behind it,
    for ``model.summary()`` and for export; its own variables are never read in training.
    """

    init: Callable
    apply: Callable
    input_shape: tuple
    output_shape: tuple
    model: keras.Model


class _GivenSeed(keras.random.SeedGenerator):
    """Hands a Keras initializer the seed that it is given, so that initial values are a function of that seed."""

    def __init__(self, value):
        self.value = value

    def next(self, ordered=True):
        return self.value


def _initializers(model):
    """For each variable (by id) the Keras initializer that its layer declares for it, where there is one."""
    found = {}
    for layer in model._flatten_layers():
        for name in ("kernel", "bias", "gamma", "beta", "embeddings", "moving_mean", "moving_variance"):
            initializer = getattr(layer, f"{name}_initializer", None)
            variable = getattr(layer, name, None)
            if initializer is not None and variable is not None:
                found[id(variable)] = initializer
    return found


def network(model):
    """Any built Keras model as a :class:`Network`.

    Weights with a declared initializer (kernels, biases, embeddings) are drawn anew from ``init``'s seed, and so are
    the states of seed generators (dropout); all others start at the values that the model was built with.
    Raises ``ValueError`` for a model that has not been built, or that has several inputs or outputs.
    """
    if not model.built or not isinstance(getattr(model, "input_shape", None), tuple):
        raise ValueError(f"the Keras model {model.name!r} must be built and have one input; give it an Input layer.")
    if not isinstance(model.output_shape, tuple):
        raise ValueError(f"the Keras model {model.name!r} must have one output, not {len(model.output_shape)}.")
    initializers = _initializers(model)
    built = {id(v): v.numpy() for v in model.variables if id(v) not in initializers}  # now: a graph could not read them

    def initial(index, variable, seed):
        own_seed = seeds.fold_in(seed, index)
        if "seed_generator_state" in variable.path:
            return tf.cast(tf.math.abs(own_seed), variable.dtype)
        initializer = initializers.get(id(variable))
        if initializer is None:
            return tf.constant(built[id(variable)])
        if hasattr(initializer, "seed"):
            initializer = initializer.clone()
            initializer.seed = _GivenSeed(own_seed)
        return tf.cast(initializer(variable.shape, variable.dtype), variable.dtype)

    def init(seed):
        seed = seeds.make(seed)
        params = [initial(i, v, seed) for i, v in enumerate(model.trainable_variables)]
        state = [initial(i + len(params), v, seed) for i, v in enumerate(model.non_trainable_variables)]
        return tuple(params), tuple(state)

    def apply(params, state, x, training=True):
        y, new_state = model.stateless_call(list(params), list(state), x, training=training)
        return y, tuple(tf.convert_to_tensor(v) for v in new_state)

    return Network(init, apply, tuple(model.input_shape[1:]), tuple(model.output_shape[1:]), model)


@by_value
def spectral(inner):
    """``inner`` with each kernel ``W`` divided by its largest singular value: every layer is 1-Lipschitz in its kernel.

        v = Wu/‖Wu‖,   u ← Wᵀv/‖Wᵀv‖,   W/σ with σ = vᵀWu

    ``W`` is the kernel as a matrix with one column for each output. One power iteration per call in training, none
    otherwise; ``u`` is part of the state, and ``u``, ``v`` count as constants in the derivative, which is exact once
    they have converged. A regularizer of discriminators. (Miyato, Kataoka, Koyama & Yoshida 2018, algorithm 1.)
    """

    def is_kernel(param):
        return len(param.shape) >= 2

    def init(seed):
        params, state = inner.init(seed)
        kernels = [p for p in params if is_kernel(p)]
        draws = seeds.split(seeds.fold_in(seed, "spectral"), max(len(kernels), 1))
        starts = [
            seeds.normal([k.shape[-1]], s, k.dtype) for k, s in zip(kernels, draws, strict=True)
        ]
        return params, (state, tuple(map(_unit, starts)))

    def apply(params, state, x, training=True):
        inner_state, vectors = state
        divided, kept, left = [], [], iter(vectors)
        for param in params:
            if is_kernel(param):
                param, u = _divided(param, next(left), training)
                kept.append(u)
            divided.append(param)
        y, inner_state = inner.apply(tuple(divided), inner_state, x, training)
        return y, (inner_state, tuple(kept))

    return inner._replace(init=init, apply=apply)


def _unit(vector):
    return vector * tf.math.rsqrt(tf.reduce_sum(vector * vector) + 1e-24)


def _divided(kernel, u, training):
    matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
    fixed = tf.stop_gradient(matrix)
    v = _unit(tf.linalg.matvec(fixed, u))
    u = tf.stop_gradient(_unit(tf.linalg.matvec(fixed, v, transpose_a=True)) if training else u)
    sigma = tf.reduce_sum(tf.stop_gradient(v) * tf.linalg.matvec(matrix, u))
    return kernel / sigma, u


@by_value
def mlp(num_inputs, hidden, num_outputs, *, activation="relu", initializer="orthogonal", output=None, dtype=None):
    """A multilayer perceptron ``num_inputs → hidden… → num_outputs``: ``h_{l+1} = φ(W_l h_l + b_l)``.

    ``hidden``: the widths of the hidden layers; ``output``: activation of the last layer (``None``: linear, as logits
    need); ``initializer``: of every kernel; ``dtype``: a Keras dtype or policy, such as ``"float64"`` or
    ``"mixed_bfloat16"``.
    """
    checks.whole("num_inputs", num_inputs), checks.whole("num_outputs", num_outputs)
    hidden = checks.wholes("hidden", hidden)
    layers = [keras.Input((num_inputs,), dtype=keras.dtype_policies.get(dtype).compute_dtype if dtype else None)]
    layers += [keras.layers.Dense(n, activation, kernel_initializer=initializer, dtype=dtype) for n in hidden]
    layers += [keras.layers.Dense(num_outputs, output, kernel_initializer=initializer, dtype=dtype)]
    return network(keras.Sequential(layers))


def _image_shape(shape):
    if len(shape) != 3 or shape[0] != shape[1] or shape[0] % 4:
        raise ValueError(f"image_shape must be (size, size, channels) with a size divisible by 4, not {shape!r}.")
    return shape


@by_value
def dcgan_generator(latent_dim, image_shape, *, width=32, norm=None, dtype=None):
    """A DCGAN generator: dense ``size/4 × size/4 × 2 width``, then two transposed convolutions 4x4, stride 2, tanh.

    ``norm``: a function that makes a normalization layer (such as :class:`~metagan_edu.normalization.BatchNorm`)
    for each hidden layer. Images come out in [-1, 1]. (Radford, Metz & Chintala 2016, section 3.)
    """
    size, _, channels = _image_shape(image_shape)
    checks.whole("latent_dim", latent_dim), checks.whole("width", width)

    def hidden():
        return [*([norm(dtype=dtype)] if norm else []), keras.layers.ReLU(dtype=dtype)]

    conv = {"kernel_size": 4, "strides": 2, "padding": "same", "dtype": dtype}
    layers = [
        keras.Input((latent_dim,)),
        keras.layers.Dense((size // 4) ** 2 * 2 * width, dtype=dtype),
        keras.layers.Reshape((size // 4, size // 4, 2 * width), dtype=dtype),
        *hidden(),
        keras.layers.Conv2DTranspose(width, **conv),
        *hidden(),
        keras.layers.Conv2DTranspose(channels, activation="tanh", **conv),
    ]
    return network(keras.Sequential(layers))


@keras.saving.register_keras_serializable("metagan_edu")
def leaky_relu(x):
    """max(x, 0.2 x). (The fused operation of the same name makes TensorFlow's graph optimizer print an error.)"""
    return tf.maximum(x, tf.cast(0.2, x.dtype) * x)


@by_value
def dcgan_discriminator(image_shape, *, width=32, norm=None, dtype=None):
    """A DCGAN discriminator: convolutions 4x4, stride 2, of ``width`` and ``2 width`` channels, leaky ReLU, one logit.

    ``norm``: as in :func:`dcgan_generator`, applied to the second layer only.
    """
    _image_shape(image_shape)
    checks.whole("width", width)
    conv = {"kernel_size": 4, "strides": 2, "padding": "same", "dtype": dtype}
    layers = [
        keras.Input(tuple(image_shape)),
        keras.layers.Conv2D(width, **conv),
        keras.layers.Activation(leaky_relu, dtype=dtype),
        keras.layers.Conv2D(2 * width, **conv),
        *([norm(dtype=dtype)] if norm else []),
        keras.layers.Activation(leaky_relu, dtype=dtype),
        keras.layers.Flatten(dtype=dtype),
        keras.layers.Dense(1, dtype=dtype),
    ]
    return network(keras.Sequential(layers))
