"""What the site adds to every page, as an extension of Sphinx: a place to link to at each code cell, sizes of pictures,
room for long cells of tables, links where a text names a notebook, a paper or a part of the package, and the question
of the notebook that is next."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.images import get_image_size

from . import notebooks
from .outline import NOTEBOOKS, NUMBER, question

PAPER = re.compile(r"\barXiv:(\d{4}\.\d{4,5})")
CODE = re.compile(r"mg((?:\.[a-zA-Z]\w*)+)")
CALL = re.compile(r'<span class="n">mg</span>((?:<span class="o">\.</span><span class="n">\w+</span>)+)')  # in a cell
WORD = re.compile(r'<span class="n">(\w+)</span>')
BACK = re.compile(r'(?<=<a class="viewcode-back" href=")((?:\.\./)*)([^"]+)\.html#([^"]+)')
# Names that lead nowhere, and punctuation: they have the color of all code.
PLAIN = re.compile(r'(<a\b.*?</a>)|<span class="[np]">([^<]*)</span>', re.DOTALL)
SIZE = re.compile(r'(<img [^>]*?)style="width: (\d+)px; height: (\d+)px;"')
CAPTION = re.compile(r'<p class="caption" role="heading"')
MUCH = 40  # letters in a cell of a table, from which on it is given room
EMPHASIS = re.compile(r"\*(\w[^*]*)\*")
LEFT_ALONE = (nodes.reference, nodes.literal, nodes.literal_block, nodes.math, nodes.raw, nodes.title)


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("doctree-read", places)
    app.connect("doctree-resolved", finish)
    app.connect("html-page-context", finish_html, priority=900)  # after the theme, which makes the tree of contents
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def places(app: Any, tree: nodes.document) -> None:
    """Give each code cell of a page that was read its place, ``cell-3``, to which texts link as to a heading."""
    headings = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for cell in tree.findall(lambda node: node.get("nb_element") == "cell_code" if _element(node) else False):
        place = f"cell-{cell['cell_index']}"
        cell["ids"].append(place)
        headings[place] = (cell.line, place, "")


def finish(app: Any, tree: nodes.document, page: str) -> None:
    """Add to the page of this name, whose references are resolved, what else this module is about."""
    for picture in tree.findall(nodes.image):
        _size(app, picture)
    for entry in tree.findall(nodes.entry):
        if len(entry.astext()) > MUCH:
            entry["classes"].append("long")
    for literal in list(tree.findall(nodes.literal)):
        _link_code(app, page, literal)
    for text in list(tree.findall(nodes.Text)):
        _link_names(app, page, text)


def finish_html(app: Any, page: str, template: str, context: dict[str, Any], tree: nodes.document | None) -> None:
    """Give sizes as attributes, which a narrow screen can scale, and say what the neighboring notebooks ask. Headings
    of the tree of contents get the level that Sphinx leaves out, without which a screen reader cannot place them.

    A page that is made when the site is built, or of a notebook from elsewhere, has no source to be shown.
    """
    if not any((Path(app.srcdir).parents[1] / "notebooks").glob(f"{page}.*")):
        context["page_source_suffix"] = ""
    if "body" in context:
        body = SIZE.sub(r'\1width="\2" height="\3"', context["body"])
        body = _back_to_docs(app, body) if page.startswith("_modules/") else _link_calls(app, page, body)
        context["body"] = PLAIN.sub(r"\1\2", body)
    if "furo_navigation_tree" in context:
        context["furo_navigation_tree"] = CAPTION.sub(r'\g<0> aria-level="2"', context["furo_navigation_tree"])
    for neighbor in filter(None, (context.get("prev"), context.get("next"))):
        asked = _question(Path(app.srcdir, neighbor["link"]).with_suffix(".ipynb"))
        if asked:
            asked = EMPHASIS.sub(r"<em>\1</em>", html.escape(asked))
            neighbor["title"] += f"<br><small>{asked}</small>"


def _question(path: Path) -> str:
    return question(notebooks.read(path)) if path.exists() else ""


def _element(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Element)


def _size(app: Any, picture: nodes.image) -> None:
    """Say how large a picture is, so that nothing jumps when it comes, and let it come when it is scrolled to.

    Sphinx makes a picture with a size a link to itself in full, for small screens.
    """
    size = get_image_size(app.srcdir / picture["uri"])
    if size and "width" not in picture:
        picture["width"], picture["height"] = (f"{pixels}px" for pixels in size)
        picture["loading"] = "lazy"


def _link_code(app: Any, page: str, literal: nodes.literal) -> None:
    match = CODE.match(literal.astext())
    if match is None or isinstance(literal.parent, nodes.reference):
        return
    known = app.env.domains["py"].objects.get("metagan_edu" + match[1])
    if known:
        place = f"{app.builder.get_relative_uri(page, known.docname)}#{known.node_id}"
        link = nodes.reference("", "", literal.deepcopy(), internal=True, refuri=place)
        literal.replace_self(link)


def _link_calls(app: Any, page: str, body: str) -> str:
    """HTML whose code cells link what they call of the package, each name where it first stands."""
    known, seen = app.env.domains["py"].objects, set()

    def linked(match):
        words = WORD.findall(match[1])
        for end in range(len(words), 0, -1):
            name = ".".join(["metagan_edu", *words[:end]])
            if name in known and name not in seen:
                seen.add(name)
                place = f"{app.builder.get_relative_uri(page, known[name].docname)}#{known[name].node_id}"
                parts = match[0].split('<span class="o">.</span>')
                whole, rest = ('<span class="o">.</span>'.join(some) for some in (parts[: end + 1], parts[end + 1 :]))
                return f'<a href="{place}">{whole}</a>' + ('<span class="o">.</span>' + rest if rest else "")
            if name in known:
                break
        return match[0]

    return CALL.sub(linked, body)


def _back_to_docs(app: Any, body: str) -> str:
    """HTML of a page of source whose links lead to the place of a name, where Sphinx took another of its names."""
    known = {(entry.docname, entry.node_id) for entry in app.env.domains["py"].objects.values()}

    def mended(match):
        up, page, place = match.groups()
        same = (node for name, node in sorted(known) if name == page and node.split(".")[-1] == place.split(".")[-1])
        return f"{up}{page}.html#{place if (page, place) in known else next(same, place)}"

    return BACK.sub(mended, body)


def _link_names(app: Any, page: str, text: nodes.Text) -> None:
    around = text.parent
    while around is not None:
        if isinstance(around, LEFT_ALONE):
            return
        around = around.parent
    others = {name[:2]: app.builder.get_relative_uri(page, name) for name in sorted(app.env.found_docs - {page})}
    whole, pieces, end = text.astext(), [], 0
    for start, stop, place in named(whole, others):
        link = nodes.reference("", whole[start:stop], internal="://" not in place, refuri=place)
        pieces += [nodes.Text(whole[end:start]), link]
        end = stop
    if pieces:
        text.parent.replace(text, [*pieces, nodes.Text(whole[end:])])


def named(text: str, others: dict[str, str]) -> list[tuple[int, int, str]]:
    """(start, end, address) of what a text names: papers, and the notebooks whose number is among ``others``."""
    found = [(*match.span(), f"https://arxiv.org/abs/{match[1]}") for match in PAPER.finditer(text)]
    for phrase in NOTEBOOKS.finditer(text):
        numbers = NUMBER.finditer(text, *phrase.span())
        found += [(*number.span(), others[number[0]]) for number in numbers if number[0] in others]
    return sorted(found)
