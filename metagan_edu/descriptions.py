"""What a run is, in words: its function, the code that this uses, its arguments and its seed; and the digest of that.

Two runs of one description give one result. Of code that is installed only the name counts, of this package its
:func:`version`, and of all other the source, comments apart: of the function, of the functions and classes that it
names, of what these name, and so on, with the numbers and words that they read.
"""

from __future__ import annotations

import ast
import dis
import functools
import hashlib
import inspect
import json
import pathlib
import sys
import sysconfig
import textwrap
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

WHAT = "numbers, words, lists, dicts with words as keys, None, and functions that can be imported"


def plan(run: Callable, settings: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The description of a sweep: ``{"run", "settings", "version"}``.

    Raises ``ValueError`` for what cannot be described, such as a closure or an argument that JSON cannot hold, and for
    settings that ``run`` does not take beside a seed.
    """
    if not callable(run):
        raise ValueError(f"a sweep calls a function, not {run!r}.")
    named = {
        name: {key: described(value, f"{key!r} of the setting {name!r}") for key, value in setting.items()}
        for name, setting in settings.items()
    }
    function = described(run, "the function of a sweep")
    for name, setting in settings.items():
        _check_takes(run, name, setting)
    return {"run": function, "settings": named, "version": version()}


def of_run(plan: dict[str, Any], name: str, seed: int) -> dict[str, Any]:
    """The description of one run of a plan; the name of its setting is no part of it."""
    return {"run": plan["run"], "setting": plan["settings"][name], "seed": seed, "version": plan["version"]}


def digest(plan: dict[str, Any], name: str, seed: int) -> str:
    """The digest of :func:`of_run`, 64 hexadecimal digits."""
    return sha256(of_run(plan, name, seed))


def sha256(description: Any) -> str:
    """SHA-256 of what JSON can hold; the order of keys does not matter, and every value does."""
    return hashlib.sha256(json.dumps(description, sort_keys=True, allow_nan=False).encode()).hexdigest()


def described(value: Any, where: str) -> Any:
    """``value`` as JSON can hold it, functions by name and code; ``ValueError``, which says ``where``, if it cannot."""
    if value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and abs(value) < float("inf")):
        return value
    if isinstance(value, (list, tuple)):
        return [described(item, where) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: described(item, where) for key, item in value.items()}
    if isinstance(value, functools.partial):
        inner = described(value.func, where)
        return {
            "partial": inner,
            "arguments": described([*value.args], f"an argument of {name(value)}"),
            "keywords": {key: described(item, f"{key!r} of {name(value)}") for key, item in value.keywords.items()},
        }
    function = inspect.unwrap(value) if callable(value) else value
    by_name = isinstance(function, types.BuiltinFunctionType) and _importable(value)
    if not isinstance(function, types.FunctionType) and not by_name:
        raise ValueError(f"{where} is {_short(value)}, which is not part of a description: that holds {WHAT}.")
    if not by_name and not _importable(value) and (function.__name__ == "<lambda>" or function.__closure__):
        raise ValueError(f"{where} is {name(value)}, a lambda or a closure: write a function with a name at the top of "
                         "a file, and bind its arguments by functools.partial.")  # fmt: skip
    code = {} if _installed(function.__module__) else {"code": sha256(_code(function))}
    return {"function": name(value), **code}


def version() -> str:
    """The version of this package; in a working copy, which changes from hour to hour, with the digest of its code."""
    from . import __version__

    return __version__ + _digest_of_package(FOLDER)


FOLDER = pathlib.Path(__file__).parent
# No run computes with these, or they are described as code is.
APART = {"studies", "course", "turns", "plotting", "stepping", "clinic.py", "contest.py", "lab.py"}


@functools.cache
def _digest_of_package(folder):
    if _is_installed(folder):
        return ""
    found = {path.relative_to(folder): path for kind in ("*.py", "*.safetensors") for path in folder.rglob(kind)}
    return "+" + sha256({str(own): _bare(path) for own, path in found.items() if own.parts[0] not in APART})[:12]


def _bare(path):
    """Python's source without comments, spacing and docstrings; of weights, their digest."""
    if path.suffix != ".py":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, clean=False):
            node.body[0] = ast.Pass()
    return ast.unparse(tree)


def name(run: Any) -> str:
    """The full name of a function, or of that of a partial."""
    while isinstance(run, functools.partial):
        run = run.func
    return f"{getattr(run, '__module__', '')}.{getattr(run, '__qualname__', type(run).__name__)}"


def _check_takes(run, setting, arguments):
    """``ValueError`` unless ``run(seed=..., **arguments)`` is a call that the function takes, as far as it says."""
    try:
        signature = inspect.signature(run)
    except ValueError:
        return
    try:
        signature.bind(seed=0, **arguments)
    except TypeError as error:
        raise ValueError(f"{name(run)} cannot be called with a seed and the setting {setting!r}: {error}.") from error


def joined(path: pathlib.Path, plan: dict[str, Any]) -> str:
    """What a folder's plan is to say from now on: its own settings, and those of ``plan``.

    Raises ``ValueError`` where it is that of another sweep; warns of what changed.
    """
    before = _read(path)
    if before is None:
        return json.dumps(plan, indent=1) + "\n"
    old, new = _function(before["run"]), _function(plan["run"])
    common = before["settings"].keys() & plan["settings"].keys()
    if old != new or not common:
        there, here = (", ".join(map(repr, sorted(each["settings"]))) for each in (before, plan))
        raise ValueError(f"{path.parent} holds another sweep, of {old} with the settings {there}, not of {new} with "
                         f"{here}; name another folder.")  # fmt: skip
    changed = [f"the setting {name!r}" for name in sorted(common) if before["settings"][name] != plan["settings"][name]]
    changed += [f"{new}, or what it uses or is bound to,"] * (before["run"] != plan["run"])
    changed += [f"the version of the package, from {before['version']} to {plan['version']},"] * (
        before["version"] != plan["version"]
    )
    if changed:
        warnings.warn(f"{' and '.join(changed)} changed since runs were kept in {path.parent}: what that changes is "
                      "computed anew, and the runs before are left there, unused.", stacklevel=5)  # fmt: skip
    return json.dumps(plan | {"settings": before["settings"] | plan["settings"]}, indent=1) + "\n"


def _read(path):
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text())
        _ = _function(found["run"]), found["settings"].keys(), found["version"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not the plan of a sweep; delete it, or name another folder.") from error
    return found


def _function(described):
    return described["function"] if "function" in described else _function(described["partial"])


def _short(value):
    text = repr(value)
    return f"{text if len(text) < 80 else text[:77] + '...'} ({type(value).__name__})"


def _importable(value):
    """Whether a worker finds this very function by its name."""
    found = sys.modules.get(value.__module__) if value.__module__ != "__main__" else None
    for part in value.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is value


# --- The code that a function uses ------------------------------------------------------------------------------------


def _code(function):
    """Full name -> source, or value, of what a function uses, itself included."""
    found: dict[str, str] = {}
    waiting: list[tuple[str, Any]] = [(name(function), function)]
    while waiting:
        called, value = waiting.pop()
        for leaf in _leaves(value):
            if not isinstance(leaf, (types.FunctionType, type)):
                found[called] = found.get(called, "") + f"{leaf!r} "
            elif name(leaf) not in found and not _installed(leaf.__module__):
                found[name(leaf)] = _source(leaf)
                waiting += _used(leaf) if isinstance(leaf, types.FunctionType) else []
    return found


def _leaves(value) -> Iterator[Any]:
    """The functions, classes, numbers and words in a value; what is none of them is passed over."""
    if isinstance(value, functools.partial):
        value = [value.func, value.args, value.keywords]
    if isinstance(value, dict):
        value = [part for item in value.items() for part in item]
    if isinstance(value, (list, tuple, range)):
        for part in value:
            yield from _leaves(part)
    elif value is None or isinstance(value, (bool, int, float, str, type, types.FunctionType)):
        yield value
    elif hasattr(value, "__wrapped__"):
        yield from _leaves(inspect.unwrap(value))


def _used(function) -> Iterator[tuple[str, Any]]:
    """(name, value) of the globals that a function's code names, of its own module and of modules that it names."""
    names, scope = set(_names(function.__code__)), function.__globals__
    yield f"{name(function)}, defaults", [function.__defaults__, function.__kwdefaults__]
    for key in sorted(set(_globals(function.__code__)) & scope.keys()):
        value = scope[key]
        if not isinstance(value, types.ModuleType):
            yield f"{function.__module__}.{key}", value
        elif not _installed(value.__name__):
            yield from ((f"{value.__name__}.{own}", vars(value)[own]) for own in sorted(names & vars(value).keys()))


def _inner(code):
    """A function's compiled code, and that of what is defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _inner(constant)


def _names(code):
    """The names in a function's code: of globals, and of what is read from them by a dot."""
    return (name for each in _inner(code) for name in each.co_names)


def _globals(code):
    """The names in a function's code that are no attributes."""
    reads = {"LOAD_GLOBAL", "LOAD_NAME"}
    return (step.argval for each in _inner(code) for step in dis.get_instructions(each) if step.opname in reads)


def _source(value):
    """The source without comments and spacing; where there is none, the compiled code."""
    try:
        source = textwrap.dedent(inspect.getsource(value))
    except (OSError, TypeError):
        code = getattr(value, "__code__", None)
        constants = [x for x in getattr(code, "co_consts", ()) if not isinstance(x, types.CodeType)]
        return f"{getattr(code, 'co_code', b'').hex()} {getattr(code, 'co_names', ())} {constants}"
    try:
        return ast.unparse(ast.parse(source))
    except SyntaxError:  # a lambda within a larger expression
        return source


@functools.cache
def _installed(module):
    """Whether a module is Python's, an installed package's or this package's (its studies apart)."""
    if module is None or module.partition(".")[0] == __package__:
        return module is None or not module.startswith(f"{__package__}.studies")
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return module != "__main__"
    return _is_installed(pathlib.Path(file))


def _is_installed(path):
    places = [sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")]
    return any(path.is_relative_to(place) for place in places)
