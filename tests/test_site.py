"""The built pages, read without a browser: tables are tables, formulas are set, links lead somewhere, pictures have
words and a size, and a page is light and fetches nothing from elsewhere."""

import functools
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from bs4 import BeautifulSoup

import metagan_edu as mg
from metagan_edu.course import notebooks, outline, site

ROOT = Path(__file__).resolve().parents[1]
MAX_BYTES = 1_500_000
COMMITTED = [path.stem for path in notebooks.find(ROOT / "notebooks")]
NOT_READ_AS_TEXT = ["script", "style", "code", "pre", "template"]
TEX = re.compile(r"\$|\\[a-zA-Z]+|\\[,;!|]")
ELSEWHERE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
FETCHED_BY = re.compile(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)")
LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]+)"')
PLACE = re.compile(r'\bid="([^"]+)"')
LINKS_ONLY = {"canonical", "search", "index", "next", "prev", "author", "license"}


def bars(page):
    """Paragraphs that begin with a bar: tables that were not read as tables."""
    return [text for text in (p.get_text().strip() for p in page.find_all("p")) if text.startswith("|")]


def loose_tex(page):
    """What stands in the text as TeX, outside formulas and code."""
    texts = [text for text in page.find_all(string=TEX) if type(text).__name__ == "NavigableString"]
    return [
        str(text).strip()
        for text in texts
        if not text.find_parents(NOT_READ_AS_TEXT) and not text.find_parents(class_="math")
    ]


def fetched(page):
    """The addresses that a browser asks for by itself when it opens the page."""
    found = [tag[name] for name in ("src", "poster", "data") for tag in page.find_all(attrs={name: True})]
    found += [part.split()[0] for tag in page.find_all(srcset=True) for part in tag["srcset"].split(",")]
    found += [tag["href"] for tag in page.find_all("link", href=True) if not LINKS_ONLY & set(tag.get("rel", []))]
    styles = [tag["style"] for tag in page.find_all(style=True)] + [tag.get_text() for tag in page.find_all("style")]
    return found + [address for style in styles for address in in_styles(style)]


def in_styles(text):
    return [first or second for first, second in FETCHED_BY.findall(text)]


def foreign(addresses):
    return [address for address in addresses if ELSEWHERE.match(address)]


def unsaid(page):
    """Pictures without alternative text."""
    return [picture["src"] for picture in page.find_all("img") if not picture.get("alt", "").strip()]


def parsed(html):
    return BeautifulSoup(html, "html.parser")


@functools.cache
def source(path):
    return path.read_text(encoding="utf-8")


@functools.cache
def places(path):
    return set(PLACE.findall(source(path)))


def broken(path, folder):
    """The links of a page, within the folder, whose file or place in it is not there."""
    found = []
    for link in LINK.findall(source(path)):
        address, place = urldefrag(link)
        target = (path.parent / unquote(address)).resolve() if address else path
        if re.match(r"[a-z]+:", link):
            continue
        there = target.is_file() and target.is_relative_to(folder)
        if not there or (place and place not in places(target)):
            found.append(link)
    return found


# -- the checks themselves


@pytest.mark.parametrize(
    ("check", "html", "found"),
    [
        (bars, "<p> | a | b |</p><p>P(a | b)</p><table><tr><td>|x|</td></tr></table>", 1),
        (loose_tex, r"<li>so that $$ x</li><p>and \frac12</p><p>a\,b</p>", 3),
        (loose_tex, r'<code>$x</code><pre><span>"\alpha $"</span></pre><script>"\n$"</script><!-- $ -->', 0),
        (unsaid, '<img src="a.png"><img src="b.png" alt=" "><img src="c.png" alt="A ring">', 2),
        (loose_tex, r'<span class="math notranslate">\(\frac12\)</span><div class="math"><p>\[x\,y\]</p></div>', 0),
    ],
)
def test_the_checks_find_what_is_wrong(check, html, found):
    assert len(check(parsed(html))) == found


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<img src="https://a.org/b.svg"><img src="_images/b.svg">', ["https://a.org/b.svg"]),
        ('<script src="//a.org/b.js"></script><script src="_static/b.js"></script>', ["//a.org/b.js"]),
        ('<link rel="stylesheet" href="HTTP://a.org/b.css"><link rel="stylesheet" href="b.css">', ["HTTP://a.org/b.css"]),
        ('<img srcset="a.png 1x, https://a.org/b.png 2x" src="a.png">', ["https://a.org/b.png"]),
        ('<p style="background: url(https://a.org/b.png)">', ["https://a.org/b.png"]),
        ('<style>@import "https://a.org/b.css"; p {background: url("c.png")}</style>', ["https://a.org/b.css"]),
        ('<a href="https://a.org">a link</a><link rel="canonical" href="https://a.org/b">', []),
        ('<img src="data:image/png;base64,//8=">', []),
    ],
)  # fmt: skip
def test_addresses_that_are_fetched_from_elsewhere_are_found(html, expected):
    assert foreign(fetched(parsed(html))) == expected


def test_links_to_nowhere_are_found(tmp_path):
    (tmp_path / "b.html").write_text('<p id="there">')
    links = "b.html", "b.html#there", "#here", "https://a.org#x", "c.html", "b.html#gone", "#gone", "../d.html"
    (tmp_path / "a.html").write_text('<p id="here">' + "".join(f'<a class="x" href="{link}">' for link in links))
    assert broken(tmp_path / "a.html", tmp_path) == ["c.html", "b.html#gone", "#gone", "../d.html"]


# -- the pages

WRITTEN = [*COMMITTED, *(path.stem for path in (ROOT / "notebooks").glob("*.md")), "claims", "references", "api/rules"]


def page(built, name):
    return parsed(source(built / f"{name}.html"))


@pytest.mark.parametrize("name", WRITTEN)
def test_a_page_shows_no_source_and_its_pictures_have_words_and_sizes(built_site, name):
    shown = page(built_site, name)
    assert bars(shown) == []
    assert loose_tex(shown) == []
    assert unsaid(shown) == []
    assert [
        picture["src"] for picture in shown.find_all("img") if not {"width", "height"} <= picture.attrs.keys()
    ] == []


@pytest.mark.parametrize("name", WRITTEN)
def test_a_page_is_light(built_site, name):
    """With all that it loads, uncompressed; of MathJax, where there are formulas, the scripts and four fonts."""
    path = built_site / f"{name}.html"
    loaded = [address.split("?")[0] for address in fetched(parsed(source(path))) if not address.startswith("data:")]
    files = {(path.parent / address).resolve() for address in loaded} | {path}
    if 'class="math' in source(path):
        mathjax = built_site / "_static" / "mathjax"
        files |= {mathjax / name for name in site.MATHJAX if "*" not in name}
        files |= set(
            sorted(mathjax.glob("output/chtml/fonts/woff-v2/*.woff"), key=lambda font: font.stat().st_size)[-4:]
        )
    assert sum(file.stat().st_size for file in files) <= MAX_BYTES


@pytest.mark.parametrize("name", COMMITTED)
def test_every_computed_table_is_a_table(built_site, name):
    cells = notebooks.code_cells(notebooks.read(ROOT / "notebooks" / f"{name}.ipynb"))
    markdown = [output.get("data", {}).get("text/markdown", "") for _, cell in cells for output in cell.outputs]
    made = [text.splitlines() for text in markdown if text.startswith("|")]
    shown = page(built_site, name).select(".cell_output table")
    assert [len(table.find_all("tr")) for table in shown] == [len(lines) - 1 for lines in made]  # less the rule


def test_no_page_fetches_from_elsewhere(built_site):
    pages, styles = list(built_site.glob("**/*.html")), list(built_site.glob("**/*.css"))
    assert len(pages) > len(COMMITTED) and styles
    found = {path.name: foreign(fetched(parsed(source(path)))) for path in pages if "_modules" not in path.parts}
    found |= {path.name: foreign(in_styles(source(path))) for path in styles}
    assert {name: addresses for name, addresses in found.items() if addresses} == {}


def test_every_link_and_place_is_there(built_site):
    found = {path.name: broken(path, built_site) for path in built_site.glob("**/*.html")}
    assert {name: links for name, links in found.items() if links} == {}


@pytest.mark.parametrize("name", ["index", *COMMITTED])
def test_a_page_has_an_icon_one_search_box_and_copy_buttons(built_site, name):
    shown = page(built_site, name)
    assert shown.find("link", rel="icon") or shown.find("link", rel="shortcut icon")
    assert len(shown.find_all("input", attrs={"type": "search"}) or shown.find_all("input", attrs={"name": "q"})) == 1
    assert any("copybutton" in address for address in fetched(shown))


# -- the pages that are made of all notebooks


OUTLINES = [outline.outline(ROOT / "notebooks" / f"{name}.ipynb") for name in COMMITTED]


def test_the_first_page_has_a_card_for_each_notebook_and_two_ways_to_begin(built_site):
    shown = page(built_site, "index")
    cards = shown.select(".cards .notebook")
    assert [card.find("a", href=re.compile("html$"))["href"] for card in cards] == [
        f"{name}.html" for name in COMMITTED
    ]
    assert len(shown.select(".ways .way a[href$='.html']")) >= 3
    for card, each in zip(cards, OUTLINES, strict=True):
        assert each.question and f"{each.counts.stated} minutes to read and do" in card.get_text()
        assert bool(card.find("img")) == bool(each.pictures)


def test_the_board_has_every_claim_with_its_verdict_and_the_way_to_its_cell(built_site):
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in page(built_site, "claims").select("tbody tr")]
    assert len(rows) == sum(len(each.claims) for each in OUTLINES)
    verdicts = Counter(claim.holds for each in OUTLINES for claim in each.claims)
    assert Counter(row[1] == "holds" for row in rows) == verdicts
    assert {row[2] for row in rows} == {"live", "recorded"}


def test_papers_and_names_of_the_package_are_links(built_site):
    links = [LINK.findall(source(built_site / f"{name}.html")) for name in COMMITTED]
    assert all(any(link.startswith("https://arxiv.org/abs/") for link in found) for found in links)
    assert all(any(link.startswith("api/") and "#metagan_edu." in link for link in found) for found in links)


@pytest.mark.parametrize("name", [name for name in mg.__all__ if hasattr(getattr(mg, name), "__path__")])
def test_everything_public_of_a_package_has_its_place_and_source(built_site, name):
    package, text = getattr(mg, name), source(built_site / "api" / f"{name}.html")
    functions = [each for each in getattr(package, "__all__", []) if callable(getattr(package, each))]
    assert {f"{package.__name__}.{each}" for each in functions} <= places(built_site / "api" / f"{name}.html")
    assert text.count('class="viewcode-link"') >= len(functions) / 2
