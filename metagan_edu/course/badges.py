"""The repository's address, read from the one place where it stands (``[project.urls]``), and the badges made of it."""

import re
from importlib.metadata import metadata
from typing import Any
from urllib.parse import quote

BRANCH = "main"
# Where a notebook of the course has its address: in what its set-up installs, and in its badges.
ADDRESS = re.compile(
    r"((?:git\+https://github\.com|colab\.research\.google\.com/github|mybinder\.org/v2/gh)/)([\w.-]+/[\w.-]+)"
)
PICTURES = "images"  # beside the notebooks: pictures from elsewhere are missing offline, and report who reads the page


def repository() -> str:
    """The address without a trailing slash, such as ``https://github.com/owner/name``."""
    urls = dict(entry.split(", ", 1) for entry in metadata("metagan_edu").get_all("Project-URL") or [])
    return urls["Repository"].rstrip("/")


def slug() -> str:
    """The repository's ``owner/name``; ``ValueError`` where it is not on GitHub."""
    _, _, name = repository().partition("github.com/")
    if not name:
        raise ValueError(
            f"'{repository()}', in pyproject.toml, is not on GitHub, whence Colab and Binder take notebooks."
        )
    return name


def badges(notebook: str) -> str:
    """The Markdown line with which the notebook of this file name (``00_tour.ipynb``) begins."""
    path = f"notebooks/{notebook}"
    colab = f"https://colab.research.google.com/github/{slug()}/blob/{BRANCH}/{path}"
    binder = f"https://mybinder.org/v2/gh/{slug()}/{BRANCH}?labpath={quote(path, safe='')}"
    return (
        f"[![Open in Colab]({PICTURES}/open_in_colab.svg)]({colab}) "
        f"[![Open in Binder]({PICTURES}/open_in_binder.svg)]({binder})"
    )


def others(text: str) -> list[str]:
    """Each ``owner/name`` that is not the repository's, and from which ``text`` would install or open the course."""
    return [name for name in dict.fromkeys(found[2] for found in ADDRESS.finditer(text)) if name != slug()]


def follow(notebook: Any) -> bool:
    """Put the repository's address in place of others that the notebook's badges and set-up have.

    Returns whether anything changed. It is what a fork does once, after its address stands in ``pyproject.toml``.
    """
    changed = False
    address = rf"\g<1>{slug()}"
    for cell in notebook.cells:
        before, cell.source = cell.source, ADDRESS.sub(address, cell.source)
        changed |= cell.source != before
    return changed
