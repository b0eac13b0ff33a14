"""A small image classifier whose features and probabilities the image metrics use."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np

from .. import checks
from .images import checked_images, warn_of_half_range

NUM_FEATURES = 64  # of the classifiers that `train_classifier` makes
BLOCK_IMAGES = 1000  # images in one forward pass


@dataclasses.dataclass(frozen=True, eq=False)  # compared by identity, so that it can be hashed
class Classifier:
    """A trained classifier: ``model(images (n, s, s, c)) -> [features (n, d), logits (n, num_classes)]``.

    Any Keras model with these two outputs will do; what is computed from them is differentiable. Raises ValueError for
    a model of another form, for probabilities in place of logits, and for provenance that is not text.
    """

    model: keras.Model
    provenance: dict[str, str] = dataclasses.field(default_factory=dict)  # how it was made, its held-out accuracy

    def __post_init__(self) -> None:
        _check_form(self.model)
        for name, word in self.provenance.items():
            if not isinstance(name, str) or not isinstance(word, str):
                raise ValueError(f"provenance must be text, but {name!r} is {word!r}: write it as a string.")
        logits = forward(np.random.default_rng(0).uniform(-1, 1, (2, *self.image_shape)), self, output=1)
        if np.all(logits >= 0) and np.allclose(logits.sum(axis=1), 1, atol=1e-4):
            raise ValueError(
                "the model's second output are probabilities; give logits: the same layer without softmax."
            )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(size, size, channels) of the images that it takes."""
        return tuple(self.model.input_shape[1:])

    @property
    def num_features(self) -> int:
        """The number d of features."""
        return self.model.output_shape[0][1]

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return self.model.output_shape[1][1]


def _check_form(model: Any) -> None:
    """ValueError unless ``model`` is a Keras model (n, s, s, c) -> [(n, d), (n, k >= 2)] with known sizes."""
    wanted = "a classifier is a Keras model of images (n, s, s, c) with two outputs: keras.Model(x, [features, logits])"
    if not isinstance(model, keras.Model):
        raise ValueError(f"model is of type {type(model).__name__}; {wanted}.")
    try:
        takes, gives = model.input_shape, model.output_shape
    except (AttributeError, ValueError) as error:
        raise ValueError(f"model {model.name!r} has no known input and output; {wanted}.") from error
    pair = isinstance(model.output, (list, tuple)) and len(gives) == 2  # of a dict, gives has no names
    fits = pair and len(takes) == 4 and takes[1] == takes[2] and None not in takes[1:]
    if not (fits and all(len(g) == 2 and checks.is_whole(g[1]) for g in gives) and gives[1][1] >= 2):
        raise ValueError(f"model {model.name!r} takes {takes} and gives {gives}; {wanted}.")


def forward(images: Any, clf: Classifier, *, output: int, name: str = "images") -> np.ndarray:
    """Return the features (output 0) or logits (1) of images (n, s, s, c) in [-1, 1], or uint8, as float32 (n, …).

    Raises ValueError, naming them, for images that the classifier does not take (shape, type, range, not finite), and
    where what it gives is not finite. Warns of floats without a value below 0 where the classifier's own data had one.
    """
    whole = checked_images(images, clf.image_shape, name)
    if float(clf.provenance.get("lowest_pixel", -1)) < -0.5:
        warn_of_half_range(whole, name)
    blocks = (whole[start : start + BLOCK_IMAGES] for start in range(0, len(whole), BLOCK_IMAGES))
    values = np.concatenate([np.asarray(clf.model(block)[output]).astype(np.float32) for block in blocks])
    if not np.all(np.isfinite(values)):
        raise ValueError(f"the classifier gives values that are not finite for the {name}: its weights are broken.")
    return values


def train_classifier(
    images: Any, labels: Any, *, num_steps: int = 1000, batch_size: int = 64, seed: int = 0
) -> Classifier:
    """Train a classifier with two strided convolutions (16, 32), a dense layer of 64 features and a dense output.

    Cross-entropy by AdamW (2e-3, cosine decay to 0, weight decay 1e-2). Each image is shifted by up to a
    fourteenth of its size (1 pixel at 8, 2 at 28) and gets noise of sd 0.1, so that probabilities stay calibrated.
    The result is a function of the arguments alone.

    images: (n, s, s, c) in [-1, 1], or uint8; labels: (n,) whole numbers from 0 on. Raises ValueError for wrong
    shapes, a range other than [-1, 1], non-finite images, fewer than two classes, or a number of steps below 1.
    """
    images, labels = checked_images(images), checked_labels(labels, len(images))
    num_steps, batch_size = checks.whole("num_steps", num_steps), checks.whole("batch_size", batch_size)
    model = network(images.shape[1:], int(labels.max()) + 1, seed)
    trainer = keras.Model(model.input, model.output[1])
    rate = keras.optimizers.schedules.CosineDecay(2e-3, num_steps)
    trainer.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    rng = np.random.default_rng(seed)
    order = np.empty(0, dtype=np.int64)
    for _ in range(num_steps):
        while len(order) < batch_size:
            order = np.concatenate([order, rng.permutation(len(images))])
        batch, order = order[:batch_size], order[batch_size:]
        trainer.train_on_batch(_augmented(images[batch], rng), labels[batch])
    made = {"seed": seed, "num_steps": num_steps, "num_train": len(images), "lowest_pixel": float(images.min())}
    return Classifier(model, {name: str(value) for name, value in made.items()})


def checked_labels(labels: Any, num_images: int) -> np.ndarray:
    """Return ``labels`` as int32 (n,), or raise ValueError unless they are whole numbers >= 0 of some classes."""
    labels = np.asarray(labels)
    if labels.shape != (num_images,) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"labels have shape {labels.shape} and type {labels.dtype}; expected ({num_images},) whole numbers, "
            "one per image."
        )
    if labels.min() < 0 or labels.min() == labels.max():
        raise ValueError(
            f"labels reach from {labels.min()} to {labels.max()}; at least two classes from 0 on are needed."
        )
    return labels.astype(np.int32)


def network(image_shape: tuple[int, ...], num_classes: int, seed: int) -> keras.Model:
    """Return the untrained model of ``train_classifier``; the kept files have its layers' names as keys."""
    draws = iter(np.random.default_rng(seed).integers(2**31, size=4).tolist())

    def options(name, activation="silu"):
        start = keras.initializers.HeNormal(seed=next(draws))
        return {"name": name, "activation": activation, "kernel_initializer": start, "dtype": "float32"}

    inputs = keras.Input(tuple(image_shape), dtype="float32")
    x = keras.layers.Rescaling(0.5, 0.5, dtype="float32")(inputs)  # a background of 0 starts better than one of -1
    x = keras.layers.Conv2D(16, 3, strides=1 if image_shape[0] <= 8 else 2, padding="same", **options("conv1"))(x)
    x = keras.layers.Conv2D(32, 3, strides=2, padding="same", **options("conv2"))(x)
    x = keras.layers.Flatten(dtype="float32")(x)
    features = keras.layers.Dense(NUM_FEATURES, **options("features"))(x)
    return keras.Model(inputs, [features, keras.layers.Dense(num_classes, **options("logits", None))(features)])


def _augmented(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the images, each shifted by its own few pixels (the border repeats), with noise."""
    n, size = images.shape[:2]
    reach = max(1, size // 14)
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    row, column = rng.integers(2 * reach + 1, size=(2, n))
    shifted = np.moveaxis(windows[np.arange(n), row, column], 1, -1)
    return shifted + 0.1 * rng.standard_normal(images.shape, dtype=np.float32)
