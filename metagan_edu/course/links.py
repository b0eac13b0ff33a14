"""Do the links inside the project lead somewhere? Addresses of other sites are not asked."""

import re
from pathlib import Path
from urllib.parse import unquote

from . import claims, notebooks

LINK = re.compile(r"\]\(\s*<?([^)\s>]+)|(?:href|src)=\"([^\"]+)\"")
CELL = re.compile(r"\.ipynb#cell-(\d+)$")  # as the site calls the places of code cells, counted from 0
ELSEWHERE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|#")
FENCED = re.compile(r"(?ms)^(```|~~~).*?^\1|`[^`\n]*`")


def texts(path: Path) -> list[str]:
    """The Markdown of a text file, or of a notebook's text cells, without code."""
    if path.suffix == ".ipynb":
        sources = [cell.source for cell in notebooks.read(path).cells if cell.cell_type == notebooks.MARKDOWN]
    else:
        sources = [path.read_text(encoding="utf-8")]
    return [FENCED.sub("", source) for source in sources]


def broken(path: Path, root: Path) -> list[str]:
    """One line for each relative link of ``path`` whose file is not in the project at ``root``, or whose cell makes
    no claim."""
    found = []
    for source in texts(path):
        for match in LINK.finditer(source):
            target = unquote(match[1] or match[2])
            if ELSEWHERE.match(target):
                continue
            file = (path.parent / target.split("#")[0].split("?")[0]).resolve()
            if not file.exists() or not file.is_relative_to(root.resolve()):
                found.append(f"{path.relative_to(root)}: the link to '{target}' leads nowhere")
            elif (cell := CELL.search(target)) and not _claims(file, int(cell[1])):
                found.append(f"{path.relative_to(root)}: the link to '{target}' leads to no cell that makes a claim")
    return found


def _claims(notebook: Path, number: int) -> bool:
    cells = notebooks.read(notebook).cells[number : number + 1]
    return any(claims.printed(cell) for cell in cells if cell.cell_type == notebooks.CODE)


def documents(root: Path) -> list[Path]:
    """The project's own texts and notebooks."""
    return [
        *sorted(root.glob("*.md")),
        *sorted(root.glob("notebooks/**/*.md")),
        *(path for path in sorted(root.glob("notebooks/**/*.ipynb")) if ".ipynb_checkpoints" not in path.parts),
    ]
