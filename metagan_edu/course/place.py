"""Where the course is: its notebooks lie in a checkout of the project, and not beside the installed package."""

from __future__ import annotations

import re
from pathlib import Path

NAME = re.compile(r"""(?m)^name\s*=\s*["']metagan_edu["']""")


def is_course(folder: Path) -> bool:
    """Whether ``folder`` holds this project's ``pyproject.toml`` and notebooks."""
    project = folder / "pyproject.toml"
    if not project.is_file() or not any(folder.glob("notebooks/*.ipynb")):
        return False
    return NAME.search(project.read_text(encoding="utf-8", errors="replace")) is not None


def find(named: Path | None = None) -> Path:
    """The course's folder: ``named``, or else the nearest one from the current folder upward.

    Raises ``FileNotFoundError``, in one sentence, where there is none.
    """
    if named is not None:
        folder = named.expanduser().resolve()
        if not is_course(folder):
            raise FileNotFoundError(
                f"'{named}' is not the course: it must hold the project's pyproject.toml and notebooks/."
            )
        return folder
    here = Path.cwd()
    for folder in (here, *here.parents):
        if is_course(folder):
            return folder
    raise FileNotFoundError(
        f"The course is not in '{here}' or a folder above it: change to its folder, or name it with --course PATH."
    )
