"""Fixed reference loops: what a reader would write with Keras alone. They are not to be made faster or slower."""

import keras
import tensorflow as tf


def dense_models():
    """The 2-D game: G 64-128-128-2, D 2-128-128-1."""
    gen = keras.Sequential(
        [keras.Input((64,)), *(keras.layers.Dense(128, "relu") for _ in range(2)), keras.layers.Dense(2)]
    )
    disc = keras.Sequential(
        [keras.Input((2,)), *(keras.layers.Dense(128, "relu") for _ in range(2)), keras.layers.Dense(1)]
    )
    return gen, disc


def convolutional_models(width=32):
    """The 28x28 game, with latent dimension 64."""
    conv = {"kernel_size": 4, "strides": 2, "padding": "same"}
    gen = keras.Sequential(
        [
            keras.Input((64,)), keras.layers.Dense(7 * 7 * 2 * width), keras.layers.Reshape((7, 7, 2 * width)),
            keras.layers.ReLU(), keras.layers.Conv2DTranspose(width, **conv), keras.layers.ReLU(),
            keras.layers.Conv2DTranspose(1, activation="tanh", **conv),
        ]
    )  # fmt: skip
    disc = keras.Sequential(
        [
            keras.Input((28, 28, 1)), keras.layers.Conv2D(width, **conv), keras.layers.LeakyReLU(0.2),
            keras.layers.Conv2D(2 * width, **conv), keras.layers.LeakyReLU(0.2), keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )  # fmt: skip
    return gen, disc


def keras_step(gen, disc, data, batch_size, latent_dim=64):
    """One simultaneous step of both players with variables, two tapes and ``keras.optimizers.Adam``; returns a
    function."""
    gen_optimizer, disc_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(1e-4, beta_1=0.5)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    gen_optimizer.build(gen.trainable_variables)
    disc_optimizer.build(disc.trainable_variables)

    def step():
        rows = tf.random.uniform([batch_size], maxval=len(data), dtype=tf.int32)
        real = tf.gather(data, rows)
        noise = tf.random.normal([batch_size, latent_dim])
        with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
            fake = gen(noise, training=True)
            real_logits, fake_logits = disc(real, training=True), disc(fake, training=True)
            gen_loss = cross_entropy(tf.ones_like(fake_logits), fake_logits)
            disc_loss = cross_entropy(tf.ones_like(real_logits), real_logits)
            disc_loss += cross_entropy(tf.zeros_like(fake_logits), fake_logits)
        gen_grads = gen_tape.gradient(gen_loss, gen.trainable_variables)
        disc_grads = disc_tape.gradient(disc_loss, disc.trainable_variables)
        gen_optimizer.apply_gradients(zip(gen_grads, gen.trainable_variables, strict=True))
        disc_optimizer.apply_gradients(zip(disc_grads, disc.trainable_variables, strict=True))

    return step
