"""Imports go downward only: a module uses its own layer or a lower one."""

import ast
from pathlib import Path

import pytest

from metagan_edu.course.layers import LAYERS, table

PACKAGE = Path(__file__).resolve().parents[1] / "metagan_edu"
NAMES = [name for layer in LAYERS for name in layer.modules]
LAYER = {name: number for number, layer in enumerate(LAYERS) for name in layer.modules}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def imported(source: str, path: Path, package: Path = PACKAGE) -> set[str]:
    """The parts of the package (``trees``, ``data`` ...) that a file's source imports, wherever in the file."""
    here = ["metagan_edu", *path.relative_to(package).parent.parts]
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {tuple(alias.name.split(".")) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            module = (*base, *(node.module or "").split(".")) if node.module else tuple(base)
            found |= {(*module, alias.name) for alias in node.names}
    return {names[1] for names in found if names[0] == "metagan_edu" and len(names) > 1}


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_the_layers_are_the_modules_that_exist():
    entries = {path.stem for path in PACKAGE.glob("*.py")} | {
        path.parent.name for path in PACKAGE.glob("*/__init__.py")
    }
    assert sorted(NAMES) == sorted(entries - {"__init__"})


def test_contributing_shows_the_layers():
    """``python -m metagan_edu layers`` prints the table."""
    assert f"\n{table()}\n" in (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downward(path):
    assert part(path) in LAYER, f"{part(path)} is in no layer: list it in metagan_edu/course/layers.py"
    used = imported(path.read_text(encoding="utf-8"), path)
    assert used <= LAYER.keys() | {"__version__"}
    upward = {name for name in used & LAYER.keys() if LAYER[name] > LAYER[part(path)]}
    assert not upward, f"layer {LAYER[part(path)]} may not import {sorted(upward)}"


@pytest.mark.parametrize(
    ("source", "file", "expected"),
    [
        ("from . import trees, seeds", "training.py", {"trees", "seeds"}),
        ("from ..optimizers import adam", "rules/unrolled.py", {"optimizers"}),
        ("from .base import Rule", "rules/unrolled.py", {"rules"}),
        ("import metagan_edu.games as g", "data/base.py", {"games"}),
        ("from metagan_edu import games", "data/base.py", {"games"}),
        ("def f():\n    from .training import train", "losses.py", {"training"}),
        ("import numpy.random\nfrom os import path", "losses.py", set()),
    ],
)
def test_every_way_to_import_is_seen(source, file, expected):
    assert imported(source, PACKAGE / file) == expected
