"""Slides made from the notebooks: one deck each, a page that needs nothing but the formulas' scripts beside it.

A cell is marked for them as everywhere in Jupyter, by its metadata (JupyterLab's property inspector sets them):
``"slideshow": {"slide_type": "slide"}`` begins a slide, and ``"fragment"`` goes on with it. All other cells are left
out. Of a text its first section is shown, without what is folded "in depth"; of a caption the first paragraph; of code
what it printed and drew, or, where that is nothing, the code. A picture below a table has a slide of its own.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .. import files
from . import notebooks, outline, sitting
from .claims import FENCED, HEADING, WORDS
from .hygiene import CAPTION
from .notebooks import MARKDOWN
from .site import copy_mathjax

BEGINS, GOES_ON = "slide", "fragment"
FEWEST, MOST = 8, 14  # marked cells of a notebook of the course
IN_DEPTH = re.compile(r"<details>.*?</details>", re.DOTALL)  # the options of a prediction have a name, and are shown
ANCHOR = re.compile(r'<a class="anchor-link".*?</a>')
RELATIVE = re.compile(r'<a [^>]*href="(?!https?:)[^"]*"[^>]*>(.*?)</a>', re.DOTALL)
CLAIM = re.compile(f"({'|'.join(WORDS)})(.*)")
HEADING_LINE = re.compile(r"(?m)^#{1,4} +.+\n*")
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
<script>
{script}</script>
<script src="mathjax/startup.js" defer></script>
</head>
<body>
<main>
<section class="title"><h1>{title}</h1>
{question}</section>
{slides}
</main>
</body>
</html>
"""


def marked(notebook: Any) -> list[list[Any]]:
    """The cells of each slide, in order; ``ValueError`` where one goes on with a slide that none began."""
    found: list[list[Any]] = []
    for position, cell in enumerate(notebook.cells, start=1):
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if kind == BEGINS:
            found.append([cell])
        elif kind == GOES_ON:
            if not found:
                raise ValueError(f"cell {position} goes on with a slide ('{GOES_ON}'), but none has begun.")
            found[-1].append(cell)
    return found


def deck(path: Path, static: Path) -> str:
    """The deck of the notebook at ``path``, HTML, with the style and script of the folder ``static`` in it.

    Raises ``ValueError`` for a notebook none of whose cells is marked.
    """
    notebook = notebooks.read(path)
    slides = marked(notebook)
    if not slides:
        raise ValueError(f"{path.name}: no cell is marked for a slide (metadata 'slideshow', as CONTRIBUTING.md says).")
    sections = _sections(notebook)
    about = outline.outline(path)
    return PAGE.format(
        title=html.escape(about.title),
        question=_text(about.question),
        style=(static / "slides.css").read_text(encoding="utf-8"),
        script=(static / "slides.js").read_text(encoding="utf-8"),
        slides="\n".join(_slide(cells, sections[cells[0].id]) for cells in slides),
    )


def build(root: Path, only: list[str] | None = None) -> list[Path]:
    """Write ``build/slides/NAME.html`` for each notebook that has marked cells, and return these files.

    ``only``: starts of names; what is named and has no marked cell is a ``ValueError``.
    """
    folder, made = root / "build" / "slides", []
    for path in notebooks.find(root / "notebooks", only):
        if only or marked(notebooks.read(path)):
            made.append(folder / f"{path.stem}.html")
            folder.mkdir(parents=True, exist_ok=True)
            files.replace(made[-1], deck(path, root / "notebooks" / "_static").encode())
    copy_mathjax(folder / "mathjax")
    return made


def _sections(notebook: Any) -> dict[str, str]:
    """Cell's id -> the heading that it stands under."""
    found, section = {}, ""
    for cell in notebook.cells:
        headings = HEADING.findall(FENCED.sub("", cell.source)) if cell.cell_type == MARKDOWN else []
        found[cell.id], section = (headings or [section])[0], (headings or [section])[-1]
    return found


def _slide(cells: list[Any], section: str) -> str:
    heading = _text(f"## {section}")
    shared = _shared_out(part for cell in cells for part in _parts(cell))
    return "\n".join(f"<section>\n{heading}\n<div>{shown}</div>\n</section>" for shown in map("\n".join, shared))


def _shared_out(parts: Iterable[str]) -> list[list[str]]:
    """The parts of each slide: of a table and a picture below it, one would leave the other no room."""
    slides: list[list[str]] = [[]]
    for part in parts:
        if part.startswith("<img") and any("<table" in above for above in slides[-1]):
            slides.append([])
        slides[-1].append(part)
    return slides


def _parts(cell: Any) -> Iterator[str]:
    """HTML of what a slide shows of a cell."""
    if cell.cell_type == MARKDOWN:
        text = HEADING_LINE.sub("", IN_DEPTH.sub("", sitting.BADGE.sub("", cell.source)).lstrip(), count=1)
        text = HEADING_LINE.split(text)[0].strip()
        yield _text(text.split("\n\n")[0] if text.startswith(CAPTION) else text)
    elif not cell.outputs:
        yield _code(cell.source)
    else:
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        yield from (_output(output, alt) for output in cell.outputs)


def _output(output: Any, alt: str) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        packed = "".join(data["image/png"].split())
        return f'<img src="data:image/png;base64,{packed}" alt="{html.escape(alt)}">'
    if "text/markdown" in data:
        return _text(data["text/markdown"])
    if "text/html" in data:
        return data["text/html"]
    return _printed(output.get("text", "") or data.get("text/plain", ""))


def _printed(text: str) -> str:
    """What code printed, as it stands; the claims in it as a list."""
    made = {False: "<pre>{}</pre>", True: '<ul class="claims">{}</ul>'}
    found = itertools.groupby(html.escape(text).splitlines(), lambda line: bool(CLAIM.match(line)))
    return "\n".join(made[of_claims].format("\n".join(map(_claim, lines))) for of_claims, lines in found)


def _claim(line: str) -> str:
    return CLAIM.sub(r"<li><b>\1</b>\2</li>", line)


def _text(markdown: str) -> str:
    """HTML of Markdown; formulas stay as they are, links that lead to files beside the notebook are words."""
    from nbconvert.filters import markdown2html  # takes a second to import, and only this command needs it

    return RELATIVE.sub(r"\1", ANCHOR.sub("", str(markdown2html(markdown))))


def _code(source: str) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return highlight(source, PythonLexer(), HtmlFormatter(noclasses=True, nobackground=True))
