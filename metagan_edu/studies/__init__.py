"""The recorded experiments: a script each, with its record (JSON) and what it learned (safetensors) beside it.

``studies.load("few_shot")`` reads a record and ``studies.theta("few_shot_Reptile_glyphs", like)`` what was learned;
``from metagan_edu.studies import few_shot`` is the script, whose game, rule and settings a notebook can play with
another seed. ``make records`` (``python -m metagan_edu.studies``) makes them again, hours of them; runs that are done
are kept until the record is (:func:`runs`).
"""

from __future__ import annotations

import importlib
import json
import pathlib
import types
from typing import Any

from .. import experiments, meta

FOLDER = pathlib.Path(__file__).parent
SUPPORT = {"__init__", "__main__", "hand_made", "handwriting", "stages"}  # no studies of their own


def scripts() -> list[str]:
    """The names of the studies that can be made."""
    return sorted({path.stem for path in FOLDER.glob("*.py")} - SUPPORT)


def runs(name: str) -> pathlib.Path:
    """Where the runs of a study are kept while its record is made, so that one that was stopped goes on.

    It is in the current folder, and is removed when the record is written.
    """
    return pathlib.Path("runs") / "records" / name


def names() -> list[str]:
    """The names of the records that are kept."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def path(name: str, suffix: str = "json") -> pathlib.Path:
    """The file of a record (or, with ``suffix="safetensors"``, of what was learned); ``ValueError`` for no name."""
    known = sorted(file.stem for file in FOLDER.glob(f"*.{suffix}"))
    if name not in known:
        raise ValueError(f"there is no {'record' if suffix == 'json' else 'theta'} {name!r}; there are: "
                         f"{', '.join(known)}.")  # fmt: skip
    return FOLDER / f"{name}.{suffix}"


def constants(name: str) -> dict[str, Any]:
    """What a script sets: the constants in capitals that JSON can hold, its own and those of the support it imports."""
    script = importlib.import_module(f"{__name__}.{name}")
    imported = (value for value in vars(script).values() if isinstance(value, types.ModuleType))
    support = [module for module in imported if module.__name__.removeprefix(f"{__name__}.") in SUPPORT]
    found = {}
    for module in (script, *support):
        for key in filter(str.isupper, vars(module)):
            try:
                value = json.loads(json.dumps(vars(module)[key], default=_as_list))
            except TypeError:  # functions, paths and the like
                continue
            found[f"{module.__name__.rpartition('.')[2]}.{key}"] = value
    return found


def _as_list(value):
    if isinstance(value, (range, set)):
        return sorted(value)
    raise TypeError(value)


def load(name: str) -> dict[str, Any]:
    """The record of that name.

    Raises ``ValueError`` for another name, for a file that is no record, and for a record that was made with other
    constants than its script has now.
    """
    record, now = experiments.load_record(path(name)), constants(name)
    then = record.get("constants", {})
    for key in sorted(then.keys() | now.keys()):
        if key not in then or key not in now or then[key] != now[key]:
            was, value = (repr(each[key]) if key in each else "not there" for each in (then, now))
            raise ValueError(f"the record {name!r} was made where {key} was {was}, and now it is {value}; "
                             f"`make records ONLY={name}` makes it anew.")  # fmt: skip
    return record


def theta(name: str, like: Any) -> Any:
    """What a study has learned and kept under ``name``; ``like``: any theta of its learner, for the structure."""
    return meta.load_theta(path(name, "safetensors"), like)[0]
