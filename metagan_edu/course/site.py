"""The course as a local website, built from the executed notebooks."""

import shutil
from pathlib import Path

IGNORED = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__", "runs", "assignments")


def stage(notebooks: Path, executed: Path, target: Path) -> None:
    """Gather the site's sources in ``target``: the folder ``notebooks``, with executed copies where there are some."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(notebooks, target, ignore=IGNORED)
    for path in sorted(executed.glob("*.ipynb")):
        if (notebooks / path.name).exists():
            shutil.copy2(path, target / path.name)


def build(root: Path) -> Path:
    """Build ``build/site`` and return the page to open; ValueError where Sphinx fails, with its message above."""
    from sphinx.cmd.build import build_main  # a second to import, and only this command needs it

    work = root / "build"
    stage(root / "notebooks", work / "notebooks", work / "site-source")
    arguments = ["-q", "-b", "html", "-d", work / "doctrees", work / "site-source", work / "site"]
    if build_main([str(argument) for argument in arguments]) != 0:
        raise ValueError("Sphinx could not build the site; its message is above.")
    return work / "site" / "index.html"
