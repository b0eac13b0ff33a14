"""The way out: a trained network as a plain Keras model, loaded where this package is not."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu.normalization import BatchNorm, GroupNorm, LayerNorm, MinibatchStd

ELSEWHERE = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "metagan_edu":
            raise ImportError("not here")
sys.meta_path.insert(0, Nothing())
import keras, numpy as np
for name in sys.argv[1:]:
    model = keras.saving.load_model(f"{name}.keras")
    np.save(f"{name}.y.npy", model(np.load(f"{name}.npy"), training=False))
"""


def dense(norm):
    activation = mg.networks.leaky_relu
    layers = [keras.Input((4,)), keras.layers.Dense(6, activation=activation), norm(), keras.layers.Dense(1)]
    return mg.networks.network(keras.Sequential(layers))


NETWORKS = {
    "mlp": lambda: mg.networks.mlp(4, (5,), 2),
    "BatchNorm": lambda: mg.networks.dcgan_generator(4, (8, 8, 1), width=4, norm=BatchNorm),
    "LayerNorm": lambda: mg.networks.dcgan_generator(4, (8, 8, 1), width=4, norm=LayerNorm),
    "GroupNorm": lambda: mg.networks.dcgan_discriminator((8, 8, 1), width=8, norm=GroupNorm),
    "dense BatchNorm": lambda: dense(lambda: BatchNorm(momentum=0.8, epsilon=1e-2)),
    "dense LayerNorm": lambda: dense(LayerNorm),
    "spectral": lambda: mg.networks.spectral(mg.networks.dcgan_discriminator((8, 8, 1), width=4, norm=BatchNorm)),
    "dropout": lambda: mg.networks.network(
        keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(2)])
    ),
}


def trained(network):
    """A player after some calls in training mode, with weights that are not initial ones."""
    params, state = network.init(0)
    wave = lambda p: tf.reshape(tf.cos(7 * tf.range(tf.size(p), dtype=p.dtype)), p.shape)  # noqa: E731
    params = mg.trees.map(lambda p: 1.3 * p + 0.1 * wave(p), params)
    x = tf.random.stateless_normal([16, *network.input_shape], [0, 1]) + 0.5
    for _ in range(3):
        _, state = network.apply(params, state, x)
    return mg.games.Player(params, state), x


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # of Keras, which saves variables as arrays
def test_the_model_computes_what_the_network_does_and_loads_elsewhere(tmp_path):
    expected = {}
    for name, make in NETWORKS.items():
        network = make()
        player, x = trained(network)
        expected[name] = network.apply(*player, x, training=False)[0]
        model = mg.networks.to_keras(network, player)
        np.testing.assert_allclose(model(x, training=False), expected[name], rtol=1e-5, atol=1e-6, err_msg=name)
        assert not any(type(layer).__module__.startswith("metagan_edu") for layer in model._flatten_layers()), name
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", x)
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", ELSEWHERE, *NETWORKS], check=True, env=env, cwd=tmp_path, capture_output=True)
    for name, y in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.y.npy"), y, rtol=1e-5, atol=1e-6, err_msg=name)


def test_what_is_handed_over_is_no_part_of_the_network():
    network = mg.networks.mlp(4, (5,), 2)
    before = network.model.get_weights()
    model = mg.networks.to_keras(network, mg.games.Player(*network.init(3)))
    for weights in model.weights:
        weights.assign(0 * weights)
    for a, b in zip(before, network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_cannot_be_handed_over_is_refused():
    network = mg.networks.mlp(4, (5,), 2)
    with pytest.raises(ValueError, match="have the shapes"):
        mg.networks.to_keras(network, mg.games.Player(*mg.networks.mlp(4, (6,), 2).init(0)))
    with pytest.raises(ValueError, match="takes a network"):
        mg.networks.to_keras("generator", mg.games.Player(*network.init(0)))
    compared = mg.networks.network(
        keras.Sequential([keras.Input((4,)), MinibatchStd(name="std"), keras.layers.Dense(1)])
    )
    with pytest.raises(ValueError, match="no equal of the layer 'std', a MinibatchStd"):
        mg.networks.to_keras(compared, mg.games.Player(*compared.init(0)))


def test_a_keras_model_that_was_given_to_a_game_is_taken_as_it_is():
    gen = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    player = mg.games.Player(*mg.networks.network(gen).init(4))
    np.testing.assert_array_equal(mg.networks.to_keras(gen, player).layers[0].kernel, player.params[0])
