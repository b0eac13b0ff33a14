"""Tables that every front end shows."""

from __future__ import annotations

from typing import Any, NamedTuple


class Table(NamedTuple):
    """A table that notebooks and the website render."""

    head: tuple
    rows: tuple

    def _repr_markdown_(self):
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        cells = [[str(cell).replace("|", r"\|") for cell in line] for line in lines]
        return "\n".join("| " + " | ".join(line) + " |" for line in cells)

    def __str__(self):
        return self._repr_markdown_()
