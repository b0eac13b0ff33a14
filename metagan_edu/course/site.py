"""The course as a local website, built from the executed notebooks."""

import importlib.util
import shutil
from pathlib import Path

from .. import experiments
from . import notebooks, outline, pages, pictures

IGNORED = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__", "runs", "assignments")
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


def build(root: Path) -> Path:
    """Build ``build/site`` and return the page to open; ValueError where Sphinx fails, with its message above."""
    from sphinx.cmd.build import build_main  # a second to import, and only this command needs it

    source, trees, site = (root / "build" / name for name in ("site-source", "doctrees", "site"))
    for old in (trees, site):  # what Sphinx keeps knows nothing of the notebooks beside a page, which it is made of too
        shutil.rmtree(old, ignore_errors=True)
    stage(root / "notebooks", root / "build" / "notebooks", source)
    _copy_mathjax(source / "_static" / "mathjax")
    pages.write(source, [outline.outline(path) for path in notebooks.find(source)], _audit(root))
    arguments = ["-q", "-b", "html", "-d", trees, source, site]
    if build_main([str(argument) for argument in arguments]) != 0:
        raise ValueError("Sphinx could not build the site; its message is above.")
    pictures.shrink(site / "_images")
    return site / "index.html"


def _copy_mathjax(target: Path) -> None:
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
