"""The repository's address, read from the one place where it stands (``[project.urls]``), and the badges made of it."""

import re
from importlib.metadata import metadata
from typing import Any
from urllib.parse import quote

BRANCH = "main"
# Where a notebook of the course has its address: in its badge, and, as an assignment, in what its set-up installs.
OWN = re.compile(r"(?:colab\.research\.google\.com/github/|git\+https://github\.com/)([\w.-]+/[\w.-]+)")
PICTURES = "images"  # beside the notebooks: pictures from elsewhere are missing offline, and report who reads the page


def repository() -> str:
    """The address without a trailing slash, such as ``https://github.com/owner/name``."""
    urls = dict(entry.split(", ", 1) for entry in metadata("metagan_edu").get_all("Project-URL") or [])
    return urls["Repository"].rstrip("/")


def badges(notebook: str) -> str:
    """The Markdown line with which the notebook of this file name (``00_tour.ipynb``) begins."""
    slug = repository().split("github.com/", 1)[1]
    path = f"notebooks/{notebook}"
    colab = f"https://colab.research.google.com/github/{slug}/blob/{BRANCH}/{path}"
    binder = f"https://mybinder.org/v2/gh/{slug}/{BRANCH}?labpath={quote(path, safe='')}"
    return (
        f"[![Open in Colab]({PICTURES}/open_in_colab.svg)]({colab}) "
        f"[![Open in Binder]({PICTURES}/open_in_binder.svg)]({binder})"
    )


def follow(notebook: Any) -> bool:
    """Put the repository's address in place of the one that the notebook's badge or set-up has, in all its cells.

    Returns whether anything changed. It is what a fork does once, after its address stands in ``pyproject.toml``.
    """
    new = repository().split("github.com/", 1)[1]
    found = OWN.search("\n".join(cell.source for cell in notebook.cells))
    if found is None or found[1] == new:
        return False
    address = re.compile(rf"(github\.com/|/github/|/gh/){re.escape(found[1])}\b")
    for cell in notebook.cells:
        cell.source = address.sub(rf"\g<1>{new}", cell.source)
    return True
