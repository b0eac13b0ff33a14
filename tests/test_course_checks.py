"""Hygiene, links and the guard on notebooks made up here, then on the real ones."""

from pathlib import Path

import pytest
from made_up import CAPTION, TAGGED, code, picture, printed, saved, tidy
from nbformat.v4 import new_markdown_cell, new_notebook, new_output

from metagan_edu.course import compared, hygiene, links, notebooks, sitting, suite

ROOT = Path(__file__).resolve().parents[1]
COMMITTED = sorted((ROOT / "notebooks").glob("*.ipynb"))


# -- hygiene


def test_a_tidy_notebook_has_no_problems():
    lines = "\n".join(["x = 1"] * sitting.LIMITS["cell"])
    notebook = tidy(code("%pip install x\nif True:\n    !ls"), CAPTION, picture(alt="A ring"), code(lines, count=3))
    notebook.cells[3].execution_count = 2
    assert hygiene.problems(notebook, "00_made_up.ipynb") == []


@pytest.mark.parametrize(("text", "problems"), [("**Figure 1.** The digits.", 0), ("The digits.", 1)])
def test_a_caption_can_be_printed_by_the_code_that_knows(text, problems):
    cell = picture(alt="A ring")
    cell.outputs.append(new_output("display_data", {"text/markdown": text, "text/plain": "Markdown"}))
    assert len(hygiene.problems(tidy(cell), "00_made_up.ipynb")) == problems


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([code("\n".join(["x = 1"] * 26))], "cell 2: 26 lines, at most 25"),
        ([new_markdown_cell("\n".join(["text"] * 26))], "cell 2: 26 lines, at most 25"),
        ([code("x = 1" + " " * 74 + "#")], "cell 2: a line of 80 characters, at most 79"),
        ([code("if x:\n    class A:\n        pass")], "class A: notebooks define none"),
        ([code('import sys\nsys.path.append("records")')], "sys.path: what notebooks share comes with the package"),
        ([code("!git clone https://example.org/x")], "git clone: what notebooks share comes with the package"),
        ([code("x ="), code("y = 1", count=2)], "cell 2: it does not parse"),
        ([code("x = 1", count=2), code("y = 1", count=1)], "not run once from top to bottom (execution counts [2, 1])"),
        ([code("x = 1", count=None)], "not run once from top to bottom (execution counts [None])"),
        ([code("x = 1", count=7)], "not run once from top to bottom (execution counts [7])"),
        (
            [code("1/0", new_output("error", ename="ZeroDivisionError"))],
            "an error among its outputs (ZeroDivisionError)",
        ),
        ([code("x", printed("warning", "stderr"))], "standard error among its outputs"),
        ([code("x", printed("<object at 0x7f00dead0000>"))], "an object's address in memory among its outputs"),
        ([CAPTION, picture()], "a picture without alternative text"),
        ([CAPTION, picture(alt=" ")], "a picture without alternative text"),
        ([new_markdown_cell("Look:"), picture(alt="A ring")], "a picture without a caption"),
        ([new_markdown_cell("![](a.png)")], "a picture without alternative text"),
        ([new_markdown_cell('<img src="a.png">')], "a picture without alternative text"),
        (
            [code("%pip install git+https://github.com/else/metagan_edu@v1")],
            "not else/metagan_edu",
        ),
    ],
)
def test_hygiene_finds(cells, problem):
    found = hygiene.problems(tidy(*cells), "00_made_up.ipynb")
    assert len(found) == 1, found
    assert problem in found[0]


def test_hygiene_wants_the_badges_of_this_notebook():
    (problem,) = hygiene.problems(tidy(name="01_other.ipynb"), "00_made_up.ipynb")
    assert "first cell does not begin with the badges" in problem


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_the_committed_notebooks_are_tidy_and_compared(path):
    notebook = notebooks.read(path)
    assert hygiene.problems(notebook, path.name) + compared.problems(notebook, path.name) == []


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_the_committed_notebooks_become_python_scripts(path):
    from nbconvert import ScriptExporter

    notebook = notebooks.read(path)
    assert notebook.metadata == notebooks.KERNEL
    script, resources = ScriptExporter().from_notebook_node(notebook)
    assert resources["output_extension"] == ".py"
    compile(script, path.stem, "exec")


# -- links


def test_broken_links_are_found(tmp_path):
    (tmp_path / "there.md").write_text("x")
    text = new_markdown_cell(
        "[a](../there.md#part) [b](missing.md) [c](https://example.org/x) [d](#here) `[e](code.md)`\n"
        '```\n[f](fenced.md)\n```\n<a href="gone.html">g</a> [h](../../outside)'
    )
    path = saved(tmp_path / "notebooks" / "00.ipynb", text)
    found = [line.split("'")[1] for line in links.broken(path, tmp_path)]
    assert found == ["missing.md", "gone.html", "../../outside"]


def test_a_link_to_a_cell_leads_to_a_claim(tmp_path):
    made = code("mg.claim('a', True)", printed("holds: a\n"))
    there = saved(tmp_path / "notebooks" / "00.ipynb", new_markdown_cell("[0](#cell-0)"), made, code("b", printed("a")))
    text = new_markdown_cell("".join(f"[{i}](00.ipynb#cell-{i}) " for i in range(4)))
    path = saved(tmp_path / "notebooks" / "01.ipynb", text)
    assert links.broken(there, tmp_path) == []
    assert [line.split("'")[1] for line in links.broken(path, tmp_path)] == [f"00.ipynb#cell-{i}" for i in (0, 2, 3)]


def test_every_link_of_the_project_leads_somewhere():
    documents = links.documents(ROOT)
    assert {"README.md", "CONTRIBUTING.md", "index.md"} <= {path.name for path in documents}
    assert [problem for path in documents for problem in links.broken(path, ROOT)] == []


# -- the guard


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (code("print(1)", printed("1")), "nothing is compared"),
        (code("print(1)", count=None, **TAGGED), "never run"),
        (code("print(1)", **TAGGED), "no output to compare"),
        (code("print(1)", printed("1", "stderr"), **TAGGED), "no output to compare"),
    ],
)
def test_the_guard_finds_what_nbval_would_not_compare(cell, problem):
    assert problem in " ".join(compared.problems(new_notebook(cells=[cell]), "a.ipynb"))


def test_the_guard_finds_counts_out_of_order():
    cells = [code("print(1)", printed("1"), count=2, **TAGGED), code("x = 1", count=1)]
    (problem,) = compared.problems(new_notebook(cells=cells), "a.ipynb")
    assert "out of order ([2, 1])" in problem


def report(path, *cases):
    lines = [f'<testcase classname="{place}" name="Cell {n}">{inside}</testcase>' for place, n, inside in cases]
    path.write_text(f"<testsuites><testsuite>{''.join(lines)}</testsuite></testsuites>")
    return path


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (("notebooks.00.a.ipynb", 1, ""), (1, [])),
        (("notebooks.00.a.ipynb", 1, "<failure/>"), (0, ["00.a.ipynb, cell 3: nbval did not pass it"])),
        (("notebooks.00.a.ipynb", 1, "<skipped/>"), (0, ["00.a.ipynb, cell 3: nbval did not pass it"])),
        (("notebooks.00.a.ipynb", 0, ""), (0, ["00.a.ipynb, cell 3: nbval did not pass it"])),
        (("notebooks.a.ipynb", 1, ""), (0, ["00.a.ipynb, cell 3: nbval did not pass it"])),
    ],
)
def test_a_cell_counts_as_compared_where_nbval_passed_it(tmp_path, case, expected):
    cells = code("x = 6", count=1), new_markdown_cell("text"), code("x", printed("6"), count=2, **TAGGED)
    path = saved(tmp_path / "notebooks" / "00.a.ipynb", *cells)
    assert compared.guard([path], report(tmp_path / "nbval.xml", case)) == expected


@pytest.fixture
def project(tmp_path):
    """A project whose one unit test passes and whose one notebook compares one cell of two."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text("def test_one():\n    pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    cells = code("x = 6", count=1), code("print(7 * x)", printed("42\n"), count=2, **TAGGED)
    saved(tmp_path / "notebooks" / "00.a_b.ipynb", *cells)
    return tmp_path


def test_all_tests_pass_and_say_what_was_compared(project, capfd):
    assert suite.run(project) == 0
    said = capfd.readouterr().out.splitlines()
    assert "1 passed in" in said[-4]
    assert "2 passed in" in said[-3]
    assert said[-2:] == ["compared outputs   1", "ALL PASSED"]


def test_every_part_runs_and_a_stripped_notebook_fails_though_nbval_passes_it(project, capfd):
    (project / "tests" / "test_one.py").write_text("def test_one():\n    assert False\n")
    path = project / "notebooks" / "00.a_b.ipynb"
    notebook = notebooks.read(path)
    notebook.cells[1].update({"outputs": [], "execution_count": None})
    notebooks.write(notebook, path)
    assert suite.run(project) == 1
    said = capfd.readouterr().out.splitlines()
    assert f"00.a_b.ipynb, cell 2: tagged '{compared.TAG}' but never run (no execution count)" in said
    assert "0 passed, 1 failed in" in said[-4]
    assert "2 passed in" in said[-3]
    assert said[-2:] == ["compared outputs   0, 2 problems", "FAILED"]
