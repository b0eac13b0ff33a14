"""The scripts around the package say in one sentence what there is when they are asked for something else."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

from metagan_edu import __main__ as command
from metagan_edu import studies
from metagan_edu.studies import __main__ as records

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def bench(monkeypatch):
    """The benchmarks' main module, as ``python tests/benchmarks`` runs it."""
    folder = ROOT / "tests" / "benchmarks"
    monkeypatch.syspath_prepend(str(folder))
    spec = importlib.util.spec_from_file_location("benchmarks_main", folder / "__main__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def one_sentence(capsys):
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_an_unknown_benchmark_is_one_sentence(bench, capsys):
    assert bench.main(["nonsense"]) == 2
    assert one_sentence(capsys).startswith("There is no benchmark 'nonsense'; there are: 2-D, convolutional, ")


def test_an_unknown_record_is_one_sentence(capsys):
    assert records.main(["nonsense"]) == 2
    sentence = one_sentence(capsys)
    assert "nonsense" in sentence and all(name in sentence for name in studies.scripts())


def test_an_unknown_notebook_is_one_sentence(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert command.main(["run", "nonsense"]) == 2
    assert one_sentence(capsys).startswith("No notebook's name starts with 'nonsense'; there are 00_tour, ")


@pytest.mark.parametrize(
    ("wanted", "value", "met", "text"),
    [
        ({"least": 1.2, "aim": 1.4}, 1.3, True, "a / b: 1.3 (at least 1.2, aim 1.4)"),
        ({"least": 1.2, "aim": 1.4}, 1.1, False, "a / b: 1.1 (at least 1.2, aim 1.4, MISSED)"),
        ({"most": 0}, 0, True, "a / b: 0 (at most 0)"),
        ({"most": 0}, 1, False, "a / b: 1 (at most 0, MISSED)"),
        ({"aim": 0.6}, 0.1, True, "a / b: 0.1 (no floor here, aim 0.6)"),
    ],
)
def test_a_floor_must_hold_and_an_aim_need_not(bench, wanted, value, met, text):
    ratio = bench.speed.Ratio("a", "b", value, **wanted)
    assert (ratio.met, str(ratio)) == (met, text)


def test_a_missed_floor_is_named_and_makes_the_status_1(bench, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    ratio = bench.speed.Ratio("ours", "theirs", 1.0, least=2)
    report = bench.speed.Report({"ours": 5.0, "theirs": 5.0}, "steps/s", [ratio])
    monkeypatch.setattr(bench, "BENCHMARKS", {"two words": lambda: report})
    assert bench.main(["two", "words"]) == 1  # as make hands it over
    assert "missed: two words: ours / theirs" in capsys.readouterr().out
    monkeypatch.setattr(bench, "BENCHMARKS", {"two words": lambda: report._replace(ratios=[ratio._replace(least=1)])})
    assert bench.main([]) == 0
    assert (tmp_path / "build" / "bench.json").exists()


@pytest.mark.parametrize("target", ["bench", "records", "course"])
def test_make_hands_only_on(target):
    command = ["make", "--no-print-directory", "-n", target, "ONLY=nonsense"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip().splitlines()[-1].endswith(" nonsense")


def test_make_hands_jobs_on():
    command = ["make", "--no-print-directory", "-n", "records", "ONLY=memory", "JOBS=2"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip().splitlines()[-1].endswith(" -m metagan_edu.studies --jobs 2 memory")


@pytest.mark.parametrize("jobs", ["0", "-3", "many", "1.5", "10000"])
def test_jobs_that_there_are_not_are_one_sentence(capsys, jobs):
    assert records.main(["--jobs", jobs, "memory"]) == 2
    assert "a whole number from 1 to " in one_sentence(capsys)
