"""The pages beside the notebooks: their code is that of scripts, which are run here and check what the pages say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "notebooks" / "examples").glob("*.py"))
PAGES = sorted((ROOT / "notebooks").glob("*.md"))
SHOWN = re.compile(
    r'```\{literalinclude\} (\S+)\n:language: python\n:start-after: "(.+)"\n:end-before: "(.+)"\n```', re.MULTILINE
)
NOWHERE = "http://127.0.0.1:9"  # a proxy that is not there
MAX_LINES, MAX_LENGTH = 30, 88  # of code at a stretch, and of a line: a page is narrower than an editor


def shown(page):
    """(script, first marker, last marker) of each piece of code that a page takes from a script."""
    found = SHOWN.findall(page.read_text(encoding="utf-8"))
    return [((page.parent / name).resolve(), start, end) for name, start, end in found]


PIECES = [(page.name, *piece) for page in PAGES for piece in shown(page)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_runs_without_network_and_leaves_nothing_behind(script, tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "METAGAN_EDU_DATA"}
    environment |= {"METAGAN_EDU_CACHE": str(outside), "KERAS_HOME": str(outside), "TF_CPP_MIN_LOG_LEVEL": "2"}
    environment |= {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "http_proxy": NOWHERE, "https_proxy": NOWHERE}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, str(script)], cwd=inside, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert list(inside.iterdir()) == []


def test_the_code_of_the_readme_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    assert "ModeCoverage(" in capsys.readouterr().out


def test_the_pages_show_the_scripts():
    assert len(SCRIPTS) >= 2 and {script for _, script, _, _ in PIECES} == set(SCRIPTS)
    for page in PAGES:  # no piece is written in a form that is not found here, and so not checked
        assert page.read_text(encoding="utf-8").count("{literalinclude}") == len(shown(page))


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: f"{piece[0]}: {piece[2]}")
def test_what_a_page_shows_stands_between_its_markers(piece):
    _, script, start, end = piece
    lines = script.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if start in line] == [start]
    assert [line for line in lines if end in line] == [end] and end == start.replace("# -- ", "# -- end ")
    code = lines[lines.index(start) + 1 : lines.index(end)]
    assert 0 < len("\n".join(code).strip().splitlines()) <= MAX_LINES
    assert max(map(len, code)) <= MAX_LENGTH


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_marker_is_shown(script):
    markers = {line for line in script.read_text(encoding="utf-8").splitlines() if line.startswith("# -- ")}
    assert markers == {marker for _, of, *pair in PIECES if of == script for marker in pair}


@pytest.mark.parametrize("page", [page for page in PAGES if shown(page)], ids=lambda page: page.stem)
def test_what_a_page_names_in_the_package_is_there(page):
    import metagan_edu as mg

    for name in re.findall(r"\bmg((?:\.\w+)+)", page.read_text(encoding="utf-8")):
        thing = mg
        for part in name[1:].split("."):
            assert hasattr(thing, part), f"mg{name}"
            thing = getattr(thing, part)
