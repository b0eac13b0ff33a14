"""One sitting: what is counted and what is folded, predictions that commit, turns that a saved notebook leaves open."""

import pytest
from made_up import code, picture, printed, saved, tidy
from nbformat.v4 import new_markdown_cell, new_notebook

from metagan_edu import __main__ as command
from metagan_edu.course import folding, hygiene, predictions, sitting

NAME = "00_made_up.ipynb"


def found(*cells):
    return hygiene.problems(tidy(*cells), NAME)


def measured(*cells):
    return sitting.measure(new_notebook(cells=list(cells)), "made_up")


# --- Folding ----------------------------------------------------------------------------------------------------------


def test_a_title_folds_a_cell_in_every_front_end_and_nothing_else_does():
    before = code("# @title Set-up\nx = 1", tags=["nbval-check-output"], mystnb={"image": {"alt": "A"}}, slideshow={})
    plain = code("x = 1", jupyter={"source_hidden": True, "outputs_hidden": True}, tags=["hide-input"], cellView="form")
    notebook = folding.fold(new_notebook(cells=[before, plain, new_markdown_cell("# @title no code")]))
    assert [folding.title(cell) for cell in notebook.cells] == ["Set-up", None, None]
    assert notebook.cells[0].metadata == {
        "slideshow": {},
        "jupyter": {"source_hidden": True},
        "mystnb": {"image": {"alt": "A"}, "code_prompt_show": "Set-up", "code_prompt_hide": "Set-up"},
        "tags": ["nbval-check-output", "hide-input"],
        "cellView": "form",
    }
    assert notebook.cells[1].metadata == {"jupyter": {"outputs_hidden": True}}
    assert notebook.cells[2].metadata == {}
    again = [dict(cell.metadata) for cell in notebook.cells]
    assert [dict(cell.metadata) for cell in folding.fold(notebook).cells] == again


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (code("# @title Set-up\nx = 1"), "it should be folded, by its first line"),
        (code("# @title Set-up\nx = 1", jupyter={"source_hidden": True}), "it should be folded"),
        (code("x = 1", tags=["hide-input"]), "it should be shown"),
        (code("x = 1\n# @title Set-up", cellView="form"), "it should be shown"),
    ],
)
def test_hygiene_wants_one_word_on_what_is_folded(cell, problem):
    (line,) = found(cell)
    assert problem in line
    assert hygiene.problems(folding.fold(tidy(cell)), NAME) == []


# --- Predictions ------------------------------------------------------------------------------------------------------


def option(text="an option", body="No: it is not.", name="which"):
    return f'<details name="{name}"><summary>{text}</summary>\n\n{body}\n\n</details>\n'


RIGHT = option("φ, or <i>K</i> = 5", "Right: since $a < b$.\n\n$$a$$")
QUESTION = "**Predict.** Which of the two, with $K = 5$?\n\n"


@pytest.mark.parametrize("options", [RIGHT + option(), option() + RIGHT, option() * 3 + RIGHT])
def test_a_prediction_in_its_form_is_fine(options):
    assert found(new_markdown_cell(QUESTION + options)) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (QUESTION + RIGHT, "with 1 options, 2 to 4"),
        (QUESTION + option() * 4 + RIGHT, "with 5 options"),
        (QUESTION + option() * 2, "'Right:'"),
        (QUESTION + RIGHT * 2, "'Right:'"),
        (QUESTION + RIGHT + option(body="Perhaps: no."), "'No:'"),
        (QUESTION + RIGHT + option(name="other"), "have one name"),
        (QUESTION + RIGHT + option("$K$"), "plain text"),
        (QUESTION + RIGHT + option("`K`"), "plain text"),
        (QUESTION + RIGHT + option() + "\nIt is the first.", "and nothing else"),
        ("So.\n\n" + QUESTION + RIGHT + option(), "and nothing else"),
        ("**Predict.** Which.\n\n" + RIGHT + option(), "and nothing else"),
        (QUESTION + RIGHT + option().replace("\n\n</details>", "\n</details>"), "not in the form"),
        (QUESTION + RIGHT + option().replace("</summary>\n", "</summary>"), "not in the form"),
        (QUESTION + RIGHT + option().replace(' name="which"', ""), "not in the form"),
    ],
)
def test_hygiene_finds_what_is_wrong_with_a_prediction(text, problem):
    (line,) = predictions.problems(new_markdown_cell(text))
    assert problem in line
    assert f"{NAME}, cell 2: {line}" in found(new_markdown_cell(text))


def test_two_predictions_of_a_notebook_have_two_names():
    cell, other = (new_markdown_cell(QUESTION + RIGHT + option()) for _ in range(2))
    assert found(cell, other) == [f"{NAME}: two predictions are called 'which'"]
    other.source = other.source.replace('"which"', '"another"')
    assert found(cell, other) == []


def test_other_folded_parts_are_no_predictions():
    solution = new_markdown_cell("<details><summary>Solution</summary>\n\n$1$.\n\n</details>")
    assert found(solution) == [] and predictions.problems(code("# **Predict.**")) == []


# --- Your turn --------------------------------------------------------------------------------------------------------

OPEN = printed("not answered yet: V\n")


def test_a_turn_that_is_left_open_is_fine():
    assert found(code('answer = ...\nmg.your_turn("game.value", answer)', OPEN)) == []


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (code('mg.your_turn("game.value", -0.7)', printed("right: above\n")), "still '...'"),
        (code('mg.your_turn("game.value", ...)'), "prints nothing"),
        (code('mg.your_turn("game.chess", ...)', OPEN), "There is no turn 'game.chess'"),
    ],
)
def test_hygiene_finds_turns_that_are_answered_or_not_there(cell, problem):
    (line,) = found(cell)
    assert problem in line


# --- Counting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("One, two – three.", 3),
        ("[![Open](a.svg)](https://b.org/c) word", 1),
        ("a [link of four](https://b.org) words", 5),
        ("![Some picture](a.png)", 0),
        ("$a < b$ and <b>c > d</b>", 5),
        ("| a | b |\n|---|---|\n| c | d |", 4),
        ("kept\n<details><summary>Two words</summary>\n\nnot these\n\n</details>\nkept", 4),
        ("<details><summary>A</summary>\n<details><summary>B</summary>x</details>\ny</details>", 1),
    ],
)
def test_words_are_what_a_first_reading_meets(text, words):
    assert measured(new_markdown_cell(text)).words == words


def test_folded_code_is_no_code():
    one = measured(code("x = 1\n\nyy = 2"), code("# @title Set-up\n" + "z = 3\n" * 99))
    assert (one.code, one.line, one.cells, one.cell) == (2, 6, 1, 3)


def test_a_text_cell_that_is_folded_as_a_whole_is_no_cell():
    folded = new_markdown_cell("<details><summary>In depth</summary>\n\na\n\nb\n\n</details>")
    one = measured(folded, new_markdown_cell("a\n\nb"))
    assert (one.cells, one.cell, one.words) == (1, 3, 4)


def test_claims_are_counted_as_a_reader_sees_them():
    loop = code("for x in y:\n    mg.claim(x, y)", printed("holds: a\ndoes not hold: b\nholds: c\n"))
    assert measured(loop, code("mg.claim('a', True)\nmg.claim('b', True)")).claims == 5


def test_what_a_folded_cell_claims_is_not_counted():
    folded = code("# @title In depth\nmg.claim('a', True)\nmg.claim('b', True)", printed("holds: a\nholds: b\n"))
    one = measured(folded, code("mg.claim('c', True)"))
    assert (one.claims, one.cells, one.code) == (1, 1, 1)


def test_pictures_exercises_and_minutes():
    texts = [
        "**Time.** 9 minutes to read, 50 s to run on 2 CPU cores.",
        "![A](a.png) [![Badge](b.svg)](https://c.org)",
        "## 3. Exercises\n\n**1. One.** a\n\n2. Two\n\n<details><summary>Solutions</summary>\n\n1. x\n\n</details>",
        "## Summary\n\n1. no exercise",
    ]
    one = measured(*map(new_markdown_cell, texts), picture(alt="A"), code('mg.your_turn("game.value", ...)'))
    assert (one.pictures, one.exercises, one.turns) == (2, 2, 1)
    assert one.minutes == 9  # 6 for exercises, 2 for the turn, and a part of one for words and code
    assert (one.stated, one.seconds, one.over()) == (9, 50, [])


def test_sections_begin_at_headings_and_have_their_own_minutes():
    texts = ["# Title\n\nwords", "word " * 150, "## 1. One\n\n### no section", "### deeper", "## Exercises\n\n1. x"]
    cells = [*map(new_markdown_cell, texts), code('mg.your_turn("game.value", ...)')]
    assert sitting.sections(new_notebook(cells=cells)) == [("Title", 2), ("1. One", 1), ("Exercises", 6)]


@pytest.mark.parametrize("name", sitting.LIMITS)
def test_each_limit_can_be_passed(name):
    cells = {
        "words": [new_markdown_cell("word " * 1801)],
        "code": [code("x = 1\n" * 20) for _ in range(10)] + [code("x = 1")],
        "line": [code("x" * 80)],
        "cells": [new_markdown_cell("text") for _ in range(33)],
        "cell": [new_markdown_cell("text\n" * 26)],
        "claims": [code("claim(1)\n" * 16)],
    }
    assert measured(*cells[name]).over() == [name]


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (["word " * 900] * 2, "1,802 words (at most 1,800)"),
        ([code("x = 1\n" * 20) for _ in range(11)], "220 lines of code (at most 200)"),
        (["text"] * 32, "33 cells (at most 32)"),
        ([code("[claim(i, True) for i in range(16)]", printed("holds: a\n" * 16))], "16 claims (at most 15)"),
        (["word " * 900] * 2 + ["x"] * 30, "1,832 words (at most 1,800), 33 cells (at most 32)"),
    ],
)
def test_a_notebook_that_grows_past_a_sitting_is_refused_in_one_sentence(cells, problem):
    cells = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    (line,) = (line for line in found(*cells) if "execution counts" not in line)
    assert line == f"{NAME}: more than one sitting: {problem}; fold what a first reading can skip, or move it"


def test_a_reading_time_that_is_off_is_refused():
    cell = new_markdown_cell("**Time.** 9 minutes to read, 3 s to run.")
    assert found(cell) == [f"{NAME}: it says 9 minutes to read, and takes 1"]


def test_long_lines_and_cells_that_are_folded_are_no_problem():
    long = code("# @title Set-up\n" + "x = 1\n" * 40 + "y" * 100)
    folded = new_markdown_cell("<details><summary>In depth</summary>\n\n" + "a\n" * 40 + "</details>")
    assert hygiene.problems(folding.fold(tidy(long, folded)), NAME) == []


def test_the_command_marks_what_is_too_much(tmp_path, capsys):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "metagan_edu"\n')
    saved(tmp_path / "notebooks" / "00_short.ipynb", new_markdown_cell("**Time.** 5 minutes to read."))
    saved(tmp_path / "notebooks" / "01_long.ipynb", new_markdown_cell("word " * 1801))
    assert command.main(["sitting", "--course", str(tmp_path)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "2 notebooks, 2 of them more than one sitting"
    assert "1801 !" in said[-2] and "1 !" in said[-3]  # a stated time that is off is too much, too
    saved(tmp_path / "notebooks" / "00_short.ipynb", new_markdown_cell("**Time.** 1 minute to read, 3 s to run."))
    assert command.main(["sitting", "00", "--course", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 notebooks, none of them more than one sitting"
