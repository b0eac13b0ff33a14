"""The built pages: tables are tables, formulas are set, and nothing is fetched from elsewhere."""

import re
import shutil
import warnings
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from metagan_edu.course import notebooks, site

ROOT = Path(__file__).resolve().parents[1]
COMMITTED = [path.stem for path in notebooks.find(ROOT / "notebooks")]
NOT_READ_AS_TEXT = ["script", "style", "code", "pre", "template"]
TEX = re.compile(r"\$|\\[a-zA-Z]+|\\[,;!|]")
ELSEWHERE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
FETCHED_BY = re.compile(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)")
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


def parsed(html):
    return BeautifulSoup(html, "html.parser")


# -- the checks themselves


@pytest.mark.parametrize(
    ("check", "html", "found"),
    [
        (bars, "<p> | a | b |</p><p>P(a | b)</p><table><tr><td>|x|</td></tr></table>", 1),
        (loose_tex, r"<li>so that $$ x</li><p>and \frac12</p><p>a\,b</p>", 3),
        (loose_tex, r'<code>$x</code><pre><span>"\alpha $"</span></pre><script>"\n$"</script><!-- $ -->', 0),
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


# -- the pages


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The site of the committed notebooks, built once: some ten seconds."""
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=site.IGNORED)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*Check CHANGES for Sphinx")  # its theme is behind it
        return site.build(root).parent


def page(built, name):
    return parsed((built / f"{name}.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [*COMMITTED, *(path.stem for path in (ROOT / "notebooks").glob("*.md"))])
def test_a_page_shows_no_source(built, name):
    shown = page(built, name)
    assert bars(shown) == []
    assert loose_tex(shown) == []


@pytest.mark.parametrize("name", COMMITTED)
def test_every_computed_table_is_a_table(built, name):
    cells = notebooks.code_cells(notebooks.read(ROOT / "notebooks" / f"{name}.ipynb"))
    markdown = [output.get("data", {}).get("text/markdown", "") for _, cell in cells for output in cell.outputs]
    made = [text.splitlines() for text in markdown if text.startswith("|")]
    shown = page(built, name).select(".cell_output table")
    assert [len(table.find_all("tr")) for table in shown] == [len(lines) - 1 for lines in made]  # less the rule


def test_no_page_fetches_from_elsewhere(built):
    pages, styles = list(built.glob("**/*.html")), list(built.glob("**/*.css"))
    assert len(pages) > len(COMMITTED) and styles
    found = {path.name: foreign(fetched(parsed(path.read_text(encoding="utf-8")))) for path in pages}
    found |= {path.name: foreign(in_styles(path.read_text(encoding="utf-8"))) for path in styles}
    assert {name: addresses for name, addresses in found.items() if addresses} == {}
