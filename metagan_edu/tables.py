"""Tables that every front end shows."""

from __future__ import annotations

import html
from typing import Any, NamedTuple


class Table(NamedTuple):
    """A table in every front end: HTML in Jupyter, Markdown on the website, aligned columns where there is only text.

    Formulas in dollars stay as they are: front ends set them in HTML too.
    """

    head: tuple[Any, ...]
    rows: tuple[tuple[Any, ...], ...]

    def _repr_markdown_(self):
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        cells = [[str(cell).replace("|", r"\|") for cell in line] for line in lines]
        return "\n".join("| " + " | ".join(line) + " |" for line in cells)

    def _repr_html_(self):
        def row(cells, tag):
            return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

        body = "\n".join(row(cells, "td") for cells in self.rows)
        return f"<table>\n<thead>{row(self.head, 'th')}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"

    def _repr_pretty_(self, printer, cycle):  # what IPython shows as text, in place of repr
        printer.text(str(self))

    def __str__(self):
        lines = [[str(cell) for cell in line] for line in (self.head, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines.insert(1, ["-" * width for width in widths])
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
