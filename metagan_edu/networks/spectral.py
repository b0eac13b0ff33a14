"""Spectral normalization, right to second order."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from .. import seeds
from ..roots import root
from ..values import by_value
from .base import Network

SQUARINGS = 30  # G^(2^30): singular values nearer than 1e-9, relatively, count as one
TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
NO_KERNELS = {"alpha", "beta", "bias", "gamma", "scale"}  # of two or more axes in some layers


@by_value
def spectral(inner: Network) -> Network:
    """``inner`` with each kernel ``W`` divided by its largest singular value: every layer is 1-Lipschitz in its kernel.

        G = WᵀW or WWᵀ, the smaller;   u ← Gu/‖Gu‖;   W/σ,  σ² = uᵀGu / uᵀu

    ``W`` is the kernel as a matrix with one column for each output. ``u`` is part of the state: it starts converged,
    and takes one step of the power iteration per call in training, none otherwise. A regularizer of discriminators.
    (Miyato, Kataoka, Koyama & Yoshida 2018, algorithm 1.)

    Once ``u`` has converged, the derivatives of σ are exact to second order: in the derivative ``u`` is no constant
    but a Newton step of the eigenproblem, ``u(W) = u + (σ²I - G₀ + σ²uuᵀ)⁻¹(I - uuᵀ)G(W)u``, whose error, squared, is
    that of σ². Where two singular values are equal σ has no second derivative; the inverse is damped there, by the root
    of the number type's precision: start from ``initializer="glorot_uniform"``, say, where second derivatives are
    taken, because an orthogonal start has equal singular values only. Raises ``ValueError`` for a network without
    kernels.
    """
    matrices = _matrices(inner.model)

    def init(seed):
        params, state = inner.init(seed)
        kernels = [m for m in matrices(params) if m is not None]
        if not kernels:
            raise ValueError("this network has no kernels, so there is nothing to divide; leave spectral away.")
        draws = seeds.split(seeds.fold_in(seed, "spectral"), len(kernels))
        return params, (state, tuple(_converged(*pair) for pair in zip(kernels, draws, strict=True)))

    def apply(params, state, x, training=True):
        inner_state, vectors = state
        params, vectors = _divided(params, matrices(params), vectors, training)
        y, inner_state = inner.apply(params, inner_state, x, training)
        return y, (inner_state, vectors)

    def weights(params, state):
        return inner.weights(_divided(params, matrices(params), state[1], False)[0], state[0])

    return inner._replace(init=init, apply=apply, weights=weights)


def _matrices(model: keras.Model | None) -> Callable:
    """A function of parameters that gives for each the kernel as a matrix, or ``None`` for what is no kernel."""
    axes = None if model is None else [_output_axes(model, v) for v in model.trainable_variables]
    if model is not None and not any(axes or ()):
        raise ValueError(
            f"the model {model.name!r} has no kernels, so there is nothing to divide; leave spectral away."
        )

    def matrices(params):
        known = axes or [(len(p.shape) - 1,) if len(p.shape) > 1 else () for p in params]
        return [_as_matrix(param, last) if last else None for param, last in zip(params, known, strict=True)]

    return matrices


def _divided(params: tuple, matrices: list, vectors: tuple, step: bool) -> tuple[tuple, tuple]:
    """The parameters with kernels divided by their largest singular values, and the vectors after the call."""
    left, result, kept = iter(vectors), [], []
    for param, matrix in zip(params, matrices, strict=True):
        if matrix is not None:
            sigma, u = _largest(matrix, next(left), step)
            param = param / tf.where(sigma > 0, sigma, tf.ones_like(sigma))
            kept.append(u)
        result.append(param)
    return tuple(result), tuple(kept)


def _output_axes(model: keras.Model, variable) -> tuple[int, ...]:
    """Which axes of a kernel count outputs; none for what is no kernel."""
    rank = len(variable.shape)
    if rank < 2 or variable.name in NO_KERNELS:
        return ()
    owners = [layer for layer in model._flatten_layers() if any(v is variable for v in layer._trainable_variables)]
    owner = owners[0] if owners else None
    if isinstance(owner, TRANSPOSED):  # (…, out, in)
        return (rank - 2,)
    if isinstance(owner, keras.layers.EinsumDense):  # as "abc,cde->abde": d and e
        inputs, kernel = owner.equation.split("->")[0].split(",")
        return tuple(i for i, letter in enumerate(kernel) if letter not in inputs)
    return (rank - 1,)


def _as_matrix(kernel: tf.Tensor, outputs: tuple[int, ...]) -> tf.Tensor:
    others = [i for i in range(len(kernel.shape)) if i not in outputs]
    columns = math.prod(kernel.shape[i] for i in outputs)
    return tf.reshape(tf.transpose(kernel, [*others, *outputs]), [-1, columns])


def _gram(matrix: tf.Tensor) -> tf.Tensor:
    """``WᵀW`` or ``WWᵀ``, whichever is smaller."""
    rows, columns = matrix.shape
    return tf.matmul(matrix, matrix, transpose_a=rows >= columns, transpose_b=rows < columns)


def _unit(vector: tf.Tensor) -> tf.Tensor:
    return vector * tf.math.rsqrt(tf.reduce_sum(vector * vector) + 1e-24)


def _converged(matrix: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """A unit vector in the space of the largest singular value: a drawn one, projected by a high power of ``G``."""
    gram = _gram(matrix)
    power = gram
    for _ in range(SQUARINGS):
        power /= tf.norm(power) + 1e-24
        power = tf.matmul(power, power)
    start = _unit(seeds.normal([gram.shape[0]], seed, gram.dtype))
    return _iterated(gram, _iterated(power, start))


def _iterated(gram: tf.Tensor, u: tf.Tensor) -> tf.Tensor:
    """``Gu/‖Gu‖``; ``u`` where that is 0."""
    product = tf.linalg.matvec(gram, u)
    return tf.where(tf.norm(product) > 0, _unit(product), u)


def _largest(matrix: tf.Tensor, u: tf.Tensor, step: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """The largest singular value of a matrix near the vector ``u``, and ``u`` after a step of the power iteration."""
    gram = _gram(matrix)
    fixed = tf.stop_gradient(gram)
    u = tf.stop_gradient(_iterated(fixed, u) if step else u)
    moved = u + _newton(fixed, u, tf.linalg.matvec(gram, u)) if gram.shape[0] > 1 else u
    square = tf.reduce_sum(moved * tf.linalg.matvec(gram, moved)) / tf.reduce_sum(moved * moved)
    return root(square), u


def _newton(gram: tf.Tensor, u: tf.Tensor, product: tf.Tensor) -> tf.Tensor:
    """``K⁻¹(I - uuᵀ) · product`` with ``K = σ²I - G + σ²uuᵀ``, all of it constant but ``product = G(W)u``.

    ``K⁻¹`` is damped to ``(K² + δ²σ⁴I)⁻¹K`` with ``δ² = eps``: where singular values meet, ``K`` is singular.
    """
    square = tf.reduce_sum(u * tf.linalg.matvec(gram, u))
    one = tf.eye(gram.shape[0], dtype=gram.dtype)
    k = one - gram / (square + 1e-30) + u[:, None] * u[None, :]  # in units of σ²
    damped = tf.matmul(k, k) + np.finfo(gram.dtype.as_numpy_dtype).eps * one
    across = (product - u * tf.reduce_sum(u * product)) / (square + 1e-30)
    factor = tf.linalg.cholesky(damped)
    return tf.linalg.cholesky_solve(factor, tf.linalg.matvec(k, across)[:, None])[:, 0]
