"""Progress is shown while something runs, and nothing of it is left."""

import io
import sys
import types

import pytest
from made_up import saved
from nbformat.v4 import new_code_cell

from metagan_edu import progress
from metagan_edu.course import runner


class Browser:
    """What a notebook shows: the text of each output, and every text there was."""

    def __init__(self):
        self.outputs, self.history = [], []

    def display(self, bundle, *, raw, display_id):
        assert raw and display_id
        self.outputs.append("")
        place = len(self.outputs) - 1
        self._put(place, bundle)
        return types.SimpleNamespace(update=lambda bundle, raw: self._put(place, bundle))

    def _put(self, place, bundle):
        (self.outputs[place],) = bundle.values()
        self.history.append(self.outputs[place])


@pytest.fixture
def clock(monkeypatch):
    """A clock that only ``clock.now += ...`` moves."""
    now = types.SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress, "time", types.SimpleNamespace(monotonic=lambda: now.now))
    return now


@pytest.fixture
def browser(monkeypatch):
    import IPython.display

    shown = Browser()
    monkeypatch.setattr(IPython, "get_ipython", lambda: types.SimpleNamespace(kernel=object()))
    monkeypatch.setattr(IPython.display, "display", shown.display)
    return shown


def test_a_notebook_shows_one_line_and_keeps_none(browser, clock):
    with progress.bar(1000, initial=100) as bar:
        clock.now += 5  # compiling
        bar.update(100, gen_loss=0.123456, disc_loss=1234.5)
        clock.now += 2
        bar.update(300, gen_loss=0.7, disc_loss=1.4)
        assert len(browser.outputs) == 1
    assert browser.outputs == [""]
    assert browser.history == [
        "200 of 1000 steps · gen_loss 0.123, disc_loss 1.23e+03",
        "500 of 1000 steps · 150 per second · 0:03 left · gen_loss 0.7, disc_loss 1.4",
        "",
    ]


def test_what_is_done_in_two_seconds_shows_nothing(browser, clock):
    with progress.bar(10) as bar:
        for _ in range(10):
            clock.now += 0.19
            bar.update(1)
    assert browser.outputs == []


def test_a_notebook_gets_at_most_five_updates_a_second(browser, clock):
    with progress.bar(10_000) as bar:
        for _ in range(10_000):
            clock.now += 0.001
            bar.update(1)
    assert 35 <= len(browser.history) <= 42  # of eight seconds


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_after_an_error(browser, clock, error):
    with pytest.raises(error), progress.bar(10) as bar:
        clock.now += 3
        bar.update(1)
        raise error
    assert browser.outputs == [""]


def test_disabled_it_shows_nothing(browser, clock, capsys):
    with progress.bar(10, disable=True) as bar:
        clock.now += 3
        bar.update(1, gen_loss=1.0)
    assert browser.outputs == []
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_it_on_standard_error_and_is_cleared(monkeypatch, capsys):
    monkeypatch.setattr(progress, "DELAY", 0)
    real = progress.tqdm
    monkeypatch.setattr(progress, "tqdm", lambda **options: real(**options, mininterval=0, ascii=True))
    with progress.bar(1000, unit="step") as bar:
        bar.update(500, gen_loss=0.123456)
    said = capsys.readouterr()
    assert said.out == ""
    assert "500/1000" in said.err and "gen_loss 0.123]" in said.err
    assert screen(said.err).strip() == ""


def screen(text):
    """What a terminal's line shows after ``text``: a carriage return goes back to its start."""
    line = io.StringIO()
    for part in text.split("\r"):
        line.seek(0)
        line.write(part)
    return line.getvalue()


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (-1, "0:00"), (59.6, "1:00"), (3725, "1:02:05")])
def test_durations(seconds, text):
    assert progress._duration(seconds) == text


def test_a_script_is_no_notebook(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not progress._in_kernel()


def test_a_notebook_that_was_run_and_saved_shows_nothing_of_it(tmp_path):
    source = (
        "from metagan_edu import progress\n"
        "progress.DELAY = 0\n"
        "with progress.bar(2) as bar:\n"
        "    bar.update(1, loss=0.5)\n"
        "print('done')"
    )
    notebook, outcome = runner.execute(saved(tmp_path / "a.ipynb", new_code_cell(source)), timeout=120)
    assert outcome.error is None
    (output,) = notebook.cells[0].outputs
    assert output.text == "done\n"
