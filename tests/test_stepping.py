"""The stepper plays what ``mg.train`` plays, and its picture and its sentence say what the model holds."""

import ast
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import metagan_edu as mg
from metagan_edu import stepping, trees
from metagan_edu.games import Players
from metagan_edu.stepping import choices, controls, looks, model, view
from metagan_edu.stepping.choices import TECHNIQUES, chosen
from metagan_edu.stepping.words import sentence

PLAIN = [name for name in TECHNIQUES if name not in choices.LEARNED]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(trees.leaves(one), trees.leaves(other), strict=True))


@pytest.fixture(scope="module")
def ring():
    return stepping.begin(chosen("ring"))


def begun(**other):
    return stepping.begin(chosen("dirac", **other))


# --- What is played ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("technique", PLAIN)
def test_steps_of_both_are_those_of_train_to_the_last_bit(technique):
    start = begun(technique=technique, r1=0.1, k=2)
    own = start.setting
    trained = mg.train(own.game, own.rule, own.batches, num_steps=5, seed=0, progress=False)
    assert same(start.step().step(count=4).now.state, trained.state)


@pytest.mark.parametrize("technique", choices.LEARNED)
def test_what_was_learned_plays_as_train_does(technique):
    start = stepping.begin(chosen("random", technique=technique, seed=3))
    own = start.setting
    trained = mg.train(own.game, own.rule, own.batches, num_steps=3, seed=3, players=own.players, progress=False)
    assert same(start.step(count=3).now.state, trained.state)
    fresh = own.game.init(mg.seeds.fold_in(mg.seeds.make(3), "init"))
    plain = mg.rules.alternating(*[choices.adam(own.choices.gen_lr)] * 2)
    as_plain = mg.train(own.game, plain, own.batches, num_steps=3, seed=3, players=own.players, progress=False)
    assert same(own.players, fresh) == (technique == "learned rates")
    assert same(trained.players, as_plain.players) == (technique == "learned start")


@pytest.mark.parametrize("data", choices.SHAPES)
def test_every_shape_can_be_drawn_from_and_seen(data):
    own = stepping.setting(chosen(data, seed=3))
    assert own.batches(mg.seeds.make(0)).shape == (choices.BATCH, 2)
    assert own.batches == stepping.setting(chosen(data, seed=3)).batches  # by value, so that it compiles once
    assert np.abs(own.mixture.centers).max() < looks.LIMIT


@pytest.mark.parametrize("technique", PLAIN)
def test_a_player_that_is_held_stays_and_the_other_takes_its_part(technique):
    start = begun(technique=technique, k=2)
    for who, other in (("disc", "gen"), ("gen", "disc")):
        moved = start.step(who).now.state.players
        assert same(getattr(moved, other), getattr(start.now.state.players, other))
        assert not same(getattr(moved, who), getattr(start.now.state.players, who))
    both = start.step().now.state
    if TECHNIQUES[technique].in_turns:
        assert same(start.step("disc").step("gen").now.state, both)
    else:
        assert same(start.step("disc").now.state.players.disc, both.players.disc)
        assert same(start.step("gen").now.state.players.gen, both.players.gen)


def test_a_held_player_keeps_its_slots_too(ring):
    moved = ring.step("disc").now.state
    assert same(moved.slots.gen, ring.now.state.slots.gen) and not same(moved.slots.disc, ring.now.state.slots.disc)
    assert ring.step("disc", count=3).now.step == 3


def test_all_that_is_a_players_own_is_put_back_however_deep():
    before, after = ({"pair": 0}, (Players(0, 1), 2)), ({"pair": 3}, (Players(4, 5), 6))
    state = (
        mg.rules.State(Players(0, 1), Players((0, 0), (1, 1))),
        mg.rules.State(Players(2, 3), Players((2, 2), (3, 3))),
    )
    assert model.held(*state, "gen") == mg.rules.State(Players(0, 3), Players((0, 0), (3, 3)))
    assert model.held(before[1][0], after[1][0], "disc") == Players(4, 1)


def test_back_restores_what_was_before():
    start = begun()
    one = start.step()
    assert one.step("gen").back() == one and one.back() == start and start.back() is start
    assert one.reset().now.step == 0 and same(one.reset().now.state, start.now.state)


def test_only_the_last_moments_are_kept(monkeypatch):
    monkeypatch.setattr(model, "KEPT", 2)
    now = begun().step().step().step()
    assert [moment.step for moment in now.past] == [1, 2] and [row[0] for row in now.curves] == [0, 1, 2, 3]
    assert sentence(now.back().back()).startswith("Step 1, the first that is kept: ")


def test_a_step_that_is_not_finite_is_not_taken():
    start = stepping.begin(chosen("bilinear", technique="simultaneous", gen_lr=1e30, disc_lr=1e30))
    one = start.step()
    stuck = one.step()
    assert one.now.sound and not stuck.now.sound
    assert stuck.now.step == 1 and same(stuck.now.state, one.now.state) and stuck.curves == one.curves
    assert "not finite" not in sentence(one) and sentence(stuck).startswith("After step 1 a number is no longer finite")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"data": "rings"}, "data must be one of 'dirac'.*'rings'"),
        ({"speed": 3}, "a choice of the stepper must be one of 'data'.*'speed'"),
        ({"technique": "magic"}, "technique must be one of 'alternating'.*'magic'"),
        ({"loss": "x y"}, "loss must be one of 'minimax'"),
        ({"data": ["ring"]}, r"data must be one of 'dirac'.*\['ring'\]"),
        ({"technique": ["magic"]}, "technique must be one of 'alternating'.*'magic'"),
        ({"data": "bilinear", "loss": "hinge"}, "loss must be one of 'x y', not 'hinge'"),
        ({"data": "bilinear", "r1": 0.1}, "R1 needs data"),
        ({"technique": "learned rates"}, "'learned rates' was learned on the shapes"),
        ({"k": 0}, "k must be a whole number of at least 1"),
        ({"r1": -1}, "r1 must be a finite number of at least 0"),
        ({"gen_lr": 0}, "gen_lr must be a finite number above 0"),
        ({"disc_lr": float("nan")}, "disc_lr must be a finite number above 0"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"start": (9, 0)}, "each number of start must be a finite number .*not 9"),
        ({"start": "zeros"}, "start must be the two numbers"),
        ({"data": "ring", "start": (1, 1)}, "start must be one of 'orthogonal'"),
        ({"points": ((0, 0),)}, "points are the data where data='points'"),
        ({"data": "points", "points": ()}, "the data are no points: give at least one"),
        ({"data": "points", "points": ((0, 9),)}, "each number of points must be .* at most 3.0, not 9"),
        ({"data": "points", "points": ((1, 0), (1,))}, r"each point must be a pair in \[-3, 3\]², not \(1,\)"),
        ({"data": "points", "points": ((1, 0), (1.0, 0))}, r"\(1, 0\) is there more than once"),
        ({"data": "points", "points": "1, 0"}, "each point must be a pair .*, not '1'"),
    ],
)
def test_bad_choices_are_refused_by_name(wrong, says):
    with pytest.raises(ValueError, match=says):
        chosen(**wrong)


def test_bad_steps_and_points_are_refused_by_name():
    with pytest.raises(ValueError, match="who must be one of 'disc', 'gen', 'both', not 'D'"):
        begun().step("D")
    with pytest.raises(ValueError, match="at most 100 steps at a time, not 101"):
        begun().step(count=101)
    assert choices.points_of("1, 0; -1 0.5;") == ((1.0, 0.0), (-1.0, 0.5))
    assert choices.points_of(choices.written([(1, -0.25)])) == ((1.0, -0.25),)
    with pytest.raises(ValueError, match="and '3' is no pair"):
        choices.points_of("1, 0; 3")


# --- What is seen -----------------------------------------------------------------------------------------------------


def test_what_is_seen_is_what_the_package_measures(ring):
    own, seen = ring.setting, ring.now.look
    players = own.rule.view(ring.now.state)
    shot = mg.dynamics.snapshot(own.game, players, limit=looks.LIMIT, n=4)
    np.testing.assert_array_equal(seen.snapshot.grid, shot.grid)
    np.testing.assert_allclose(seen.snapshot.logits, shot.logits, rtol=1e-4, atol=1e-6)
    points = seen.snapshot.generated
    pulls = mg.dynamics.pull(own.game, players, mg.trees.tf.constant(points))
    np.testing.assert_allclose(seen.snapshot.pull, pulls, rtol=1e-4, atol=1e-6)
    coverage = mg.metrics.mode_coverage(points, own.mixture)
    assert seen.measure == (coverage.modes20, coverage.high_quality)
    bounds = looks.bounds(own)
    assert bounds["ceiling"][0] == 8 and bounds["floor"][1] < 0.3 < 0.9 < bounds["ceiling"][1]


def test_the_field_is_that_of_the_game():
    own = begun().setting
    places, arrows = looks.field(own)
    at = Players(*(mg.games.Player(mg.trees.tf.constant(number)) for number in places[5]))
    np.testing.assert_allclose(arrows[5], mg.dynamics.field(own.game, at), rtol=1e-5)


def test_the_sentence_says_what_was_measured():
    start = begun()
    one = start.step("disc")
    before, after = (float(now.now.look.losses.disc) for now in (start, one))
    assert f"Step 1: D moved, and its loss fell from {before:.3f} to {after:.3f}" in sentence(one)
    assert "(that of G, held, rose from" in sentence(one) and "nearer than before." in sentence(one)
    still = stepping.begin(chosen("dirac", loss="least_squares", start=(1.0, 0.0))).step("both")
    assert sentence(still).endswith("the point (1.00, 0.00) is 1.000 from the equilibrium, as before.")
    assert sentence(one.step(count=3)).startswith("Steps 2 to 4: both moved; D's loss ")
    gen, disc = one.now.state.players
    assert f"({float(gen.params):.2f}, {float(disc.params):.2f})" in sentence(one)


def test_numbers_are_short_in_the_sentence_and_in_reach_of_the_picture_however_large():
    """A loss can be infinite where both players are finite: x y is the first to leave the range."""
    start = stepping.begin(chosen("bilinear", technique="simultaneous", gen_lr=1.0, disc_lr=1.0))
    far = start.step(count=20)
    assert "G's rose from 1.000 to 1.05e+06; the point (-1024.00, -1024.00) is 1448.155 from" in sentence(far)
    infinite = far.step(count=100).step(count=20)
    assert infinite.now.look.losses.gen == np.inf and infinite.now.look.measure[0] < np.inf
    picture = view.View(infinite)
    assert picture.png() and picture.curves.get_ylim()[1] < np.inf
    calm = stepping.begin(chosen("bilinear", start=(-1e-5, 1.0)))
    assert "D's loss is 0.000, G's 0.000; the point (0.00, 1.00)" in sentence(calm)


def test_the_sentence_on_a_cloud_has_its_pull_and_its_clumps(ring):
    pull = np.linalg.norm(ring.now.look.snapshot.pull, axis=1).mean()
    assert f"D pulls a generated point by {pull:.3f} on average; 0 of 8 clumps" in sentence(ring)


def test_the_artists_hold_the_models_numbers_and_are_made_once(ring):
    picture = view.View(ring)
    before = [ax.get_children() for ax in picture.figure.axes]
    now = ring.step(count=5)
    picture.draw(now)
    picture.png()
    assert [ax.get_children() for ax in picture.figure.axes] == before
    seen = now.now.look.snapshot
    np.testing.assert_array_equal(np.transpose(picture.panel.generated.get_data()), seen.generated)
    np.testing.assert_array_equal(picture.panel.arrows.get_offsets(), seen.generated[: view.ARROWS])
    arrows = np.stack([picture.panel.arrows.U, picture.panel.arrows.V], 1)
    length, pull = np.linalg.norm(arrows, axis=1, keepdims=True), seen.pull[: view.ARROWS]
    np.testing.assert_allclose(arrows / length, pull / np.linalg.norm(pull, axis=1, keepdims=True), rtol=1e-4)
    assert length.max() < 1.001 * view.LONGEST
    shown = np.asarray(picture.panel.surface.get_array())
    np.testing.assert_allclose(shown.ravel(), 1 / (1 + np.exp(-seen.logits)), rtol=1e-5)
    for line, column in zip([*picture.losses, picture.panel.near], (1, 2, 4), strict=True):
        np.testing.assert_array_equal(line.get_data(), now.history[:, [0, column]].T)


def test_a_redraw_paints_what_a_new_picture_would():
    start = begun()
    later = start.step(count=30).step("disc")
    moved = view.View(start)
    moved.png()
    moved.draw(later)
    pixels = [np.asarray(Image.open(io.BytesIO(picture.png())), int) for picture in (moved, view.View(later))]
    assert abs(pixels[0] - pixels[1]).mean() < 0.5  # the layout is that of the first moment
    assert np.transpose(moved.panel.path.get_data()).tolist()[-1] == later.now.look.place.tolist()
    assert moved.count.get_text() == "step 31"


def test_the_film_has_few_pictures():
    film = stepping.film(begun())
    assert Image.open(io.BytesIO(film.data)).n_frames == view.FRAMES <= 30


# --- The controls -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stepper():
    return mg.lab.stepper("dirac", r1=0.1)


def test_the_controls_say_the_choices_and_play(stepper):
    assert stepper.choices() == stepper.model.setting.choices == chosen("dirac", r1=0.1)
    stepper.buttons["reset"].click()
    stepper.buttons["D moves"].click()
    assert stepper.model.now.who == "disc" and stepper.said.value == sentence(stepper.model)
    assert stepper.picture.value[:8] == b"\x89PNG\r\n\x1a\n"
    setattr(stepper.play, controls.PLAYING, True)
    stepper.play.value = 2
    stepper.pace.value = 3
    stepper.play.value = 3
    assert stepper.model.now.step == 5 and stepper.model.now.who == "both"
    stepper.play.set_state({"value": 4, controls.PLAYING: False})  # a page sends a step that it has waited with
    assert stepper.model.now.step == 5
    stepper.buttons["back"].click()
    assert stepper.model.now.step == 2
    stepper.play.value = 0  # what the stop button does
    assert stepper.model.now.step == 0
    stepper.buttons["D moves"].click()
    stepper.play.value = 0  # though nothing has played since the last stop
    assert stepper.model.now.step == 0
    stepper.pace.value = 1


def test_a_choice_begins_anew(stepper):
    stepper.begin(chosen("dirac"))
    stepper.step("both")
    stepper.asked["technique"].value = "optimistic"
    stepper.asked["φ_G"].value = -2.0
    assert stepper.model.now.step == 0 and stepper.model.setting.choices == chosen(
        technique="optimistic", start=(-2.0, 1.0)
    )
    stepper.asked["data"].value = "bilinear"
    assert stepper.model.setting.choices == choices.defaults("bilinear") == stepper.choices()


def test_only_what_the_game_uses_is_asked(stepper):
    def asked(**choice):
        stepper.begin(chosen(**choice))
        return {name for name, widget in stepper.asked.items() if widget.layout.display != "none"}

    always = {"data", "technique", "loss", "gen_lr", "disc_lr"}
    assert asked(data="dirac") == always | {"r1", "φ_G", "φ_D"}
    assert asked(data="bilinear", technique="look-ahead") == always | {"k", "φ_G", "φ_D"}
    assert stepper.asked["k"].description == "steps ahead" and stepper.asked["loss"].options == (choices.OWN_LOSS,)
    assert not set(choices.LEARNED) & set(stepper.asked["technique"].options)
    assert asked(data="ring", technique="learned start") == always | {"r1", "seed"}
    assert asked(data="points") == always | {"r1", "points", "start", "seed"}
    assert stepper.asked["technique"].options == tuple(TECHNIQUES)


def test_choices_that_the_controls_cannot_say_are_refused():
    with pytest.raises(ValueError, match=r"the control of gen_lr cannot be set to 5.*: it stops at 1.0"):
        mg.lab.stepper("dirac", gen_lr=5)


def test_points_are_typed_and_clicked(stepper):
    stepper.asked["data"].value = "points"
    at = {button.tooltip: button for button in stepper.clicked.children}
    at["a clump at (0, 0.8)"].click()
    assert stepper.model.setting.choices.points == ((-1.5, 0.0), (1.5, 0.0), (0.0, 0.8))
    assert stepper.asked["points"].value == "-1.5, 0; 1.5, 0; 0, 0.8"
    assert [at for at, button in stepper.lattice.items() if button.description == "×"] == [(0.0, 0.8)]
    before = stepper.model
    stepper.asked["points"].value = "1, 2; x"
    at["a clump at (0, 0.8)"].click()
    assert "'x' is no pair" in stepper.said.value and stepper.model is before
    stepper.asked["points"].value = " "
    assert "the data are no points" in stepper.said.value and stepper.model is before
    stepper.asked["data"].value = "dirac"
    assert not stepper.clicked.children and stepper.asked["points"].layout.display == "none"


def test_a_page_without_a_kernel_gets_a_picture_and_no_widget(stepper, monkeypatch):
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    from metagan_edu.course import notebooks

    stepper.begin(chosen("dirac"))
    data, metadata = stepper.bundle()
    shown = []
    monkeypatch.setattr(controls.display, "display", lambda *args, **_: shown.append(args[0]))
    stepper._ipython_display_()
    assert set(shown[0]) == set(data) and shown[1].data.startswith(
        "**Figure, by hand.** It begins with dirac, alternating."
    )
    assert data[notebooks.WIDGET]["model_id"] == stepper.box.model_id and metadata["image/png"]["width"] > 390
    data = json.loads(json.dumps(data | {"image/png": "iVBORw0KGgo="}))
    cell = new_code_cell("s", outputs=[new_output("execute_result", data, execution_count=1)])
    (output,) = notebooks.clean(new_notebook(cells=[cell])).cells[0].outputs
    assert set(output.data) == {"image/png", "text/plain"}


def test_only_the_controls_need_ipywidgets():
    package = Path(mg.__file__).parent
    users = {path.name for path in package.rglob("*.py") if "import ipywidgets" in path.read_text(encoding="utf-8")}
    assert users == {"asked.py", "controls.py"}
    for path in package.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:  # what runs at import
            if isinstance(node, ast.ImportFrom):
                named = {*(node.module or "").split("."), *(alias.name for alias in node.names)}
                assert path.name in users or not named & {"asked", "controls"}, path


@pytest.mark.parametrize(
    ("missing", "says"), [("ipywidgets", "write %pip install ipywidgets"), ("metagan_edu.stepping.asked", "asked")]
)
def test_a_missing_module_is_said_by_its_name(monkeypatch, missing, says):
    monkeypatch.setattr(stepping, "controls", controls)  # put back after the import below
    monkeypatch.delitem(sys.modules, controls.__name__)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModuleNotFoundError, match=says):
        mg.lab.stepper()
