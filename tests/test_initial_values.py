"""Initial values: each weight of every kind of layer is drawn from the seed, kept where asked, or refused by name."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg

L = keras.layers


class Scaled(L.Layer):
    """A layer of somebody's own, with an initializer that no attribute shows."""

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1],), initializer="random_normal", name="w")

    def call(self, x):
        return x * self.w


class Secret(L.Layer):
    """One that cannot be built again: it needs an argument that ``get_config`` leaves out."""

    def __init__(self, make, **kwargs):
        super().__init__(**kwargs)
        self.w = self.add_weight(shape=(3,), initializer=make(), name="w")

    def get_config(self):
        return {"name": self.name}

    def call(self, x):
        return x * self.w


def attention(x):
    return L.MultiHeadAttention(2, 3)(x, x)


KINDS = {
    "Dense": ((3,), lambda: L.Dense(2)),
    "LSTM": ((4, 2), lambda: L.LSTM(3)),
    "GRU": ((4, 2), lambda: L.Bidirectional(L.GRU(3))),
    "SimpleRNN": ((4, 2), lambda: L.SimpleRNN(3)),
    "SeparableConv2D": ((6, 6, 2), lambda: L.SeparableConv2D(3, 3)),
    "DepthwiseConv2D": ((6, 6, 2), lambda: L.DepthwiseConv2D(3)),
    "Conv2DTranspose": ((6, 6, 2), lambda: L.Conv2DTranspose(3, 3)),
    "ConvLSTM1D": ((3, 5, 2), lambda: L.ConvLSTM1D(2, 2)),
    "Embedding": ((4,), lambda: L.Embedding(5, 3)),
    "EinsumDense": ((4, 2), lambda: L.EinsumDense("abc,cd->abd", (4, 3))),
    "MultiHeadAttention": ((4, 2), lambda: attention),
    "PReLU": ((3,), lambda: L.PReLU("he_normal")),
    "nested": ((3,), lambda: keras.Sequential([keras.Input((3,)), L.Dense(4), Scaled()])),
    "TimeDistributed": ((4, 2), lambda: L.TimeDistributed(L.Dense(3))),
    "custom": ((3,), Scaled),
    "BatchNorm": ((3,), lambda: mg.normalization.BatchNorm()),
}


def model_of(name):
    shape, layer = KINDS[name]
    inputs = keras.Input(shape)
    return keras.Model(inputs, L.Dense(1)(L.Flatten()(layer()(inputs))))


def digest(name):
    params, state = mg.networks.network(model_of(name)).init(0)
    return [float(np.sum(np.sin(np.arange(x.shape.num_elements()) + 1.0) * np.ravel(x))) for x in (*params, *state)]


def test_another_process_draws_the_same_values_for_every_kind_of_layer():
    code = "import test_initial_values as t; print([t.digest(name) for name in t.KINDS])"
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="tests", check=True)
    assert again.stdout.strip().splitlines()[-1] == str([digest(name) for name in KINDS])


@pytest.mark.parametrize("name", KINDS)
def test_the_values_have_the_distribution_that_keras_draws_from(name):
    """Constants are equal, weights of another seed are others of the same size."""
    keras.utils.set_random_seed(0)  # of what Keras draws
    model = model_of(name)
    network = mg.networks.network(model)
    (params, _), (others, _) = network.init(0), network.init(1)
    for variable, drawn, other in zip(model.trainable_variables, params, others, strict=True):
        built = variable.numpy()
        if set(np.unique(built)) <= {0.0, 1.0}:  # zeros, ones, and the LSTM's bias, which is 1 for what is forgotten
            np.testing.assert_array_equal(drawn, built)
        else:
            assert (drawn.numpy() != built).any() and (drawn.numpy() != other.numpy()).any()
            assert 0.2 < np.linalg.norm(drawn) / np.linalg.norm(built) < 5


def test_building_a_layer_again_leaves_the_model_as_it_is():
    model = model_of("LSTM")
    before = model.get_weights()
    mg.networks.network(model).init(0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_pretrained_weights_are_kept_where_that_is_asked():
    model = keras.Sequential([keras.Input((3,)), L.Dense(4), L.BatchNormalization(), L.Dense(1)])
    model.layers[1].moving_mean.assign([1.0, 2.0, 3.0, 4.0])
    anew, kept = mg.networks.network(model), mg.networks.network(model, keep_weights=True)
    assert (anew.init(0)[0][0].numpy() != model.layers[0].kernel.numpy()).any()
    np.testing.assert_array_equal(anew.init(0)[1][0], np.zeros(4))
    params, state = kept.init(0)
    for value, variable in zip((*params, *state), (*model.trainable_variables, *model.non_trainable_variables),
                               strict=True):  # fmt: skip
        np.testing.assert_array_equal(value, variable)


@pytest.mark.parametrize("keep_weights", [False, True])
def test_frozen_layers_stay_as_they_are(keep_weights):
    model = keras.Sequential([keras.Input((3,)), L.Dense(4), mg.normalization.BatchNorm(), L.Dense(1)])
    model.layers[1].moving_mean.assign([1.0, 2.0, 3.0, 4.0])
    for layer in model.layers[:2]:
        layer.trainable = False
    network = mg.networks.network(model, keep_weights=keep_weights)
    params, state = network.init(0)
    assert len(params) == 2 and len(state) == 6
    for value, variable in zip(state, model.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(value, variable)
    _, after = network.apply(params, state, tf.ones([5, 3]))
    for value, variable in zip(after, model.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(value, variable)


def test_a_weight_that_cannot_be_drawn_from_a_seed_is_refused_by_name():
    model = keras.Sequential([keras.Input((3,)), Secret(lambda: "random_normal", name="secret"), L.Dense(1)])
    with pytest.raises(ValueError, match=r"weight 'secret/w' cannot be drawn from a seed.*built again.*keep_weights"):
        mg.networks.network(model)
    np.testing.assert_array_equal(mg.networks.network(model, keep_weights=True).init(0)[0][0], model.layers[0].w)
    constant = keras.Sequential([keras.Input((3,)), Secret(lambda: "ones"), L.Dense(1)])
    np.testing.assert_array_equal(mg.networks.network(constant).init(0)[0][0], np.ones(3))

    def unseeded(shape, dtype=None):
        return keras.random.normal(shape, dtype=dtype)

    with pytest.raises(ValueError, match=r"kernel' cannot be drawn from a seed, because its initializer draws from a"):
        mg.networks.network(keras.Sequential([keras.Input((3,)), L.Dense(1, kernel_initializer=unseeded)]))


INITIALIZERS = [
    "random_uniform", "random_normal", "truncated_normal", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal",
    "lecun_uniform", "lecun_normal", "orthogonal",
    keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal"),
]  # fmt: skip


@pytest.mark.parametrize("name", INITIALIZERS, ids=lambda name: name if isinstance(name, str) else "untruncated")
@pytest.mark.parametrize("shape", [(40, 30), (3, 3, 10, 20)], ids=str)
def test_initial_values_are_the_same_with_xla_and_have_the_moments_of_keras(name, shape):
    layer = (
        keras.layers.Dense(30, kernel_initializer=name)
        if len(shape) == 2
        else keras.layers.Conv2D(20, 3, kernel_initializer=name)
    )
    net = mg.networks.network(keras.Sequential([keras.Input((40,) if len(shape) == 2 else (8, 8, 10)), layer]))
    kernel = net.init(3)[0][0]
    compiled = tf.function(lambda seed: net.init(seed)[0][0], jit_compile=True, autograph=False)(mg.seeds.make(3))
    np.testing.assert_allclose(kernel, compiled, atol=1e-5)
    reference = keras.initializers.get(name)(shape)
    np.testing.assert_allclose(tf.math.reduce_std(kernel), tf.math.reduce_std(reference), rtol=0.1)
    assert abs(float(tf.reduce_mean(kernel))) < 0.1 * float(tf.math.reduce_std(reference)) + 1e-6
    np.testing.assert_allclose(tf.reduce_max(abs(kernel)), tf.reduce_max(abs(reference)), rtol=0.45)


def test_an_initializer_of_ones_own_that_is_made_of_keras_keeps_its_call():
    class Twice(keras.initializers.RandomNormal):
        def __call__(self, shape, dtype=None):
            return 2 * super().__call__(shape, dtype)

    net = mg.networks.network(
        keras.Sequential([keras.Input((50,)), keras.layers.Dense(50, kernel_initializer=Twice(0, 1))])
    )
    np.testing.assert_allclose(tf.math.reduce_std(net.init(0)[0][0]), 2, rtol=0.05)
