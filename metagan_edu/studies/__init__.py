"""The recorded experiments: a script each, with its record (JSON) and what it learned (safetensors) beside it.

``studies.load("few_shot")`` reads a record and ``studies.theta("few_shot_Reptile_glyphs", like)`` what was learned;
``from metagan_edu.studies import few_shot`` is the script, whose game, rule and settings a notebook can play with
another seed. ``make records`` (``python -m metagan_edu.studies``) makes them again, hours of them; runs that are done
are kept until the record is (:func:`runs`).
"""

from __future__ import annotations

import pathlib
from typing import Any

from .. import experiments, meta

FOLDER = pathlib.Path(__file__).parent
SUPPORT = {"__init__", "__main__", "hand_made", "stages"}  # no studies of their own


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


def load(name: str) -> dict[str, Any]:
    """The record of that name. Raises ``ValueError`` for another name, or a file that is no record."""
    return experiments.load_record(path(name))


def theta(name: str, like: Any) -> Any:
    """What a study has learned and kept under ``name``; ``like``: any theta of its learner, for the structure."""
    return meta.load_theta(path(name, "safetensors"), like)[0]
