"""Notebooks made up for the tests of the course's commands."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from metagan_edu.course import badges, compared, notebooks

TAGGED = {"tags": [compared.TAG]}
PIXEL = (  # a PNG file of one white pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg=="
)
CAPTION = new_markdown_cell("**Figure 1.** What to see.")


def code(source, *outputs, count=1, **metadata):
    return new_code_cell(source, outputs=list(outputs), execution_count=count, metadata=metadata)


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def picture(**alt):
    return code("plt.show()", new_output("display_data", {"image/png": PIXEL}), mystnb={"image": alt})


def saved(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    notebooks.write(new_notebook(cells=list(cells), metadata=notebooks.KERNEL), path)
    return path


def tidy(*cells, name="00_made_up.ipynb"):
    return new_notebook(cells=[new_markdown_cell(f"{badges.badges(name)}\n\n# Made up"), *cells])
