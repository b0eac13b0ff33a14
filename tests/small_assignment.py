"""A small assignment made up for the tests, in nbgrader's format and without TensorFlow."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from metagan_edu.course import notebooks


def cell(kind, grade_id, text, points=None, tags=(), **role):
    """A cell with nbgrader's metadata; ``role`` says which of grade, solution and locked are true."""
    grading = {"schema_version": 3, "grade_id": grade_id, "grade": False, "solution": False, "locked": False,
               "task": False, **role}  # fmt: skip
    grading |= {} if points is None else {"points": points}
    make = new_code_cell if kind == "code" else new_markdown_cell
    return make(text, metadata={"nbgrader": grading, **({"tags": list(tags)} if tags else {})})


def locked(grade_id, text, *tags, kind="code"):
    return cell(kind, grade_id, text, tags=tags, locked=True)


def answer(grade_id, solution, before=""):
    text = f"# answer: {grade_id}\n{before}### BEGIN SOLUTION\n{solution}\n### END SOLUTION"
    return cell("code", grade_id, text, solution=True)


def test(grade_id, visible, hidden, points=2):
    text = f"{visible}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    return cell("code", grade_id, text, points, grade=True, locked=True)


def written(grade_id, text, points=1):
    return cell(
        "markdown", grade_id, f"### BEGIN SOLUTION\n{text}\n### END SOLUTION", points, grade=True, solution=True
    )


SETUP = "import numpy as np"
VARIANT = """VARIANT = 0
rng = np.random.default_rng(VARIANT)
scale = round(float(rng.uniform(1, 2)), 2)
weights = rng.integers(1, 9, 3)
_key = int(rng.integers(10))"""
MEAN = """HIDDEN = 3
x = np.random.default_rng(HIDDEN).normal(size=7)

def asked():
    return {"y": scaled_mean(x)}

def judged(y):
    assert np.shape(y) == (), "a mean is one number"
    assert np.allclose(y, scale * x.mean()), "it is scale times the mean, as in section 1\""""
TWICE = """HIDDEN = 4

def asked():
    return {"values": values, "word": word}

def judged(values, word):
    assert np.array_equal(values, 2 * weights), "each of the weights, doubled"
    assert word == "double", "the word is another"
    return {"score": float(np.sum(values)) + _key}"""
LAST = "\njudged(**asked())"


def cells():
    """A set-up, a variant, a function with its test, and values with theirs, then words."""
    return [
        new_markdown_cell("# Small\n\n**The question.** What is a mean?\n\n**Time.** 60 minutes to do; 1 s to run."),
        locked("setup", SETUP, "setup"),
        locked("variant", VARIANT, "variant"),
        locked("task_mean", "## 1. A mean (2 points)", kind="markdown"),
        answer("mean", "def scaled_mean(x):\n    return scale * np.mean(x)"),
        test("test_mean", "assert callable(scaled_mean)", MEAN + LAST),
        answer("twice", 'values = 2 * weights\nword = "double"'),
        test("test_twice", 'assert len(values) == 3, "three values"', TWICE + LAST, points=3),
        written("why", "Because. (1 point: it says why.)"),
    ]


def notebook(*changed):
    return new_notebook(cells=list(changed) or cells(), metadata=notebooks.KERNEL)


def saved(path, *changed):
    path.parent.mkdir(parents=True, exist_ok=True)
    notebooks.write(notebook(*changed), path)
    return path
