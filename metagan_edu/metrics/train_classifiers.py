"""Train the classifiers that the package keeps again: ``python -m metagan_edu.metrics.train_classifiers [NAME ...]``.

``digits``: scikit-learn's 8x8 digits, 1,297 to train on and 500 held out. ``mnist``: the 28x28 MNIST test archive, its
first 8,000 images to train on and its last 2,000 held out, so that the small archive is enough.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from .. import data
from .classifier_files import ARTIFACTS, COMMAND, save_classifier
from .classifiers import Classifier, train_classifier
from .image_scores import probabilities

MNIST_TRAIN = 8000


class Recipe(NamedTuple):
    """What one classifier is made from; ``load() -> (training Images, held-out Images)``."""

    load: Callable[[], tuple[data.Images, data.Images]]
    source: str
    num_steps: int
    batch_size: int


def digits_parts() -> tuple[data.Images, data.Images]:
    """The 8x8 digits: (train, test) as the data module splits them."""
    return data.digits("train"), data.digits("test")


def mnist_parts() -> tuple[data.Images, data.Images]:
    """The 28x28 MNIST test archive: (first 8,000, last 2,000)."""
    archive = data.mnist(split="test", size=28)
    return archive.select(range(MNIST_TRAIN)), archive.select(range(MNIST_TRAIN, len(archive.labels)))


RECIPES = {
    "digits": Recipe(digits_parts, "scikit-learn digits, 8x8: train split of 1,297, held-out split of 500", 1500, 64),
    "mnist": Recipe(mnist_parts, "MNIST test archive, 28x28: images 0-7,999, held out 8,000-9,999", 1000, 100),
}


def make(name: str, *, seed: int = 0) -> Classifier:
    """Train the classifier ``name`` and measure it on the images held out; its provenance says all of it."""
    recipe = RECIPES[name]
    train, held_out = recipe.load()
    start = time.perf_counter()
    clf = train_classifier(
        train.images, train.labels, num_steps=recipe.num_steps, batch_size=recipe.batch_size, seed=seed
    )
    seconds = time.perf_counter() - start
    p = probabilities(held_out.images, clf)
    measured = {
        "command": f"{COMMAND} {name}",
        "data": recipe.source,
        "num_held_out": str(len(held_out.labels)),
        "held_out_accuracy": f"{np.mean(p.argmax(axis=1) == held_out.labels):.4f}",
        "held_out_calibration_error": f"{calibration_error(p, held_out.labels):.4f}",
        "versions": f"python {platform.python_version()}, tensorflow {tf.__version__}, keras {keras.__version__}, "
        f"numpy {np.__version__}",
        "seconds": f"{seconds:.1f}",
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }
    return dataclasses.replace(clf, provenance=clf.provenance | measured)


def calibration_error(p: np.ndarray, labels: np.ndarray, *, num_bins: int = 10) -> float:
    """Return the expected calibration error sum_b n_b/n |accuracy_b - confidence_b| over equal bins of confidence.

    p: (n, classes) probabilities; labels: (n,). In [0, 1]. (Guo et al., ICML 2017, eq. 3.)
    """
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    bins = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    gap = np.bincount(bins, right - confidence, num_bins)  # n_b (accuracy_b - confidence_b)
    return float(np.abs(gap).sum() / len(labels))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code, 1 where data are missing."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Train the kept classifiers again.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RECIPES)}; all by default")
    parser.add_argument("--folder", type=Path, default=ARTIFACTS, help="where to write")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in RECIPES]
    if unknown or not options.folder.is_dir():
        wrong = f"unknown name {unknown[0]!r}" if unknown else f"no folder {options.folder}"
        parser.error(f"{wrong}; names are {', '.join(RECIPES)}, and the folder must exist")
    for name in options.names or RECIPES:
        try:
            clf = make(name)
        except (FileNotFoundError, ValueError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        path = options.folder / f"{name}.safetensors"
        save_classifier(clf, path)
        print(
            f"{name}: {clf.provenance['held_out_accuracy']} of {clf.provenance['num_held_out']} held-out images right, "
            f"{clf.provenance['seconds']} s, {path.stat().st_size / 1e3:.0f} kB in {path}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
