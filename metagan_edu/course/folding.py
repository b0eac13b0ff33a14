"""Code that a first reading skips: a first line ``# @title Words`` folds its cell, in every front end that can fold.

JupyterLab reads ``jupyter.source_hidden`` and shows the first line; Colab reads ``cellView`` and shows the title; the
site reads the tag ``hide-input`` and shows what ``mystnb.code_prompt_show`` says. GitHub folds no code: there the title
says what may be skipped. Text is folded by ``<details>``, everywhere.

A first reading meets what is ``shown`` of a cell; one that is folded as a whole is none of its cells.
"""

import copy
import re
from typing import Any

from .notebooks import CODE

TAG = "hide-input"
TITLE = re.compile(r"# ?@title (\S.*)")
DETAILS = re.compile(
    r"<details[^>]*>\s*<summary>((?:(?!<details|</summary>).)*)</summary>(?:(?!<details).)*?</details>", re.DOTALL
)


def title(cell: Any) -> str | None:
    """What stands in place of a folded cell's code; None for a cell that is shown."""
    found = TITLE.match(cell.source) if cell.cell_type == CODE else None
    return found.group(1).strip() if found else None


def shown(cell: Any) -> str:
    """What a first reading meets of a cell: no folded code, and of each ``<details>`` its summary."""
    return ("" if title(cell) else cell.source) if cell.cell_type == CODE else _unfolded(cell.source, r"\1")


def is_folded(cell: Any) -> bool:
    """Whether a cell is folded as a whole: code with a title, or a text that is nothing but ``<details>``."""
    if cell.cell_type == CODE:
        return title(cell) is not None
    return bool(cell.source.strip()) and not _unfolded(cell.source, "").strip()


def fold(notebook: Any) -> Any:
    """Set the metadata of every code cell by its first line, in place: folded where that is a title, else shown."""
    for cell in notebook.cells:
        if cell.cell_type == CODE:
            cell.metadata = _metadata(cell)
    return notebook


def problems(cell: Any) -> list[str]:
    """What is wrong where the front ends would not agree with the first line of a code cell; one line, or none."""
    wanted = _metadata(cell)
    if cell.metadata == wanted:
        return []
    line = "folded, by its first line" if title(cell) else "shown, as its first line is no '# @title ...'"
    return [f"it should be {line}, and its metadata say otherwise ('metagan_edu run --in-place' sets them)"]


def _unfolded(text, shows):
    while text != (text := DETAILS.sub(shows, text)):
        pass
    return text


def _metadata(cell):
    metadata, words = copy.deepcopy(cell.metadata), title(cell)
    _set(metadata, "jupyter", {"source_hidden": True} if words else {}, drop=("source_hidden",))
    prompts = {"code_prompt_show": words, "code_prompt_hide": words} if words else {}
    _set(metadata, "mystnb", prompts, drop=("code_prompt_show", "code_prompt_hide"))
    tags = metadata.pop("tags", [])
    if (TAG in tags) != bool(words):
        tags = [*tags, TAG] if words else [tag for tag in tags if tag != TAG]
    metadata.pop("cellView", None)
    return type(metadata)({**metadata, **({"tags": tags} if tags else {}), **({"cellView": "form"} if words else {})})


def _set(metadata, key, values, drop):
    """Put ``values`` in place of the entries ``drop`` of ``metadata[key]``, which goes where nothing is left."""
    kept = {name: value for name, value in metadata.pop(key, {}).items() if name not in drop}
    if kept or values:
        metadata[key] = {**kept, **values}
