"""The pages for lecturers: the commands on them are commands, and the plans have every notebook and assignment."""

import re
import shlex
from pathlib import Path

import pytest
import small_assignment as small

from metagan_edu import __main__ as command
from metagan_edu.course import notebooks
from metagan_edu.course.assignments import source

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("lecturers", "teaching_plans", "grading", "teaching_own")
LINES = [
    line
    for page in PAGES
    for kind, block in re.findall(
        r"(?ms)^```(\S*).*?$\n(.+?)^```$", (ROOT / "notebooks" / f"{page}.md").read_text(encoding="utf-8")
    )
    if not kind
    for line in block.replace("\\\n", " ").splitlines()
]
GRADING = (ROOT / "notebooks" / "grading.md").read_text(encoding="utf-8")
TARGETS = re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"))


@pytest.mark.parametrize("line", LINES)
def test_a_command_for_lecturers_is_one(line):
    words = [word for word in shlex.split(line, comments=True) if not re.match(r"PIP_\w+=", word)]
    if words[0] == "make":
        assert words[1] in TARGETS
    elif words[:3] == [".venv/bin/python", "-m", "metagan_edu"]:
        command.parser().parse_args(words[3:])  # SystemExit where it cannot be read
    else:
        assert words[0] in ("openssl", "python3")


def test_the_private_test_on_the_page_is_one(tmp_path):
    (block,) = re.findall(r"(?ms)^```python\n(.+?)\n^```", GRADING)
    private = small.saved(tmp_path / "3_clinic.ipynb", small.cell("code", "mine", block, 1, grade=True, locked=True))
    (test,) = source.read_private(private, source.read(source.folder(ROOT) / private.name))
    assert test.hidden.judged.startswith("def judged(words):")


def test_git_passes_over_what_the_page_says():
    (said,) = (text for text in GRADING.split("\n\n") if "are passed over by git" in text)
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert [name for name in re.findall(r"`(\S+)`", said) if not {f"/{name}", f"/{name}/"} & set(ignored)] == []


@pytest.mark.parametrize(("weeks", "all_notebooks"), [("Fourteen weeks", True), ("Six weeks", False)])
def test_a_plan_has_six_assignments_in_their_order_and_the_notebooks(weeks, all_notebooks):
    text = (ROOT / "notebooks" / "teaching_plans.md").read_text(encoding="utf-8")
    rows = re.search(rf"## {weeks}\n.+?\n\n(\|.+?)\n\n", text, re.DOTALL)[1].splitlines()[2:]
    handed_out = [cell.strip() for row in rows for cell in row.split("|")[1:-1][2 if all_notebooks else 3 :][:1]]
    numbers = [int(cell) for cell in handed_out if cell]
    assert numbers == sorted(set(numbers)) and set(numbers) >= set(range(1, 6))
    named = re.findall(r"\((\d\d_\w+\.ipynb)\)", "\n".join(rows))
    taught = [path.name for path in notebooks.find(ROOT / "notebooks") if path.name < "14"]
    assert sorted(set(named)) == taught if all_notebooks else set(named) <= set(taught)
