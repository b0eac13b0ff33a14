"""The audit reads verdicts where they stand, and plays a notebook with other draws."""

import pytest
from made_up import code, printed, saved, tidy

from metagan_edu.studies import audit

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
