"""The notebooks' runner, their files, the site and the command line, on notebooks made up here."""

import base64
import json
import re
import runpy
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from made_up import CAPTION, PIXEL, code, picture, printed, saved
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from metagan_edu import __main__ as command
from metagan_edu import files
from metagan_edu.course import badges, notebooks, place, runner, site

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def course(tmp_path):
    """A project with one notebook that runs, one that fails in its third cell, and one more that runs."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "metagan_edu"\n')
    folder = tmp_path / "notebooks"
    saved(folder / "01_runs.ipynb", new_code_cell("import sys\nprint(6 * 7); print('noise', file=sys.stderr)"))
    broken = "raise ValueError('no such thing\\nmore of it')"
    saved(folder / "02_fails.ipynb", new_markdown_cell("# Two"), new_code_cell("x = 1"), new_code_cell(broken))
    saved(folder / "03_runs.ipynb", new_markdown_cell("# Three"), new_code_cell("print('third')"))
    return tmp_path


# -- the runner


def test_a_failing_notebook_is_named_and_stops_no_other(course, monkeypatch, capsys):
    monkeypatch.chdir(course)
    before = (course / "notebooks" / "02_fails.ipynb").read_bytes()
    assert command.main(["run"]) == 1
    said = capsys.readouterr()
    assert said.err.strip().endswith("FAILED  02_fails.ipynb, cell 3: ValueError: no such thing")
    assert [line.split()[-1] for line in said.out.splitlines() if " s  " in line] == ["ok", "FAILED", "ok"]
    copies = course / "build" / "notebooks"
    assert notebooks.read(copies / "03_runs.ipynb").cells[1].outputs[0].text == "third\n"
    assert notebooks.read(copies / "02_fails.ipynb").cells[2].outputs[0].ename == "ValueError"
    assert (course / "notebooks" / "02_fails.ipynb").read_bytes() == before


def test_in_place_writes_clean_outputs_and_leaves_a_failing_file_alone(course):
    paths = notebooks.find(course / "notebooks", ["01", "02"])
    before = paths[1].read_bytes()
    outcomes = runner.run(paths, target=lambda path: path, timeout=60, keep_failed=False)
    assert [outcome.error is None for outcome in outcomes] == [True, False]
    assert paths[1].read_bytes() == before
    (cell,) = notebooks.read(paths[0]).cells
    assert cell.execution_count == 1
    assert [output.text for output in cell.outputs] == ["42\n"]
    assert not list(course.rglob("*.part"))


def test_a_cell_that_takes_too_long_is_named(tmp_path):
    path = saved(tmp_path / "slow.ipynb", new_code_cell("import time\ntime.sleep(60)"))
    _, outcome = runner.execute(path, timeout=1)
    assert outcome.error == "slow.ipynb, cell 1: it ran longer than 1 s"


def test_a_kernel_that_dies_is_named(tmp_path):
    path = saved(tmp_path / "dies.ipynb", new_code_cell("1"), new_code_cell("import os\nos._exit(1)"))
    _, outcome = runner.execute(path, timeout=60)
    assert outcome.error == "dies.ipynb, cell 2: the kernel died (out of memory?)"


def test_copies_of_removed_notebooks_go(tmp_path):
    for name in ("00_old.ipynb", "01_kept.ipynb"):
        saved(tmp_path / name)
    runner.drop_stale(tmp_path, {"01_kept.ipynb"})
    assert [path.name for path in tmp_path.iterdir()] == ["01_kept.ipynb"]


# -- where the course is


@pytest.mark.parametrize("below", [".", "notebooks", "tests/deep"])
def test_the_course_is_found_from_its_folder_and_below(course, monkeypatch, below):
    (course / below).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(course / below)
    assert place.find() == course


def test_the_course_can_be_named_from_elsewhere(course, tmp_path_factory, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert place.find(course) == course
    assert command.main(["badges", "03", "--course", str(course)]) == 0
    assert badges.badges("03_runs.ipynb") in capsys.readouterr().out


@pytest.mark.parametrize("request_", [["run"], ["site"], ["test"], ["check"], ["sitting"], ["badges"]])
def test_elsewhere_one_sentence_says_where_to_go(tmp_path, monkeypatch, capsys, request_):
    monkeypatch.chdir(tmp_path)
    assert command.main(request_) == 2
    said = capsys.readouterr().err
    assert said == f"The course is not in '{tmp_path}' or a folder above it: change to its folder, or name it with " \
                   "--course PATH.\n"  # fmt: skip


@pytest.mark.parametrize("what", ["another project", "no notebooks", "no project file"])
def test_a_folder_that_is_not_the_course_is_refused(course, what):
    if what == "another project":
        (course / "pyproject.toml").write_text('[project]\nname = "another"\n')
    elif what == "no notebooks":
        (course / "notebooks").rename(course / "others")
    else:
        (course / "pyproject.toml").unlink()
    with pytest.raises(FileNotFoundError, match="is not the course: it must hold"):
        place.find(course)


# -- notebook files


def test_find_chooses_by_the_start_of_the_name(course):
    folder = course / "notebooks"
    assert [path.stem for path in notebooks.find(folder, ["03", "01"])] == ["01_runs", "03_runs"]
    with pytest.raises(ValueError, match=r"'99'; there are 01_runs, 02_fails, 03_runs"):
        notebooks.find(folder, ["99"])
    with pytest.raises(FileNotFoundError, match="no notebook"):
        notebooks.find(course)


@pytest.mark.parametrize("text", ["no json", "{}", "[]"])
def test_a_file_that_is_no_notebook_is_refused_by_name(tmp_path, text):
    path = tmp_path / "bad.ipynb"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"bad\.ipynb' is not a notebook"):
        notebooks.read(path)


def test_clean_drops_noise_and_keeps_the_rest():
    widget = new_output("display_data", {notebooks.WIDGET: {}, "text/plain": "100%"})
    progress = new_output("display_data", {"text/plain": ""})
    result = new_output("execute_result", {"text/plain": "7"}, execution_count=5)
    cell = code(
        "7",
        printed("a"),
        printed("x", "stderr"),
        printed("b"),
        widget,
        progress,
        result,
        count=5,
        tags=["t"],
        execution={},
    )
    notebook = new_notebook(cells=[cell], metadata={"widgets": {}, "language_info": {"name": "python", "version": "3"}})
    cleaned = notebooks.clean(notebook).cells[0]
    assert [output.get("text") for output in cleaned.outputs] == ["ab", None]
    assert cleaned.outputs[1] == result
    assert (cleaned.execution_count, cleaned.metadata) == (5, {"tags": ["t"]})
    assert notebook.metadata == notebooks.KERNEL
    nbformat.validate(notebook)


def test_a_write_that_fails_leaves_the_old_file_and_no_part(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.ipynb")
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        saved(path, new_code_cell("1"))
    assert [file.name for file in tmp_path.iterdir()] == ["a.ipynb"]
    assert path.read_bytes() == before


# -- site, badges, command line


@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::PendingDeprecationWarning"
)  # of what Sphinx stands on
def test_the_site_shows_the_executed_copies(course, monkeypatch, capsys):
    for name in ("conf.py", "index.md"):
        (course / "notebooks" / name).write_text((ROOT / "notebooks" / name).read_text())
    shutil.copytree(ROOT / "notebooks" / "_static", course / "notebooks" / "_static")
    text = new_markdown_cell("# Three\n\n$$\\log 4$$"), code("1", printed("from the executed copy"))
    both = {"text/html": "<table><td>$x$</td></table>", "text/markdown": "| head |\n| --- |\n| $x$ |"}
    table = code("table", new_output("execute_result", both))
    saved(course / "build" / "notebooks" / "03_runs.ipynb", *text, CAPTION, picture(alt="A ring of modes"), table)
    monkeypatch.chdir(course)
    own = new_markdown_cell("# 20 Mine\n\n**The question.** Why?\n\n![A ring](pictures/ring.png)")
    saved(course / "mine" / "20_mine.ipynb", own, code("1", printed("holds: of my own\n")))
    (course / "mine" / "pictures").mkdir()
    (course / "mine" / "pictures" / "ring.png").write_bytes(base64.b64decode(PIXEL))
    assert command.main(["site", "--with", "mine"]) == 0
    index = course / "build" / "site" / "index.html"
    assert capsys.readouterr().out.splitlines()[-1] == f"Open {index}"
    page = (index.parent / "03_runs.html").read_text()
    assert "from the executed copy" in page
    assert 'alt="A ring of modes"' in page
    assert re.search(r'<table class="[^"]*">.*<span class="math[^>]*>\\\(x\\\)</span></p></td>', page, re.DOTALL)
    assert badges.repository() in page
    assert "02_fails.html" in index.read_text()
    assert "20_mine.html" in index.read_text() and "of my own" in (index.parent / "claims.html").read_text()
    own = (index.parent / "20_mine.html").read_text()
    assert 'alt="A ring"' in own and "blob/main/notebooks/20_mine" not in own and "blob/main/notebooks/03_runs" in page
    assert not (course / "notebooks" / "20_mine.ipynb").exists()
    assert (index.parent / "_static" / "mathjax" / "startup.js").exists()
    assert 'src="https' not in page.split("<body")[1], "the page needs a network"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "mine.ipynb",
            "begins with a number of two digits and an underscore, such as 20_mine.ipynb, and it has no such",
        ),
        ("03_mine.ipynb", "and that number is 03_runs.ipynb's."),
        ("mine.md", "There is no notebook in"),
    ],
)
def test_a_notebook_that_cannot_be_a_page_is_refused_before_anything_is_built(course, capsys, name, sentence):
    saved(course / "mine" / name)
    (course / "build" / "site").mkdir(parents=True)
    assert command.main(["site", "--course", str(course), "--with", str(course / "mine")]) == 2
    assert sentence in capsys.readouterr().err and (course / "build" / "site").exists()


def test_own_notebooks_without_a_site_are_refused(course, capsys):
    assert command.main(["run", "--course", str(course), "--with", str(course / "mine")]) == 2
    assert "which is built with --site" in capsys.readouterr().err


def test_a_file_beside_an_own_notebook_takes_no_place_of_the_courses(course):
    for folder in ("mine", "notebooks"):
        (course / folder / "images").mkdir(parents=True)
        (course / folder / "images" / "a.svg").write_text("<svg/>")
    saved(course / "mine" / "20_mine.ipynb")
    with pytest.raises(ValueError, match="would take the place of the course's own file"):
        site.added(course / "mine", course / "notebooks")


def test_copies_of_notebooks_that_are_gone_stay_out_of_the_site(course):
    saved(course / "copies" / "09_gone.ipynb")
    site.stage(course / "notebooks", course / "copies", course / "staged")
    assert not (course / "staged" / "09_gone.ipynb").exists()
    assert (course / "staged" / "01_runs.ipynb").exists()


def test_badges_carry_the_repository_and_the_notebook():
    line = badges.badges("00_tour.ipynb")
    slug = badges.repository().removeprefix("https://github.com/")
    assert f"https://colab.research.google.com/github/{slug}/blob/main/notebooks/00_tour.ipynb" in line
    assert f"https://mybinder.org/v2/gh/{slug}/main?labpath=notebooks%2F00_tour.ipynb" in line
    pictures = re.findall(r"!\[(.+?)\]\((.+?)\)", line)
    assert [alt for alt, _ in pictures] == ["Open in Colab", "Open in Binder"]
    for _, file in pictures:  # our own, beside the notebooks
        assert ElementTree.parse(ROOT / "notebooks" / file).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_a_fork_changes_one_address_and_badges_notebooks_and_site_follow(tmp_path, monkeypatch, capsys):
    changed = (ROOT / "pyproject.toml").read_text().replace(badges.repository(), "https://github.com/a-school/gans")
    (tmp_path / "pyproject.toml").write_text(changed)
    (tmp_path / "notebooks").mkdir()
    for name in ("00_tour.ipynb", "01_the_game.ipynb"):
        shutil.copy2(ROOT / "notebooks" / name, tmp_path / "notebooks")
    shutil.copytree(ROOT / "notebooks" / "assignments", tmp_path / "notebooks" / "assignments")
    before = badges.slug()
    # What an installation makes of it:
    urls = re.findall(r'(?m)^(Repository) = "(.+)"$', changed)
    monkeypatch.setattr(badges, "metadata", lambda name: Message(urls))
    assert command.main(["check", "01", "3_", "--course", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "01_the_game.ipynb: its first cell does not begin with the badges" in said
    assert f"3_clinic.ipynb, cell 2: the repository's address is a-school/gans, not {before}" in said
    assert command.main(["badges", "--in-place", "--course", str(tmp_path)]) == 0
    tasks = sorted((tmp_path / "notebooks" / "assignments").glob("*.ipynb"))
    followed = [path for path in tasks if "a-school/gans" in path.read_text()]
    assert "3_clinic" in [path.stem for path in followed]  # of those whose set-up installs the package
    assert capsys.readouterr().out.count(": now of https://github.com/a-school/gans\n") == 2 + len(followed)
    for path in notebooks.find(tmp_path / "notebooks"):
        assert path.read_text().count("a-school/gans") == 3
    assert not [path for path in tmp_path.rglob("*.ipynb") if "metagan-edu/" in path.read_text()]
    assert command.main(["badges", "--in-place", "--course", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
    conf = runpy.run_path(str(ROOT / "notebooks" / "conf.py"))
    assert conf["html_theme_options"]["source_repository"] == "https://github.com/a-school/gans"
    monkeypatch.setattr(badges, "metadata", lambda name: Message([("Repository", "https://git.a-school.edu/gans")]))
    assert command.main(["badges", "--in-place", "--course", str(tmp_path)]) == 2
    assert "is not on GitHub" in capsys.readouterr().err


class Message:
    """The metadata of an installed project with these addresses."""

    def __init__(self, urls):
        self.urls = urls

    def get_all(self, name):
        return [", ".join(url) for url in self.urls] if name == "Project-URL" else None


def test_a_wrong_request_gets_one_sentence(course, monkeypatch, capsys):
    monkeypatch.chdir(course)
    assert command.main(["run", "99"]) == 2
    assert capsys.readouterr().err.startswith("No notebook's name starts with '99'")


def test_check_reports_what_it_finds(course, monkeypatch, capsys):
    monkeypatch.chdir(course)
    assert command.main(["check", "03"]) == 1
    assert "03_runs.ipynb: no cell is tagged" in capsys.readouterr().out


def test_the_notebooks_of_this_environment_run_in_it(tmp_path):
    path = saved(tmp_path / "where.ipynb", new_code_cell("import sys\nprint(sys.prefix)"))
    notebook, outcome = runner.execute(path, timeout=60)
    assert outcome.error is None
    assert notebook.cells[0].outputs[0].text.strip() == sys.prefix
    assert json.loads(path.read_text())["cells"][0]["outputs"] == []
