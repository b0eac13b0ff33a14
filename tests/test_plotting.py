"""What is drawn is what was given; other shapes are refused; no TensorFlow is needed."""

import ast
import itertools
import pathlib
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib import colors, pyplot

from metagan_edu import plotting, statistics

matplotlib.use("Agg")
CENTERS = np.array([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0]])
POINTS = np.random.default_rng(0).normal(size=(50, 2)).clip(-2.4, 2.4)


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


def offsets(ax, label):
    (dots,) = [c for c in ax.collections if c.get_label() == label]
    return np.asarray(dots.get_offsets())


def same_color(first, second):
    return colors.to_hex(first) == colors.to_hex(second)


# --- Points -----------------------------------------------------------------------------------------------------------


def test_samples_are_drawn_over_the_modes():
    ax = plotting.samples(POINTS, centers=CENTERS, title="ring")
    np.testing.assert_array_equal(offsets(ax, "generated"), POINTS)
    np.testing.assert_array_equal(offsets(ax, "modes of the data"), CENTERS)
    assert ax.get_xlim() == ax.get_ylim() == (-2.5, 2.5) and ax.get_title() == "ring"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["modes of the data", "generated"]
    (generated,) = [c for c in ax.collections if c.get_label() == "generated"]
    assert same_color(generated.get_facecolor()[0], plotting.GEN)


def test_a_panel_of_a_larger_picture_has_no_legend_of_its_own():
    _, axes = pyplot.subplots(1, 2)
    assert plotting.samples(POINTS, ax=axes[1]) is axes[1]
    assert axes[1].get_legend() is None and not axes[0].collections


def test_samples_outside_of_the_window_are_counted():
    far = np.concatenate([POINTS, [[9.0, 0.0], [0.0, -9.0]]])
    assert [t.get_text() for t in plotting.samples(far, centers=CENTERS).texts] == ["2 of 52 outside"]
    assert not plotting.samples(far).texts and plotting.samples(far).get_xlim()[1] == 1.25 * 9
    assert not plotting.samples(POINTS, limit=2.5).texts


def test_a_density_is_drawn_where_it_is():
    """A density that grows along x₁ and is cut above x₂ = 1: columns grow, rows above are empty."""
    ax = plotting.samples(POINTS, density=lambda x: (x[:, 0] + 9) * (x[:, 1] < 1), limit=2.0)
    (picture,) = ax.images
    values = np.asarray(picture.get_array())
    assert picture.origin == "lower" and tuple(picture.get_extent()) == (-2, 2, -2, 2)
    heights = np.linspace(-2, 2, len(values))
    np.testing.assert_array_equal(values[heights >= 1], 0)
    np.testing.assert_allclose(values[heights < 1], np.tile(np.linspace(7, 11, len(values)), (sum(heights < 1), 1)))


def test_no_mode_of_the_ring_falls_between_the_points_of_the_density():
    """The modes are as wide as those of the course's ring; each is as dark in the picture as the others."""
    angles = 2 * np.pi * np.arange(8) / 8
    centers = 2 * np.stack([np.cos(angles), np.sin(angles)], 1)
    density = lambda x: np.exp(-((x[:, None] - centers) ** 2).sum(-1) / (2 * 0.02**2)).sum(1)  # noqa: E731
    values = np.asarray(plotting.samples(POINTS, density=density, limit=2.6).images[0].get_array())
    x = np.linspace(-2.6, 2.6, len(values))
    for center in centers:
        near = np.ix_(abs(x - center[1]) < 0.1, abs(x - center[0]) < 0.1)
        assert values[near].max() > 0.8


# --- Images -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_images_stand_in_order_row_by_row(channels):
    batch = np.random.default_rng(1).uniform(-1, 1, (5, 8, 8, channels)).astype(np.float32)
    sheet = np.asarray(plotting.images(batch, columns=3).images[0].get_array())
    assert sheet.shape[:2] == (2 * 10, 3 * 10)
    shown = batch[..., 0] if channels == 1 else (batch + 1) / 2
    background = 0 if channels == 1 else 0.5
    for place, (row, column) in enumerate(itertools.product(range(2), range(3))):
        cell = sheet[10 * row : 10 * row + 10, 10 * column : 10 * column + 10]
        frame = np.ones((10, 10), bool)
        frame[1:-1, 1:-1] = place >= len(batch)
        assert (cell[frame] == background).all()
        if place < len(batch):
            np.testing.assert_allclose(cell[1:-1, 1:-1], shown[place], atol=1e-6)


def test_black_is_minus_one_and_white_is_one():
    (picture,) = plotting.images(np.full((2, 8, 8, 1), -1.0)).images
    assert picture.get_clim() == (-1, 1) and picture.get_cmap().name == "gray"
    assert np.asarray(picture.get_array()).shape == (10, 20)  # no empty columns


# --- Curves -----------------------------------------------------------------------------------------------------------


def test_a_curve_is_the_mean_over_seeds_and_its_band_one_standard_deviation():
    values = np.tile([[1.0, 2.0, 6.0], [3.0, 2.0, 0.0]], 5)
    ax = plotting.curves({"two seeds": values, "one run": np.arange(15.0)}, ylabel="loss")
    mean, single = ax.get_lines()
    steps, means, spread = np.arange(1, 16), np.tile([2, 2, 3], 5), np.sqrt(np.tile([2, 0, 18], 5))
    np.testing.assert_allclose(mean.get_xydata(), np.stack([steps, means], 1))
    np.testing.assert_allclose(single.get_xydata(), np.stack([steps, steps - 1], 1))
    (band,) = ax.collections  # none for one run
    corners = {tuple(np.round(xy, 9)) for xy in band.get_paths()[0].vertices}
    assert {tuple(np.round(xy, 9)) for x, m, s in zip(steps, means, spread, strict=True)
            for xy in ((x, m - s), (x, m + s))} <= corners  # fmt: skip
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["two seeds", "one run"]
    assert same_color(band.get_facecolor()[0][:3], mean.get_color()) and mean.get_linestyle() != single.get_linestyle()


def test_smoothing_averages_the_steps_before():
    ax = plotting.curves({"loss": [3.0, 0.0, 6.0, 9.0]}, smooth=3)
    np.testing.assert_allclose(ax.get_lines()[0].get_xydata(), [[3, 3], [4, 5]])
    ax = plotting.curves({"loss": [3.0, 0.0, 6.0]}, smooth=2, x=[10, 20, 40])
    np.testing.assert_allclose(ax.get_lines()[0].get_xydata(), [[20, 1.5], [40, 3]])


def test_no_curve_is_left_out_and_no_two_look_alike():
    ax = plotting.curves({str(i): [float(i)] * 2 for i in range(20)})
    assert [line.get_ydata()[0] for line in ax.get_lines()] == list(range(20))
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.get_lines()}) == 20


# --- Phase portraits --------------------------------------------------------------------------------------------------


def test_a_phase_portrait_has_the_arrows_of_its_field_and_its_paths():
    path = np.array([[1.0, 1.0], [0.5, 0.2], [0.1, 0.0]])
    ax = plotting.phase_portrait(lambda x: x[:, ::-1] * [1, -1], paths={"R1": path}, limit=1.0)
    (arrows,) = ax.collections
    np.testing.assert_allclose(arrows.U, arrows.XY[:, 1], atol=1e-7)
    np.testing.assert_allclose(arrows.V, -arrows.XY[:, 0], atol=1e-7)
    assert arrows.XY.shape == (17 * 17, 2) and arrows.XY.min() == -1 and arrows.angles == "xy"
    line, start, equilibrium = ax.get_lines()
    np.testing.assert_array_equal(line.get_xydata(), path)
    np.testing.assert_array_equal(start.get_xydata(), path[:1])
    np.testing.assert_array_equal(equilibrium.get_xydata(), [[0, 0]])
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["R1", "equilibrium"]
    assert ax.get_xlabel() == r"generator $\varphi_G$" and ax.get_ylabel() == r"discriminator $\varphi_D$"


# --- Comparisons ------------------------------------------------------------------------------------------------------


def test_a_comparison_shows_every_seed_and_the_interval_of_many():
    results = {"plain": {"modes": [1.0, 0.0, 1.0] * 4}, "unrolled": {"modes": [7.0, 8.0, 7.5] * 4}}
    ax = plotting.comparison({"results": results}, "modes", xlabel="modes covered")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["plain", "unrolled"]
    assert ax.yaxis_inverted() and ax.get_xlabel() == "modes covered"  # the first contender stands at the top
    lines = [line for line in ax.get_lines() if len(line.get_xdata())]
    for row, values in enumerate(results.values()):
        bar, mean, dots = lines[3 * row : 3 * row + 3]
        expected = statistics.interval(values["modes"])
        np.testing.assert_allclose(bar.get_xydata(), [[expected.low, row], [expected.high, row]])
        np.testing.assert_allclose(mean.get_xydata(), [[expected.mean, row]])
        np.testing.assert_array_equal(dots.get_xdata(), sorted(values["modes"]))
        assert len({tuple(xy) for xy in dots.get_xydata()}) == 12  # equal values do not hide each other
        assert (dots.get_ydata() > row).all()


def test_few_values_have_no_interval():
    ax = plotting.comparison({"results": {"plain": {"modes": [1.0, 0.0, 1.0]}, "one": {"modes": [7.0]}}}, "modes")
    mean, dots, one = (line.get_xdata().tolist() for line in ax.get_lines() if len(line.get_xdata()))
    assert (mean, dots, one) == ([2 / 3], [0, 1, 1], [7])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["mean", "one seed"]


# --- Faults -----------------------------------------------------------------------------------------------------------

FLAT = np.zeros(4)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plotting.samples(np.zeros((4, 3))), r"samples to be drawn must have shape \(n, 2\), not \(4, 3\)"),
        (lambda: plotting.samples(np.zeros((0, 2))), r"not \(0, 2\)"),
        (lambda: plotting.samples([[0.0, np.nan]]), "samples to be drawn must be finite"),
        (lambda: plotting.samples(POINTS, centers=FLAT), r"centers must have shape \(n, 2\), not \(4,\)"),
        (lambda: plotting.samples(POINTS, density=lambda x: x), r"one value for each of 160801 points"),
        (lambda: plotting.images(np.zeros((4, 8, 8))), r"not \(4, 8, 8\)"),
        (lambda: plotting.images(np.zeros((4, 8, 8, 2))), r"1 or 3 channels\), not \(4, 8, 8, 2\)"),
        (lambda: plotting.images(np.zeros((0, 8, 8, 1))), r"not \(0, 8, 8, 1\)"),
        (lambda: plotting.curves({"loss": np.zeros((2, 3, 4))}), r"the curve 'loss' must .* not \(2, 3, 4\)"),
        (lambda: plotting.curves({"loss": FLAT}, x=[1, 2]), r"with 2 steps, .* not \(1, 4\)"),
        (lambda: plotting.curves({"loss": FLAT}, smooth=5), "smooth = 5"),
        (lambda: plotting.curves({"loss": FLAT}, smooth=0), "smooth = 0"),
        (lambda: plotting.phase_portrait(lambda x: x[:, 0]), r"directions of a field must have shape \(289, 2\)"),
        (lambda: plotting.phase_portrait(lambda x: x, paths={"R1": FLAT}), r"path 'R1' must have shape \(n, 2\)"),
        (lambda: plotting.comparison({"results": {"plain": {"kl": [1, 2]}}}, "modes"), "no metric 'modes' .* has kl"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(draw, message):
    with pytest.raises(ValueError, match=message) as caught:
        draw()
    assert "\n" not in str(caught.value)


# --- Colors and imports -----------------------------------------------------------------------------------------------


def lab(rgb):
    """CIE L*a*b* of linear sRGB, under daylight (D65)."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    x, y, z = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# As seen without one kind of cones (Viénot, Brettel & Mollon 1999), on linear sRGB.
SIGHT = {
    "full": np.eye(3),
    "protanopia": np.array([[0.1124, 0.8876, 0], [0.1124, 0.8876, 0], [0.0040, -0.0040, 1]]),
    "deuteranopia": np.array([[0.2928, 0.7072, 0], [0.2928, 0.7072, 0], [-0.0223, 0.0223, 1]]),
}


@pytest.mark.parametrize("sight", SIGHT)
def test_color_blind_readers_can_tell_the_colors_apart(sight):
    """A difference of 2.3 in L*a*b* is just noticeable; black, red and green on one line would be 0 for some."""
    srgb = np.array([colors.to_rgb(c) for c in plotting.COLORS])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = [lab(np.clip(SIGHT[sight] @ rgb, 0, 1)) for rgb in linear]
    apart = {(i, j): np.linalg.norm(seen[i] - seen[j]) for i, j in itertools.combinations(range(len(seen)), 2)}
    assert min(apart.values()) > 10, min(apart, key=apart.get)


ALLOWED = {"IPython", "PIL", "__future__", "collections", "io", "itertools", "matplotlib", "numpy", "scipy", "typing"}


def test_no_tensorflow_is_imported():
    """Neither by the module nor by what it imports of the package."""
    package = pathlib.Path(plotting.__file__).parent
    own = {path.stem for path in package.glob("*.py")}
    for path in (*package.glob("*.py"), pathlib.Path(statistics.__file__)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert (node.level == 2 and node.module == "statistics") or node.module in own | {None}
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
                assert {n.split(".")[0] for n in names} <= ALLOWED


def test_pictures_raise_no_warning_when_drawn_to_a_file(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plotting.samples(POINTS, centers=CENTERS).figure.savefig(tmp_path / "samples.png")
        plotting.images(np.zeros((3, 8, 8, 1)), title="images").figure.savefig(tmp_path / "images.png")
        plotting.curves({"loss": FLAT}).figure.savefig(tmp_path / "curves.png")
        plotting.phase_portrait(lambda x: -x).figure.savefig(tmp_path / "phase.png")
    assert len(list(tmp_path.iterdir())) == 4
