"""The classifier two-sample test."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import checks


def c2st(real: Any, fake: Any, *, classifier: Any = None, seed: int = 0) -> float:
    """Return the held-out accuracy of a classifier that tells real from fake: 0.5 is perfect, 1 is worst.

    Both sets are cut to the smaller one's size and split in halves, one to fit, one to score. If the
    distributions agree, the accuracy is 0.5 with a standard error of at most 0.5 / sqrt(scored points)
    (Lopez-Paz & Oquab, ICLR 2017, section 3).

    real: (n, ...), fake: (m, ...), flattened, n, m >= 4; best on features. classifier: anything with
    scikit-learn's ``fit`` and ``score``; 1-nearest-neighbor if None. A linear one sees differences of the
    mean only. seed: of the split. Raises ValueError for widths that disagree, too few or non-finite rows.
    """
    real, fake = checks.rows("real", real, least=4), checks.rows("fake", fake, least=4)
    checks.same_width("real", real, "fake", fake)
    if classifier is None:
        from sklearn.neighbors import KNeighborsClassifier

        classifier = KNeighborsClassifier(n_neighbors=1)
    rng = np.random.default_rng(checks.whole("seed", seed, 0))
    size = min(len(real), len(fake))
    half = size // 2
    real, fake = rng.permutation(real)[:size], rng.permutation(fake)[:size]
    classifier.fit(np.concatenate([real[:half], fake[:half]]), np.repeat([1, 0], half))
    return float(classifier.score(np.concatenate([real[half:], fake[half:]]), np.repeat([1, 0], size - half)))
