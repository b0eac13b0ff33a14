"""What a notebook says of itself, for the site's pages about all of them: title, question, pictures, sources; and
what is counted of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from . import claims, notebooks, sitting

TITLE = re.compile(r"(?m)^# +(.+)$")
QUESTION = re.compile(r"(?s)\*\*The question\W*\*\*\W*(.+?)(?:\n\n|\Z)")
REFERENCES = re.compile(
    r"(?ms)^(?:## References|<details><summary>References</summary>)\s*\n(.+?)(?=^#|^</details>|\Z)"
)
NOTEBOOKS = re.compile(r"\bnotebooks?\s+\d\d\b(?:(?:,| and| or| to)+ \d\d\b)*", re.IGNORECASE)
NUMBER = re.compile(r"\d\d")
GAME = "play.md"  # the page with the game that is played in it
ENTRY = re.compile(r"(?ms)^[*-] +(.+?)(?=^[*-] |\Z)")


class Picture(NamedTuple):
    """A figure: a PNG file's bytes and its alternative text."""

    png: bytes
    alt: str


class Outline(NamedTuple):
    """Of one notebook: file name, title, question, figures, claims, the entries of its references, the
    numbers of the earlier notebooks that it names, its counts, its sections, and whether it links to the game in the
    page."""

    file: str
    title: str
    question: str
    pictures: list[Picture]
    claims: list[claims.Claim]
    references: list[str]
    earlier: list[str]
    counts: sitting.Sitting
    sections: list[sitting.Section]
    plays: bool


def outline(path: Path) -> Outline:
    """What the notebook at ``path`` says of itself; what it does not say is empty."""
    notebook = notebooks.read(path)
    texts = [cell.source for cell in notebook.cells if cell.cell_type == notebooks.MARKDOWN]
    front, whole = texts[0] if texts else "", "\n\n".join(texts)
    named = {number for phrase in NOTEBOOKS.findall(whole) for number in NUMBER.findall(phrase)}
    return Outline(
        path.name,
        _first(TITLE, front) or path.stem,
        question(notebook),
        list(_pictures(notebook)),
        claims.claims(notebook),
        [" ".join(entry.split()) for part in REFERENCES.findall(whole) for entry in ENTRY.findall(part)],
        sorted(number for number in named if number < path.name[:2]),
        sitting.measure(notebook, path.stem),
        sitting.sections(notebook),
        f"]({GAME})" in whole,
    )


def question(notebook: Any) -> str:
    """What a notebook asks, in its first text."""
    texts = (cell.source for cell in notebook.cells if cell.cell_type == notebooks.MARKDOWN)
    return _first(QUESTION, next(texts, ""))


def _first(pattern: re.Pattern, text: str) -> str:
    match = pattern.search(text)
    return " ".join(match[1].split()) if match else ""


def _pictures(notebook: Any) -> Iterator[Picture]:
    for _, cell in notebooks.code_cells(notebook):
        for output in cell.outputs:
            if png := output.get("data", {}).get("image/png"):
                yield Picture(base64.b64decode(png), cell.metadata.get("mystnb", {}).get("image", {}).get("alt", ""))
