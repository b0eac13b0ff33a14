"""What the site makes of notebooks, docstrings and pictures, on ones that are made up here."""

import base64
import io

import numpy as np
import pytest
from made_up import code, printed, saved
from nbformat.v4 import new_markdown_cell, new_notebook, new_output
from PIL import Image

import metagan_edu as mg
from metagan_edu.course import claims, docstrings, every_page, outline, pages, pictures, sitting


def png(array):
    written = io.BytesIO()
    Image.fromarray(array).save(written, "PNG")
    return written.getvalue()


# -- claims


def test_a_claim_knows_its_verdict_cell_and_section():
    text = new_markdown_cell("# Title\n\n## The part\n\n```\n# no heading\n```")
    cell = code("mg.claim('A', x)", printed("loss 3\nholds: A\n"), printed("does not hold: B: b\n"))
    found = claims.claims(new_notebook(cells=[text, cell]))
    assert found == [claims.Claim("A", True, 1, "The part", False), claims.Claim("B: b", False, 1, "The part", False)]


@pytest.mark.parametrize(
    ("sources", "recorded"),
    [
        (['record = mg.studies.load("x")', 'mg.claim("A", record["a"] > 1)', 'mg.claim("B", live > 1)'], [True, False]),
        (['mg.claim("A", mg.studies.load("x")["a"] > 1)\nmg.claim("B", live > 1)'], [True, False]),
        (['record = studies.load("x")\nbest, rest = max(record), 1', '%pip list\nmg.claim("A", best > rest)'], [True]),
        (['record = studies.load("x")\ndef best():\n    return record', 'mg.claim("A", best())'], [True]),
        (['r = studies.load("x")\nfor a in r:\n    b = a', 'mg.claim(f"{x} A", b)\nmg.claim("B", 1)'], [True, False]),
        (['for a in studies.load("x"):\n    b = a', 'for a in live:\n    b = a\nmg.claim("A", a + b)'], [False]),
        (['r = studies.load("x")', 'c = [r for r in live]\nmg.claim("A", c)\nmg.claim("B", max(r))'], [False, True]),
        (['a = {}\na["x"] = studies.load("x")', 'mg.claim("A", a)\na = 2\nmg.claim("B", a)'], [True, False]),
        (['model = tf.saved_model.load("x")', 'mg.claim("A", model)'], [False]),
    ],
)  # fmt: skip
def test_a_claim_is_recorded_where_its_verdict_is_made_of_a_record(sources, recorded):
    cells = [
        code(source, printed("".join(f"holds: {text}\n" for text in "AB" if text in source))) for source in sources
    ]
    assert [claim.recorded for claim in claims.claims(new_notebook(cells=cells))] == recorded


# -- what a notebook says of itself


FRONT = """badges

# 07 The title

**The question.** Can it be
learned?

**Time**: 35 s, or 1.5 min where busy; not measured on a GPU. See notebooks 02 and 05; then 07, and notebook 08."""
LAST = """## References

* A. Bcd (2017). *A title of the work.* ICML. arXiv:1234.56789. (For this.)
* E. Fgh. No number."""


def test_an_outline_is_read_from_the_cells(tmp_path):
    picture = png(np.zeros((4, 4), np.uint8))
    figure = code("1", new_output("display_data", {"image/png": base64.b64encode(picture).decode()}))
    figure.metadata["mystnb"] = {"image": {"alt": "A square"}}
    path = saved(tmp_path / "07_x.ipynb", new_markdown_cell(FRONT), figure, new_markdown_cell(LAST))
    found = outline.outline(path)
    assert (found.file, found.title, found.question) == ("07_x.ipynb", "07 The title", "Can it be learned?")
    assert found.pictures == [outline.Picture(picture, "A square")]
    assert [entry[:6] for entry in found.references] == ["A. Bcd", "E. Fgh"]
    assert (found.earlier, found.counts.cells) == (["02", "05"], 3)


def test_a_notebook_that_says_nothing_has_an_empty_outline(tmp_path):
    found = outline.outline(saved(tmp_path / "07_x.ipynb", code("1")))
    assert found[:-3] == ("07_x.ipynb", "07_x", "", [], [], [], [])


# -- the pages made of outlines


def made(**changes):
    counts = sitting.measure(new_notebook(), "00_a")
    return outline.Outline("00_a.ipynb", "00 A", "Why?", [], [], [], [], counts, [], False)._replace(**changes)


def test_the_board_shows_the_share_in_the_audit_wherever_the_claim_stands_now():
    both = [claims.Claim("a | <b> *2*", True, 3, "", False), claims.Claim("c", False, 4, "", True)]
    text = pages.board([made(claims=both)], {"another_name": {"a | <b> *2*": [1, 0, 1]}})
    assert '| <a href="00_a.html#cell-3">a &#124; &lt;b&gt; \\*2\\*</a> | holds | live | 2 of 3 |' in text
    assert '| <a href="00_a.html#cell-4">c</a> | **does not hold** | recorded | – |' in text


def test_a_work_is_listed_once_with_all_its_notebooks():
    first = [
        "B. Zyx, C. Wvu (2017). *One title of a work.* ICML. arXiv:1234.56789. (For (this).)",
        "A. Last. *Other.* X.",
    ]
    second = ["B. Zyx et al. *One title of a work.* ICML 2017."]
    text = pages.references([made(references=first), made(file="01_b.ipynb", title="01 B", references=second)])
    assert "2 entries" in text
    assert "arXiv:1234.56789.\\\n  [00 A](00_a.ipynb) · [01 B](01_b.ipynb)" in text
    assert text.index("A. Last") < text.index("B. Zyx")


def test_who_knows_gans_is_sent_to_the_first_notebook_on_what_is_learned():
    notebooks = [
        made(question="What of learning-to-learn?"),
        made(title="01 B"),
        made(title="02 C", question="What is a meta-gradient?"),
    ]
    text = pages.ways(notebooks)
    assert "[00 A](00_a.ipynb)" in text and "[02 C](00_a.ipynb)" in text
    assert pages.ways([]) == ""


def test_a_card_has_what_its_notebook_says():
    picture = outline.Picture(png(np.zeros((4, 4), np.uint8)), "A [ring] of $x_1$")
    text = pages.cards([made(pictures=[picture]), made(file="01_b.ipynb", earlier=["00"])])
    assert "![A ring of x1](images/thumbnails/00_a.png)" in text
    assert text.count("Why?") == 2 and "play.md" not in text
    assert "*0 minutes to read and do* · [play it](play.md)" in pages.cards([made(plays=True)])
    assert text.count("*0 minutes to read and do*") == 1 and text.count("builds on notebook 00*") == 1


def test_lecturers_see_what_each_notebook_takes_and_what_vouches_for_it():
    both = [claims.Claim("a", True, 3, "", False), claims.Claim("c", False, 4, "", True)]
    counts = made().counts._replace(minutes=90, seconds=70, turns=2, exercises=5)
    one = made(claims=both, counts=counts, earlier=["01", "04", "06", "07", "08", "09", "11", "12"])
    text = pages.lectures([one, made(title="01 B")], {"old_name": {"a": [1, 0, 1], "gone": [0, 0, 0]}})
    assert "| [00 A](00_a.ipynb) | 90 | 70 | 01, 04, 06 to 09, 11, 12 | 2 | 5 | 1, 1 |" in text
    assert "| [01 B](00_a.ipynb) | 0 | – | – | 0 | 0 | 0, 0 |" in text
    said = " ".join(text.split("\n\n")[0].split())
    assert said.startswith(
        "All 2 notebooks take 2 hours to read and do, and 1 minutes to run on two cores. They make 2 "
    )
    assert "1 of them from records" in said and "1 were played again" in said and "in 2 of 3 runs" in said


def test_lecturers_see_the_minutes_of_sections_and_what_other_draws_change():
    both = [claims.Claim("a | b", True, 3, "", False), claims.Claim("c", False, 4, "", True)]
    one = made(
        claims=both,
        sections=[sitting.Section("00 A", 2), sitting.Section("1. One", 7), sitting.Section("Exercises", 9)],
    )
    assert "* **[00 A](00_a.ipynb)**: introduction (2); 1. One (7); Exercises (9)\n" in pages.sections([one])
    text = pages.spread([one, made(title="01 B")], {"00_a": {"a | b": [1, 0, 1], "c": [0, 0, 0]}})
    assert (
        "| [00 A](00_a.ipynb) | 2 | 1 | a &#124; b (2 of 3) |" in text and "| [01 B](00_a.ipynb) | 0 | 0 | – |" in text
    )


def test_the_first_page_has_a_light_picture():
    drawn = pages.landing()
    with Image.open(io.BytesIO(drawn)) as picture:
        assert picture.format == "PNG" and picture.width > 700
    assert len(drawn) < 100_000
    assert f"]({pages.LANDING})" in pages.ways([made()])


def test_every_public_module_has_a_page():
    names = dict(pages.api())
    modules = {name for name in mg.__all__ if hasattr(getattr(mg, name), "__file__")}
    assert modules | {"metagan_edu", "index", "rules.controllers"} <= names.keys()
    assert "automodule:: metagan_edu.rules\n" in names["rules"]


# -- docstrings


def test_formulas_keep_their_lines_and_bars_are_bars():
    lines = ["A rule:", "", "    x = |a|", "    y = ``|b|``", "", "* a list:", "  of |x|", "", "    * nested"]
    assert docstrings.as_lines(lines) == [
        "A rule:", "", r"    | x = \|a\|", r"    | y = ``|b|``", "", "* a list:", r"  of \|x\|", "", "    * nested",
    ]  # fmt: skip


def test_what_a_file_says_is_shown_with_its_first_name():
    def shown(name):
        lines = ["Short."]
        value = getattr(mg.rules, name)
        docstrings.process(None, "function", f"metagan_edu.rules.{name}", value, None, lines)
        return "\n".join(lines)

    assert "looks ahead" in shown("unrolled")
    assert [name for name in ("jointly", "safeguarded") if shown(name) != "Short."] == ["jointly"]
    lines = ["Short."]
    docstrings.process(None, "function", "metagan_edu.training.train", mg.train, None, lines)
    assert lines == ["Short."]


# -- what every page gets


def test_papers_and_other_notebooks_are_found_where_a_text_names_them():
    text = (
        "Notebook 02, and notebooks 01, 03 and 04 (arXiv:1406.2661, part 1): 02 and 03 of 10 and 02 steps; notebook 99."
    )
    places = {number: f"{number}.html" for number in ("01", "02", "03")}
    found = [(text[start:end], place) for start, end, place in every_page.named(text, places)]
    assert found == [
        ("02", "02.html"), ("01", "01.html"), ("03", "03.html"), ("arXiv:1406.2661", "https://arxiv.org/abs/1406.2661"),
    ]  # fmt: skip


# -- pictures


def test_pictures_become_smaller_and_look_the_same(tmp_path):
    noise = np.random.default_rng(0).integers(0, 8, (64, 64, 1)).repeat(3, 2).astype(np.uint8) * 30
    clear = np.concatenate([noise, np.where(noise[..., :1] > 100, 255, 0).astype(np.uint8)], 2)
    for name, array in (("opaque", noise), ("clear", clear)):
        path = tmp_path / f"{name}.png"
        path.write_bytes(png(array))
        before = path.stat().st_size
        pictures.shrink(tmp_path)
        assert path.stat().st_size < before
        with Image.open(path) as picture:
            again = np.asarray(picture.convert("RGBA")).astype(int)
        seen = array if array.shape[-1] == 4 else np.concatenate([array, np.full_like(array[..., :1], 255)], 2)
        weight = seen[..., 3:] / 255
        assert np.abs((again[..., :3] - seen[..., :3].astype(int)) * weight).max() <= 16


def test_a_picture_that_moves_goes_on_moving(tmp_path):
    frames = [Image.fromarray(np.full((8, 8, 3), shade, np.uint8)) for shade in (0, 100, 200)]
    frames[0].save(tmp_path / "film.png", save_all=True, append_images=frames[1:], duration=100)
    pictures.shrink(tmp_path)
    with Image.open(tmp_path / "film.png") as film:
        assert film.n_frames == 3


def test_a_thumbnail_keeps_its_shape():
    small = pictures.thumbnail(png(np.zeros((300, 900, 3), np.uint8)))
    with Image.open(io.BytesIO(small)) as picture:
        assert picture.size == (480, 160)
