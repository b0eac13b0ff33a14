"""Sources are read and refused by name; student versions give nothing away; a rehearsal judges as grading does."""

import json
import re

import numpy as np
import pytest
import small_assignment as small

from metagan_edu import __main__ as command
from metagan_edu.course import notebooks
from metagan_edu.course.assignments import form, names, rehearsal, release, source, variants

NAME = "1_small.ipynb"


@pytest.fixture
def path(tmp_path):
    return small.saved(tmp_path / "notebooks" / "assignments" / NAME)


@pytest.fixture
def assignment(path):
    return source.read(path)


def read(tmp_path, *cells):
    return source.read(small.saved(tmp_path / NAME, *cells))


def changed(index, old, new):
    """The small assignment's cells, with ``new`` for ``old`` in one of them."""
    cells = small.cells()
    assert old in cells[index].source
    cells[index].source = cells[index].source.replace(old, new)
    return cells


# -- reading


def test_cells_by_their_role(assignment):
    assert [cell.role for cell in assignment.cells] == [
        "text", "setup", "variant", "text", "answer", "test", "answer", "test", "written",
    ]  # fmt: skip
    assert [(cell.grade_id, cell.points) for cell in assignment.of("test", "written")] == [
        ("test_mean", 2), ("test_twice", 3), ("why", 1),
    ]  # fmt: skip


def test_a_hidden_block_is_taken_apart(assignment):
    test = assignment.cell("test_mean")
    assert test.visible == "assert callable(scaled_mean)"
    for part, there in ((test.hidden.asking(7), "asked"), (test.hidden.judging(7), "judged")):
        assert part.startswith("HIDDEN = 7\nx = np.random.default_rng(HIDDEN).normal(size=7)\ndef ")
        assert re.findall(r"def (\w+)", part) == [there]
        assert "HIDDEN = 3" not in part


@pytest.mark.parametrize(
    ("cells", "refused"),
    [
        (small.cells()[:5], "no test cell"),
        ([*small.cells(), small.written("why", "Again")], "two cells have the grade_id 'why'"),
        ([*small.cells(), small.locked("more", "VARIANT = 0", "variant")], "at most one cell has the tag 'variant'"),
        (changed(2, "VARIANT = 0", "VARIANT = 1"), "the first line of the variant is 'VARIANT = 0'"),
        (changed(4, "# answer: mean", "# answer: other"), "the first line of an answer is '# answer: mean'"),
        (changed(4, "### END SOLUTION", ""), "between lines '### BEGIN SOLUTION'"),
        (changed(4, "    return", "return"), "it does not parse"),
        (changed(5, "judged(**asked())", "asked()"), "the last line of the hidden block is 'judged"),
        (changed(5, "def asked", "def other"), r"defines no function asked\(\)"),
        (changed(5, "### BEGIN HIDDEN TESTS", ""), "one block between the lines"),
        (changed(5, "### END HIDDEN TESTS", "### END HIDDEN TESTS\nx = 1"), "the hidden block comes last"),
        (changed(5, "np.allclose(y, scale", "np.allclose(scaled_mean(x), scale"), "uses scaled_mean, which neither"),
        (changed(5, "x = np.random", "values = x = np.random"), None),
        (changed(5, "x = np.random", "weights = x = np.random"), "sets weights, which a later cell uses"),
        ([*small.cells(), small.cell("code", "loose", "x = 1")], "what is no answer must be locked"),
        ([*small.cells(), small.cell("code", "by hand", "x = 1", locked=True)], "letters, digits, _ or -"),
        ([*small.cells(), small.cell("code", "a", "x = 1", 1, grade=True, solution=True)], "answers are code"),
        ([*small.cells(), small.cell("markdown", "a", "x", 1, locked=True, task=True)], "tasks are not used"),
        ([*small.cells(), small.new_code_cell("x = 1")], "code needs nbgrader's metadata"),
        ([*small.cells(), small.test("test_more", "", small.MEAN + small.LAST, points=None)], "needs points"),
        ([*small.cells(), small.test("test_more", "", small.MEAN + small.LAST, points=-1)], "needs points"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_refused_by_name(tmp_path, cells, refused):
    if refused is None:
        assert read(tmp_path, *cells)
    else:
        with pytest.raises(ValueError, match=refused) as error:
            read(tmp_path, *cells)
        assert NAME in str(error.value)


def test_private_tests_are_tests_and_take_no_id_twice(tmp_path, assignment):
    more, again = (small.test("test_more", "", small.MEAN + small.LAST) for _ in range(2))
    own = small.saved(tmp_path / "private" / NAME, small.new_markdown_cell("For me"), more)
    assert [cell.grade_id for cell in source.read_private(own, assignment)] == ["test_more"]
    for cells, refused in (
        ([more, again], "'test_more' is taken"),
        ([small.test("test_mean", "", small.MEAN + small.LAST)], "'test_mean' is taken"),
        ([small.answer("a", "x = 1")], "this is answer"),
        ([small.test("test_more", "", small.MEAN.replace("y, scale", "y, values") + small.LAST)], "uses values"),
    ):
        with pytest.raises(ValueError, match=refused):
            source.read_private(small.saved(own, *cells), assignment)


@pytest.mark.parametrize(
    ("code", "binds", "reads"),
    [
        ("import numpy as np\nx = f(y)", {"np", "x"}, {"f", "y"}),
        ("def f(a):\n    b = a + c\n    return [d for d in b if g(d)]", {"f"}, {"c", "g"}),
        ("%pip install x\n!ls\nfor i in range(3):\n    total[i] += 1", {"i"}, {"get_ipython", "range", "total", "i"}),
        ("def f():\n    global z\n    z = 1", {"f", "z"}, set()),
    ],
)
def test_names_as_the_compiler_sees_them(code, binds, reads):
    found = names.names(code)
    assert (found.binds, found.reads) == (binds, reads)


# -- variants


def test_a_variant_is_the_students_own_and_hides_its_seed(assignment):
    secret = b"0123456789abcdef"
    made = {name: variants.Seeds(secret, assignment.name, name) for name in ("ann", "bob")}
    texts = {name: variants.literals(assignment, seeds.variant) for name, seeds in made.items()}
    assert texts["ann"] != texts["bob"] != variants.literals(assignment, 0)
    given = release.student(assignment, made["ann"].variant)
    assert given.cells[2].source == texts["ann"]  # to the letter: what differs from it counts as changed by the student
    for name, seeds in made.items():
        found, expected = {"np": np}, {"np": np}
        exec(texts[name], found)
        exec(small.VARIANT.replace("VARIANT = 0", f"VARIANT = {seeds.variant}"), expected)
        assert found["scale"] == expected["scale"]
        np.testing.assert_array_equal(found["weights"], expected["weights"])
        assert found["weights"].dtype == expected["weights"].dtype
        assert str(seeds.variant) not in texts[name]
        assert not {"VARIANT", "rng", "_key"} & set(found)
    assert made["ann"] == variants.Seeds(secret, assignment.name, "ann")
    assert len({made["ann"].hidden(test) for test in ("a", "b")} | {made["bob"].hidden("a")}) == 3
    assert variants.Seeds(None, assignment.name, "ann").variant == 0


def test_what_cannot_be_shown_is_refused_where_it_is_needed(tmp_path):
    with pytest.raises(ValueError, match=r"rng of the variant cannot be shown"):
        variants.literals(read(tmp_path, *changed(6, "2 * weights", "rng.normal(size=3)")), 0)
    with pytest.raises(ValueError, match=r"scale of the variant is a set"):
        variants.literals(read(tmp_path, *changed(2, "scale = round", "scale = {1}\nother = round")), 0)


def test_a_secret_must_be_there_and_long(tmp_path):
    with pytest.raises(FileNotFoundError, match="openssl rand"):
        variants.secret(tmp_path / "none")
    (tmp_path / "short").write_text("secret\n")
    with pytest.raises(ValueError, match=r"has 6 bytes; it needs at least 16"):
        variants.secret(tmp_path / "short")


# -- versions


def test_a_students_version_gives_nothing_away(assignment):
    version = release.student(assignment)
    text = "\n".join(cell.source for cell in version.cells)
    for secret in ("SOLUTION", "HIDDEN", "judged", "_key", "np.mean", "Because", "VARIANT"):
        assert secret not in text
    assert version.cells[4].source == "# answer: mean\n# YOUR CODE HERE\nraise NotImplementedError()"
    assert version.cells[8].source == "YOUR ANSWER HERE"
    assert [cell.metadata.get("editable", True) for cell in version.cells] == [
        True, False, False, False, True, False, True, False, True,
    ]  # fmt: skip
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in version.cells)


def test_a_stub_keeps_what_stands_around_a_solution():
    text = "# answer: f\ndef f(x):\n    ### BEGIN SOLUTION\n    y = x\n    ### END SOLUTION\n    return y"
    assert release.stubbed(text, code=True) == (
        "# answer: f\ndef f(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()\n    return y"
    )


def test_the_solution_version_has_no_hidden_tests(assignment):
    text = "\n".join(cell.source for cell in release.solution(assignment).cells)
    assert "scale * np.mean(x)" in text
    assert "Because" in text
    assert not {"HIDDEN", "judged", "SOLUTION", "_key"} & set(re.findall(r"\w+", text))


def test_the_command_makes_versions_for_all_and_for_each(path, monkeypatch, capsys):
    root = path.parents[2]
    monkeypatch.setattr("metagan_edu.course.place.find", lambda named: root)
    (root / "names.txt").write_text("ann\nbob\n")
    (root / "secret").write_text("0123456789abcdef")
    assert command.main(["assignments"]) == 0
    made = root / "build" / "assignments"
    assert {str(one.relative_to(made)) for one in made.rglob("*.ipynb")} == {f"student/{NAME}", f"solution/{NAME}"}
    arguments = ["assignments", "1", "--students", str(root / "names.txt"), "--secret", str(root / "secret")]
    assert command.main([*arguments, "--out", str(root / "out")]) == 0
    ann, bob = (notebooks.read(root / "out" / name / NAME).cells[2].source for name in ("ann", "bob"))
    assert ann != bob
    for text, refused in (("ann\n../bob\n", "'../bob' cannot name a folder"), ("ann\nAnn\n", "'ann' is there twice")):
        (root / "names.txt").write_text(text)
        assert command.main(arguments) == 2
        assert refused in capsys.readouterr().err


# -- rehearsals


def test_the_solution_has_full_marks_and_a_blank_version_none(assignment):
    solution = rehearsal.play(assignment)
    assert (solution.lost(), solution.stopped) == ([], {})
    assert rehearsal.play(assignment, student="ann").lost() == []
    blank = rehearsal.play(assignment, rehearsal.blank(assignment))
    assert blank.lost() == ["test_mean", "test_twice"]
    assert blank.stopped["mean"] == "NotImplementedError: "


@pytest.mark.parametrize(
    ("cell", "old", "new", "loses", "said"),
    [
        ("mean", "scale * np.mean(x)", "np.mean(x)", ["test_mean"], "it is scale times the mean, as in section 1"),
        ("mean", "scale * np.mean(x)", "x", ["test_mean"], "a mean is one number"),
        ("mean", "scale * np.mean(x)", "None", ["test_mean"], "ValueError: y is None: nothing was returned"),
        ("mean", "scale * np.mean(x)", "sum(x) * scale / len(x)", [], ""),
        ("twice", '"double"', '"half"', ["test_twice"], "the word is another"),
        ("twice", "2 * weights", "[None]", ["test_twice"], "AssertionError: three values"),
        ("twice", '"double"', "[]", ["test_twice"], "ValueError: an array without numbers is there"),
    ],
)
def test_an_answer_loses_what_it_should(assignment, cell, old, new, loses, said):
    patches = [{"cell": cell, "old": old, "new": new}]
    answers = rehearsal.patched(assignment, patches)
    whole = rehearsal.play(assignment, answers)
    again = rehearsal.replay(assignment, rehearsal.play(assignment), answers)
    for played in (whole, again):
        assert played.lost() == loses
        assert all(played.verdicts[test].sentence.startswith(said) for test in loses)


def test_a_patch_replaces_what_is_there_once(assignment):
    for old in ("not there", "e"):
        with pytest.raises(ValueError, match="a patch replaces what is there once"):
            rehearsal.patched(assignment, [{"cell": "mean", "old": old, "new": ""}])


def test_what_an_answer_does_not_set_is_not_there_in_a_replay(assignment):
    solution = rehearsal.play(assignment)
    for answers in (rehearsal.blank(assignment), {"twice": "values = 2 * weights"}):
        whole, again = rehearsal.play(assignment, answers), rehearsal.replay(assignment, solution, answers)
        assert again.verdicts == whole.verdicts
        assert "test_twice" in again.lost()


def test_only_what_depends_on_a_patch_runs_again(tmp_path):
    """What changes an object in place runs after that was made again; what has nothing to do with it does not run."""
    cells = [
        small.locked("setup", "import numpy as np\nruns = []", "setup"),
        small.answer("a", 'runs.append("a")\nkept = [1]'),
        small.answer("c", 'runs.append("c")\nread = {"two": 2}'),
        small.answer("b", 'runs.append("b")\nkept.append(read.get("two"))'),
        small.answer("d", 'runs.append("d")\ntotal = sum(kept)'),
        small.test(
            "test_total", "", "def asked():\n    return {'t': total}\n\ndef judged(t):\n    assert t == 3" + small.LAST
        ),
    ]
    assignment = read(tmp_path, *cells)
    solution = rehearsal.play(assignment)
    patch = {"cell": "b", "old": 'read.get("two")', "new": '1 + read.get("two")'}
    played = rehearsal.replay(assignment, solution, rehearsal.patched(assignment, [patch]))
    assert played.lost() == ["test_total"]
    assert solution.lost() == []
    assert played.student["kept"] == [1, 3]
    assert solution.student["kept"] == [1, 2]
    assert solution.student["runs"] == ["a", "c", "b", "d", "a", "b", "d"]


def test_typical_answers_are_a_file(tmp_path):
    answers = [{"name": "half", "patch": [], "loses": [], "ci": True}]
    (tmp_path / "1_small.json").write_text(json.dumps(answers))
    assert rehearsal.typical(tmp_path / "1_small.json") == answers


# -- form


def test_the_form_of_a_source(path):
    assert form.problems(path) == [f"{NAME}: not run once from top to bottom (execution counts {[None] * 6})"]
    long = changed(4, "return", "\n".join(f"    y{i} = 1" for i in range(210)).strip() + "\n    return")
    long[0].source = "# Small"
    long[-1].metadata["nbgrader"]["points"] = 5
    found = "\n".join(form.problems(small.saved(path, *long)))
    for problem in (
        " lines of code (at most 200)",
        "minutes to do', from 60 to 120",
        "5 of 10 points are for written parts",
        "cell 5: 213 lines, at most 25",
    ):
        assert problem in found
    assert form.problems(small.saved(path, *small.cells()[:3])) == [
        f"{NAME}: there is no test cell, so nothing could be graded."
    ]
