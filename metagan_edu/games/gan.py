"""The game of two networks."""

from __future__ import annotations

import tensorflow as tf

from .. import losses, replicas, seeds, trees
from ..networks import Network
from ..values import by_value
from .base import Game, Player, Players


@by_value
def gan(
    gen: Network, disc: Network, *, loss: losses.Loss | None = None, penalty: losses.Penalty = losses.no_penalty
) -> Game:
    """The GAN of two networks: ``L_G`` and ``L_D`` of ``loss``, plus ``penalty`` on the discriminator.

    ``gen``: network from noise ``(n, latent_dim)``, ``z ~ N(0, I)``, to samples; ``disc``: network from samples to one
    logit; ``loss``: a :class:`~metagan_edu.losses.Loss` (default: non-saturating). The batch is a tensor of real
    examples. Raises ``ValueError`` where the shapes of the networks do not fit each other (here) or the batch (when
    traced).
    """
    loss = losses.non_saturating() if loss is None else loss
    if len(gen.input_shape) != 1:
        raise ValueError(f"the generator must take noise of shape (latent_dim,), not {gen.input_shape}.")
    if gen.output_shape != disc.input_shape:
        raise ValueError(f"the generator makes {gen.output_shape}, but the discriminator takes {disc.input_shape}.")
    if disc.output_shape != (1,):
        raise ValueError(f"the discriminator must return one logit, shape (1,), not {disc.output_shape}.")

    def noise(n, seed, dtype=tf.float32):
        own = seeds.fold_in(seed, "z")
        return replicas.share(lambda n: seeds.normal([n, *gen.input_shape], own, dtype), n)

    def play(players, batch, seed):
        if tuple(batch.shape[1:]) != disc.input_shape:
            raise ValueError(
                f"a batch has shape {tuple(batch.shape)}; the discriminator takes (n, *{disc.input_shape})."
            )
        if not batch.dtype.is_floating:
            raise ValueError(f"a batch must hold floating-point numbers, not {batch.dtype.name}.")
        fake, gen_state = gen.apply(*players.gen, noise(tf.shape(batch)[0], seed, batch.dtype))
        real_logits, disc_state = disc.apply(*players.disc, batch)
        fake_logits, disc_state = disc.apply(players.disc.params, disc_state, fake)
        return fake, real_logits, fake_logits, Players(gen_state, disc_state)

    def gen_loss(players, batch, seed, hyper):
        _, real_logits, fake_logits, state = play(players, batch, seed)
        return loss.gen(real_logits, fake_logits), state.gen

    def disc_loss(players, batch, seed, hyper):
        fake, real_logits, fake_logits, state = play(players, batch, seed)
        value = loss.disc(real_logits, fake_logits)
        critic = lambda x: disc.apply(*players.disc, x)[0]  # noqa: E731
        cost = penalty.value(critic, batch, tf.cast(fake, batch.dtype), seed, hyper)
        return value + trees.as_type(hyper.penalty, value.dtype) * tf.cast(cost, value.dtype), state.disc

    def init(seed):
        return Players(*(Player(*n.init(s)) for n, s in zip((gen, disc), seeds.split(seed, 2), strict=True)))

    def generate(players, n, seed):
        return tf.cast(gen.apply(*players.gen, noise(n, seed), training=False)[0], tf.float32)

    def score(players, x):
        return disc.apply(*players.disc, x, training=False)[0]

    return Game(init, gen_loss, disc_loss, generate, score, Players(1.0, 1.0 + penalty.gradients))
