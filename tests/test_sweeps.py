"""Sweeps: what is computed, where, how often, and what is kept of it."""

import concurrent.futures
import functools
import inspect
import json
import math
import os
import pathlib
import subprocess
import sys
import textwrap
import warnings

import joblib
import numpy as np
import pytest
import swept
from hypothesis import given
from hypothesis import strategies as st

import metagan_edu as mg
from metagan_edu import checkpoints, descriptions, jobs, sweeps
from metagan_edu.experiments import RunsFailed, sweep

XS = {"one": {"x": 1.0}, "two": {"x": 2.0}}
CORES = joblib.cpu_count()


def settings(log, *xs):
    return {f"x = {x}": {"x": x, "log": str(log)} for x in xs}


def runs(log):
    """How often each (x, seed) was run."""
    counts = {}
    for path in pathlib.Path(log).glob("* * *"):
        x, seed, _ = path.name.split()
        counts[float(x), int(seed)] = counts.get((float(x), int(seed)), 0) + 1
    return counts


@pytest.fixture
def log(tmp_path):
    (tmp_path / "log").mkdir()
    return tmp_path / "log"


# --- What comes out ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, None])
def test_a_record_has_one_value_for_each_seed(jobs):
    record = sweep(swept.product, XS, range(1, 4), n_jobs=jobs, progress=False)
    assert list(record) == [
        "seeds", "settings", "seconds", "peak_memory_gb", "results", "versions", "machine", "created",
    ]  # fmt: skip
    assert record["seeds"] == [1, 2, 3] and record["settings"] == XS
    assert {name: found["y"] for name, found in record["results"].items()} == {"one": [3, 4, 5], "two": [5, 6, 7]}
    assert all(0 <= s < 60 for times in record["seconds"].values() for s in times)
    assert all(0.1 < held < 100 for helds in record["peak_memory_gb"].values() for held in helds)
    pids = {pid for found in record["results"].values() for pid in found["pid"]}
    assert pids == {os.getpid()} if jobs == 1 or CORES == 1 else os.getpid() not in pids
    assert mg.experiments.table(record, ["y"]).head == ("", "y")
    assert json.loads(json.dumps(record)) == record


def test_the_memory_of_a_process_is_not_that_of_the_one_that_started_it():
    source = f"import contextlib, math, pathlib, sys\n{inspect.getsource(jobs.peak_memory_gb)}print(peak_memory_gb())"
    child = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=60)
    assert 0 < float(child.stdout) < 0.1 < jobs.peak_memory_gb()  # here is TensorFlow, there Python alone


def test_a_run_says_what_its_training_cost():
    record = sweep(swept.trained, {"slow": {"lr": 0.1}}, [0, 1], n_jobs=1, progress=False)
    assert record["gradients"] == {"slow": [4, 4]} and record["products"] == record["examples"] == {"slow": [0, 0]}
    assert list(record["results"]["slow"]) == ["gen"]


def test_what_a_run_returns_is_what_the_record_and_the_files_have(tmp_path):
    named = {what: {"what": what} for what in ("numbers", "arrays", "own seconds")}
    first = sweep(swept.returns, named, [0], folder=tmp_path, n_jobs=1, progress=False)
    again = sweep(swept.returns, named, [0], folder=tmp_path, n_jobs=1, progress=False)
    np.testing.assert_equal(again, first)
    assert first["results"]["numbers"]["inf"] == [-math.inf] and math.isnan(first["results"]["numbers"]["nan"][0])
    assert first["results"]["arrays"] == {"a": [[0, 1, 2]], "b": [{"c": [1.5, [2]]}]}
    assert first["seconds"]["own seconds"] == [7] and first["gradients"] == {"own seconds": [3.0]}


@pytest.mark.parametrize(
    ("what", "message"),
    [("a list", "a run returns a dict of numbers, not [1]"), ("words", "the metric 'y' is 'many'; it must be a number"),
     ("nothing", "what a run returns is None; it must be a number")],
)  # fmt: skip
def test_what_is_no_dict_of_numbers_fails_the_run(what, message):
    with pytest.raises(RunsFailed) as error:
        sweep(swept.returns, {"odd": {"what": what}}, [0], n_jobs=1, progress=False)
    assert str(error.value).endswith(f"ValueError: {message}.")


def test_runs_of_one_setting_measure_the_same():
    with pytest.raises(ValueError, match=r"'odd' measured .*'y1'\] from seed 1, but .*'y0'\] before"):
        sweep(swept.returns, {"odd": {"what": "by seed"}}, [0, 1], n_jobs=1, progress=False)


def test_the_bar_counts_the_runs_that_are_left(monkeypatch, tmp_path, log):
    seen, real = [], sweeps.bar

    def watched(total, **options):
        seen.append((total, options))
        return real(total, **options)

    monkeypatch.setattr(sweeps, "bar", watched)
    sweep(swept.product, settings(log, 1.0), [0, 1], folder=tmp_path / "f", n_jobs=1)
    sweep(swept.product, settings(log, 1.0), [0, 1, 2], folder=tmp_path / "f", n_jobs=1, progress=False)
    assert seen[0] == (2, {"initial": 0, "disable": False, "unit": "run"})
    assert seen[1] == (3, {"initial": 2, "disable": True, "unit": "run"})


# --- What is computed, and how often ----------------------------------------------------------------------------------


def test_nothing_is_computed_twice_and_what_grew_computes_what_is_new(tmp_path, log):
    go = functools.partial(sweep, swept.product, folder=tmp_path / "f", progress=False)
    first = go(settings(log, 1.0), [0, 1])
    assert go(settings(log, 1.0), [0, 1]) == first and runs(log) == {(1.0, 0): 1, (1.0, 1): 1}
    grown = go(settings(log, 1.0, 3.0), [1, 2, 0])
    assert runs(log) == {(x, seed): 1 for x in (1.0, 3.0) for seed in (0, 1, 2)}
    assert grown["results"]["x = 3.0"]["y"] == [7, 8, 6] and grown["results"]["x = 1.0"]["y"] == [3, 4, 2]
    assert go(settings(log, 3.0), [2])["results"]["x = 3.0"]["y"] == [8] and len(runs(log)) == 6
    go({"by another name": settings(log, 3.0)["x = 3.0"], **settings(log, 1.0)}, [0])
    assert max(runs(log).values()) == 1
    names = sorted(p.name for p in (tmp_path / "f").iterdir())
    assert len(names) == 7 and names[-1] == "sweep.json" and all(len(name) == 69 for name in names[:-1])


def test_a_changed_setting_is_said_and_computed_and_the_old_run_is_left(tmp_path, log):
    go = functools.partial(sweep, swept.product, seeds=[0], folder=tmp_path / "f", n_jobs=1, progress=False)
    go({"a": {"x": 1.0, "log": str(log)}, "b": {"x": 2.0, "log": str(log)}})
    with pytest.warns(UserWarning, match="^the setting 'a' changed since runs were kept in .*computed anew"):
        go({"a": {"x": 5.0, "log": str(log)}, "b": {"x": 2.0, "log": str(log)}})
    assert runs(log) == {(1.0, 0): 1, (2.0, 0): 1, (5.0, 0): 1}
    assert len(list((tmp_path / "f").glob("*.json"))) == 4


CODE = """
    import pathlib
    LIMIT = 3  # a number
    MORE = range(3)
    def helper(x):
        return x + LIMIT + len(MORE)
    def run(seed, log):
        (pathlib.Path(log) / f"1 {seed} {len(list(pathlib.Path(log).iterdir()))}").touch()
        return {"y": helper(seed)}
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("LIMIT = 3", "LIMIT = 4"), True),
        (("range(3)", "range(4)"), True),
        (("x + LIMIT", "x - LIMIT"), True),
        (('"y": helper', '"z": helper'), True),
        (("# a number", "# another comment"), False),
        (("import pathlib", "import pathlib\n    UNUSED = 5"), False),
        (
            ("import pathlib", "import pathlib\n    def touch():  # the name of a method that is called\n        1"),
            False,
        ),
    ],
)
def test_changed_code_is_said_and_computed(tmp_path, log, monkeypatch, change, said):
    monkeypatch.syspath_prepend(str(tmp_path))
    for i, text in enumerate((CODE, CODE.replace(*change))):
        sys.modules.pop("changing", None)
        (tmp_path / "changing.py").write_text(textwrap.dedent(text))
        os.utime(tmp_path / "changing.py", (i, i))
        changing = __import__("changing")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sweep(changing.run, {"a": {"log": str(log)}}, [0], folder=tmp_path / "f", n_jobs=1, progress=False)
    assert runs(log) == {(1.0, 0): 1 + said}
    assert [str(w.message).startswith("changing.run, or what it uses or is bound to, changed") for w in caught] == (
        [True] * said
    )


def test_another_version_of_the_package_is_said_and_computed(tmp_path, log, monkeypatch):
    go = functools.partial(sweep, swept.product, settings(log, 1.0), [0], folder=tmp_path / "f", n_jobs=1)
    go(progress=False)
    monkeypatch.setattr(mg, "__version__", "99.0")
    with pytest.warns(UserWarning, match=r"the version of the package, from .* to 99.0\+.*, changed"):
        go(progress=False)
    assert runs(log) == {(1.0, 0): 2}


@pytest.mark.parametrize(
    ("change", "another"),
    [
        (("x + 1", "x - 1"), True), (("adds", "sums"), False), (("  # so", "  # or so"), False),
        (("plotting", "other"), True), (("x * 2", "x * 3"), False),
    ],
)  # fmt: skip
def test_in_a_working_copy_the_packages_code_is_part_of_its_version(tmp_path, change, another):
    files = {
        "a.py": 'def f(x):\n    "adds"\n    return x + 1  # so\n',
        "plotting/a.py": "def g(x):\n    return x * 2\n",
    }
    versions = []
    for folder, how in (("before", ("", "")), ("after", change)):
        for name, text in files.items():
            path = tmp_path / folder / name.replace(*how)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(*how))
        versions.append(descriptions._digest_of_package(tmp_path / folder))
    assert (versions[0] != versions[1]) == another


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"result": {"y": 7}}', '{"result": {"y": 7}, "description": {}}'])
def test_a_file_that_is_not_what_was_written_does_not_count(tmp_path, log, damage):
    go = functools.partial(sweep, swept.product, settings(log, 1.0), folder=tmp_path / "f", n_jobs=1, progress=False)
    go([0])
    (path,) = [path for path in (tmp_path / "f").glob("*.json") if path.name != "sweep.json"]
    path.write_text(damage)
    assert go([0])["results"]["x = 1.0"]["y"] == [2.0] and runs(log) == {(1.0, 0): 2}


def test_a_run_that_fails_is_kept_apart_and_tried_again(tmp_path, log):
    (log / "broken").touch()
    go = functools.partial(sweep, swept.unless_there, settings(log, 1.0), range(4), folder=tmp_path / "f")
    with pytest.raises(RunsFailed) as error:
        go(progress=False)
    assert str(error.value) == (
        f"2 of 4 runs failed, 'x = 1.0' from seed 1 and 1 more; the others are kept in {tmp_path / 'f'}; call again to "
        "try these anew. The first failed with ArithmeticError: there is no 1.0"
    )
    assert list(error.value.failures) == [("x = 1.0", 1), ("x = 1.0", 3)]
    assert all("in unless_there" in text for text in error.value.failures.values())
    np.testing.assert_equal(error.value.record["results"]["x = 1.0"]["y"], [2, math.nan, 4, math.nan])
    failed = [json.loads(path.read_text()) for path in (tmp_path / "f").glob("*.failed.json")]
    assert sorted(each["description"]["seed"] for each in failed) == [1, 3]
    (log / "broken").unlink()
    assert go(progress=False)["results"]["x = 1.0"]["y"] == [2, 3, 4, 5]
    assert runs(log) == {(1.0, seed): 1 for seed in range(4)} and not list((tmp_path / "f").glob("*.failed.json"))


@pytest.mark.skipif(CORES == 1, reason="with one core runs are in this process")
def test_a_run_that_takes_its_process_with_it_is_kept_apart():
    with pytest.raises(
        RunsFailed, match=r"1 of 4 runs failed, 'a' from seed 2; .* the run was lost, as where its process dies"
    ) as error:
        sweep(swept.dies, {"a": {"x": 2}}, range(4), n_jobs=2, progress=False)
    np.testing.assert_equal(error.value.record["results"]["a"]["y"], [0, 1, math.nan, 3])


@pytest.mark.parametrize(("jobs", "kills"), [(1, 10), (2, 1)])
def test_a_sweep_that_is_killed_computes_nothing_again_that_was_finished(tmp_path, jobs, kills):
    if jobs > CORES:
        pytest.skip("with one core runs are in one process")
    script = pathlib.Path(swept.__file__)
    ran = subprocess.run(
        [sys.executable, script, tmp_path, str(jobs), str(kills)], capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout.split()[-1]) == kills
    finished = {}
    for path in (tmp_path / "kept").glob("*.json"):
        if path.name != "sweep.json":
            kept = json.loads(path.read_text())
            finished[kept["description"]["seed"]] = path.stat().st_mtime_ns
            assert kept["result"]["y"] == 2.0 + kept["description"]["seed"]
    assert sorted(finished) == list(range(60))
    for path in (tmp_path / "log").iterdir():
        _, seed, began = path.name.split()
        assert int(began) < finished[int(seed)], f"the run of seed {seed} was finished, and was begun again"
    assert {p.suffix for p in (tmp_path / "kept").iterdir()} == {".json"}  # no remains of a writer that was killed


# --- Where it is computed ---------------------------------------------------------------------------------------------


@pytest.mark.skipif(CORES == 1, reason="with one core runs are in this process")
def test_runs_share_the_cores():
    found = sweep(swept.threads, {"a": {}}, range(4), n_jobs=2, progress=False)["results"]["a"]
    assert set(found["intra"]) == set(found["inter"]) == set(found["openmp"]) == {CORES // 2}
    assert os.getpid() not in found["pid"]


def test_the_backend_and_the_number_of_jobs_are_those_that_joblib_was_given():
    with joblib.parallel_config(backend="threading", n_jobs=1):
        assert jobs.count(None) == 1
    with joblib.parallel_config(backend="threading"):
        record = sweep(swept.product, XS, [0, 1], progress=False)
    assert {pid for found in record["results"].values() for pid in found["pid"]} == {os.getpid()}
    assert jobs.count(None) == CORES


def test_a_backend_that_gives_no_run_before_all_are_done_gets_a_few_at_a_time(monkeypatch, tmp_path, log):
    from joblib.parallel import BACKENDS

    monkeypatch.setattr(BACKENDS["threading"], "supports_return_generator", False)
    with joblib.parallel_config(backend="threading"), pytest.raises(RunsFailed, match="1 of 2 runs failed"):
        named = {"a": {"x": 1.0, "log": str(log)}, "b": {"x": 2.0, "log": str(log / "nowhere")}}
        sweep(swept.product, {"a": named["a"]}, range(4), folder=tmp_path / "f", progress=False)
        assert runs(log) == {(1.0, seed): 1 for seed in range(4)} and len(list((tmp_path / "f").glob("*.json"))) == 5
        sweep(swept.product, named, [0], folder=tmp_path / "f", progress=False)


def test_a_run_has_the_threads_that_its_process_was_told(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    found = sweep(swept.threads, {"a": {}}, range(2), n_jobs=min(2, CORES), progress=False)["results"]["a"]
    assert CORES == 1 or set(found["intra"]) == set(found["inter"]) == set(found["openmp"]) == {3}


class GivesUp(joblib.parallel.BACKENDS["threading"]):
    """As joblib's backend for Dask: no callback hears of a task that is given up, and ``n_jobs`` counts for nothing."""

    def effective_n_jobs(self, n_jobs):
        return 2

    def submit(self, calls, callback=None):
        task = concurrent.futures.Future()
        if calls.items[0][1][3] == 1:  # the seed
            task.set_exception(ConnectionError("its four processes died"))
        else:
            super().submit(calls, lambda result: (task.set_result(result), callback(result)))
        return task


def test_a_run_that_its_backend_gives_up_is_lost_alone(monkeypatch):
    monkeypatch.setitem(joblib.parallel.BACKENDS, "gives up", GivesUp)
    with joblib.parallel_config(backend="gives up"):
        with pytest.raises(
            RunsFailed, match=r"1 of 5 runs failed, 'a' from seed 1; .* was lost, .*\(ConnectionError\)"
        ) as error:
            sweep(swept.anything, {"a": {}}, range(5), progress=False)
        with pytest.raises(
            ValueError, match=r"GivesUp of joblib takes 2 runs at a time, as many as .*, not n_jobs=1: leave"
        ):
            sweep(swept.anything, {"a": {}}, range(5), n_jobs=1)
    np.testing.assert_equal(error.value.record["results"]["a"]["y"], [0, math.nan, 2, 3, 4])
    assert error.value.failures["a", 1].endswith("ConnectionError: its four processes died")


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0, -1, 1.0, True, "2", 10_000])
def test_jobs_that_there_are_not_are_refused(bad):
    with pytest.raises(ValueError, match=rf"n_jobs must be a whole number from 1 to {CORES}, .*, not {bad!r}"):
        sweep(swept.product, XS, [0], n_jobs=bad)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({}, "settings must be a dict of at least one, such as .*, not {}"),
        ([{"x": 1}], "settings must be a dict of at least one"),
        ({"a": [1]}, r"a setting is a name and a dict of arguments, not 'a': \[1\]"),
        ({1: {"x": 1}}, "a setting is a name and a dict of arguments, not 1"),
        ({"a": {"x": {1, 2}}}, r"'x' of the setting 'a' is \{1, 2\} \(set\), which is not part of a description"),
        ({"a": {"x": np.float32(1)}}, r"'x' of the setting 'a' is .*\(float32\)"),
        ({"a": {"x": np.zeros(2)}}, r"'x' of the setting 'a' is array\(.*\(ndarray\)"),
        ({"a": {"x": math.nan}}, r"'x' of the setting 'a' is nan \(float\)"),
        ({"a": {"x": {1: 2}}}, r"'x' of the setting 'a' is \{1: 2\} \(dict\)"),
        ({"a": {"x": swept.LOCK}}, r"'x' of the setting 'a' is <unlocked .*\(lock\)"),
        ({"a": {"x": lambda: 0}}, "'x' of the setting 'a' is .*<lambda>, a lambda or a closure: write a function"),
        ({"a": {"x": swept.closing_over(1)}}, "'x' of the setting 'a' is .*closure, a lambda or a closure"),
        ({"a": {"x": functools.partial(swept.scaled, swept.LOCK)}}, "an argument of swept.scaled is <unlocked"),
        ({"a": {"y": 1}}, "swept.product cannot be called with a seed and the setting 'a': missing .* 'x'"),
        ({"a": {"x": 1, "seed": 2}}, "cannot be called with a seed and the setting 'a': .*multiple values"),
    ],
)
def test_settings_that_are_none_are_refused_in_a_sentence(tmp_path, named, message):
    with pytest.raises(ValueError, match=message) as error:
        sweep(swept.product, named, [0], folder=tmp_path / "f")
    assert "\n" not in str(error.value) and not (tmp_path / "f").exists()


@pytest.mark.parametrize("bad", [[], [0, 0], [-1], [0.5], ["a"], [True]])
def test_seeds_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match=r"seeds must be different whole numbers|a seed must be a whole number"):
        sweep(swept.product, XS, bad)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (
            swept.closing_over(2),
            "the function of a sweep is swept.closing_over.<locals>.closure, a lambda or a closure",
        ),
        (lambda seed: {"y": 1}, "the function of a sweep is .*<lambda>, a lambda or a closure"),
        ("product", "a sweep calls a function, not 'product'"),
        (functools.partial(swept.apply, function=swept.LOCK), "'function' of swept.apply is <unlocked"),
        ([].append, "the function of a sweep is <built-in method append"),
    ],
)
def test_functions_that_cannot_be_described_are_refused(run, message):
    with pytest.raises(ValueError, match=message):
        sweep(run, {"a": {"x": 1} if isinstance(run, functools.partial) else {}}, [0])


def test_a_function_that_cannot_be_sent_is_refused(monkeypatch):
    monkeypatch.setattr(swept.locking, "__module__", "__main__")  # so that it is sent by value, with the lock
    monkeypatch.setattr(sys.modules["__main__"], "locking", swept.locking, raising=False)
    with pytest.raises(ValueError, match=r"__main__.locking cannot be sent to another process \(TypeError: .*lock"):
        sweep(swept.locking, {"a": {}}, [0])


def test_a_folder_belongs_to_one_sweep(tmp_path, log):
    go = functools.partial(sweep, folder=tmp_path / "f", n_jobs=1, progress=False)
    go(swept.product, settings(log, 1.0), [0])
    before = {path: path.read_bytes() for path in (tmp_path / "f").iterdir()}
    with pytest.raises(ValueError, match=r"holds another sweep, of swept.product with the settings 'x = 1.0', not of "
                                         r"swept.trained with 'slow'; name another folder"):  # fmt: skip
        go(swept.trained, {"slow": {"lr": 0.1}}, [0])
    with pytest.raises(ValueError, match=r"holds another sweep, of swept.product"):
        go(swept.product, settings(log, 2.0), [0])
    with checkpoints.locked(tmp_path / "f"), pytest.raises(ValueError, match=r"another run is using .* right now"):
        go(swept.product, settings(log, 1.0), [0])
    assert {path: path.read_bytes() for path in (tmp_path / "f").iterdir()} == before and len(runs(log)) == 1
    (tmp_path / "f" / "sweep.json").write_text("{}")
    with pytest.raises(ValueError, match=r"sweep.json is not the plan of a sweep; delete it"):
        go(swept.product, settings(log, 1.0), [0])
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file cannot be written"):
        sweep(swept.product, XS, [0], folder=tmp_path / "file", n_jobs=1)


# --- Descriptions -----------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
SETTING = st.dictionaries(st.text(max_size=3), VALUES, max_size=4)


def digest(setting, seed=0):
    return descriptions.digest(descriptions.plan(swept.anything, {"a": setting}), "a", seed)


@given(SETTING, st.randoms())
def test_the_order_of_arguments_does_not_matter(setting, random):
    shuffled = list(setting.items())
    random.shuffle(shuffled)
    assert digest(dict(shuffled)) == digest(setting)


@given(SETTING, SETTING, st.integers(0, 3), st.integers(0, 3))
def test_everything_else_does(first, second, seed, other):
    same = json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True) and seed == other
    assert (digest(first, seed) == digest(second, other)) == same


def test_functions_are_described_by_what_they_are_bound_to():
    halved, doubled = (functools.partial(swept.scaled, x) for x in (0.5, 2.0))
    assert digest({"f": halved}) == digest({"f": functools.partial(swept.scaled, 0.5)}) != digest({"f": doubled})
    assert digest({"f": swept.scaled}) != digest({"f": swept.apply})
    record = sweep(swept.apply, {"root": {"function": math.sqrt, "x": 9}}, [0], n_jobs=1, progress=False)
    assert record["results"]["root"]["y"] == [3.0]
    assert record["settings"] == {"root": {"function": {"function": "math.sqrt"}, "x": 9}}
