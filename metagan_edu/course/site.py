"""The course as a local website, built from the executed notebooks."""

import importlib.util
import re
import shutil
from pathlib import Path

from .. import experiments
from . import notebooks, outline, pages, pictures

IGNORED = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__", "runs", "assignments")
HIDDEN = {".ipynb_checkpoints", "__pycache__", ".git"}
NUMBERED = re.compile(r"\d\d_.")
# Of MathJax's 22 MB what sets a formula from TeX in HTML, with MathML beside it for screen readers.
MATHJAX = ("startup.js", "core.js", "input/tex.js", "input/tex/extensions/*.js", "output/chtml.js",
           "a11y/assistive-mml.js", "output/chtml/fonts/tex.js", "output/chtml/fonts/woff-v2/*.woff")  # fmt: skip


def stage(sources: Path, executed: Path, target: Path) -> None:
    """Gather the site's sources in ``target``: the folder ``sources``, with executed copies where there are some."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(sources, target, ignore=IGNORED)
    for path in sorted(executed.glob("*.ipynb")):
        if (sources / path.name).exists():
            shutil.copy2(path, target / path.name)


def build(root: Path, own: Path | None = None) -> Path:
    """Build ``build/site`` and return the page to open; ValueError where Sphinx fails, with its message above.

    ``own``: a folder with notebooks of one's own, and what they show, for pages beside the course's (:func:`added`).
    """
    from sphinx.cmd.build import build_main  # a second to import, and only this command needs it

    beside = {} if own is None else added(own, root / "notebooks")
    source, trees, site = (root / "build" / name for name in ("site-source", "doctrees", "site"))
    for old in (trees, site):  # what Sphinx keeps knows nothing of the notebooks beside a page, which it is made of too
        shutil.rmtree(old, ignore_errors=True)
    stage(root / "notebooks", root / "build" / "notebooks", source)
    for name, path in beside.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, source / name)
    copy_mathjax(source / "_static" / "mathjax")
    pages.write(source, [outline.outline(path) for path in notebooks.find(source)], _audit(root))
    arguments = ["-q", "-b", "html", "-d", trees, source, site]
    if build_main([str(argument) for argument in arguments]) != 0:
        raise ValueError("Sphinx could not build the site; its message is above.")
    pictures.shrink(site / "_images")
    return site / "index.html"


def added(own: Path, sources: Path) -> dict[Path, Path]:
    """What goes beside the course's files in ``sources``: the name there of each file of the folder ``own``.

    Raises ``FileNotFoundError`` where there is no notebook, and ``ValueError`` for a notebook whose name does not begin
    with a number of its own, by which pages are ordered and named, and for a file that the course has, too.
    """
    taken = {path.name[:2]: path.name for path in notebooks.find(sources)}
    for path in notebooks.find(own):
        if not NUMBERED.match(path.name) or path.name[:2] in taken:
            reason = f"that number is {taken[path.name[:2]]}'s" if path.name[:2] in taken else "it has no such number"
            raise ValueError(
                f"'{path}' cannot be a page of the site: a notebook's name begins with a number of two digits and an "
                f"underscore, such as 20_mine.ipynb, and {reason}."
            )
    found = (path for path in sorted(own.rglob("*")) if path.is_file())
    files = {path.relative_to(own): path for path in found if not HIDDEN.intersection(path.relative_to(own).parts)}
    for name, path in files.items():
        if (sources / name).exists():
            raise ValueError(f"'{path}' would take the place of the course's own file of that name: rename it.")
    return files


def copy_mathjax(target: Path) -> None:
    """Copy into the folder ``target`` what sets formulas; ``ValueError`` where it is not installed."""
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise ValueError(
            "sphinx-mathjax-offline is not installed, from which the site takes MathJax: run 'make setup'."
        )
    origin = Path(spec.origin).parent / "static" / "mathjax"
    for path in (path for pattern in MATHJAX for path in origin.glob(pattern)):
        (target / path.relative_to(origin)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target / path.relative_to(origin))


def _audit(root: Path) -> pages.Audit:
    """The record of the audit, where there is one."""
    record = root / "metagan_edu" / "studies" / "audit.json"
    return experiments.load_record(record)["results"] if record.exists() else {}
