"""Turns on what the players are made of: one layer as code, parameters, receptive field."""

import numpy as np

from .answers import Turn, computes, near


def _one_layer(z, W, b):
    """tanh(W z + b) for every row z of a batch."""
    return np.tanh(z @ W.T + b)


def _layer(rng):
    return rng.normal(size=(4, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)


TURNS = {
    "one_layer": Turn(
        ask="one_layer(z, W, b): tanh(W z + b) for each row z of a batch of shape (n, k), with W of shape (d, k)",
        check=computes(
            _one_layer,
            _layer,
            slips=[
                (lambda z, W, b: z @ W.T + b, "the activation is missing."),
                (lambda z, W, b: np.tanh(z @ W.T), "the bias b is missing."),
                (lambda z, W, b: np.tanh(z @ W.T) + b, "the bias stands inside the activation."),
                (lambda z, W, b: _one_layer(z, W, b).T, "its rows and columns are exchanged: one row for each sample."),
            ],
            otherwise="multiply each row of z by W, add b, and apply tanh.",
        ),
        right="one such layer moves and squeezes a cloud of noise; it cannot tear it.",
        solution=_one_layer,
        wrong=(
            (lambda z, W, b: z @ W.T + b, "activation"),
            (lambda z, W, b: np.tanh(z @ W.T), "bias b"),
            (lambda z, W, b: np.tanh(W @ z.T).T + b, "inside"),
            (lambda z, W, b: np.tanh(W @ z.T + b[:, None]), "rows and columns"),
            (lambda z, W, b: np.tanh(z @ W + b), "raises ValueError"),
            (lambda z, W, b: ("x", "y"), "a number"),
        ),
    ),
    "parameters": Turn(
        ask="the number of parameters of a transposed convolution, kernel 4, from 32 to 16 channels",
        check=near(
            16 * 32 * 16 + 16,
            within=1e-9,
            slips=[
                (16 * 32 * 16, "the biases are missing."),
                (16 * 32 * 16 + 32, "there is one bias for each channel that comes out."),
                (4 * 32 * 16 + 16, "a kernel of size 4 has 4 · 4 weights for each pair of channels."),
            ],
            otherwise="k² weights for each pair of channels, and one bias for each output channel.",
        ),
        right="as many as a convolution the other way round, up to the biases.",
        solution=8208,
        wrong=((8192, "biases"), (8224, "comes out"), (2064, "4 · 4"), (16, "pair"), ([8208, 1], "no axes")),
    ),
    "receptive_field": Turn(
        ask="how many pixels wide the receptive field of a unit is after three layers of kernel 3 and stride 2",
        check=near(
            15,
            within=1e-6,
            slips=[
                (7, "this is after two layers."),
                (9, "each layer's step is as many pixels as all strides below multiply to."),
                (27, "fields do not multiply: each layer adds (k - 1) steps."),
                (31, "this is after four layers."),
            ],
            otherwise="r grows by (k - 1) steps, and a step is 1, 2, 4 pixels.",
        ),
        right="1 + 2·1 + 2·2 + 2·4.",
        solution=15,
        wrong=((7, "two layers"), (9, "strides below"), (27, "multiply"), (12, "steps"), (True, "True")),
    ),
}
