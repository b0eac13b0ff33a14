"""Notebook files: which there are, reading them, cleaning what they print, and writing them whole or not at all."""

import re
from pathlib import Path
from typing import Any

import nbformat

from .. import files

CODE, MARKDOWN = "code", "markdown"
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",  # without it and the exporter's name, nbconvert writes scripts as .txt
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
KEPT_METADATA = {"tags", "mystnb", "jupyter", "slideshow", "nbgrader", "deletable", "editable"}
MAGIC = re.compile(r"(?m)^(\s*)[%!].*$")  # IPython's own lines (%pip, !ls)
WIDGET = "application/vnd.jupyter.widget-view+json"


def find(folder: Path, only: list[str] | None = None, *more: Path) -> list[Path]:
    """The notebooks of ``folder`` in order, then those of ``more`` folders; with ``only``, those whose names start with
    one of its entries.

    Raises FileNotFoundError for a folder without notebooks and ValueError for an entry that fits none.
    """
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        raise FileNotFoundError(f"There is no notebook in '{folder}'; the course's notebooks are expected there.")
    paths += [path for one in more for path in sorted(one.glob("*.ipynb"))]
    if not only:
        return paths
    names = ", ".join(path.stem for path in paths)
    for start in only:
        if not any(path.name.startswith(start) for path in paths):
            raise ValueError(f"No notebook's name starts with '{start}'; there are {names}.")
    return [path for path in paths if path.name.startswith(tuple(only))]


def read(path: Path) -> Any:
    """The notebook at ``path`` in format 4; ValueError where the file is none."""
    try:
        return nbformat.read(path, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError, KeyError) as error:
        reason = str(error).splitlines()[0][:120]
        raise ValueError(f"'{path}' is not a notebook ({reason}); restore it or save it again from Jupyter.") from error


def python(source: str) -> str:
    """A cell's source as Python to be parsed: ``pass``, which keeps an indentation, for each of IPython's own lines."""
    return MAGIC.sub(r"\1pass", source)


def write(notebook: Any, path: Path) -> None:
    """Write the notebook, whole or not at all."""
    files.replace(path, (nbformat.writes(notebook).rstrip("\n") + "\n").encode())


def clean(notebook: Any) -> Any:
    """Drop, in place, what differs from run to run and shows nothing on a static page; execution counts stay.

    Dropped: standard error (progress bars, TensorFlow's log), live widgets, timings and the kernel's exact version.
    """
    extra = {key: value for key, value in notebook.metadata.items() if key == "mystnb"}
    notebook.metadata = nbformat.from_dict({**KERNEL, **extra})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in cell.metadata if key in KEPT_METADATA})
        if cell.cell_type == CODE:
            cell.outputs = _joined([_still(output) for output in cell.outputs if not _is_noise(output)])
    return notebook


def _is_noise(output: Any) -> bool:
    data = output.get("data", {})
    finished = output.output_type == "display_data" and not any(data.values())  # what a progress line ends as
    return output.get("name") == "stderr" or (WIDGET in data and "image/png" not in data) or finished


def _still(output: Any) -> Any:
    """The output without its live widget, where that brings a picture to stand in its place."""
    output.get("data", {}).pop(WIDGET, None)
    return output


def _joined(outputs: list[Any]) -> list[Any]:
    """Neighboring pieces of standard output as one: how a kernel cuts them is chance."""
    joined: list[Any] = []
    for output in outputs:
        if output.output_type == "stream" and joined and joined[-1].output_type == "stream":
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def code_cells(notebook: Any) -> list[tuple[int, Any]]:
    """(position from 1 among all cells, cell) of every code cell that has something to run."""
    return [
        (position, cell)
        for position, cell in enumerate(notebook.cells, start=1)
        if cell.cell_type == CODE and cell.source.strip()
    ]
