"""The game of two networks, with and without class labels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .. import checks, losses, replicas, seeds, trees
from ..networks import Network, bound_of, network
from ..values import by_value
from .base import Game, Player, Players


def gan(
    gen: Network | Any, disc: Network | Any, *, loss: losses.Loss | None = None,
    penalty: losses.Penalty | None = None, condition: int | None = None,
) -> Game:  # fmt: skip
    """The GAN of two networks: ``L_G`` and ``L_D`` of ``loss``, plus ``penalty`` on the discriminator.

    ``gen``: network from noise ``(n, latent_dim)``, ``z ~ N(0, I)``, to samples; ``disc``: network from samples to one
    logit; a built Keras model is taken as :func:`~metagan_edu.networks.network` makes it. ``loss``: a
    :class:`~metagan_edu.losses.Loss` (default: non-saturating). ``penalty``: a :class:`~metagan_edu.losses.Penalty`, or
    a function ``(critic, real, fake, seed)``, which counts as free. The batch is a tensor of real examples.

    ``condition``: a number of classes, for a conditional game (Mirza & Osindero 2014, eq. 2). The batch is a pair of
    examples and whole labels ``(n,)``; the generator takes ``[z, label]`` and the discriminator ``[x, label]``, each
    label as one 1 among zeros, ``(n, condition)``; generated examples have the labels of the batch. A label out of
    range is refused where its value is known; otherwise the losses are NaN, which stops the loop. ``score`` takes the
    pair, ``generate`` has ``labels=``.

    Raises ``ValueError`` where the networks do not fit each other, where the discriminator is seen to be bounded (it
    must return a logit), and, when traced, where the batch does not fit.
    """
    gen, disc = (net if isinstance(net, Network) else network(net) for net in (gen, disc))
    return _gan(gen, disc, losses.as_loss(loss), losses.as_penalty(penalty), condition)


@by_value
def _gan(gen, disc, loss, penalty, condition):
    latent_shape, example_shape = _fitting(gen, disc, condition)

    noise = _noise(latent_shape)

    def play(players, batch, seed):
        real, label = _checked(batch, example_shape, condition)
        z = noise(tf.shape(real)[0], seed, real.dtype)
        fake, gen_state = gen.apply(*players.gen, _with(z, label))
        real_logits, disc_state = disc.apply(*players.disc, _with(real, label))
        fake_logits, disc_state = disc.apply(players.disc.params, disc_state, _with(fake, label))
        return (real, fake, label), (real_logits, fake_logits), Players(gen_state, disc_state)

    def gen_loss(players, batch, seed, hyper):
        _, logits, state = play(players, batch, seed)
        return loss.gen(*logits), state.gen

    def disc_loss(players, batch, seed, hyper):
        (real, fake, label), logits, state = play(players, batch, seed)
        value = loss.disc(*logits)
        critic = lambda x: disc.apply(*players.disc, _with(x, label))[0]  # noqa: E731
        cost = penalty.value(critic, real, tf.cast(fake, real.dtype), seed, hyper)
        return value + trees.as_type(hyper.penalty, value.dtype) * tf.cast(cost, value.dtype), state.disc

    def init(seed):
        return Players(*(Player(*n.init(s)) for n, s in zip((gen, disc), seeds.split(seed, 2), strict=True)))

    def generate(players, n, seed, labels=None):
        z, label = noise(n, seed), None
        if condition is not None:
            drawn = seeds.integers([n], seeds.fold_in(seed, "labels"), condition) if labels is None else labels
            label = _one_hot(drawn, condition, z.dtype)
        return tf.cast(gen.apply(*players.gen, _with(z, label), training=False)[0], tf.float32)

    def score(players, x):
        if condition is not None:
            x = _with(*_checked(x, example_shape, condition))
        return disc.apply(*players.disc, x, training=False)[0]

    generate.condition = condition
    return Game(init, gen_loss, disc_loss, generate, score, Players(1.0, 1.0 + penalty.gradients))


def _noise(shape):
    def noise(n, seed, dtype=tf.float32):
        own = seeds.fold_in(seed, "z")
        return replicas.share(lambda n: seeds.normal([n, *shape], own, dtype), n)

    return noise


def _with(x, label):
    """What a network takes: ``x``, or ``(x, label)`` where there are labels."""
    return x if label is None else (x, tf.cast(label, x.dtype))


def _fitting(gen, disc, condition):
    """The shapes of one noise and one example; ``ValueError`` where the networks do not fit each other."""
    latent, example = gen.input_shape, disc.input_shape
    if condition is not None:
        wanted = (checks.whole("condition", condition, 2),)
        for who, x, shape in (("generator", "z", latent), ("discriminator", "x", example)):
            if len(shape) != 2 or shape[1] != wanted:
                raise ValueError(
                    f"in a game with condition={condition} the {who} must take [{x}, label] with labels of shape "
                    f"{wanted}, not inputs of shape {shape}; make it a keras.Model([{x}, label], output)."
                )
        latent, example = latent[0], example[0]
    for who, shape in (("generator", latent), ("discriminator", example)):
        if any(isinstance(size, tuple) for size in shape):
            raise ValueError(
                f"the {who} takes {len(shape)} inputs, of shapes {shape}; one is expected, or, with "
                "gan(..., condition=num_classes), a label as the second."
            )
    if len(latent) != 1:
        raise ValueError(f"the generator must take noise of shape (latent_dim,), not {latent}.")
    if gen.output_shape != example:
        raise ValueError(f"the generator makes {gen.output_shape}, but the discriminator takes {example}.")
    if disc.output_shape != (1,):
        raise ValueError(f"the discriminator must return one logit, shape (1,), not {disc.output_shape}.")
    bound = bound_of(disc)
    if bound is not None:
        raise ValueError(
            f"the discriminator ends in {bound}, but the losses take a logit, which is not bounded; take the "
            "activation away (activation=None): the losses have their own sigmoid."
        )
    return latent, example


def _checked(batch: Any, example_shape: tuple, condition: int | None) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Examples and labels (one 1 among zeros; ``None`` without) of a batch that fits; else ``ValueError``."""
    pair = isinstance(batch, (tuple, list))
    if pair and condition is None:
        raise ValueError(
            f"a batch is a tuple of {len(batch)}, but the game takes examples alone: draw them alone, or write "
            "gan(..., condition=number of classes), whose batch is (examples, labels)."
        )
    if condition is not None and (not pair or len(batch) != 2):
        raise ValueError(f"a game with condition={condition} takes batches (examples, labels), not one tensor.")
    x = tf.convert_to_tensor(batch[0] if pair else batch)
    if x.shape.rank is None or not x.shape[1:].is_compatible_with(example_shape) or x.shape.rank == 0:
        raise ValueError(f"a batch has shape {tuple(x.shape)}; the discriminator takes (n, *{example_shape}).")
    if not x.dtype.is_floating:
        remedy = "; bring images to [-1, 1], as x / 127.5 - 1 or as mg.data does" if x.dtype == tf.uint8 else ""
        raise ValueError(f"a batch must hold floating-point numbers, not {x.dtype.name}{remedy}.")
    if condition is None:
        return x, None
    labels = tf.convert_to_tensor(batch[1])
    if labels.shape.rank != 1 or not labels.shape.is_compatible_with(x.shape[:1]):
        raise ValueError(f"examples {tuple(x.shape)} need one label each, not labels {tuple(labels.shape)}.")
    return x, _one_hot(labels, condition, x.dtype)


def _one_hot(labels: Any, condition: int, dtype: tf.DType) -> tf.Tensor:
    """Labels (n,) as rows with one 1; NaN for one out of range, or ``ValueError`` where its value is known."""
    labels = tf.convert_to_tensor(labels)
    if not labels.dtype.is_integer:
        raise ValueError(f"labels must be whole numbers from 0 to {condition - 1}, not of type {labels.dtype.name}.")
    known = tf.get_static_value(labels)
    wrong = [] if known is None else known[(known < 0) | (known >= condition)]
    if len(wrong):
        raise ValueError(f"labels must be from 0 to {condition - 1}, as condition={condition} says, not {wrong[0]}.")
    inside = (labels >= 0) & (labels < tf.cast(condition, labels.dtype))
    rows = tf.one_hot(tf.cast(labels, tf.int32), condition, dtype=dtype)
    return tf.where(inside[:, None], rows, tf.cast(float("nan"), dtype))
