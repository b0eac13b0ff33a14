"""Slides made from notebooks: which cells, what of them, and that a deck asks for nothing from elsewhere."""

import re
import shutil
from pathlib import Path

import pytest
from made_up import CAPTION, PIXEL, code, picture, printed, saved
from nbformat.v4 import new_markdown_cell, new_notebook, new_output

from metagan_edu import __main__ as command
from metagan_edu.course import notebooks, slides

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "notebooks" / "_static"
FRONT = new_markdown_cell("# 07 A < B\n\n**The question.** Is *it* so?")


def on(cell, kind=slides.BEGINS):
    cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


def shown(path):
    return re.findall(r"<section>\n(.*?)\n</section>", slides.deck(path, STATIC), re.DOTALL)


def test_a_slide_begins_and_goes_on_and_the_rest_is_left_out():
    cells = [FRONT, on(code("a")), code("b"), on(code("c"), slides.GOES_ON), on(code("d")), on(code("e"), "skip")]
    assert [[cell.source for cell in slide] for slide in slides.marked(new_notebook(cells=cells))] == [
        ["a", "c"],
        ["d"],
    ]


def test_a_deck_shows_the_question_figures_formulas_and_claims(tmp_path):
    theory = new_markdown_cell(
        "## 2. Part\n\nSee [05](05_x.ipynb), [a](https://a.org): $a_1 < b_2$\n\n"
        "<details><summary>In depth</summary>gone</details>\n\n## References\n\ngone"
    )
    caption = new_markdown_cell(CAPTION.source + "\n\ngone")
    both = {"text/html": "<table>gone</table>", "text/markdown": "| a |\n|-|\n| 7 |"}
    table = new_output("display_data", both)
    claims = code("mg.claim('a < b', gone)", printed("1 < 2\nholds: a < b\n"), table)
    path = saved(tmp_path / "07_x.ipynb", FRONT, on(theory), on(picture(alt="A ring")), on(caption, slides.GOES_ON),
                 on(claims), on(code("x = 1  # shown")))  # fmt: skip
    deck = slides.deck(path, STATIC)
    assert "<h1>07 A &lt; B</h1>" in deck and "Is <em>it</em> so?" in deck
    formula, figure, claim, plain = shown(path)
    assert ">2. Part</h2>" in formula and "$a_1 &lt; b_2$" in formula and '<a href="https://a.org">a</a>' in formula
    assert "05_x" not in formula and "See 05," in formula
    assert f'<img src="data:image/png;base64,{PIXEL}" alt="A ring">' in figure and "What to see." in figure
    assert (
        '<pre>1 &lt; 2</pre>\n<ul class="claims"><li><b>holds: </b>a &lt; b</li></ul>' in claim
        and "<td>7</td>" in claim
        and "References" in claim
    )
    assert "shown" in plain
    assert "gone" not in "".join(shown(path)) and "¶" not in deck


def test_a_picture_below_a_table_has_a_slide_of_its_own(tmp_path):
    table = new_output("display_data", {"text/markdown": "| a |\n|-|\n| 7 |"})
    both = code("a", table, *picture().outputs)
    caption = on(new_markdown_cell(CAPTION.source), slides.GOES_ON)
    of_table, of_picture = shown(
        saved(tmp_path / "07_x.ipynb", FRONT, new_markdown_cell("## 1. Part"), on(both), caption)
    )
    assert "<td>7</td>" in of_table and "<img" not in of_table and ">1. Part</h2>" in of_picture
    assert "<img" in of_picture and "What to see." in of_picture


def test_what_cannot_be_a_slide_is_refused_in_a_sentence(tmp_path):
    path = saved(tmp_path / "07_x.ipynb", FRONT, code("a"))
    with pytest.raises(ValueError, match=r"07_x.ipynb: no cell is marked"):
        slides.deck(path, STATIC)
    with pytest.raises(ValueError, match="cell 2 goes on with a slide"):
        slides.marked(new_notebook(cells=[FRONT, on(code("a"), slides.GOES_ON)]))


def test_the_command_makes_a_deck_of_each_notebook_that_has_slides(tmp_path, capsys):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "metagan_edu"\n')
    shutil.copytree(STATIC, tmp_path / "notebooks" / "_static")
    saved(tmp_path / "notebooks" / "07_x.ipynb", FRONT, on(code("a")))
    saved(tmp_path / "notebooks" / "08_y.ipynb", FRONT)
    assert command.main(["slides", "--course", str(tmp_path)]) == 0
    made = tmp_path / "build" / "slides" / "07_x.html"
    assert capsys.readouterr().out == f"Open {made}\n"
    assert (made.parent / "mathjax" / "startup.js").exists() and not (made.parent / "08_y.html").exists()
    assert re.findall(r'(?:src|href)="([^"]+)"', made.read_text()) == ["mathjax/startup.js"]
    assert command.main(["slides", "08", "--course", str(tmp_path)]) == 2
    assert "no cell is marked" in capsys.readouterr().err


COURSE = notebooks.find(ROOT / "notebooks")


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_a_notebook_of_the_course_has_eight_to_fourteen_cells_on_slides(path):
    cells = [cell for slide in slides.marked(notebooks.read(path)) for cell in slide]
    assert slides.FEWEST <= len(cells) <= slides.MOST
    assert any("image/png" in output.get("data", {}) for cell in cells for output in cell.get("outputs", []))
    assert any("holds: " in output.get("text", "") for cell in cells for output in cell.get("outputs", []))
