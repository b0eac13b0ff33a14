"""Classifiers on disk: weights as arrays, the Keras description of the model as JSON in the words; never a pickle."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from .. import files
from .classifiers import Classifier, network

ARTIFACTS = Path(__file__).resolve().parent.parent / "artifacts"
COMMAND = "python -m metagan_edu.metrics.train_classifiers"
DESCRIPTION = "keras_model"  # the word that holds the description
OURS = ("keras", "metagan_edu")  # packages whose layers a file may name: no other code is ever imported by reading one


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


def save_classifier(clf: Classifier, path: Any) -> None:
    """Write a classifier with any layers of Keras or of this package to a safetensors file, whole or not at all.

    Kept are weights, provenance and the model's Keras description. Nothing is written, and ValueError names the layer,
    where the model has code of its own (a Lambda layer, an own class or function), which a file cannot hold.
    """
    model = keras.Model(clf.model.input, clf.model.output, name=clf.model.name)  # without what compiling added
    weights = [_storable(variable.numpy()) for variable in model.weights]
    description = _description(model)
    _check_again(clf, description, weights)
    names = [f"{number:04d} {variable.path}" for number, variable in enumerate(model.weights)]
    shape = {"image_shape": "x".join(map(str, clf.image_shape)), "num_classes": str(clf.num_classes)}
    words = clf.provenance | shape | {DESCRIPTION: description}
    files.write_arrays(path, dict(zip(names, weights, strict=True)), words)


def load_classifier(path: Any) -> Classifier:
    """Read what ``save_classifier`` wrote, now or in version 0.2, when all models were those of ``train_classifier``.

    Raises FileNotFoundError where there is no file, ValueError where it is cut short, altered or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no classifier file {path.name} in {path.parent}; `{COMMAND}` makes it.")
    remedy = f"save it again, or make those that the package keeps with `{COMMAND}`"
    try:
        weights, words = files.read_arrays(path)
    except ValueError as error:
        raise ValueError(f"{str(error).removesuffix('.')}; {remedy}.") from error
    if DESCRIPTION in words:
        try:
            model = _rebuilt(words.pop(DESCRIPTION), [weights[name] for name in sorted(weights)])
        except ValueError as error:
            raise ValueError(f"{path.name} holds a model that cannot be built ({error}); {remedy}.") from error
    elif "image_shape" in words:
        shape = tuple(int(size) for size in words["image_shape"].split("x"))
        model = network(shape, int(words["num_classes"]), seed=0)
        model.set_weights([weights[variable.path] for variable in model.weights])
    else:
        raise ValueError(f"{path.name} holds no classifier; {remedy}.")
    return Classifier(model, words)


def _storable(weight: np.ndarray) -> np.ndarray:
    """``weight``, in float32 where its type is one that the file's format does not have (bfloat16, without loss)."""
    return weight if weight.dtype.kind in "fiub" and weight.dtype.name != "bfloat16" else weight.astype(np.float32)


def _description(model: keras.Model) -> str:
    """Return the Keras description of a model as JSON; ValueError names a layer that has code of its own."""
    for part in (*model.layers, model):
        kind = "model" if part is model else "layer"
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("error", message="The object being serialized includes a `lambda`")
                description = keras.saving.serialize_keras_object(part)
            text = json.dumps(description)
        except Exception as error:  # what an own get_config, or the lack of one, raises
            raise ValueError(
                f"{kind} {part.name!r} ({type(part).__name__}) has no description that a file can hold; use layers of "
                "Keras without functions of your own."
            ) from error
        foreign = next(_foreign(description), None)
        if foreign:
            raise ValueError(
                f"{kind} {part.name!r} needs {foreign}, code that a file cannot hold; use layers of Keras, such as "
                "Rescaling or Activation, in its place."
            )
    return text


def _foreign(description: Any) -> Iterator[str]:
    """The names of all that a description takes from elsewhere than Keras or this package, and of Lambda layers."""
    if isinstance(description, dict):
        name, source = description.get("class_name"), description.get("module") or description.get("registered_name")
        if name in ("Lambda", "__lambda__") or (source and re.split("[.>]", source)[0] not in OURS):
            what = description.get("config")
            yield f"the function {what}" if name == "function" and isinstance(what, str) else str(name)
    parts = description.values() if isinstance(description, dict) else description
    for part in parts if isinstance(description, (dict, list)) else ():
        yield from _foreign(part)


def _rebuilt(text: str, weights: list[np.ndarray]) -> keras.Model:
    """Return the model of a description in JSON with the weights; ValueError where this Keras cannot build it."""
    description = json.loads(text)
    foreign = next(_foreign(description), None)
    if foreign:
        raise ValueError(f"it needs {foreign}, which is not of Keras")
    try:
        model = keras.saving.deserialize_keras_object(description, safe_mode=True)
        model.set_weights(weights)
    except Exception as error:  # Keras raises what its layers raise
        raise ValueError(
            f"Keras {keras.__version__} says: {(str(error).strip() or repr(error)).splitlines()[0]}"
        ) from error
    return model


def _check_again(clf: Classifier, text: str, weights: list[np.ndarray]) -> None:
    """ValueError unless the model is the same when it is built again: a layer may hold more than its weights."""
    name = clf.model.name
    try:
        again = _rebuilt(text, weights)
    except ValueError as error:
        raise ValueError(f"model {name!r} cannot be built again from its description ({error}).") from error
    images = np.random.default_rng(0).uniform(-1, 1, (2, *clf.image_shape)).astype(np.float32)
    for mine, other in zip(clf.model(images), again(images), strict=True):
        if not np.allclose(mine, other, rtol=1e-4, atol=1e-5):
            raise ValueError(
                f"model {name!r} computes something else when it is built again from its description and weights; a "
                "layer of it keeps values outside its weights."
            )
