"""Images of bars, to train small classifiers on."""

import numpy as np

from metagan_edu import metrics


def bars(n, seed):
    """8x8 images of a bright row (class 0) or column (class 1) with noise."""
    rng = np.random.default_rng(seed)
    images, labels = rng.uniform(-1, -0.5, (n, 8, 8, 1)), rng.integers(2, size=n)
    place = rng.integers(8, size=n)
    for i in range(n):
        images[i, place[i], :] = 1.0
        if labels[i]:
            images[i] = images[i].transpose(1, 0, 2)
    return images.astype(np.float32), labels


def train(seed=0):
    return metrics.train_classifier(*bars(200, 0), num_steps=120, batch_size=32, seed=seed)
