"""The package as a newcomer meets it: the README's way of using it, and what importing it brings along."""

import ast
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import metagan_edu as mg
from metagan_edu import trees

real_data = pytest.mark.skipif(
    "METAGAN_EDU_DATA" not in os.environ, reason="needs the real archives in the folder METAGAN_EDU_DATA"
)


# --- A ring, the look-ahead rule, samples, a report -----------------------------------------------------------------


def test_the_look_ahead_rule_on_a_ring_from_start_to_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ring = mg.data.ring(num_modes=8, radius=2.0, sd=0.02)
    game = mg.games.gan(mg.networks.mlp(32, (128, 128), 2), mg.networks.mlp(2, (128, 128), 1),
                        loss=mg.losses.non_saturating())  # fmt: skip
    rule = mg.rules.unrolled(mg.optimizers.adam(1e-3), mg.optimizers.adam(1e-4), num_unroll=5)

    def run(num_steps):
        return mg.train(game, rule, ring.batches(256), num_steps=num_steps, seed=0,
                        checkpoint="runs/ring", resume=True)  # fmt: skip

    first, result = run(12), run(20)
    assert (tmp_path / "runs" / "ring" / "step-000000020.safetensors").is_file()
    assert len(first.history.scalars["gen_loss"]) == 12 and len(result.history.scalars["gen_loss"]) == 20
    np.testing.assert_array_equal(result.history.scalars["disc_loss"][:12], first.history.scalars["disc_loss"])
    assert (result.history.cost.gen_grads == 1).all() and (result.history.cost.disc_grads == 5).all()
    assert (result.history.cost.products == 5).all()
    assert float(trees.norm(trees.sub(result.players.gen.params, first.players.gen.params))) > 0
    again = run(20)  # nothing is left to do: the same run is handed back
    for a, b in zip(trees.leaves(again.state), trees.leaves(result.state), strict=True):
        np.testing.assert_array_equal(a, b)

    samples = mg.sample(game, result.players, 2500, seed=1)
    assert samples.shape == (2500, 2) and samples.dtype == np.float32 and np.isfinite(samples).all()
    np.testing.assert_array_equal(samples, mg.sample(game, result.players, 2500, seed=1))
    assert len(np.unique(samples, axis=0)) == 2500

    report = mg.metrics.mode_coverage(samples, ring)
    nearest = np.linalg.norm(samples[:, None] - ring.centers, axis=-1)
    close = nearest.min(1) <= 3 * ring.sd
    assert report.high_quality == close.mean()
    assert report.modes == len(set(nearest[close].argmin(1))) >= report.modes20 >= 0
    share = np.bincount(nearest[close].argmin(1), minlength=8) / max(close.sum(), 1)
    expected = sum(p * math.log(8 * p) for p in share if p) if close.any() else math.inf
    assert report.reverse_kl == pytest.approx(expected, abs=1e-9)


def test_the_eigenvalues_of_the_alternating_rule_on_the_dirac_gan():
    dirac = mg.games.dirac(mg.losses.non_saturating())
    rule = mg.rules.alternating(mg.optimizers.sgd(0.2), mg.optimizers.sgd(0.2))
    found = mg.dynamics.eigenvalues(dirac, rule, at=(0.0, 0.0))
    # The update map is [[1 - h²/4, h/2], [-h/2, 1]] with h = 0.2: determinant 1, trace 2 - h²/4.
    half_trace = 1 - 0.2**2 / 8
    expected = half_trace + np.array([1j, -1j]) * math.sqrt(1 - half_trace**2)
    np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(expected), atol=1e-12)
    np.testing.assert_allclose(abs(found), 1, atol=1e-12)


@real_data
def test_the_real_digits():
    images = mg.data.mnist(split="test", size=28)
    assert images.images.shape == (10000, 28, 28, 1) and images.images.dtype == np.float32
    assert (images.images.min(), images.images.max()) == (-1, 1)
    assert images.labels.shape == (10000,) and images.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert images.batches(3)(mg.seeds.make(0)).shape == (3, 28, 28, 1)


@real_data
def test_the_real_characters():
    characters = mg.data.omniglot(size=16)
    assert characters.images.shape == (136, 20, 16, 16, 1)
    assert len(characters.alphabets) == len(characters.names) == 136
    assert sorted(set(characters.alphabets)) == ["Balinese", "Early_Aramaic", "Greek", "Korean", "Latin"]
    task = characters.tasks(shots=10)(mg.seeds.make(0))
    assert task.support.shape == (10, 16, 16, 1) and task.query.shape == (10, 16, 16, 1)


# --- What an import costs -------------------------------------------------------------------------------------------

SLOW = {
    "IPython",
    "PIL",
    "joblib",
    "matplotlib",
    "pandas",
    "pooch",
    "requests",
    "safetensors",
    "scipy",
    "sklearn",
    "torch",
}
CHEAP_PARTS = {"matplotlib"}  # its pyplot is what takes time
LOADED = "import sys, metagan_edu; print(*(n for n in sys.modules if n.split('.')[0] == 'metagan_edu'))"


def imported_at_the_top(source):
    """Full names of the modules that are imported when a file is imported: outside of its functions."""
    found, todo = set(), list(ast.parse(source).body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pass  # for a type checker's eyes only
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            todo += ast.iter_child_nodes(node)
    return found


def slow(names):
    return {name for name in names if name.split(".")[0] in SLOW and name not in CHEAP_PARTS}


def test_importing_the_package_imports_nothing_slow_of_its_own():
    """TensorFlow and Keras bring some of these along, in some versions; the package does not ask for them by itself."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    names = done.stdout.split()
    assert {f"metagan_edu.{name}" for name in ("plotting", "experiments", "rules.unrolled")} <= set(names)
    package = Path(mg.__file__).parent
    for name in names:
        path = package.joinpath(*name.split(".")[1:])
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        assert not slow(imported_at_the_top(source.read_text(encoding="utf-8"))), source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import scipy.stats", {"scipy.stats"}),
        ("try:\n    from PIL import Image\nexcept ImportError:\n    pass", {"PIL", "PIL.Image"}),
        ("class A:\n    import sklearn", {"sklearn"}),
        ("def f():\n    import pooch", set()),
        ("import matplotlib, numpy", set()),
        ("if TYPE_CHECKING:\n    import scipy", set()),
        ("if True:\n    import scipy", {"scipy"}),
        ("from matplotlib import pyplot as plt", {"matplotlib.pyplot"}),
        ("from .pooch import fetch", set()),
    ],
)
def test_slow_imports_are_seen(source, expected):
    assert slow(imported_at_the_top(source)) == expected
