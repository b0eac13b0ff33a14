"""The audit reads verdicts where they stand, and plays a notebook with other draws."""

import pytest
from made_up import code, printed, saved, tidy

from metagan_edu.studies import audit, load, mutations

LIVE = """import numpy as np, metagan_edu as mg
x = float(np.random.default_rng(0).random()), float(mg.seeds.uniform([], 0))
mg.claim("the draws are those of seed 0", {draws})
mg.claim("a draw is below 1", max(x) < 1)
mg.claim("a draw is above 1", max(x) > 1, expected=False)"""


def test_verdicts_are_read_from_the_cell_that_printed_them():
    notebook = tidy(code("a", printed("3\nholds: A\n"), printed("does not hold: B: b\n")), code("b", printed("c")))
    first, second = (cell.id for cell in notebook.cells[1:])
    assert audit.said(notebook) == {first: [("A", 1), ("B: b", 0)], second: []}


def test_a_notebook_is_played_with_other_draws_to_its_end(tmp_path, monkeypatch):
    """A claim on one draw fails with another, without stopping the notebook; where that breaks off nothing holds."""
    import numpy as np

    import metagan_edu as mg

    draws = f"x == {(float(np.random.default_rng(0).random()), float(mg.seeds.uniform([], 0)))}"
    said = "holds: the draws are those of seed 0\nholds: a draw is below 1\ndoes not hold: a draw is above 1\n"
    notebook = tidy(
        code(LIVE.format(draws=draws), printed(said)), code("1 / 0\nmg.claim('last', True)", printed("holds: last\n"))
    )
    path = saved(tmp_path / "notebooks" / "00_made_up.ipynb", *notebook.cells)
    monkeypatch.setattr(audit.place, "find", lambda: tmp_path)
    digest = audit.code(audit.notebooks.read(path))
    assert audit.run(3, "00_made_up", digest) == {
        "the draws are those of seed 0": 0, "a draw is below 1": 1, "a draw is above 1": 1, "last": 0,
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"00_made_up.ipynb has changed while it was audited"):
        audit.run(3, "00_made_up", "another")


CLAIMS = """import numpy as np, metagan_edu as mg
game, record = mg.games.bilinear(), mg.studies.load("ring_lookahead")
first, second = (record["results"][name]["modes20"] for name in list(record["results"])[:2])
sgd, at = mg.optimizers.sgd(0.1), game.init(0)
moved = mg.train(game, mg.rules.alternating(sgd, sgd), mg.games.no_data, num_steps=1, seed=0, progress=False)
gap = mg.trees.norm(mg.trees.sub([p.params for p in moved.players], [p.params for p in at]))
away = float(mg.trees.leaves(moved.players.gen.params)[0][0]) - float(mg.trees.leaves(at.gen.params)[0][0])
mg.claim("the record", np.mean(first) < np.mean(second))
mg.claim("play", gap > 0)
mg.claim("its direction", away < 0)
mg.claim("mathematics", 1 + 1 == 2)"""


@pytest.mark.parametrize(
    ("mutation", "left"),
    [
        ("records mixed up, players that stand still", ["mathematics"]),
        ("gradients of the wrong sign", ["the record", "play", "mathematics"]),
    ],
)
def test_a_mutation_makes_false_what_it_is_about(tmp_path, monkeypatch, mutation, left):
    said = "".join(f"holds: {claim}\n" for claim in ("the record", "play", "its direction", "mathematics"))
    path = saved(tmp_path / "notebooks" / "00_made_up.ipynb", *tidy(code(CLAIMS, printed(said))).cells)
    monkeypatch.setattr(audit.place, "find", lambda: tmp_path)
    found = mutations.run(0, "00_made_up", audit.code(audit.notebooks.read(path)), mutations.MUTATIONS[mutation], [])
    assert [claim for claim, held in found.items() if held] == left


SUMS = """import metagan_edu as mg
half = 1 / 2
mg.claim("a half is below one", half < 1)
mg.claim("one is above a half", 1 > half)
mg.claim("the last", half == 0.5)"""


def test_lines_of_a_notebook_made_false_are_seen_to_fail_where_the_run_comes_so_far(tmp_path, monkeypatch):
    said = "".join(f"holds: {claim}\n" for claim in ("a half is below one", "one is above a half", "the last"))
    path = saved(tmp_path / "notebooks" / "00_made_up.ipynb", *tidy(code(SUMS, printed(said))).cells)
    monkeypatch.setattr(audit.place, "find", lambda: tmp_path)
    digest = audit.code(audit.notebooks.read(path))
    false = mutations.run(0, "00_made_up", digest, "", [["half = 1 / 2", "half = 2"]])
    assert false == {"a half is below one": 0, "one is above a half": 0, "the last": 0}
    broken = mutations.run(0, "00_made_up", digest, "", [["half = 1 / 2", "half = 2"], ["1 > half", "1 / 0 > half"]])
    assert broken == {"a half is below one": 0, "one is above a half": 1, "the last": 1}
    for old, times in (("half", 6), ("third", 0)):
        with pytest.raises(ValueError, match=f"00_made_up.ipynb: '{old}' is to be replaced, but stands there {times}"):
            mutations.run(0, "00_made_up", digest, "", [[old, "x"]])


def test_claims_that_no_mutation_makes_false_are_named():
    results = {f"00: {mutation}": {"a": [1], "b": [int(i > 0)]} for i, mutation in enumerate("xyz")}
    assert mutations.never(results) == [("00", "a")]


def test_in_the_record_every_claim_holds_on_nine_of_ten_other_seeds():
    for name, claims in load("audit")["results"].items():
        assert claims and all(len(held) == 10 and sum(held) >= 9 for held in claims.values()), name


def test_in_the_record_every_claim_fails_under_a_mutation_or_has_a_reason_why_it_cannot():
    record, falsehoods = load("mutations"), mutations.falsehoods()
    reasons = {(name, claim) for name, own in falsehoods.items() for claim in own["reasons"]}
    assert set(mutations.never(record["results"])) == reasons
    for name in {name.partition(": ")[0] for name in record["results"]}:
        for mutation, _, lines in mutations.mutations(name):
            assert record["settings"][f"{name}: {mutation}"]["lines"] == lines


def test_the_records_are_of_the_claims_that_the_notebooks_make_now():
    for path in audit.notebooks.find(audit.place.find() / "notebooks"):
        now = {claim for claims in audit.said(audit.notebooks.read(path)).values() for claim, _ in claims}
        assert set(load("audit")["results"][path.stem]) == now
        assert set(load("mutations")["results"][f"{path.stem}: {next(iter(mutations.MUTATIONS))}"]) == now
