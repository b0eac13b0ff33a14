"""The repository's address, read from the one place where it stands (``[project.urls]``), and the badges made of it."""

from importlib.metadata import metadata
from urllib.parse import quote

BRANCH = "main"


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
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab}) "
        f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})"
    )
