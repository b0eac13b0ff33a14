"""Comparisons at equal cost, records, claims, predictions."""

import functools
import json
import math
import resource
import signal

import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import experiments, studies

GAME = mg.games.dirac()
SLOW, FAST, WILD = (mg.optimizers.sgd(lr) for lr in (0.05, 0.2, 1e38))
NO_DATA = mg.games.no_data


def distance(game, players, seed):
    """How far from the equilibrium, and a draw from the seed."""
    return {
        "distance": abs(float(players.gen.params)) + abs(float(players.disc.params)),
        "draw": tf.random.stateless_uniform([], seed),
    }


def compare(contenders=None, *, num_steps=5, seeds=(0, 1), **options):
    contenders = contenders or {"slow": (GAME, mg.rules.simultaneous(SLOW, SLOW))}
    budget = experiments.steps(num_steps)
    return experiments.compare(contenders, NO_DATA, budget=budget, seeds=seeds, measure=distance, **options)


# --- Claims, predictions, profiles ------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", [True, False, np.bool_(True), np.bool_(False), tf.constant(True)])
@pytest.mark.parametrize("expected", [True, False])
def test_a_claim_prints_its_verdict_and_raises_unless_it_is_expected(capsys, verdict, expected):
    line = f"{'holds' if verdict else 'does not hold'}: water is wet"
    if bool(verdict) == expected:
        mg.claim("water is wet", verdict, expected)
    else:
        with pytest.raises(AssertionError, match=line):
            mg.claim("water is wet", verdict, expected)
    assert capsys.readouterr().out == f"{line}\n"


def test_a_comparison_with_nan_does_not_hold(capsys):
    mg.claim("the loss is small", np.float32("nan") < 1, expected=False)
    assert capsys.readouterr().out.startswith("does not hold")


def test_the_profile_is_the_laptop_unless_named(monkeypatch):
    monkeypatch.delenv("METAGAN_PROFILE", raising=False)
    assert mg.profile() == "laptop"
    monkeypatch.setenv("METAGAN_PROFILE", "gpu")
    assert mg.profile() == "gpu"
    monkeypatch.setenv("METAGAN_PROFILE", "cluster")
    with pytest.raises(ValueError, match="METAGAN_PROFILE is 'cluster'; it must be 'laptop' or 'gpu'"):
        mg.profile()


# --- Budgets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "num_steps"),
    [
        (mg.rules.simultaneous(SLOW, SLOW), 30),  # 1 + 1 gradients a step
        (mg.rules.alternating(SLOW, SLOW, disc_steps=3), 15),  # 1 + 3
        (mg.rules.unrolled(SLOW, SLOW, num_unroll=5), 3),  # 1 + 5 + 2 · 5, and 12 gradients are left over
        (mg.rules.averaged(mg.rules.simultaneous(WILD, WILD)), 30),  # costs as much if it diverges
    ],
)
def test_gradients_buy_as_many_steps_as_they_pay_for(rule, num_steps):
    assert experiments.gradient_evaluations(60)(GAME, rule, NO_DATA) == num_steps


def test_seconds_buy_steps_in_proportion():
    rule = mg.rules.simultaneous(SLOW, SLOW)
    counts = [experiments.seconds(total)(GAME, rule, NO_DATA) for total in (1e-9, 0.5, 50.0)]
    assert counts[0] == 1 < counts[1] < counts[2]
    assert experiments.seconds(0.1)(GAME, mg.rules.simultaneous(WILD, WILD), NO_DATA) >= 1


@pytest.mark.parametrize("bad", [0, -1, math.nan])
def test_budgets_that_pay_for_nothing_are_refused(bad):
    rule = mg.rules.simultaneous(SLOW, SLOW)
    with pytest.raises(ValueError, match=f"budget of {bad} gradients does not pay for one step, which takes 2"):
        experiments.gradient_evaluations(bad)(GAME, rule, NO_DATA)
    with pytest.raises(ValueError, match=f"a budget of time, in seconds, must be a finite number above 0, not {bad}"):
        experiments.seconds(bad)
    if bad == bad:
        with pytest.raises(ValueError, match="num_steps must be"):
            compare(num_steps=bad)


# --- Comparisons and records ------------------------------------------------------------------------------------------


def test_a_comparison_is_what_training_gives():
    rules = {"slow": mg.rules.simultaneous(SLOW, SLOW), "fast": mg.rules.simultaneous(FAST, FAST)}
    record = compare({name: (GAME, rule) for name, rule in rules.items()}, config={"lr": [0.05, 0.2]}, name="dirac",
                     command="make records ONLY=dirac")  # fmt: skip
    assert list(record) == [
        "name", "command", "config", "seeds", "num_steps", "seconds", "peak_memory_gb", "gradients", "examples",
        "products", "results", "versions", "machine", "created",
    ]  # fmt: skip
    assert record["gradients"] == {"slow": [10, 10], "fast": [10, 10]}
    assert record["products"] == record["examples"] == {"slow": [0, 0], "fast": [0, 0]}
    assert all(0.1 < held < 100 for helds in record["peak_memory_gb"].values() for held in helds)
    assert (record["name"], record["command"]) == ("dirac", "make records ONLY=dirac")
    assert record["config"] == {"lr": [0.05, 0.2]} and record["seeds"] == [0, 1]
    assert record["num_steps"] == {"slow": 5, "fast": 5}
    assert record["versions"]["tensorflow"] == tf.__version__
    assert all(len(times) == 2 and min(times) >= 0 for times in record["seconds"].values())
    for name, rule in rules.items():
        found = record["results"][name]
        assert found["diverged"] == [0, 0]
        for i, seed in enumerate(record["seeds"]):
            result = mg.train(GAME, rule, NO_DATA, num_steps=5, seed=seed, progress=False)
            expected = distance(GAME, result.players, mg.seeds.fold_in(seed, "measure"))
            assert found["distance"][i] == expected["distance"] and found["draw"][i] == float(expected["draw"])
    assert record["results"]["slow"]["draw"][0] != record["results"]["slow"]["draw"][1]
    assert record["results"]["slow"]["draw"] == record["results"]["fast"]["draw"]  # measured with the same noise


def test_a_comparison_can_be_repeated():
    assert compare()["results"] == compare()["results"]


def test_a_contender_that_diverges_is_counted_and_the_others_go_on():
    wild = mg.rules.simultaneous(WILD, WILD)
    record = compare({"wild": (GAME, wild), "slow": (GAME, mg.rules.simultaneous(SLOW, SLOW))})
    assert record["results"]["wild"]["diverged"] == [1, 1] and record["results"]["slow"]["diverged"] == [0, 0]
    assert np.isfinite(record["results"]["wild"]["distance"]).all()
    assert experiments.table(record).head[-1] == "diverged"
    assert [row[-1] for row in experiments.table(record).rows] == ["2 of 2", "0 of 2"]


def test_nothing_to_compare_is_refused():
    with pytest.raises(ValueError, match="needs contenders and seeds, not 1 and 0"):
        compare(seeds=[])
    with pytest.raises(ValueError, match="not 0 and 1"):
        experiments.compare({}, NO_DATA, budget=experiments.steps(1), seeds=[0], measure=distance)


def test_a_record_comes_back_from_its_file_as_it_was(tmp_path):
    record = compare(config={"θ": [1, 2.5], "text": "naïve"})
    path = tmp_path / "new" / "dirac.json"
    experiments.save_record(path, record)
    assert experiments.load_record(path) == record
    experiments.save_record(path, {**record, "name": "second"})
    assert experiments.load_record(path)["name"] == "second"
    assert [p.name for p in path.parent.iterdir()] == ["dirac.json"]


@pytest.mark.parametrize("bad", [math.nan, math.inf, np.float32("nan")])
def test_a_number_that_is_not_finite_is_null_in_the_file_and_nan_again_and_counted_in_the_table(tmp_path, bad):
    record = {
        "num_steps": dict.fromkeys(("plain", "none", "one"), 10),
        "seconds": dict.fromkeys(("plain", "none", "one"), [1.0] * 3),
        "config": {"limit": None, "bound": bad},
        "results": {"plain": {"kl": [0.5, bad, 0.7]}, "none": {"kl": [bad] * 3}, "one": {"kl": [bad, 0.25, bad]}},
    }  # fmt: skip
    experiments.save_record(tmp_path / "a.json", record)
    text = json.loads((tmp_path / "a.json").read_text(), parse_constant=pytest.fail)
    assert text["results"]["plain"]["kl"] == [0.5, None, 0.7] and text["config"] == {"limit": None, "bound": None}
    found = experiments.load_record(tmp_path / "a.json")
    np.testing.assert_array_equal(found["results"]["plain"]["kl"], [0.5, math.nan, 0.7])
    assert found["config"] == {"limit": None, "bound": None}  # only results are numbers for certain
    for either in (record, found):
        cells = [row[2] for row in experiments.table(either).rows]
        assert cells == ["0.6 (0.5, 0.7) (1 of 3 not finite)", "– (3 of 3 not finite)", "0.25 (2 of 3 not finite)"]


@pytest.mark.parametrize("change", [("0.5", "0.4"), ('"sha256"', '"sha"'), ('"slow"', '"fast"')])
def test_a_record_that_was_changed_by_hand_is_refused(tmp_path, change):
    experiments.save_record(tmp_path / "a.json", {"results": {"slow": {"kl": [0.5]}}})
    text = (tmp_path / "a.json").read_text()
    assert change[0] in text
    (tmp_path / "a.json").write_text(text.replace(*change))
    with pytest.raises(ValueError, match=r"a.json is not as it was written: .* `make records ONLY=a` makes it anew"):
        experiments.load_record(tmp_path / "a.json")


def test_a_record_of_one_seed_has_no_interval(tmp_path):
    record = compare(seeds=(3,))
    experiments.save_record(tmp_path / "one.json", record)
    value = record["results"]["slow"]["distance"][0]
    assert experiments.table(record, ["distance"]).rows == (("slow", 5, f"{value:.3g}"),)
    assert experiments.load_record(tmp_path / "one.json") == record


# --- Comparisons that go on after a stop ------------------------------------------------------------------------------


def descent(lr):
    """A contender."""
    adam = mg.optimizers.sgd(lr)
    return GAME, mg.rules.simultaneous(adam, adam), NO_DATA


PAIR = {"slow": functools.partial(descent, 0.05), "fast": functools.partial(descent, 0.2)}
TRAINED = []  # the (number of steps, seed) of the runs of this process
LIMIT = []  # after how many of them this process is killed


class Killed(BaseException):
    """As a process is: no ``except Exception`` catches it."""


@pytest.fixture
def trained(monkeypatch):
    run = experiments._run

    def counted(game, rule, batches, num_steps, seed):
        if LIMIT and len(TRAINED) == LIMIT[0]:
            raise Killed
        TRAINED.append((num_steps, seed))
        return run(game, rule, batches, num_steps, seed)

    monkeypatch.setattr(experiments, "_run", counted)
    yield TRAINED
    TRAINED.clear()
    LIMIT.clear()


def three_by_two(folder, num_steps=5, **options):
    options = {"contenders": PAIR, "seeds": (0, 1, 2), "measure": distance, "n_jobs": 1} | options
    return experiments.compare(budget=experiments.steps(num_steps), folder=folder, **options)


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_a_comparison_that_was_killed_goes_on_with_the_runs_that_are_left(tmp_path, trained, count):
    whole = three_by_two(None)
    assert [seed for _, seed in trained] == [0, 1, 2, 0, 1, 2]
    trained.clear()
    LIMIT.append(count)
    with pytest.raises(Killed):
        three_by_two(tmp_path)
    LIMIT.clear()
    assert len(trained) == count
    record = three_by_two(tmp_path)
    assert [seed for _, seed in trained] == [0, 1, 2, 0, 1, 2]
    assert list(record) == list(whole) and record["results"] == whole["results"]
    assert three_by_two(tmp_path) == record and len(trained) == 6  # there is nothing left to do


def test_a_comparison_computes_what_is_new_and_says_what_changed(tmp_path, trained):
    three_by_two(tmp_path, seeds=(0, 1), contenders={"slow": PAIR["slow"]})
    record = three_by_two(tmp_path)
    assert len(trained) == 6 and list(record["results"]) == ["slow", "fast"]
    with pytest.warns(UserWarning) as said:
        longer = three_by_two(tmp_path, 6)
    budget, runs = (str(warning.message) for warning in said)
    assert "_budgeted, or what it uses or is bound to, changed since runs were kept in" in budget
    assert runs.startswith("the setting 'fast' and the setting 'slow' changed since runs were kept in")
    assert len(trained) == 12 and longer["num_steps"] == {"slow": 6, "fast": 6}


def test_contenders_of_other_processes_are_those_of_this_one():
    here, there = three_by_two(None), three_by_two(None, n_jobs=None)
    assert here["results"] == there["results"] and here["gradients"] == there["gradients"]
    pairs = {name: contender()[:2] for name, contender in PAIR.items()}
    assert three_by_two(None, contenders=pairs, batches=NO_DATA)["results"] == here["results"]


def many(game, players, seed):
    return {"modes": "many"}


def spent(game, players, seed):
    return {"gradients": 1}


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (many, "'slow' from seed 0 and 5 more; .* the metric 'modes' is 'many'; it must be a number"),
        (spent, "the metric 'gradients' has the name of a field of the record; give it another"),
    ],
)
def test_a_measure_that_is_no_number_fails_the_run(measure, message):
    with pytest.raises(experiments.RunsFailed, match=message):
        three_by_two(None, measure=measure)


def test_runs_that_measure_different_things_are_refused():
    by_turns = iter([{"modes": 8}, {"coverage": 8}])
    with pytest.raises(ValueError, match=r"'slow' measured \['coverage', .* from seed 1, but \['diverged', .* before"):
        experiments.compare({"slow": descent(0.1)[:2]}, NO_DATA, budget=experiments.steps(1), seeds=(0, 1),
                            measure=lambda *given: next(by_turns))  # fmt: skip


def test_what_cannot_be_kept_or_sent_is_refused_before_anything_is_trained(tmp_path, trained):
    with pytest.raises(ValueError, match="kept in a folder needs functions that return"):
        three_by_two(tmp_path, contenders={"slow": descent(0.1)[:2]}, batches=NO_DATA)
    with pytest.raises(ValueError, match=r"'contender' of the setting 'slow' is .*<lambda>, a lambda or a closure"):
        three_by_two(tmp_path, contenders={"slow": lambda: descent(0.1)})
    with pytest.raises(ValueError, match=r"'measure' of .*_contest is .*<lambda>, a lambda or a closure"):
        three_by_two(tmp_path, measure=lambda game, players, seed: {})
    with pytest.raises(
        experiments.RunsFailed, match=r"a contender's function returns \(game, rule, batches\), not tuple"
    ):
        three_by_two(None, contenders={"slow": functools.partial(two)})
    assert trained == []


def two():
    return GAME, NO_DATA


def test_a_full_disk_leaves_the_record_before_and_no_remains(tmp_path):
    path = tmp_path / "a.json"
    experiments.save_record(path, {"results": {"old": {}}})
    old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    old_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, old_limit[1]))
        with pytest.raises(OSError):
            experiments.save_record(path, {"results": {"new": {"x": [0.5] * 10_000}}})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old_limit)
        signal.signal(signal.SIGXFSZ, old_handler)
    assert experiments.load_record(path) == {"results": {"old": {}}}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a record: Expecting value"),
        (b'{"results": {', "is not a record"),
        (b"\xff\xfe", "is not a record"),
        (b"[1, 2]", "no field 'results'"),
        (b'{"name": "x"}', "no field 'results'"),
    ],
)
def test_a_file_that_is_no_record_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"odd\.json {message}|odd\.json .*{message}"):
        experiments.load_record(path)


def test_a_record_that_is_missing_is_said_how_to_make(tmp_path):
    with pytest.raises(FileNotFoundError, match="`make records ONLY=ring` makes it"):
        experiments.load_record(tmp_path / "ring.json")


def test_records_are_merged_by_contender():
    slow, fast = compare(name="both"), compare({"fast": (GAME, mg.rules.simultaneous(FAST, FAST))}, num_steps=7)
    merged = experiments.merge(slow, fast)
    assert merged["num_steps"] == {"slow": 5, "fast": 7} and merged["name"] == "both"
    assert merged["results"] == slow["results"] | fast["results"]
    assert list(slow["results"]) == ["slow"]  # what was given is as it was
    with pytest.raises(ValueError, match=r"\['slow'\] are in two"):
        experiments.merge(merged, slow)
    with pytest.raises(ValueError, match=r"seeds \[0, 1\] and \[2, 3\]"):
        experiments.merge(slow, compare(seeds=(2, 3)))


def test_a_table_has_a_row_for_each_contender():
    record = {
        "num_steps": {"|plain|": 10, "other": 20},
        "seconds": {"|plain|": [2.0, 3.0], "other": [1.0, 1.0]},
        "results": {
            "|plain|": {"modes": [7, 8], "kl": [0.1, 0.1], "diverged": [0, 0]},
            "other": {"modes": [8, 8], "kl": [0.5, 0.5], "diverged": [0, 0]},
        },
    }
    assert experiments.table(record)._repr_markdown_().splitlines() == [
        "|  | steps | modes | kl |",
        "| --- | --- | --- | --- |",
        r"| \|plain\| | 10 | 7.5 (7, 8) | 0.1 (all 2) |",
        "| other | 20 | 8 (all 2) | 0.5 (all 2) |",
    ]
    table = experiments.table(record, ["kl"])
    assert table.head == ("", "steps", "kl") and table.rows[1] == ("other", 20, "0.5 (all 2)")
    assert experiments.table(record, ["seconds"]).rows[0][2] == "2.5 (2, 3)"


def test_a_table_shows_by_default_what_every_contender_has_and_refuses_another_metric_with_their_names():
    results = {"a": {"field": [1.0], "energy": [2.0]}, "b": {"energy": [3.0]}}
    record = {"results": results, "seconds": {"a": [4.0], "b": [5.0]}}
    assert experiments.table(record) == (("", "energy"), (("a", "2"), ("b", "3")))
    with pytest.raises(ValueError, match="no metric 'field'; it has energy, seconds"):
        experiments.table(record, ["field"])


def test_a_table_is_a_table_in_every_front_end():
    from IPython.core.formatters import DisplayFormatter

    table = mg.Table(("", "$x^2$ & more"), (("<b>|a|</b>", 1.5), ("b", None)))
    shown, _ = DisplayFormatter().format(table)
    assert shown["text/plain"] == str(table)
    assert str(table).splitlines() == [
        "            $x^2$ & more",
        "----------  ------------",
        "<b>|a|</b>  1.5",
        "b           None",
    ]
    assert shown["text/markdown"].splitlines()[2] == r"| <b>\|a\|</b> | 1.5 |"
    assert shown["text/html"].splitlines()[1] == "<thead><tr><th></th><th>$x^2$ &amp; more</th></tr></thead>"
    assert "<tr><td>&lt;b&gt;|a|&lt;/b&gt;</td><td>1.5</td></tr>" in shown["text/html"]


def test_every_committed_record_can_be_read_and_says_how_it_was_made():
    assert len(studies.names()) >= 10
    for name in studies.names():
        record = studies.load(name)
        assert record["command"] == f"make records ONLY={name}" and name in studies.scripts()
        assert {"config", "seeds", "seconds", "results", "versions", "machine", "created"} <= record.keys()
        assert json.dumps(json.loads(studies.path(name).read_text()), allow_nan=False)
        for contender, values in record["results"].items():
            of_parts = record["config"].get("seeds", {})  # a part of a record may have seeds of its own
            seeds = of_parts.get(contender.partition(": ")[0], record["seeds"])
            count = record.get("entries", {"count": len(seeds)})["count"]
            assert all(len(row) == count for row in values.values()), (name, contender)


def test_a_record_made_with_other_settings_than_its_script_has_is_refused(monkeypatch):
    from metagan_edu.studies import few_shot_leak, handwriting

    assert studies.load("few_shot_leak")["constants"]["few_shot_leak.STEPS"] == [10, 25]
    monkeypatch.setattr(few_shot_leak, "COUNT", 12)
    with pytest.raises(ValueError, match=r"'few_shot_leak' was made where few_shot_leak.COUNT was 24, and now it is "
                                         r"12; `make records ONLY=few_shot_leak` makes it anew"):  # fmt: skip
        studies.load("few_shot_leak")
    monkeypatch.undo()
    monkeypatch.setattr(handwriting, "SHOTS", 5)
    with pytest.raises(ValueError, match=r"made where handwriting.SHOTS was 10, and now it is 5"):
        studies.load("few_shot_leak")
    monkeypatch.undo()
    monkeypatch.setattr(few_shot_leak, "MORE", range(3), raising=False)
    with pytest.raises(ValueError, match=r"few_shot_leak.MORE was not there, and now it is \[0, 1, 2\]"):
        studies.load("few_shot_leak")


def test_a_study_that_is_not_there_is_refused_with_the_names_that_are():
    with pytest.raises(ValueError, match=r"there is no record 'few_shots'; there are: .*few_shot, "):
        studies.load("few_shots")
    with pytest.raises(ValueError, match=r"there is no theta 'few_shot'; there are: .*few_shot_Reptile_glyphs"):
        studies.theta("few_shot", None)


def test_a_record_is_made_from_kept_runs_which_go_when_it_is_written(tmp_path, monkeypatch, capsys):
    from metagan_edu.studies import __main__ as records
    from metagan_edu.studies import ring_lookahead

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(records, "FOLDER", tmp_path / "made")
    monkeypatch.setattr(ring_lookahead, "NUM_STEPS", 1)
    monkeypatch.setattr(ring_lookahead, "SEEDS", (5,))
    save = experiments.save_record
    monkeypatch.setattr(experiments, "save_record", lambda path, record: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        records.main(["--jobs", "1", "ring_lookahead"])
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.json") if len(path.stem) == 64}
    assert len(kept) == 6 and not any((tmp_path / "made").iterdir())  # three numbers of steps, three runs

    def last(path, record):
        assert kept == {path: path.stat().st_mtime_ns for path in kept}  # none was computed again
        save(path, record)

    monkeypatch.setattr(experiments, "save_record", last)
    assert records.main(["--jobs", "1", "ring_lookahead"]) == 0
    record = experiments.load_record(tmp_path / "made" / "ring_lookahead.json")
    assert record["num_steps"] == {"plain": 1, "unrolled, K = 5": 1, "plain, at the cost of K = 5": 8}
    assert record["gradients"] == {"plain": [2], "unrolled, K = 5": [16], "plain, at the cost of K = 5": [16]}
    assert record["command"] == "make records ONLY=ring_lookahead" and "ring_lookahead ..." in capsys.readouterr().out
    assert not (tmp_path / "runs" / "records" / "ring_lookahead").exists()
