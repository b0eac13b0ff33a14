"""The pages of symbols and terms and the notebooks say the same: nothing is explained that does not occur."""

import re
from pathlib import Path

import pytest

from metagan_edu.course import notebooks

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
READ = "\n".join(cell.source for path in notebooks.find(FOLDER) for cell in notebooks.read(path).cells)
GREEK = {
    "beta": "β",
    "gamma": "γ",
    "epsilon": "ε",
    "eta": "η",
    "theta": "θ",
    "lambda": "λ",
    "sigma": "σ",
    "varphi": "φ",
}


def rows(name):
    lines = [line for line in (FOLDER / name).read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines[1:]]


def written(symbol, text):
    """Whether ``text`` has the TeX ``symbol``, in a formula or as a letter of its own."""
    letter = GREEK.get(symbol.lstrip("\\"))
    tex = rf"(?<![\\a-zA-Z]){re.escape(symbol)}(?![a-zA-Z])"
    return bool(re.search(tex, text)) or (letter is not None and letter in text)


SYMBOLS = [symbol for row in rows("symbols.md") for symbol in re.findall(r"\$([^$]+)\$", row[0])]
TERMS = rows("terms.md")


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_symbol_occurs(symbol):
    assert written(symbol, READ)


def test_symbols_have_one_row_each_latin_letters_first():
    assert len(SYMBOLS) == len(set(SYMBOLS)) > 30
    letters = [symbol.replace("\\ell", "l")[0].lower() for symbol in SYMBOLS]
    latin = [letter for letter in letters if letter.isalpha()]
    assert latin == sorted(latin) and letters[: len(latin)] == latin


@pytest.mark.parametrize("row", TERMS, ids=lambda row: row[0])
def test_every_term_is_defined_and_occurs(row):
    term, chinese, meaning = row
    assert re.fullmatch(r"\*\*[^*]+\*\*", term) and chinese and meaning and not meaning.endswith(".")
    assert term.strip("*").replace("–", "-").casefold() in READ.replace("–", "-").casefold()


def test_terms_are_in_order_and_have_one_row_each():
    names = [row[0].casefold() for row in TERMS]
    assert names == sorted(set(names)) and len(names) > 60


@pytest.mark.parametrize(
    ("symbol", "text", "found"),
    [
        ("\\eta", "the rate $\\eta_G$", True),
        ("\\eta", "$\\beta$ and $\\theta$", False),
        ("\\eta", "η = 0.1", True),
        ("K", "$K = 5$", True),
        ("K", "KL", False),
        ("n_D", "$n_D = K$", True),
        ("V", "V(D, G)", True),
        ("V", "Vary", False),
    ],
)
def test_a_symbol_is_found_where_it_stands_alone(symbol, text, found):
    assert written(symbol, text) == found
