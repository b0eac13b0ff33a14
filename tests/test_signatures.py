"""Every public function says what it takes and what it gives; mypy holds the annotations against each other."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "metagan_edu"
FILES = sorted(PACKAGE.rglob("*.py"))


def missing(source):
    """``name: what lacks an annotation`` for the public functions of a module and methods of its public classes."""
    found = []
    for owner, node in _public(ast.parse(source)):
        name = f"{owner.name}.{node.name}" if owner else node.name
        parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
        parameters = parameters[1:] if owner and not static else parameters
        parameters += [rest for rest in (node.args.vararg, node.args.kwarg) if rest]
        bare = [parameter.arg for parameter in parameters if parameter.annotation is None]
        bare += [] if node.returns else ["return"]
        found += [f"{name}: {', '.join(bare)}"] if bare else []
    return found


def _public(module):
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from ((node, method) for method in _functions(node))
    yield from ((None, function) for function in _functions(module))


def _functions(node):
    return [f for f in node.body if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef)) and f.name[0] != "_"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_signatures_are_annotated(path):
    assert missing(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(a: int, *, b: int = 1) -> None: ...", []),
        ("def f(a, b: int): ...", ["f: a, return"]),
        ("def f(*args, c, **more: int) -> int: ...", ["f: c, args"]),
        ("class A:\n    def f(self, a: int): ...\n    def _g(self, a): ...", ["A.f: return"]),
        ("class A:\n    @staticmethod\n    def f(a) -> int: ...", ["A.f: a"]),
        ("class _A:\n    def f(self, a): ...", []),
        ("def _f(a):\n    def g(b): ...", []),
    ],
)
def test_what_lacks_an_annotation_is_found(source, expected):
    assert missing(source) == expected
