"""A small image classifier whose features and probabilities the image metrics use, kept as a safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from metagan_edu import checks, files

ARTIFACTS = Path(__file__).resolve().parent.parent / "artifacts"
NUM_FEATURES = 64
COMMAND = "python -m metagan_edu.metrics.train_classifiers"


class Classifier(NamedTuple):
    """A trained classifier: ``model(images) -> (features (n, 64), logits (n, num_classes))``, differentiable."""

    model: keras.Model
    provenance: dict[str, str]  # how it was made, and its accuracy on held-out images

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(size, size, channels) of the images that it takes."""
        return tuple(self.model.input_shape[1:])

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return self.model.output_shape[1][1]


def train_classifier(images, labels, *, num_steps: int = 1000, batch_size: int = 64, seed: int = 0) -> Classifier:
    """Train a classifier with two strided convolutions (16, 32), a dense layer of 64 features and a dense output.

    Cross-entropy by AdamW (2e-3, cosine decay to 0, weight decay 1e-2). Each image is shifted by up to a
    fourteenth of its size (1 pixel at 8, 2 at 28) and gets noise of sd 0.1, so that probabilities stay calibrated.
    The result is a function of the arguments alone.

    images: (n, s, s, c) in [-1, 1]; labels: (n,) whole numbers from 0 on. Raises ValueError for wrong shapes,
    a range other than [-1, 1], non-finite images, fewer than two classes, or a number of steps below 1.
    """
    images, labels = checked_images(images), checked_labels(labels, len(images))
    num_steps, batch_size = checks.whole("num_steps", num_steps), checks.whole("batch_size", batch_size)
    model = _network(images.shape[1:], int(labels.max()) + 1, seed)
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
    return Classifier(model, {"seed": str(seed), "num_steps": str(num_steps), "num_train": str(len(images))})


def classifier(name: str) -> Classifier:
    """Return the classifier kept under ``name``: "digits" (8x8 scikit-learn digits) or "mnist" (28x28).

    Raises FileNotFoundError for an unknown name, ValueError for a file that is damaged.
    """
    known = sorted(path.stem for path in ARTIFACTS.glob("*.safetensors"))
    if name not in known:
        raise FileNotFoundError(
            f"There is no classifier {name!r}, only {known}; `{COMMAND}` makes those that are kept."
        )
    return load_classifier(ARTIFACTS / f"{name}.safetensors")


def save_classifier(clf: Classifier, path) -> None:
    """Write weights and provenance to a safetensors file, whole or not at all."""
    weights = {variable.path: variable.numpy() for variable in clf.model.weights}
    shape = {"image_shape": "x".join(map(str, clf.image_shape)), "num_classes": str(clf.num_classes)}
    files.write_arrays(path, weights, clf.provenance | shape)


def load_classifier(path) -> Classifier:
    """Read what ``save_classifier`` wrote.

    Raises FileNotFoundError where there is no file, ValueError where it is cut short, altered or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no classifier file {path.name} in {path.parent}; `{COMMAND}` makes it.")
    try:
        weights, metadata = files.read_arrays(path)
    except ValueError as error:
        raise ValueError(f"{error} Make it again with `{COMMAND}`.") from error
    if "image_shape" not in metadata:
        raise ValueError(f"{path.name} holds no classifier; make it again with `{COMMAND}`.")
    shape = tuple(int(size) for size in metadata["image_shape"].split("x"))
    model = _network(shape, int(metadata["num_classes"]), seed=0)
    model.set_weights([weights[variable.path] for variable in model.weights])
    return Classifier(model, metadata)


def checked_images(images, clf: Classifier | None = None) -> np.ndarray:
    """Return ``images`` as float32 (n, s, s, c), or raise ValueError if they are none, or none that ``clf`` takes."""
    images = np.asarray(images, dtype=np.float32)
    expected = "(n, size, size, channels)" if clf is None else f"(n, {', '.join(map(str, clf.image_shape))})"
    fits = images.ndim == 4 and images.size > 0 and images.shape[1] == images.shape[2]
    if not fits or (clf is not None and images.shape[1:] != clf.image_shape):
        raise ValueError(f"images have shape {images.shape}; expected {expected} with n >= 1.")
    if not np.all(np.isfinite(images)):
        raise ValueError("images have values that are not finite (NaN or infinite).")
    low, high = images.min(), images.max()
    if low < -1.001 or high > 1.001:
        raise ValueError(f"images reach from {low:g} to {high:g}; they must lie in [-1, 1].")
    return images


def checked_labels(labels, num_images: int) -> np.ndarray:
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


def _network(image_shape, num_classes: int, seed: int) -> keras.Model:
    """Build the untrained model; the names of its layers are the keys of the file."""
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
