"""Your turn: solutions are right, typical wrong answers get the sentence that helps, and no answer raises."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import turns
from metagan_edu.turns import answers

ALL = {f"{topic}.{name}": turn for topic in turns.TOPICS for name, turn in turns.of(topic).items()}
WRONG = [(name, i) for name, turn in ALL.items() for i in range(len(turn.wrong))]


class Hostile:
    """An answer whose every method raises."""

    def _raise(self, *_, **__):
        raise RuntimeError("no")

    __array__ = __float__ = __iter__ = __len__ = __repr__ = __call__ = __eq__ = __hash__ = _raise


def raising(*_):
    raise KeyError("x")


ODD = [None, "", "a word", b"b", True, float("nan"), float("inf"), 1j, [], [[]], [1, [2, 3]], {}, {1: 2}, object(),
       np.zeros((3, 0)), np.array(["x"]), np.array([None]), np.ma.masked, range(3), len, raising, Hostile(), Hostile,
       lambda: None, lambda *_: "text", lambda *_: [1, [2]], lambda *_: float("nan"), lambda *_: np.zeros((2, 3, 4)),
       tf.constant("x"), tf.zeros([2, 2]), 10**400, -(10**400), "b" * 10**5]  # fmt: skip


def said(capsys, name, answer):
    mg.your_turn(name, answer)
    line = capsys.readouterr().out
    assert line.count("\n") == 1 and line.endswith("\n")
    return line[:-1]


def test_every_topic_has_two_to_five_turns_in_a_file_of_its_own():
    files = {path.stem for path in Path(turns.__file__).parent.glob("*.py")} - {"__init__", "answers"}
    assert files == set(turns.TOPICS)
    assert all(2 <= len(turns.of(topic)) <= 5 for topic in turns.TOPICS)


def test_every_turn_stands_in_a_notebook():
    notebooks = (Path(turns.__file__).parents[2] / "notebooks").glob("*.ipynb")
    assert set(re.findall(r'your_turn\(\\"([\w.]+)\\"', "".join(map(Path.read_text, notebooks)))) == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_a_solution_is_right(name, capsys):
    assert said(capsys, name, ALL[name].solution) == f"right: {ALL[name].right}"


@pytest.mark.parametrize(("name", "i"), WRONG)
def test_a_typical_wrong_answer_gets_the_sentence_that_helps(name, i, capsys):
    answer, phrase = ALL[name].wrong[i]
    line = said(capsys, name, answer)
    assert line.startswith("not yet: ") and phrase in line
    assert line[-1] in ".?" and len(line) < 160


@pytest.mark.parametrize("name", ALL)
def test_what_was_not_filled_in_is_not_wrong(name, capsys):
    turn = ALL[name]
    assert said(capsys, name, ...) == f"not answered yet: {turn.ask}"
    if callable(turn.solution):
        assert said(capsys, name, lambda *_: ...) == f"not answered yet: {turn.ask}"
    elif np.ndim(turn.solution):
        assert said(capsys, name, (turn.solution[0], *[...] * (len(turn.solution) - 1))).startswith(
            "not answered yet: "
        )


@pytest.mark.parametrize("name", ALL)
def test_no_odd_answer_raises_or_is_right(name, capsys):
    for answer in ODD:
        assert said(capsys, name, answer).startswith("not yet: ")


@pytest.mark.parametrize("name", ALL)
def test_a_right_number_is_right_in_every_dress(name, capsys):
    solution = ALL[name].solution
    if not callable(solution) and not isinstance(solution, str):
        for dress in (np.array, tf.constant, np.float32, list if np.ndim(solution) else float):
            assert said(capsys, name, dress(solution)).startswith("right: ")


@pytest.mark.parametrize("name", ALL)
def test_no_sentence_gives_the_answer_away(name):
    turn = ALL[name]
    if isinstance(turn.solution, str):
        return
    for answer, _ in turn.wrong:
        sentence = answers.missing(turn, answer)
        if not callable(turn.solution) and np.ndim(turn.solution) == 0:
            assert f"{float(turn.solution):g}" not in sentence.replace("(", " ").replace(")", " ").split()


def test_the_sentences_are_short_and_plain():
    for name, turn in ALL.items():
        for text in (turn.ask, turn.right):
            assert text and "\n" not in text and "$" not in text and len(text) < 125, name
        assert not turn.ask.endswith(".") and turn.right.endswith("."), name
        assert len(turn.wrong) >= 3, name


@pytest.mark.parametrize(
    ("name", "says"),
    [("chess.value", "topic must be one of tour, game"), ("game.chess", "there are game.value"), (3, "no turn 3")],
)
def test_a_turn_that_is_not_there_is_refused_by_name(name, says):
    with pytest.raises(ValueError, match=says):
        mg.your_turn(name, 1)


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        ([[1, 3], [2, 4]], "rows and columns"),
        ([[-1, -2], [-3, -4]], "sign"),
        ([[2, 4], [6, 8]], "twice"),
        ([[1, 2], [3, 5]], "look again"),
        ([[1, 2], [3, 4.1]], "round less"),
        ([1, 2, 3, 4], "the shape (2, 2)"),
        ([[1, 2], [3, 4.001]], None),
    ],
)
def test_a_matrix_is_held_against_another(answer, phrase):
    sentence = answers.near([[1, 2], [3, 4]], otherwise="look again.")(answer)
    assert sentence is None if phrase is None else phrase in sentence


def test_a_function_cannot_change_what_it_is_compared_with():
    def doubles_in_place(x):
        x *= 2
        return x

    check = answers.computes(lambda x: x, lambda rng: (rng.normal(size=3),), otherwise="copy x.")
    assert check(doubles_in_place) == "it is twice as large as it should be."
