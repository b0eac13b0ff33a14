"""Diagrams, surfaces over time, strips, results: what is drawn is what was given, and can be read on a phone."""

import io
import itertools
import warnings
from typing import NamedTuple

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.text import Text
from PIL import Image

from metagan_edu import plotting

matplotlib.use("Agg")
PHONE, SMALLEST = 358, 7  # pixels: a picture's width on a page of 390, and the height of its smallest print
RANDOM = np.random.default_rng(0)


class Shot(NamedTuple):
    grid: np.ndarray
    logits: np.ndarray
    generated: np.ndarray
    pull: np.ndarray


def shot(dims, slope=1.0, pull=(3.0, 4.0), side=21):
    """A discriminator ``slope · x₁``, three samples, and one pull on each."""
    grid = np.stack(np.meshgrid(*[np.linspace(-3, 3, side)] * dims), -1).reshape(-1, dims)
    generated = np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, -1.0]])[:, :dims]
    return Shot(grid, slope * grid[:, 0], generated, np.tile(np.array(pull)[:dims], (3, 1)))


X = np.linspace(-2, 2, 81)
BELL = np.exp(-(X**2) / 2)
DIGITS = RANDOM.uniform(-1, 1, (10, 8, 8, 1))
FITS = {"forward": {"covers": BELL, "seeks": 0 * X}, "reverse": {"seeks": BELL}}
CLOUDS = RANDOM.normal(size=(20, 30, 2))
STEPS = np.arange(0, 200, 10)
RUNS = {"slow D": (STEPS, CLOUDS), "quick D": (STEPS, 0.1 * CLOUDS)}
TURNS = {"slow D": np.linspace(0, 3, 20), "quick D": np.zeros(20)}
RECORD = {"results": {"plain": {"modes": [1.0, 2.0, 4.0]}, "look-ahead": {"modes": [6.0, 7.0, 8.0]}}}
DIAGRAMS = [
    ("players",), ("players", "labels"), ("players", "look-ahead"), ("players", "learned rates"),
    ("players", "labels", "look-ahead"), ("inner steps", "outer loop"), ("players", "outer loop"),
    ("players", "look-ahead", "outer loop"), ("players", "learned rates", "outer loop"),
]  # fmt: skip
PICTURES = {
    **{" + ".join(parts): lambda parts=parts: plotting.diagram(*parts) for parts in DIAGRAMS},
    "moments": lambda: plotting.moments({1: shot(2), 20: shot(2), 300: shot(2)}, CLOUDS[0]),
    "moments on a line": lambda: plotting.moments({1: shot(1), 20: shot(1)}, CLOUDS[0, :, :1]),
    "discriminator": lambda: plotting.discriminator(shot(2), CLOUDS[0], title="step 3").figure,
    "images": lambda: plotting.images(DIGITS, columns=16, title="digits").figure,
    "strips": lambda: plotting.strips({"ten drawings": DIGITS, "after 10 steps": DIGITS[:8]}, mean="mean"),
    "densities": lambda: plotting.densities(X, BELL, FITS, costs={"forward": {"covers": X}, "reverse": {}}),
    "critics": lambda: plotting.critics(X, {"one": -X, "two": [X, -X]}, data=-1.0, generated=1.0),
    "turning": lambda: plotting.turning(RUNS, TURNS, at=[0, 5, 10, 15]),
    "curves": lambda: plotting.curves({"a": [[1, 2, 3], [2, 3, 4]]}, references={"floor": 0.5, "real": 4.5}).figure,
    "comparison": lambda: plotting.comparison(RECORD, "modes", references={"floor": 0, "real": 8}).figure,
    "samples": lambda: plotting.samples(CLOUDS[0], centers=CLOUDS[0, :3]).figure,
    "phase portrait": lambda: plotting.phase_portrait(lambda x: -x, paths={"plain": CLOUDS[0]}).figure,
}  # fmt: skip


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


def texts(fig):
    return [text for text in fig.findobj(Text) if text.get_text().strip() and text.get_visible()]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_can_be_read_on_a_phone_and_in_the_dark(name):
    fig = PICTURES[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fig.savefig(io.BytesIO())
    width, _ = fig.get_size_inches()
    assert width <= plotting.WIDTH
    smallest = min((text.get_fontsize() for text in texts(fig)), default=SMALLEST)
    assert smallest * PHONE / (72 * width) >= SMALLEST
    assert fig.get_facecolor() == (1, 1, 1, 1)


# --- Diagrams ---------------------------------------------------------------------------------------------------------


def edges(fig):
    return {patch.get_label() for patch in fig.axes[0].patches}


@pytest.mark.parametrize("parts", DIAGRAMS, ids=" + ".join)
def test_no_text_of_a_diagram_lies_on_another_or_leaves_its_box(parts):
    fig = plotting.diagram(*parts)
    fig.canvas.draw()
    extents = {text: text.get_window_extent() for text in texts(fig)}
    for one, other in itertools.combinations(extents, 2):
        assert not extents[one].overlaps(extents[other]), (one.get_text(), other.get_text())
    for text, extent in extents.items():
        assert extent.x0 >= 0 and extent.x1 <= fig.bbox.width and extent.y0 >= 0 and extent.y1 <= fig.bbox.height
        for patch in fig.axes[0].patches:
            box = patch.get_window_extent()
            inside = box.x0 <= extent.x0 and extent.x1 <= box.x1 and box.y0 <= extent.y0 and extent.y1 <= box.y1
            assert inside or " to " in patch.get_label() or not box.overlaps(extent), text.get_text()


def test_the_players_see_and_move_what_they_do():
    fig = plotting.diagram()
    lines = {patch.get_label(): patch.get_linestyle() for patch in fig.axes[0].patches if " to " in patch.get_label()}
    values = {"z to G", "G to fake", "fake to D", "real to D", "D to L_G", "D to L_D"}
    gradients = {"L_G to D", "D to fake", "fake to G", "L_D to D"}
    assert {way for way, line in lines.items() if line in ("-", "solid")} == values
    assert {way for way, line in lines.items() if line in ("--", "dashed")} == gradients
    assert edges(plotting.diagram("players")) == edges(fig)


def test_parts_are_added_and_the_look_ahead_pays_by_the_imagined_discriminator():
    plain = edges(plotting.diagram())
    both = edges(plotting.diagram("players", "labels", "look-ahead"))
    assert edges(plotting.diagram("players", "labels")) - plain == {"c", "c to G", "c to D"}
    assert {"D_K to L_G", "L_G to D_K", "D_1 to fake", "c to D"} <= both
    assert plain - both == {"D to L_G", "L_G to D", "D to fake"}
    own = plotting.diagram("players", [plotting.Box("clip", "clip", (1.5, 1.2)), plotting.Arrow("clip", "G")])
    assert edges(own) - plain == {"clip", "clip to G"}


def test_the_outer_loop_frames_what_is_there():
    for parts in (("inner steps", "outer loop"), ("players", "look-ahead", "outer loop")):
        patches = {patch.get_label(): patch.get_bbox() for patch in plotting.diagram(*parts).axes[0].patches
                   if " to " not in patch.get_label()}  # fmt: skip
        frame = patches.pop("inner")
        for name, box in patches.items():
            outside = name in {"theta", "outer"}
            assert (box.y0 > frame.y1) == outside and (frame.y0 < box.y0 and box.y1 < frame.y1) != outside, name


# --- Surfaces ---------------------------------------------------------------------------------------------------------


def arrows(ax):
    (found,) = [c for c in ax.collections if hasattr(c, "U")]
    return found.XY, np.stack([found.U, found.V], 1)


def test_the_surface_shows_the_probability_and_an_arrow_for_each_pull():
    long = shot(2)._replace(pull=np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]]))
    ax = plotting.discriminator(long, CLOUDS[0])
    at, drawn = arrows(ax)
    np.testing.assert_array_equal(at, long.generated)
    lengths = np.linalg.norm(drawn, axis=1)
    assert lengths[0] == pytest.approx(0.16 * 6) and 0 < lengths[1] < lengths[0] and lengths[2] == 0
    np.testing.assert_allclose(drawn[:2] / lengths[:2, None], [[0.6, 0.8]] * 2)
    levels = [tuple(np.round(c.levels, 9)) for c in ax.collections if hasattr(c, "levels")]
    assert levels == [tuple(np.round(np.linspace(0, 1, 11), 9)), (0,)]
    assert [line.get_label() for line in ax.get_lines()] == [r"$\sigma(D) = 1/2$", "data", "generated, and its pull"]
    np.testing.assert_array_equal(ax.get_lines()[1].get_xydata(), CLOUDS[0])


def test_moments_share_their_arrows_and_levels():
    weak, strong = shot(2, pull=(0.3, 0.4)), shot(2, slope=2.0)
    fig = plotting.moments({10: weak, 20: strong}, show="logit")
    (_, first), (_, second) = (arrows(ax) for ax in fig.axes[:2])
    np.testing.assert_allclose(second, 10 * first, rtol=1e-6)
    levels = [next(c.levels for c in ax.collections if len(getattr(c, "levels", ())) > 1) for ax in fig.axes[:2]]
    np.testing.assert_array_equal(*levels)
    assert [ax.get_title() for ax in fig.axes[:2]] == ["step 10", "step 20"]


def test_on_a_line_each_moment_has_probability_and_logit():
    fig = plotting.moments({10: shot(1), 20: shot(1, slope=-2.0)}, CLOUDS[0, :, :1])
    assert len(fig.axes) == 4
    for row, slope in enumerate((1.0, -2.0)):
        left, right = (ax.get_lines()[0].get_xydata() for ax in fig.axes[2 * row : 2 * row + 2])
        np.testing.assert_allclose(right[:, 1], slope * right[:, 0])
        np.testing.assert_allclose(left[:, 1], 1 / (1 + np.exp(-slope * left[:, 0])))
        at, drawn = arrows(fig.axes[2 * row + 1])
        np.testing.assert_allclose(at, np.array([[0, 0], [1, slope], [-1, -slope]]), atol=1e-12)
        assert (drawn[:, 0] > 0).all() and (drawn[:, 1] == 0).all()


def test_a_film_has_a_frame_for_each_moment_and_plays_once():
    shown = plotting.film({step: shot(2, slope=step) for step in (1, 2, 3)})
    film = Image.open(io.BytesIO(shown.data))
    assert (film.format, film.n_frames, film.info["loop"]) == ("PNG", 3, 1)
    assert film.info["duration"] * film.n_frames == pytest.approx(5000, rel=0.01)
    assert (shown.width, shown.height) == film.size and film.width <= 400
    assert not pyplot.get_fignums()  # nothing is left for the notebook to show a second time
    first = np.asarray(film.convert("RGB"), int)
    film.seek(2)
    assert abs(np.asarray(film.convert("RGB"), int) - first).max() > 50


# --- Strips, densities, critics, clouds that turn, references ---------------------------------------------------------


def test_strips_show_each_row_and_its_mean():
    fig = plotting.strips({"ten": DIGITS, "three": DIGITS[:3]}, columns=5, mean="mean of all")
    sheets = [np.ma.filled(ax.images[0].get_array().astype(float), np.nan) for ax in fig.axes if ax.images]
    assert [sheet.shape for sheet in sheets] == [(10, 50), (10, 10)] * 2
    for row, (many, few) in enumerate(((DIGITS, 5), (DIGITS[:3], 3))):
        strip, mean = sheets[2 * row : 2 * row + 2]
        for i in range(few):
            np.testing.assert_allclose(strip[1:9, 10 * i + 1 : 10 * i + 9], many[i, :, :, 0], rtol=1e-6)
        assert np.isnan(strip[:, 10 * few :]).all()
        np.testing.assert_allclose(mean[1:9, 1:9], many.mean(0)[:, :, 0], rtol=1e-5, atol=1e-6)
    assert [text.get_text() for text in texts(fig)] == ["ten", "mean of all", "three"]
    assert len(plotting.strips({"ten": DIGITS}).axes) == 2


def test_the_area_of_a_cost_is_its_integral():
    costs = {"forward": {"covers": 0 * X + 0.5}, "reverse": {"seeks": X + 0.25}}
    fig = plotting.densities(X, BELL, FITS, costs=costs)
    said = [[t.get_text() for t in ax.get_legend().get_texts()] for ax in fig.axes if ax.get_legend()]
    assert said == [["2.00 in all"], ["1.00 in all"]]
    seeks = [line for ax in fig.axes for line in ax.get_lines() if line.get_label() == "seeks"]
    assert len({(line.get_color(), line.get_linestyle()) for line in seeks}) == 1


def test_critics_are_compared_from_the_middle():
    fig = plotting.critics(X, {"one": [3 - 2 * X, 7 + X]}, data=0.0, generated=1.0)
    ideal, *drawn = (line.get_ydata() for line in fig.axes[0].get_lines()[:3])
    np.testing.assert_allclose(ideal, 0.5 - X)
    np.testing.assert_allclose(drawn, [1 - 2 * X, X - 0.5], atol=1e-12)


def test_each_column_of_critics_says_what_lies_along_it():
    fig = plotting.critics(X, {"one": -X, "two": X, "three": X}, data=0.0, generated=1.0)
    fig.canvas.draw()
    said = [(ax.get_xlabel(), any(t.get_visible() and t.get_text() for t in ax.get_xticklabels())) for ax in fig.axes]
    assert said[:3] == [("", False), ("x", True), ("x", True)]


def test_runs_that_turn_are_marked_at_their_moments():
    fig = plotting.turning(RUNS, TURNS, at=[3, 9])
    *small, angle = fig.axes
    assert len(small) == 4 and [ax.get_title() for ax in small] == ["step 30", "step 90"] * 2
    np.testing.assert_allclose(small[0].get_lines()[-1].get_xydata(), [CLOUDS[3].mean(0)])
    slow, marks = angle.get_lines()[:2]
    np.testing.assert_array_equal(slow.get_xydata(), np.stack([STEPS, TURNS["slow D"]], 1))
    np.testing.assert_array_equal(marks.get_xdata(), STEPS[[3, 9]])


def test_references_are_named_lines():
    ax = plotting.comparison(RECORD, "modes", references={"real": 8.0, "floor": 0.0, "rival": 7.9})
    assert {line.get_xdata()[0] for line in ax.get_lines() if line.get_zorder() == 0} == {0.0, 7.9, 8.0}
    named = {text.get_text(): (text.xy[0], text.get_position()[1]) for text in ax.texts}
    assert {name: at for name, (at, _) in named.items()} == {"real": 8.0, "floor": 0.0, "rival": 7.9}
    assert named["rival"][1] != named["real"][1]  # names that would touch stand in two rows
    ax = plotting.curves({"a": [[1.0, 2.0], [3.0, 4.0]]}, references={"real": 9.0})
    assert {line.get_ydata()[0] for line in ax.get_lines() if line.get_zorder() == 0} == {9.0}
    assert ax.get_ylim()[1] > 9 and [text.get_text() for text in ax.texts] == ["real"]


@pytest.mark.parametrize("before", [True, False])
def test_references_stand_on_a_logarithmic_axis_too(before):
    ax = pyplot.figure().subplots()
    if before:
        ax.set_yscale("log")
    plotting.curves({"a": [1.0, 0.1, 0.01]}, references={"floor": 30.0, "real": 1e-4}, ax=ax)
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    assert 1e-6 < low < 1e-4 and 30 < high < 1e4
    ax.figure.canvas.draw()
    for name in ax.texts:
        assert ax.bbox.y0 < name.get_window_extent().y0 and name.get_window_extent().y1 < ax.bbox.y1


def test_few_seeds_at_few_places_are_marks():
    values = np.array([[1.0, 2.0, 6.0], [3.0, 2.0, 0.0]])
    ax = plotting.curves({"two seeds": values, "one run": [5.0, 6.0, 7.0]}, x=[0, 10, 25])
    mean, seeds, single = ax.get_lines()
    np.testing.assert_array_equal(mean.get_xydata(), [[0, 2], [10, 2], [25, 3]])
    assert sorted(map(tuple, seeds.get_xydata())) == sorted(zip([0, 10, 25] * 2, values.ravel(), strict=True))
    assert not ax.collections and mean.get_marker() == seeds.get_marker() != single.get_marker()


# --- Faults -----------------------------------------------------------------------------------------------------------

COSTS = {"b": {"q": X}}


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plotting.diagram("player"), "no part 'player'; it has players, labels, look-ahead"),
        (lambda: plotting.diagram([plotting.Arrow("H", "G")]), "names the box 'H'"),
        (lambda: plotting.discriminator(shot(2), show="odds"), "probability or logit can be shown, not 'odds'"),
        (lambda: plotting.discriminator(shot(2), CLOUDS[0, :, :1]), r"real points must have shape \(n, 2\)"),
        (lambda: plotting.moments({}), "no moment"),
        (lambda: plotting.film({}), "at least one picture"),
        (lambda: plotting.animation([], seconds=6), "at most 5 seconds, not 6"),
        (lambda: plotting.animation(map(plotting.diagram, ("players", "inner steps"))), "of one size; .* number 2"),
        (lambda: plotting.strips({}), "no row"),
        (lambda: plotting.strips({"a": DIGITS[0]}), r"the images of 'a' have shape .* not \(8, 8, 1\)"),
        (lambda: plotting.densities(X, BELL[1:], {"a": {}}), r"'the data' needs a value at each of the 81 places"),
        (lambda: plotting.densities(X, BELL, {"a": {"q": BELL}}, costs=COSTS), "the costs are those of a, not of b"),
        (lambda: plotting.critics(X, {}, data=0.0, generated=1.0), "no critic"),
        (lambda: plotting.critics(X, {"a": X[1:]}, data=0.0, generated=1.0), r"'a' must have shape \(seeds, 81\)"),
        (lambda: plotting.turning({}, {}, at=[0]), "one to 4 runs can be told apart, not 0"),
        (lambda: plotting.turning(RUNS, {"slow D": TURNS["slow D"]}, at=[0]), "the turns are those of slow D, quick D"),
        (lambda: plotting.turning(RUNS, TURNS, at=[20]), r"'slow D' needs clouds .* over 20, not \(20, 30, 2\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(draw, message):
    with pytest.raises(ValueError, match=message) as caught:
        draw()
    assert "\n" not in str(caught.value)
