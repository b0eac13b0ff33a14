"""Classifiers on disk: whole or refused; own models and kept ones; no code in a file. What a classifier must be."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from bars import bars, train
from safetensors.numpy import save_file

from metagan_edu import files, metrics, normalization
from metagan_edu.metrics import classifier_files


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.fixture(scope="module")
def small():
    return train()


def test_a_file_holds_all_of_a_classifier(small, tmp_path):
    metrics.save_classifier(
        dataclasses.replace(small, provenance=small.provenance | {"note": "é"}), tmp_path / "a.safetensors"
    )
    again = metrics.load_classifier(tmp_path / "a.safetensors")
    images, _ = bars(20, 2)
    assert np.array_equal(metrics.features(images, again), metrics.features(images, small))
    assert again.provenance["note"] == "é"
    assert again.provenance["num_train"] == "200"
    assert classifier_files.DESCRIPTION not in again.provenance
    assert (again.image_shape, again.num_classes) == ((8, 8, 1), 2)
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def damaged(content, how):
    if how == "cut short":
        return content[:-100]
    if how == "empty":
        return b""
    where = len(content) - 50 if how == "a weight" else content.index(b'"num_train":"200"') + len(b'"num_train":"')
    return content[:where] + bytes([content[where] ^ 1]) + content[where + 1 :]


@pytest.mark.parametrize("how", ["cut short", "empty", "a weight", "the provenance"])
def test_damaged_files_are_refused_by_name(small, tmp_path, how):
    path = tmp_path / "b.safetensors"
    metrics.save_classifier(small, path)
    path.write_bytes(damaged(path.read_bytes(), how))
    with pytest.raises(ValueError, match=r"b\.safetensors .*train_classifiers"):
        metrics.load_classifier(path)


def test_other_files_and_names_are_refused(tmp_path):
    save_file({"x": np.zeros(3)}, tmp_path / "c.safetensors")
    with pytest.raises(ValueError, match=r"c\.safetensors was altered after it was written"):
        metrics.load_classifier(tmp_path / "c.safetensors")
    files.write_arrays(tmp_path / "c.safetensors", {"x": np.zeros(3)}, {"of": "something else"})
    with pytest.raises(ValueError, match=r"c\.safetensors holds no classifier; save it again"):
        metrics.load_classifier(tmp_path / "c.safetensors")
    with pytest.raises(FileNotFoundError, match=r"no classifier file d\.safetensors"):
        metrics.load_classifier(tmp_path / "d.safetensors")
    with pytest.raises(FileNotFoundError, match=r"no classifier 'letters', only \['digits', 'mnist'\]"):
        metrics.classifier("letters")


def test_files_of_version_02_are_read():
    judge = metrics.load_classifier(classifier_files.ARTIFACTS.parent / "studies" / "few_shot_judge.safetensors")
    assert (judge.image_shape, judge.num_classes, judge.num_features) == ((16, 16, 1), 24, 64)
    assert judge.provenance["num_train"] == "5040"


def own(extra=(), **options):
    """A classifier of 3 classes with 5 features, of operations, layers with state, and a layer of this package."""
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(keras.ops.tanh(inputs * 0.5 + 0.5))
    x = keras.layers.BatchNormalization()(keras.layers.Dense(9)(x))
    x = normalization.LayerNorm()(keras.layers.Dropout(0.2)(x))
    for layer in extra:
        x = layer(x)
    features = keras.layers.Dense(5, **{"activation": "softplus", "name": "wide"} | options)(x)
    return keras.Model(inputs, [features, keras.layers.Dense(3)(features)], name="own")


def double(x):
    return 2 * x


class Mine(keras.layers.Layer):
    def call(self, x):
        return x


class Hidden(keras.layers.Rescaling):
    """Of a registered package, so that its name is known, with a value outside weights and description."""

    secret = 2.0

    def call(self, x):
        return x * self.secret


def test_own_classifiers_are_kept_whole(tmp_path):
    model = own([keras.Sequential([keras.layers.Dense(4, activation="silu")])])
    model.compile("sgd", loss=lambda _, y: y)  # a classifier in use needs no loss
    model.layers[-1].set_weights([normal(0, 5, 3), normal(1, 3)])
    moving = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    moving.set_weights([normal(2, 9), normal(3, 9), normal(4, 9), normal(5, 9) ** 2])
    clf = metrics.Classifier(model, {"made": "by hand"})
    assert (clf.image_shape, clf.num_features, clf.num_classes) == ((8, 8, 1), 5, 3)
    metrics.save_classifier(clf, tmp_path / "a.safetensors")
    again = metrics.load_classifier(tmp_path / "a.safetensors")
    images, _ = bars(20, 2)
    assert np.array_equal(metrics.features(images, again), metrics.features(images, clf))
    assert np.array_equal(metrics.probabilities(images, again), metrics.probabilities(images, clf))
    assert again.provenance == {"made": "by hand", "image_shape": "8x8x1", "num_classes": "3"}
    metrics.save_classifier(again, tmp_path / "b.safetensors")
    assert np.array_equal(metrics.features(images, metrics.load_classifier(tmp_path / "b.safetensors")),
                          metrics.features(images, clf))  # fmt: skip


def test_weights_that_the_format_lacks_are_kept_as_float32(tmp_path):
    clf = metrics.Classifier(own([keras.layers.Dense(4, dtype="bfloat16")]))
    metrics.save_classifier(clf, tmp_path / "a.safetensors")
    images, _ = bars(20, 2)
    again = metrics.load_classifier(tmp_path / "a.safetensors")
    assert np.array_equal(metrics.features(images, again), metrics.features(images, clf))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda: own([keras.layers.Lambda(double)]), "layer 'lambda' needs Lambda, code that a file cannot hold"),
        (lambda: own([Mine(name="m")]), "layer 'm' needs Mine"),
        (lambda: own(activation=double), "layer 'wide' needs the function double"),
        (lambda: own(activation=lambda x: x + x), "layer 'wide' (Dense) has no description that a file can hold"),
        (
            lambda: own(kernel_initializer=lambda shape, dtype: tf.ones(shape)),
            "layer 'wide' (Dense) has no description",
        ),
        (lambda: own([keras.Sequential([Mine()], name="inner")]), "layer 'inner' needs Mine"),
    ],
)
def test_code_that_a_file_cannot_hold_is_refused_before_writing(model, words, tmp_path):
    keras.utils.clear_session()
    with pytest.raises(ValueError) as error:
        metrics.save_classifier(metrics.Classifier(model()), tmp_path / "a.safetensors")
    assert words in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_model_that_comes_back_otherwise_is_refused(tmp_path):
    Hidden.__module__ = "metagan_edu.hidden"
    keras.saving.register_keras_serializable("metagan_edu")(Hidden)
    layer = Hidden(1.0)
    layer.secret = 3.0
    try:
        with pytest.raises(ValueError, match="model 'own' computes something else when it is built again"):
            metrics.save_classifier(metrics.Classifier(own([layer])), tmp_path / "a.safetensors")
        assert not list(tmp_path.iterdir())
    finally:
        keras.saving.get_custom_objects().pop("metagan_edu>Hidden")


def test_a_file_brings_no_code(small, tmp_path):
    path = tmp_path / "a.safetensors"
    metrics.save_classifier(small, path)
    arrays, words = files.read_arrays(path)
    name = classifier_files.DESCRIPTION
    for module, kind in (("os", "system"), ("keras.layers", "Lambda"), ("keras.layers", "NoSuchLayer")):
        changed = json.loads(words[name])
        changed["config"]["layers"][1] |= {"module": module, "class_name": kind}
        files.write_arrays(path, arrays, words | {name: json.dumps(changed)})
        with pytest.raises(ValueError, match=r"a\.safetensors holds a model that cannot be built"):
            metrics.load_classifier(path)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda x, f, z: "digits", "model is of type str; a classifier is a Keras model of images (n, s, s, c)"),
        (lambda x, f, z: keras.Model(x, z, name="a"), "model 'a' takes (None, 8, 8, 1) and gives (None, 3); a class"),
        (lambda x, f, z: keras.Model(x, [x, z]), "with two outputs: keras.Model(x, [features, logits])"),
        (lambda x, f, z: keras.Model(x, [f, keras.layers.Dense(1)(f)]), "gives [(None, 4), (None, 1)]"),
        (lambda x, f, z: keras.Model(x, {"f": f, "z": z}), "with two outputs: keras.Model(x, [features, logits])"),
        (
            lambda x, f, z: keras.Model(x, [f, keras.layers.Softmax()(z)]),
            "second output are probabilities; give logits",
        ),
    ],
)
def test_models_that_are_no_classifier_are_refused(model, words):
    x = keras.Input((8, 8, 1))
    features = keras.layers.Dense(4)(keras.layers.Flatten()(x))
    with pytest.raises(ValueError) as error:
        metrics.Classifier(model(x, features, keras.layers.Dense(3)(features)))
    assert words in str(error.value)


def test_images_of_other_sizes_and_provenance_that_is_no_text_are_refused(small):
    x = keras.Input((8, 6, 1))
    features = keras.layers.Dense(4)(keras.layers.Flatten()(x))
    with pytest.raises(ValueError, match=r"takes \(None, 8, 6, 1\)"):
        metrics.Classifier(keras.Model(x, [features, keras.layers.Dense(3)(features)]))
    with pytest.raises(ValueError, match="provenance must be text, but 'seed' is 3: write it as a string"):
        dataclasses.replace(small, provenance={"seed": 3})


def test_broken_weights_are_seen(small):
    model = keras.models.clone_model(small.model)
    model.set_weights(small.model.get_weights())
    clf = metrics.Classifier(model)
    model.layers[-1].bias.assign([np.nan, 0.0])
    with pytest.raises(ValueError, match="values that are not finite for the images: its weights are broken"):
        metrics.classifier_score(bars(5, 0)[0], clf)


def test_an_interrupted_save_leaves_the_old_file(small, tmp_path, monkeypatch):
    path = tmp_path / "e.safetensors"
    metrics.save_classifier(small, path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        metrics.save_classifier(dataclasses.replace(small, provenance={}), path)
    assert path.read_bytes() == before
