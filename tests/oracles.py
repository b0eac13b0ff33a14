"""What the tests compare with: central differences in float64, and small smooth networks and games."""

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import autodiff, trees

HYPER = mg.games.Hyper()


def random_like(tree, seed):
    """A tree of standard normal numbers with the structure of ``tree``."""
    rng = np.random.default_rng(seed)
    return trees.map(lambda x: tf.constant(rng.normal(size=x.shape), tf.float64), tree)


def double(tree):
    """The tree with its floating-point leaves in float64."""
    return trees.map(lambda x: tf.cast(x, tf.float64) if x.dtype.is_floating else x, tree)


def difference(fn, x, direction, eps=1e-6):
    """The central difference ``(fn(x + eps·d) - fn(x - eps·d)) / (2 eps)`` of a tree-valued function."""
    ahead = fn(trees.add(x, trees.scale(eps, direction)))
    behind = fn(trees.sub(x, trees.scale(eps, direction)))
    return trees.scale(0.5 / eps, trees.sub(ahead, behind))


def relative_error(actual, expected):
    """``‖actual - expected‖ / ‖expected‖`` over all entries."""
    return float(trees.norm(trees.sub(actual, expected))) / max(float(trees.norm(expected)), 1e-300)


def gradient_error(fn, x, gradient=None, directions=3):
    """The largest error of a gradient of a scalar function along random directions, relative to the gradient's norm."""
    gradient = autodiff.grad(fn)(x) if gradient is None else gradient
    errors = []
    for seed in range(directions):
        direction = random_like(x, seed)
        expected = difference(fn, x, direction)
        errors.append(float(tf.abs(trees.dot(gradient, direction) - expected) / trees.norm(gradient)))
    return max(errors)


def hessian_error(fn, x, directions=2):
    """The largest relative error of Hessian-vector products against central differences of gradients."""
    errors = []
    for seed in range(directions):
        direction = random_like(x, seed)
        expected = difference(autodiff.grad(fn), x, direction)
        errors.append(relative_error(autodiff.hvp(fn, x, direction), expected))
    return max(errors)


def smooth_gan(loss=None, penalty=mg.losses.no_penalty):
    """A small float64 GAN without kinks on points in the plane."""
    gen = mg.networks.mlp(3, (5,), 2, activation="tanh", dtype="float64")
    disc = mg.networks.mlp(2, (6,), 1, activation="tanh", dtype="float64")
    return mg.games.gan(gen, disc, loss=loss, penalty=penalty)


def points(n=7, seed=0):
    """A sampler that always draws the same ``n`` points of the plane, in float64."""
    batch = tf.constant(np.random.default_rng(seed).normal(size=(n, 2)))
    return lambda seed: batch
