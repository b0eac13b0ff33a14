"""Which names a cell's code binds and which it takes from elsewhere, as Python's own compiler sees them."""

from __future__ import annotations

import ast
import builtins
import functools
import symtable
from typing import NamedTuple

from IPython.core.inputtransformer2 import TransformerManager

KNOWN = {*vars(builtins), "get_ipython", "__name__", "__file__", "__doc__"}


class Names(NamedTuple):
    """``binds``: names of the notebook that the code sets; ``reads``: that it looks up, also inside functions."""

    binds: frozenset[str]
    reads: frozenset[str]

    @property
    def free(self) -> frozenset[str]:
        """What must be there before the code runs."""
        return self.reads - self.binds - KNOWN


def python(source: str) -> str:
    """A cell's source as Python: IPython's own lines (``%pip``, ``!ls``) become calls."""
    return TransformerManager().transform_cell(source)


def parsed(source: str, where: str) -> ast.Module:
    """The tree of a cell's code; ``ValueError`` that begins with ``where`` for what does not parse."""
    try:
        return ast.parse(python(source))
    except SyntaxError as error:
        raise ValueError(f"{where}: it does not parse ({error.msg}, line {error.lineno}).") from error


@functools.lru_cache(maxsize=1000)
def names(source: str) -> Names:
    """The names of one cell's code, which parses."""
    binds: set[str] = set()
    reads: set[str] = set()
    scopes = [symtable.symtable(python(source), "cell", "exec")]
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        top = scope.get_type() == "module"
        for symbol in scope.get_symbols():
            if top or symbol.is_global():
                binds |= {symbol.get_name()} if symbol.is_assigned() or symbol.is_imported() else set()
                reads |= {symbol.get_name()} if symbol.is_referenced() else set()
    return Names(frozenset(binds), frozenset(reads))
