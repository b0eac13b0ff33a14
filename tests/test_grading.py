"""Grading trusts nothing: each way to break it is tried on a tiny submission, and is graded for what it is worth."""

import contextlib
import csv
import html.parser
import json
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

import nbformat
import numpy as np
import psutil
import pytest
import small_assignment as small

from metagan_edu import __main__ as command
from metagan_edu.course import notebooks
from metagan_edu.course.assignments import (
    child,
    course,
    grade,
    gradebook,
    isolation,
    judges,
    judging,
    release,
    results,
    sandbox,
    source,
    submissions,
    variants,
)  # fmt: skip

KINDS = tuple(isolation.working())
KIND = KINDS[0]
LIMITS = sandbox.Limits(cell=60, whole=300, memory=6e8, disk=2e7, result=1_000_000, processes=100)
SIMPLE = "def asked():\n    return {'y': y}"
NAME = "1_small"
apart = pytest.mark.parametrize("kind", KINDS[:-1])  # skipped where there are limits alone


def ran(*codes, limits=LIMITS, kind=KIND, hidden=()):
    """Run cells, then ask for ``y``, which the first of them sets."""
    steps = [sandbox.Step(f"cell {i}", code) for i, code in enumerate(("y = 7", *codes))]
    return sandbox.run([*steps, sandbox.Step("test", "", SIMPLE)], limits, kind=kind, hidden=hidden)


def worth(found):
    """What the test would get after all else."""
    return found.values[max(found.values)]["y"] if found.values else None


# -- what a submission may do, and what it may not (section by section: time, memory, processes, disk, output)


def test_the_sandboxes_that_should_be_here_work():
    """METAGAN_EDU_SANDBOXES names them, so that where they are meant to be tested nothing is skipped."""
    assert set(os.environ.get("METAGAN_EDU_SANDBOXES", "").split()) <= set(KINDS)


EATS = "import numpy as np\nkept = np.ones(10**8)\nwhile True: pass"
FILLS = """import time
for i in range(40):
    open(f"part{i}", "wb").write(b"0" * 10**6)
while True: time.sleep(1)"""
FORKS = """import os, time
for _ in range(150):
    if os.fork() == 0:
        os.execlp("sleep", "sleep", "100")  # small, so that it is not their memory that is too much
time.sleep(100)"""
EXITS, DIES = "import os\nos._exit(0)", "import ctypes\nctypes.string_at(0)"


def test_a_cell_that_loops_is_left_out_and_the_rest_is_graded():
    found = ran("while True: pass", limits=LIMITS._replace(cell=3))
    assert worth(found) == 7
    assert found.remarks == ("cell 1: stopped: it took longer than 3 s.",)


def test_a_notebook_that_takes_too_long_is_stopped():
    assert ran("while True: pass", limits=LIMITS._replace(whole=2)).values == {}


@pytest.mark.parametrize(
    "codes",
    [
        {EXITS: "ended the process that ran it.", EATS: "needed more than 0.6 GB of memory."},
        {DIES: "ended the process that ran it.", FILLS: "wrote more than 0.02 GB to disk."},
    ],
    ids=["exits, eats memory", "dies, fills the disk"],
)  # fmt: skip
def test_a_cell_that_breaks_a_limit_is_left_out_and_the_rest_is_graded(codes):
    found = ran(*codes)
    assert worth(found) == 7
    for number, said in enumerate(codes.values(), start=1):
        assert found.said[number].startswith(f"stopped: it {said}")
        assert found.remarks[number - 1] == f"cell {number}: {found.said[number]}"


def test_a_cell_that_forks_is_stopped_or_refused():
    found = ran(FORKS)
    assert worth(found) == 7
    if os.getuid() and found.said[1].startswith("BlockingIOError: "):
        return  # the system was quicker: it refuses the fork, to all but root
    assert found.said[1] == "stopped: it started more than 100 processes."
    assert found.remarks == (f"cell 1: {found.said[1]}",)


HIDES = {
    "deleted": """for i in range(4):
    kept.append(open("part", "wb", buffering=0))
    kept[-1].write(b"0" * 10**7)
    os.unlink("part")""",
    "in memory": """for i in range(4):
    kept.append(os.memfd_create("part"))
    os.write(kept[-1], b"0" * 10**7)""",
    "below a path that is too long": """for _ in range(3000):
    os.mkdir("d" * 20)
    os.chdir("d" * 20)
for i in range(4):
    open(f"part{i}", "wb").write(b"0" * 10**7)""",
}


@pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="deleted files that are open can be counted on Linux alone"
)
@pytest.mark.parametrize("code", HIDES.values(), ids=HIDES)
def test_what_fills_the_disk_unseen_is_stopped_and_removed(tmp_path, monkeypatch, code):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = ran(f"import os, time\nkept = []\n{code}\ntime.sleep(20)")
    assert worth(found) == 7
    assert found.said[1] == "stopped: it wrote more than 0.02 GB to disk."
    assert not list(tmp_path.iterdir())


def test_a_closed_folder_is_not_passed_over(monkeypatch, tmp_path):
    """As root nothing is closed, so that the system's answer is made up here."""

    def closed(path):
        raise PermissionError(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert sandbox._size(tmp_path, 10) > 10


def test_no_more_than_a_few_cells_are_left_out():
    found = ran(*[EXITS] * 6)
    assert sorted(found.said) == [1, 2, 3, 4]
    assert found.values == {}


def test_a_printed_gigabyte_fills_nothing():
    """IPython 9 keeps what a cell prints, in the submission's own memory: there that cell is left out."""
    before = psutil.Process().memory_info().rss
    writes = "import os\nfor _ in range(100):\n    os.write(1, b'x' * 10**6)\nprint('last')"
    found = ran("for _ in range(1000):\n    print('x' * 10**6)", writes)
    assert worth(found) == 7
    assert found.remarks in ((), ("cell 1: stopped: it needed more than 0.6 GB of memory.",))
    assert len(found.output) <= LIMITS.output
    assert found.output.rstrip().endswith("last")
    assert psutil.Process().memory_info().rss - before < 5e7


def test_a_notebook_runs_as_it_does_elsewhere_and_imports_what_it_says(monkeypatch):
    monkeypatch.setenv("LECTURERS_KEY", "secret")
    looks = "import os\nassert 'LECTURERS_KEY' not in os.environ and 'tensorflow' not in sys.modules"
    found = ran("import sys\nsys.exit(1)", "1 / 0", "this is no Python", "%time z = y\n!true", "assert z == 7", looks)
    assert worth(found) == 7
    assert {i: found.said[i].split(":")[0] for i in found.said} == {
        1: "SystemExit", 2: "ZeroDivisionError", 3: "SyntaxError",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_was_started_is_left(kind):
    """Double-forked, in a session of its own, with its output closed: found by what stands in its environment."""
    mark = f"left-{time.time_ns()}"
    code = f"""
import os, subprocess
if os.fork() == 0:
    os.setsid()
    subprocess.Popen(["sleep", "1000"], env={{**os.environ, "MARK": "{mark}"}})
    os._exit(0)
"""
    assert worth(ran(code, kind=kind)) == 7
    for process in psutil.process_iter():
        try:
            assert process.environ().get("MARK") != mark
        except psutil.Error:
            continue


@apart
def test_no_network_and_no_file_but_its_own(tmp_path, kind):
    server = socket.create_server(("127.0.0.1", 0))  # it listens, so that a connection would be one
    (tmp_path / "secret").write_text("hidden")
    looks = f"""
import glob, os, socket
found = []
for path in ({str(tmp_path / "secret")!r}, "/etc/passwd", {str(Path(small.__file__))!r}, "/proc/1/root/etc/passwd"):
    try:
        found.append(open(path).read())
    except OSError:
        pass
for path in ("/usr/mine", "/mine", {str(Path(sandbox.__file__).with_name("mine"))!r}, {str(tmp_path / "mine")!r}):
    try:
        open(path, "w")
        found.append(path)
    except OSError:
        pass
try:
    socket.create_connection(("127.0.0.1", {server.getsockname()[1]}), 1)
    found.append("a connection")
except OSError:
    pass
found += [path for path in glob.glob("/proc/[0-9]*/environ") if b"PYTEST" in open(path, "rb").read()]
y = "; ".join(found)
"""
    with server:
        assert worth(ran(looks, kind=kind)) == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret"]


@apart
def test_a_folder_below_what_is_shown_is_covered(kind):
    turns = Path(isolation.package()) / "turns"
    assert worth(ran(f"import os\ny = len(os.listdir({str(turns)!r}))", hidden=[turns], kind=kind)) == 0


# -- what comes back


FORGED = {
    "a link": lambda path: path.symlink_to("/etc/hostname"),
    "a second name of another file": lambda path: path.hardlink_to(path.with_name("0.safetensors")),
    "a pipe": os.mkfifo,
    "a folder": os.mkdir,
    "too large": lambda path: path.write_bytes(child.pack({"y": np.zeros(10**6)})),
    "no safetensors": lambda path: path.write_bytes(b"\xff" * 100),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_result_is_no_result(tmp_path, forge):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "0.safetensors").write_bytes(child.pack({"y": 7}))
    forge(tmp_path / "results" / "1.safetensors")
    assert 1 not in results.read(tmp_path / "results", 2, {0, 1}, LIMITS.result).values


def test_a_folder_of_results_that_is_a_link_holds_none(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "0.safetensors").write_bytes(child.pack({"y": 7}))
    (tmp_path / "results").symlink_to("own")
    assert results.read(tmp_path / "results", 1, {0}, LIMITS.result) == ({}, {})
    assert results.read(tmp_path / "own", 1, {0}, LIMITS.result).values == {0: {"y": 7}}


def test_results_that_a_submission_writes_itself_are_values_like_others():
    """They are judged like those of ``asked()``, which writes its own over them; a folder that is gone holds none."""
    forged = "open(f'{home}/results/3.safetensors', 'wb').write(b'forged')"
    home = isolation.INSIDE if KIND != isolation.LIMITS else "."
    assert worth(ran(f"home = {home!r}", forged)) == 7
    gone = f"import os, shutil\nshutil.rmtree('{home}/results')\nos.symlink('/etc', '{home}/results')"
    assert ran(gone).values == {}


def test_only_tests_have_results_and_all_of_them_together_a_limit(tmp_path):
    """A file with a hole costs a submission no disk, and thousands would cost the grader its memory."""
    for i in range(4):
        (tmp_path / f"{i}.safetensors").write_bytes(child.pack({"y": np.ones(50_000)}))
    assert set(results.read(tmp_path, 4, {1, 2, 3}, LIMITS.result).values) == {1, 2}


@apart
def test_a_forged_heartbeat_names_no_cell_that_is_not_there(kind):
    forged = f"import os\nopen('{isolation.INSIDE}/results/progress', 'w').write('999')\nos._exit(0)"
    assert ran(forged, kind=kind).values == {}


def test_a_result_is_read_strictly():
    values = {"a": np.eye(2), "n": 3, "flag": True, "half": np.float16(0.5), "word": "é"}
    found = results.unpack(child.pack(values))
    assert found["word"] == "é"
    assert found["n"] == 3
    assert found["flag"].dtype == bool
    np.testing.assert_array_equal(found["a"], np.eye(2))
    whole = child.pack({"a": np.arange(3)})
    header = int.from_bytes(whole[:8], "little")
    for wrong in (
        b"",
        whole[:20],
        whole[:-1],
        whole + b"0",
        (2**60).to_bytes(8, "little") + whole[8:],
        whole.replace(b"I64", b"I63"),
        whole.replace(b"I64", b"F8_"),
        whole.replace(b"[3]", b"[9]"),
        child.pack({str(i): 1 for i in range(results.NAMES + 1)}),
        child.pack({"a": "x" * (results.STRINGS + 1)}),
        header.to_bytes(8, "little") + b"[" * header + whole[8 + header :],
        (19).to_bytes(8, "little") + b'{"__metadata__":[]}',
        child.pack({"a": np.ones((0, 3))}),  # close to whatever has three columns
    ):
        with pytest.raises(ValueError, match=r"^(its?|an array) "):
            results.unpack(wrong)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "y is None: nothing was returned or assigned."),
        (..., "y is Ellipsis"),
        (object(), "y is object of object"),
        ([[1], [1, 2]], "y is no array (ValueError)"),
        (1j, "y is complex of complex128"),
        ([1, "a"], "it must be numbers, or a string"),
    ],
)
def test_what_is_neither_number_nor_string_is_said(value, said):
    with pytest.raises(ValueError) as error:
        child.pack({"y": value})
    assert said in str(error.value)


def test_a_result_that_is_too_large_is_said():
    assert "2 MB, more than" in ran("import numpy as np\ny = np.zeros(200_001)").said[2]


def test_what_the_shown_part_of_a_test_said_is_said_again_where_nothing_could_be_asked():
    shown = 'assert len([]) == 3, "three values"'
    found = sandbox.run([sandbox.Step("test", shown, SIMPLE)], LIMITS, kind=KIND)
    assert found.said == {0: "AssertionError: three values"}
    assert worth(ran(shown)) == 7


def test_patching_gains_nothing():
    """What a submission changes, it changes for itself: numpy, the builtins, the package, what packs, what is asked."""
    patch = """
import builtins, sys
import numpy as np
np.allclose = np.array_equal = lambda *a, **k: True
np.random.default_rng = lambda *a: None
builtins.AssertionError = type("E", (Exception,), {})
main = sys.modules["__main__"]
main.pack = lambda values: b"forged"
main.asked = lambda *a: {"y": 7}
"""
    found = ran(patch)
    assert worth(found) is None or worth(found) == 7
    assert np.allclose(1, 1)
    assert not np.allclose(1, 2)


# -- verdicts


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    return source.read(small.saved(tmp_path_factory.mktemp("source") / f"{NAME}.ipynb"))


NOBODY = variants.Seeds(None, NAME, "nobody")


@pytest.mark.parametrize(
    ("values", "points", "said"),
    [
        ({"values": np.zeros(3), "word": "double"}, 0, "each of the weights, doubled"),
        ({"values": np.zeros((3, 3)), "word": "double"}, 0, "each of the weights, doubled"),
        ({"values": "text", "word": 3.0}, 0, "each of the weights, doubled"),
        ({"other": 1}, 0, "could not be compared: TypeError: "),
        ({}, 0, "could not be compared: TypeError: "),
    ],
)
def test_verdicts_on_whatever_comes_back(assignment, values, points, said):
    verdict = judging.judge(assignment.cell("test_twice"), 1, values, judging.background(assignment, NOBODY))
    assert (verdict.points, verdict.sentence[: len(said)]) == (points, said)


def test_a_verdict_that_takes_too_long_is_stopped_and_the_next_is_given(tmp_path):
    slow = "\n\ndef asked():\n    return {'y': 1}\n\ndef judged(y):\n    while y == 1:\n        pass"
    cells = [*small.cells(), small.test("test_slow", "", slow + small.LAST)]
    assignment = source.read(small.saved(tmp_path / f"{NAME}.ipynb", *cells))
    test = assignment.cell("test_slow")
    with judges.Judge(seconds=1, memory=1e10) as judge:
        assert judge.variant(assignment, NOBODY) == variants.literals(assignment, 0)
        verdict = judge.judge(assignment, NOBODY, test, 1, {"y": 1})
        assert verdict == judging.Verdict(0, "could not be compared: it took longer than 1 s.")
        assert judge.judge(assignment, NOBODY, test, 1, {"y": 2}).points == 2
        judge.memory, judge.seconds = 1.0, 60
        assert "it needed more than" in judge.judge(assignment, NOBODY, test, 1, {"y": 1}).sentence


# -- putting a notebook together


def handed(*cells):
    return submissions.cells(nbformat.writes(small.notebook(*cells)).encode())


def rebuilt(assignment, cells):
    hiding = {"test_mean": 1, "test_twice": 2}
    return submissions.rebuild(assignment, handed(*cells), "scale = 1.5", (), hiding)


def version(assignment, **answers):
    """A student's version with these answers."""
    notebook = release.student(assignment)
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    return notebook.cells


def test_locked_cells_come_from_the_source_and_answers_from_the_student(assignment):
    cells = version(assignment, mean="mine = 1", setup="import os", test_mean="pass", why="My words.")
    found = rebuilt(assignment, cells)
    assert [step.name for step in found.steps] == ["setup", "variant", "mean", "test_mean", "twice", "test_twice"]
    assert [step.run for step in found.steps][:4] == [
        "import numpy as np", "scale = 1.5", "mine = 1", "assert callable(scaled_mean)",
    ]  # fmt: skip
    assert "HIDDEN = 1" in found.steps[3].ask
    assert found.answers["why"] == "My words."
    assert [remark for remark in found.remarks if "changed" in remark] == [
        "the locked cell 'setup' was changed: the original was used.",
        submissions.OTHER_NUMBERS.format("variant"),
        "the locked cell 'test_mean' was changed: the original was used.",
    ]


def test_deleted_duplicated_reordered_and_extra_cells(assignment):
    cells = version(assignment, mean="# answer: mean\nmine = 1")
    twice, extra = nbformat.from_dict(dict(cells[4])), small.new_code_cell("extra = 1")
    twice.source, twice.id = "# answer: mean\nmine = 2", "another"
    for cell in cells:
        cell.metadata.pop("nbgrader", None)  # as some front ends do
    order = [cells[5], cells[4], extra, twice, cells[0], cells[1]]
    found = rebuilt(assignment, order)
    assert [step.name for step in found.steps] == [
        "setup", "variant", "mean", submissions.EXTRA, "test_mean", "twice", "test_twice",
    ]  # fmt: skip
    assert found.answers["mean"] == "# answer: mean\nmine = 1"
    assert "raise NotImplementedError()" in found.answers["twice"]
    assert "the cell 'mean' is there twice: the first counts." in found.remarks
    thrice = nbformat.from_dict({**twice, "id": "a-third"})
    assert rebuilt(assignment, [*order, thrice]).remarks == found.remarks  # a thousand make the table no longer
    assert "the cell 'twice' is missing: it counts as not answered." in found.remarks


@pytest.mark.parametrize(
    ("answer", "extra", "kept"),
    [
        ("def scaled_mean(x):\n    # not of the table\n    return 1", [], ["base"]),
        ("def scaled_mean(x):\n    return len(table)", [], ["runs", "base", "table"]),
        ("def scaled_mean(x):\n    return 1", [small.new_code_cell("eval('table')")], ["runs", "base", "table"]),
        ("def scaled_mean(x: this does not parse", [], ["base"]),
    ],
)
def test_what_only_shows_is_not_run_unless_the_student_names_it(tmp_path, answer, extra, kept):
    setup, variant, text, mean, test_mean, twice, _, why = small.cells()[1:]
    shows = [small.locked("runs", "seen = scale"), small.locked("base", "half = scale / 2"),
             small.locked("table", "table = [seen]"), small.locked("draw", "print(table)")]  # fmt: skip
    needs_base = small.test("test_twice", "assert half", small.TWICE + small.LAST, points=3)
    whole = [setup, variant, *shows, text, mean, test_mean, twice, needs_base, why]
    assignment = source.read(small.saved(tmp_path / f"{NAME}.ipynb", *whole))
    found = rebuilt(assignment, [*version(assignment, mean=answer), *extra])
    assert [step.name for step in found.steps if step.name in {"runs", "base", "table", "draw"}] == kept
    assert all(found.steps[i].name == name for name, i in found.number.items())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b" \n", "the file is empty."),
        (b"\x89PNG", "it is not a Jupyter notebook"),
        (b"[1, 2]", "it is not a Jupyter notebook"),
        (b'{"cells": 3}', "it is not a Jupyter notebook"),
        (b'{"cells": [{"cell_type": "code"}]}', "it is not a Jupyter notebook"),
        (b'{"cells": ' + b"[" * 100_000, "it is not a Jupyter notebook"),
    ],
)
def test_what_is_no_notebook_is_said(content, said):
    with pytest.raises(ValueError, match=said):
        submissions.cells(content)


def test_submissions_are_found_in_every_layout(tmp_path, assignment, monkeypatch):
    def put(path, cells):
        path.parent.mkdir(parents=True, exist_ok=True)
        notebooks.write(small.notebook(*cells), path)

    put(tmp_path / "ann.ipynb", version(assignment))
    put(tmp_path / "bob" / f"{NAME}.ipynb", version(assignment))
    put(tmp_path / "cyd" / "ps1" / "my_own_name.ipynb", version(assignment))
    put(tmp_path / "bob" / ".ipynb_checkpoints" / f"{NAME}.ipynb", version(assignment))
    put(tmp_path / "cyd" / "ps1" / "my_own_name (1).ipynb", version(assignment))
    put(tmp_path / "dan" / "else.ipynb", [small.new_code_cell("x = 1")])
    (tmp_path / "eve").mkdir()
    put(tmp_path / "zoe\N{COMBINING DIAERESIS}.ipynb", version(assignment))
    os.symlink(tmp_path / "ann.ipynb", tmp_path / "fay.ipynb")
    os.symlink(tmp_path / "ann.ipynb", tmp_path / "gus\nann  9 points.ipynb")
    (tmp_path / "written.csv").write_text("")
    found = submissions.find(tmp_path, {NAME: assignment})
    assert [(one.student, one.assignment, one.more) for one in found] == [
        ("ann", NAME, 0), ("bob", NAME, 0), ("cyd", NAME, 1), ("dan", "", 0), ("eve", "", 0), ("fay", "", 0),
        ("gus?ann  9 points", "", 0),
        ("zo\N{LATIN SMALL LETTER E WITH DIAERESIS}", NAME, 0),
    ]  # fmt: skip
    assert found[2].path.name == "my_own_name (1).ipynb"
    with pytest.raises(ValueError, match="is a link"):
        submissions.content(found[5].path)
    with pytest.raises(ValueError, match="no notebook in the student's folder"):
        submissions.content(found[4].path)
    whole, closed = Path.iterdir, tmp_path / "bob"

    def iterdir(path):
        if path == closed:
            raise PermissionError(path)
        return whole(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert submissions.Submission("bob", None) in submissions.find(tmp_path, {NAME: assignment})
    for folder in (tmp_path / "none", tmp_path / "eve"):
        with pytest.raises(FileNotFoundError):
            submissions.find(folder, {NAME: assignment})


# -- all of it


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class: a full solution, a blank one, one that exits, one that is nothing; with private tests and a secret."""
    root = tmp_path_factory.mktemp("course")
    (root / "pyproject.toml").write_text('[project]\nname = "metagan_edu"\n')
    small.saved(root / "notebooks" / "00_made_up.ipynb")
    assignment = source.read(small.saved(root / "notebooks" / "assignments" / f"{NAME}.ipynb"))
    more = small.test("test_more", "", small.MEAN.replace("7", "9") + small.LAST, points=4)
    small.saved(root / "private" / f"{NAME}.ipynb", more)
    (root / "secret").write_text("0123456789abcdef")
    right = {cell.grade_id: cell.source for cell in assignment.of("answer")} | {"why": "<script>alert(1)</script>"}
    for student, answers in {"ann": right, "bob": {}, "cyd": {**right, "twice": "import os\nos._exit(0)"}}.items():
        seeds = variants.Seeds(b"0123456789abcdef", NAME, student)
        notebook = release.student(assignment, seeds.variant)
        for cell in notebook.cells:
            cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
        (root / "sub" / student).mkdir(parents=True)
        notebooks.write(notebook, root / "sub" / student / f"{NAME}.ipynb")
    (root / "sub" / "=dan.ipynb").write_text("nothing")
    (root / "sub" / "written.csv").write_text("student,grade_id,points,comment\nann,why,0.5,Short & good\n")
    arguments = ["grade", str(root / "sub"), "--course", str(root), "--secret", str(root / "secret"), "--private",
                 str(root / "private"), "--out", str(root / "out"), "--cell", "60", "--jobs", "2"]  # fmt: skip
    assert command.main(arguments) == 0
    return root, arguments


def rows(path):
    with path.open(newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_a_class_is_graded(graded):
    root, _ = graded
    found = rows(root / "out" / "grades.csv")
    assert list(found["ann"])[2:8] == ["test_mean", "test_twice", "test_more", "why", "total", "of"]
    assert [list(found[name].values())[2:8] for name in ("ann", "bob", "cyd")] == [
        ["2", "3", "4", "0.5", "9.5", "10"],
        ["0", "0", "0", "", "0", "10"],
        ["2", "0", "4", "", "6", "10"],
    ]
    assert {row["isolation"] for name, row in found.items() if name != "'=dan"} == {KIND}
    assert "twice: stopped: it ended the process" in found["cyd"]["remark"]
    assert found["'=dan"]["remark"].startswith("it is not a Jupyter notebook")
    board = rows(root / "out" / "leaderboard.csv")
    assert list(board) == ["ann"]
    assert board["ann"]["test"] == "test_twice"


def test_the_feedback_is_a_page_without_scripts(graded):
    root, _ = graded
    page = (root / "out" / "feedback" / "ann" / f"{NAME}.html").read_text()
    tags = []
    parser = html.parser.HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))
    parser.feed(page)
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in tags}
    assert not [
        name for _, attributes in tags for name in attributes if name.startswith("on") or name in ("src", "href")
    ]
    for text in ("9.5 of 10 points", "&lt;script&gt;", "Short &amp; good", "(1 point: it says why.)"):
        assert text in page
    assert isolation.PROTECTION[KIND].split(":")[0] in page
    blank = (root / "out" / "feedback" / "bob" / f"{NAME}.html").read_text()
    assert "It stopped: not answered yet." in blank
    assert "(1 point: it says why.)" not in blank


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        (f"cyd/{NAME}.html", "twice: stopped: it ended the process that ran it."),
        ("=dan/unknown.html", "it is not a Jupyter notebook (format 4): save it again from Jupyter or Colab."),
    ],
)
def test_why_there_are_no_points_stands_on_the_page(graded, page, sentence):
    root, _ = graded
    assert f"<p>{sentence}</p>" in (root / "out" / "feedback" / page).read_text()


def test_grading_goes_on_where_it_was_and_grades_again_what_changed(graded, capsys):
    root, arguments = graded
    capsys.readouterr()
    record = root / "out" / "records" / "bob" / f"{NAME}.json"
    before = record.read_bytes()
    (root / "out" / "records" / "cyd" / f"{NAME}.json").write_text("torn")
    path = root / "sub" / "bob" / f"{NAME}.ipynb"
    path.write_text(path.read_text().replace("YOUR ANSWER HERE", "An answer"))
    shutil.copy2(path, path.with_name("again.ipynb"))
    assert command.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sorted(line.split()[0] for line in lines[1:-1]) == ["bob", "cyd"]
    assert json.loads(before)["digest"] != gradebook.kept(record)["digest"]
    assert "there are 2 notebooks of it: the first by name was graded." in gradebook.kept(record)["remarks"]


class JudgesHere:
    """Judges in this process, which is quicker."""

    def close(self):
        pass

    def variant(self, assignment, seeds):
        return variants.literals(assignment, seeds.variant)

    def judge(self, assignment, seeds, test, seed, values):
        return judging.judge(test, seed, values, judging.background(assignment, seeds))


@pytest.fixture
def judges_here(monkeypatch):
    monkeypatch.setattr(judges, "Judge", lambda *limits: contextlib.closing(JudgesHere()))


def fails_at_bob(error, whole=sandbox.run):
    def run(steps, *arguments, **how):
        if any("NotImplementedError" in step.run for step in steps):  # his is the blank one
            raise error
        return whole(steps, *arguments, **how)

    return run


def test_a_grading_that_was_interrupted_goes_on_with_the_rest(graded, judges_here, monkeypatch, tmp_path, capsys):
    root, (_, folder, *options) = graded
    arguments = ["grade", folder, *options, "--out", str(tmp_path)]
    with monkeypatch.context() as patched:
        patched.setattr(sandbox, "run", fails_at_bob(KeyboardInterrupt()))
        assert command.main(arguments) == 130
    done = {path.parent.name for path in (tmp_path / "records").glob("*/*.json")}
    assert {"=dan", "ann"} <= done <= {"=dan", "ann", "cyd"}
    assert not (tmp_path / "grades.csv").exists()
    capsys.readouterr()
    assert command.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()[1:-1]
    assert {line.split()[0] for line in lines} == {"=dan", "ann", "bob", "cyd"} - done
    assert (tmp_path / "grades.csv").read_bytes() == (root / "out" / "grades.csv").read_bytes()


def test_a_submission_of_which_a_cell_of_the_course_always_stops_is_graded_three_times(
    graded, judges_here, monkeypatch, tmp_path
):
    """A forged heartbeat can make it look so. What the grader itself could not do is tried again each time."""
    root, (_, _, *options) = graded
    shutil.copytree(root / "sub" / "ann", tmp_path / "sub" / "ann")
    arguments = ["grade", str(tmp_path / "sub"), *options, "--out", str(tmp_path / "out")]
    ran = []

    def stopped(steps, *_, **__):
        ran.append(steps)
        return sandbox.Ran({}, {0: "stopped."}, "", (), frozenset({0}))

    def full(*_, **__):
        ran.append("full")
        raise OSError("no space left")

    for how, times in ((full, 5), (stopped, grade.TRIES), (full, 0)):
        monkeypatch.setattr(sandbox, "run", how)
        ran.clear()
        for _ in range(5):
            assert command.main(arguments) == 0
        assert len(ran) == times
    path = tmp_path / "sub" / "ann" / f"{NAME}.ipynb"
    path.write_text(path.read_text() + "\n")
    assert command.main(arguments) == 0
    assert ran == ["full"]


def test_a_fault_of_the_graders_own_at_one_submission_stops_no_other(graded, judges_here, monkeypatch, tmp_path):
    root, (_, folder, *options) = graded
    monkeypatch.setattr(sandbox, "run", fails_at_bob(RuntimeError("a fault")))
    assert command.main(["grade", folder, *options, "--out", str(tmp_path)]) == 0
    found, expected = rows(tmp_path / "grades.csv"), rows(root / "out" / "grades.csv")
    assert found.pop("bob")["remark"].startswith("it could not be graded: RuntimeError: a fault")
    assert expected.pop("bob")
    assert found == expected


def test_a_cell_of_the_course_that_was_stopped_is_said_and_graded_again(graded, monkeypatch, tmp_path):
    """The machine may have been busy: who hands in a right notebook does not lose by it."""
    root, (_, _, *options) = graded
    shutil.copytree(root / "sub" / "ann", tmp_path / "sub" / "ann")
    arguments = ["grade", str(tmp_path / "sub"), *options, "--out", str(tmp_path / "out")]

    def stopped(steps, *_, **__):
        return sandbox.Ran({}, {0: "stopped."}, "", (f"{steps[0].name}: stopped.",), frozenset({0}))

    with monkeypatch.context() as patched:
        patched.setattr(sandbox, "run", stopped)
        assert command.main(arguments) == 0
    assert f"setup: stopped. {grade.BUSY}" in rows(tmp_path / "out" / "grades.csv")["ann"]["remark"]
    assert command.main(arguments) == 0
    assert rows(tmp_path / "out" / "grades.csv")["ann"]["total"] == "9"


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        ("who,what\n", "needs the columns student, grade_id, points"),
        ("student,grade_id,points\nann,why,2\n", "line 2: the points must be a number from 0 to 1, not '2'"),
        ("student,grade_id,points\nann,why,many\n", "not 'many'"),
        ("student,grade_id,points\nann,else,1\n", "'else' is the written part of 0 assignments"),
        ("student,grade_id,points\nann,why,1\nAnn,why,1\n", "line 3: there is no submission of 'Ann'"),
        ("student,grade_id,points\nann,why,1\nann,why,0\n", "line 3: 'why' of 'ann' has points in a line above"),
    ],
)
def test_a_table_of_written_parts_is_refused_by_its_line(tmp_path, assignment, lines, refused):
    (tmp_path / "written.csv").write_text(lines)
    with pytest.raises(ValueError, match=refused):
        gradebook.read_written(tmp_path / "written.csv", {NAME: assignment}, {"ann"})


def test_a_lecturers_mistakes_are_said(tmp_path, graded):
    root, _ = graded
    (tmp_path / "private").mkdir()
    for private, error in ((tmp_path / "private", FileNotFoundError), (root / "notebooks", ValueError)):
        with pytest.raises(error):
            course.opened(root, root / "sub", root / "out", None, private)
    inside = Path(isolation.package()) / "secret.txt"
    with pytest.raises(ValueError, match="keep the secret elsewhere"):
        course.opened(root, root / "sub", root / "out", inside, None)
    own = course.opened(root, root / "sub", tmp_path / "out", None, None)
    assert own.seeds(NAME, "ann")[0].variant == 0
    assert own.secret == course.opened(root, root / "sub", tmp_path / "out", None, None).secret
