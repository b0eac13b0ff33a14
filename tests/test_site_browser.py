"""The built pages in a real browser, on a screen and on a telephone: all is there, and nothing is cut off."""

import functools
import http.server
import shutil
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from metagan_edu.course import notebooks

GET = "the pages are looked at where Playwright and a Chromium are: pip install '.[browser]' and apt install chromium"
playwright = pytest.importorskip("playwright.sync_api", reason=GET)
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=GET)

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    "index",
    "claims",
    "references",
    "symbols",
    "lecturers",
    "api/rules",
    "data",
    *(p.stem for p in notebooks.find(ROOT / "notebooks")),
]
WIDTHS = {"screen": 1280, "telephone": 390}
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


@pytest.mark.parametrize("name", [name for name in PAGES if name[:2].isdigit()])
def test_what_is_folded_opens_by_the_keyboard(opened, name):
    page, _, _ = opened(name, WIDTHS["telephone"])
    for summary in page.locator("article details:not(details details) > summary").all():
        folded = summary.locator("..")
        before = folded.get_attribute("open")
        summary.focus()
        page.keyboard.press("Enter")
        assert folded.get_attribute("open") != before


@pytest.mark.parametrize("name", [name for name in PAGES if name == "index" or name[:2].isdigit()])
def test_a_page_shows_something_within_three_seconds_on_a_slow_line(browser, address, name):
    page = browser.new_page(viewport={"width": WIDTHS["telephone"], "height": 844})
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SLOW)
    page.goto(f"{address}/{name}.html")
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert painted <= 3000
    page.close()


def test_the_dark_page_is_dark(browser, address):
    page = browser.new_page(color_scheme="dark")
    page.goto(f"{address}/index.html")
    red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")[:3]
    assert max(red, green, blue) < 64
    page.close()
