"""Run cells in this process, one after the other, in a namespace: sources of the course, never a submission."""

from __future__ import annotations

import contextlib
import hashlib
import io
import linecache
import sys
import warnings
from collections.abc import Iterable
from typing import Any

from . import names


def run(source: str, namespace: dict[str, Any]) -> dict[str, Any]:
    """Run one cell's source; what it prints is dropped, and its figures are closed. Returns the namespace."""
    code = names.python(source)
    file = f"<cell {hashlib.sha256(code.encode()).hexdigest()[:16]}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)  # where AutoGraph looks
    namespace.setdefault("__name__", "__main__")
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(code, file, "exec"), namespace)
    finally:
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
    return namespace


def run_all(cells: Iterable[Any], namespace: dict[str, Any], variant: int = 0) -> dict[str, Any]:
    """Run the sources of ``cells``, with ``VARIANT = variant`` where one sets it. Returns the namespace."""
    for cell in cells:
        run(with_variant(cell.source, variant), namespace)
    return namespace


def with_variant(source: str, variant: int) -> str:
    """A variant cell's source with this seed in its first line; another cell's as it is."""
    return source.replace("VARIANT = 0", f"VARIANT = {variant}", 1) if source.startswith("VARIANT = 0") else source
