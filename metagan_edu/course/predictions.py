"""Predictions that commit: a text cell with a question, and one ``<details>`` for each option, closed until a click.

    **Predict.** The question?

    <details name="a-name"><summary>one option, as plain text</summary>

    Right: why, in one or two sentences, with $formulas$.

    </details>
    <details name="a-name"><summary>another</summary>

    No: why not.

    </details>

The blank lines after ``</summary>`` and before ``</details>`` are what makes Markdown and formulas of the body set
everywhere; an option itself is HTML, in which the site sets none. One name for all options closes one as another is
opened, in a browser; JupyterLab drops the name, and leaves them open.
"""

import re
from typing import Any

from .notebooks import MARKDOWN

MARK = "**Predict.**"
OPTION = re.compile(
    r'^<details name="([\w-]+)"><summary>([^\n]+)</summary>\n\n(.+?)\n\n</details>$', re.DOTALL | re.MULTILINE
)
LEAST, MOST = 2, 4


def problems(cell: Any) -> list[str]:
    """What is wrong with a text cell that asks for a prediction, one line each; nothing for any other cell."""
    if cell.cell_type != MARKDOWN or MARK not in cell.source:
        return []
    options = OPTION.findall(cell.source)
    if len(options) != cell.source.count("<details"):
        return ["an option of the prediction is not in the form of CONTRIBUTING.md (name, summary, blank lines)"]
    found = []
    question = OPTION.sub("", cell.source).strip()
    if not question.startswith(MARK) or not question.endswith("?") or "\n\n" in question:
        found.append(f"a prediction is '{MARK}', a question, its options, and nothing else")
    if not LEAST <= len(options) <= MOST:
        found.append(f"a prediction with {len(options)} options, {LEAST} to {MOST}")
    if len({name for name, _, _ in options}) > 1:
        found.append("the options of a prediction have one name")
    if any(set(text) & set("$`*") for _, text, _ in options):
        found.append("an option is plain text, without $, ` or *: write φ, or <i>K</i>")
    verdicts = [body.split(":")[0] for _, _, body in options]
    if sorted(verdicts) != ["No"] * (len(options) - 1) + ["Right"]:
        found.append("one option's body begins with 'Right:', and each other one with 'No:'")
    return found


def names(notebook: Any) -> list[str]:
    """The name of each prediction of a notebook, in order."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == MARKDOWN and MARK in cell.source]
    return [found.group(1) for found in map(OPTION.search, cells) if found]
