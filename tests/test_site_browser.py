"""The built pages in a real browser, on a screen and on a telephone: all is there, and nothing is cut off."""

import functools
import http.server
import shutil
import threading
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import two_numbers

from metagan_edu.course import notebooks, slides

GET = "the pages are looked at where Playwright and a Chromium are: pip install '.[browser]' and apt install chromium"
playwright = pytest.importorskip("playwright.sync_api", reason=GET)
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=GET)

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = [path.stem for path in notebooks.find(ROOT / "notebooks")]
WRITTEN = sorted(path.stem for path in (ROOT / "notebooks").glob("[!_]*.md"))
PAGES = [*WRITTEN, "claims", "references", "api/rules", *NOTEBOOKS]
WIDTHS = {"screen": 1280, "telephone": 320}  # the narrowest in use: 1280 at a zoom of four
MAX_BYTES = 1_500_000
SMALL = 100, 60  # pixels: a figure that is narrower or lower cannot be read; one row of digits is as low as this
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}  # bytes/s

# What a reader would see wrong, in words of the page itself.
CUT_OFF = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
NOT_SET = """[...document.querySelectorAll('.math')].filter(formula => !formula.querySelector('mjx-container')
    || formula.querySelector('mjx-merror')).map(formula => formula.textContent)"""
RAW = "[...document.querySelectorAll('article p')].map(p => p.innerText.trim()).filter(text => text.startsWith('|'))"
PICTURES = f"""[...document.querySelectorAll('article .cell_output img, .landing img')].filter(picture =>
    !picture.complete || !picture.naturalWidth || picture.clientWidth < {SMALL[0]} || picture.clientHeight < {SMALL[1]}
    || Math.abs(picture.clientWidth / picture.clientHeight / (picture.naturalWidth / picture.naturalHeight) - 1) > 0.02
    ).map(picture => picture.src)"""
SCROLLED_TO_THE_END = """async () => {
    document.querySelectorAll('img').forEach(picture => picture.loading = 'eager');
    await Promise.all([...document.images].filter(picture => !picture.complete).map(picture =>
        new Promise(done => picture.onload = picture.onerror = done)));
    if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *said):
        pass


@pytest.fixture(scope="module")
def address(built_site):
    handler = functools.partial(Quiet, directory=str(built_site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with playwright.sync_playwright() as started:
        try:
            opened = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"{GET} ({str(error).splitlines()[0]})")
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, address):
    """A function that opens a page; it returns the page, what it said was wrong, and the bytes of each answer."""
    contexts = []

    def open_page(name, width):
        contexts.append(browser.new_context(viewport={"width": width, "height": 844}))
        page, wrong, got = contexts[-1].new_page(), [], {}
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("response", lambda answer: got.update({answer.url: answer}))
        page.goto(f"{address}/{name}.html")
        page.evaluate(SCROLLED_TO_THE_END)
        page.wait_for_load_state("networkidle")
        return page, wrong, got

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole(opened, address, name, width):
    page, wrong, got = opened(name, width)
    assert wrong == []
    assert {urlsplit(url).netloc for url in got if urlsplit(url).netloc} == {urlsplit(address).netloc}
    assert sum(len(answer.body()) for url, answer in got.items() if answer.ok and url.startswith("http")) <= MAX_BYTES
    assert page.evaluate(CUT_OFF) <= 0
    assert page.evaluate(NOT_SET) == []
    assert page.evaluate(RAW) == []
    assert page.evaluate(PICTURES) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_by_everybody(opened, name):
    """No violation that axe calls serious or critical."""
    page, _, _ = opened(name, WIDTHS["screen"])
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [
        (each["id"], node["html"][:200])
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"][:3]
    ] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_folded_opens_by_the_keyboard(opened, name):
    page, _, _ = opened(name, WIDTHS["telephone"])
    for summary in page.locator("article details:not(details details) > summary").all():
        folded = summary.locator("..")
        before = folded.get_attribute("open")
        summary.focus()
        page.keyboard.press("Enter")
        assert folded.get_attribute("open") != before


@pytest.mark.parametrize("name", ["index", *NOTEBOOKS])
def test_a_page_shows_something_within_three_seconds_on_a_slow_line(browser, address, name):
    page = browser.new_page(viewport={"width": WIDTHS["telephone"], "height": 844})
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SLOW)
    page.goto(f"{address}/{name}.html")
    paint = "performance.getEntriesByName('first-contentful-paint')"
    page.wait_for_function(f"{paint}.length")  # the browser may note it a moment after the page is there
    painted = page.evaluate(f"{paint}[0].startTime")
    assert painted <= 3000
    page.close()


def test_the_dark_page_is_dark(browser, address):
    page = browser.new_page(color_scheme="dark")
    page.goto(f"{address}/index.html")
    red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")[:3]
    assert max(red, green, blue) < 64
    page.close()


# -- the game that is played in the page

PLAYED = [two_numbers.PLAIN | changes for changes in (
    {"loss": "minimax", "rule": "unrolled", "numUnroll": 3, "r1": 0.4, "momentum": 0.5},
    {"game": "bilinear", "rule": "alternating", "discSteps": 2, "momentum": -0.3},
    {"loss": "hinge", "rule": "consensus", "gamma": 0.7},
    {"rule": "optimistic", "loss": "wasserstein"},
)]  # fmt: skip


def said(page, part="said"):
    return page.locator(f"[data-part={part}]").inner_text()


@pytest.mark.parametrize("how", PLAYED, ids=lambda how: how["rule"])
def test_the_game_in_the_page_is_that_of_the_package(opened, how):
    page, _, _ = opened("play", WIDTHS["screen"])
    pairs = dict(zip(("genRate", "discRate", "startGen", "startDisc"), how["rates"] + how["start"], strict=True))
    for name, value in [*how.items(), *pairs.items()]:
        control = page.locator(f"form.two-numbers [name={name}]")
        if control.is_visible():  # those of other rules and games are not
            control.select_option(value) if isinstance(value, str) else control.fill(str(value))
    path = page.evaluate("play(settingsOf(document.querySelector('form.two-numbers')))")
    np.testing.assert_allclose(path, two_numbers.path(how), rtol=1e-6, atol=1e-6)
    assert said(page).startswith(f"After {how['steps']} steps the distance from the equilibrium")


def test_the_game_is_played_by_the_keyboard_alone(opened):
    page, _, _ = opened("play", WIDTHS["telephone"])
    press, plane = page.keyboard.press, page.locator("[data-part=plane]")
    page.locator("[data-part=reset]").focus()
    press("Enter")
    assert said(page, "count") == "Step 0 of 200" and said(page).startswith("The players stand at a distance of 1.00")
    page.locator("[data-part=step]").focus()
    press("Space"), press("Enter")
    page.locator("[data-part=back]").focus()
    press("Enter")
    assert said(page, "count") == "Step 1 of 200" and said(page).startswith("After 1 step ")
    plane.focus()
    assert plane.evaluate("plane => getComputedStyle(plane).outlineStyle") == "solid"
    press("ArrowUp"), press("Shift+ArrowRight")
    assert [page.get_by_label(f"Start of {who}").input_value() for who in "GD"] == ["1.01", "0.10"]
    assert said(page).startswith("After 200 steps the distance from the equilibrium grew from 1.01 to ")
    assert said(page).endswith("it spirals outward.") and said(page, "theory").endswith("the way leads out.")


def test_a_click_moves_the_start(opened):
    page, _, _ = opened("play", WIDTHS["telephone"])
    page.locator("[data-part=reset]").click()
    plane = page.locator("[data-part=plane]")
    box = plane.bounding_box()
    plane.click(position={"x": box["width"] * (0.5 - 0.415 / 2), "y": box["height"] * (0.5 - 0.415 / 4)})
    starts = [float(page.get_by_label(f"Start of {who}").input_value()) for who in "GD"]
    np.testing.assert_allclose(starts, [-1, 0.5], rtol=0, atol=0.02)


def test_a_number_out_of_range_is_refused_in_a_sentence(opened):
    page, _, _ = opened("play", WIDTHS["screen"])
    for label, value, sentence in (
        ("Rate of G", "3", "“Rate of G” must be a number from 0 to 2."),
        ("Steps", "1.5", "“Steps” must be a whole number from 1 to 2000."),
        ("Momentum", "", "“Momentum” must be a number from -0.99 to 0.99."),
    ):
        control = page.get_by_label(label, exact=True)
        before = control.input_value()
        control.fill(value)
        assert said(page) == sentence and control.get_attribute("aria-invalid") == "true"
        assert said(page, "theory") == "" and page.locator("form.two-numbers button:enabled").count() == 0
        control.fill(before)
        assert control.get_attribute("aria-invalid") == "false" and said(page, "theory")


def test_the_game_moves_and_pauses_and_without_motion_shows_its_end(browser, address):
    for motion, seen in (("no-preference", "Pause"), ("reduce", "Play")):
        page = browser.new_page(reduced_motion=motion)
        page.goto(f"{address}/play.html")
        page.locator("[data-part=reset]").click()
        page.locator("[data-part=play]").click()
        assert said(page, "play") == seen
        if motion == "reduce":
            assert said(page, "count") == "Step 200 of 200"
        else:
            page.wait_for_function("!/^Step 0 /.test(document.querySelector('[data-part=count]').textContent)")
            assert said(page) == ""
            page.locator("[data-part=play]").click()
            assert said(page, "play") == "Play" and "Step 200" not in said(page, "count")
            assert said(page).startswith("After ")
        page.close()


def test_without_scripts_the_game_is_a_picture_and_a_sentence(browser, address):
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{address}/play.html")
    still = page.locator(".two-numbers-still")
    assert still.locator("img").is_visible() and len(still.locator("img").get_attribute("alt")) > 80
    assert "needs a browser that runs scripts" in still.inner_text()
    assert not page.locator("form.two-numbers").is_visible()
    page.close()


# -- slides


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """The folder of the decks of the committed notebooks."""
    root = tmp_path_factory.mktemp("slides")
    (root / "notebooks").symlink_to(ROOT / "notebooks")
    slides.build(root)
    return root / "build" / "slides"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_slide_fits_on_a_screen_of_1280_by_720(browser, decks, name):
    page, wrong, asked = browser.new_page(viewport={"width": 1280, "height": 720}), [], []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((decks / f"{name}.html").as_uri())
    page.evaluate("MathJax.startup.promise.then(() => document.fonts.ready).then(fit)")
    assert page.evaluate("slides().filter(overflows).map(slide => slide.innerText.slice(0, 80))") == []
    assert page.locator("mjx-merror").count() == 0
    assert wrong == [] and {urlsplit(url).scheme for url in asked} <= {"file", "data", "blob"}
    page.keyboard.press("ArrowRight")
    page.wait_for_function("slides()[1].getBoundingClientRect().top < 2")
    page.close()
