"""What is made of all notebooks when the site is built: the first page's picture and cards, what each asks of a reader,
the claims board, references, the API."""

from __future__ import annotations

import html
import io
import re
import types
from collections.abc import Iterator
from pathlib import Path

import metagan_edu

from .. import plotting
from . import still
from .outline import GAME, Outline, Picture
from .pictures import thumbnail, with_palette

Audit = dict[str, dict[str, list[int]]]  # notebook -> claim -> 0 or 1 for each seed
THUMBNAILS = "images/thumbnails"
LANDING = "images/landing.png"
STILL = "images/two_numbers.png"
REMARK = re.compile(r"(?<=\.)\s*\((?:[^()]|\([^()]*\))*\)\.?$")  # at the end of an entry: what it is named for
INITIALS = re.compile(r"\b\w\.[-\s]*")
LEARNED = re.compile(r"meta-|learning to learn|learning is learned", re.IGNORECASE)
WAYS = """:::{{container}} landing
![A generator makes samples of noise, a discriminator tells them from real data, and gradients of two losses move \
both. Around this game of K steps an outer loop moves theta, its start, rates or rule, by how it ends.]({picture})
:::

::::{{container}} ways
:::{{container}} way
**I have one course on neural networks behind me**

Begin with {first}, and take the notebooks in their order, one a sitting: each uses only what stands before it.
:::
:::{{container}} way
**I know GANs**

Read {first} for what is asked, then go on at {learned}, and come back where a word is missing. The
[claims board](claims.md) says what was found.
:::
:::{{container}} way
**I would rather play first**

[The two-number game]({game}) runs in this page: set the rule, the rates and the start, guess, and watch.
:::
::::
"""
LECTURES = """All {notebooks} notebooks take {hours} hours to read and do, and {minutes} minutes to run on two cores.
They make {claims} [claims](claims.md), {recorded} of them from records of longer experiments. {audited} were played
again with other random draws; the least of them came out the same in {least} of {draws} runs.

| notebook | minutes to read and do | seconds to run | points to | turns | exercises | claims: live, recorded |
|---|--:|--:|---|--:|--:|--:|
"""
BOARD = """# Claims board

Every sentence that a notebook claims is checked by the code beside it, in each run of the tests, and this is the list
of all {total}. Where a sentence *does not hold*, that is the lesson: the course expects so, and the test would fail if
it held.

* **live**: computed by the notebook while it runs; **recorded**: computed from the record of a longer experiment.
* **other draws**: how many of the runs with other random draws (data, starts, noise, batches) gave the same verdict.
  What is recorded, or is mathematics, cannot change; "–" stands where this was not measured for the sentence as it is.
"""
SECTIONS = """Minutes to read and do, section by section, each rounded up, as `python -m metagan_edu sitting --sections`
counts them.
"""
SPREAD = """Ten runs of each notebook with other random draws: how many of its claims came out the same each time, and
which did not. The draws change data, starts, noise and batches; records and mathematics stay.

| notebook | claims played again | the same in all runs | the others |
|---|--:|--:|---|
"""
REFERENCES = """# References

What the notebooks stand on, {total} entries in the order of their names, each with the notebooks that use it.
"""
API = """# The package

`import metagan_edu as mg`, then for example `mg.games.gan`, `mg.rules.unrolled`, `mg.train`. These pages are made of
the docstrings; **[source]** beside a name leads to the code, one short file for each technique.
"""


def write(folder: Path, outlines: list[Outline], audit: Audit) -> None:
    """Write all generated pages into ``folder``, where the site's sources are."""
    (folder / THUMBNAILS).mkdir(parents=True, exist_ok=True)
    for file, picture in covers(outlines).items():
        (folder / THUMBNAILS / f"{Path(file).stem}.png").write_bytes(thumbnail(picture.png))
    if outlines:
        (folder / LANDING).write_bytes(landing())
    (folder / STILL).write_bytes(with_palette(still.picture()))
    (folder / "_two_numbers.md").write_text(still.text(STILL), encoding="utf-8")
    (folder / "_ways.md").write_text(ways(outlines), encoding="utf-8")
    (folder / "_lectures.md").write_text(lectures(outlines, audit), encoding="utf-8")
    (folder / "_sections.md").write_text(sections(outlines), encoding="utf-8")
    (folder / "_spread.md").write_text(spread(outlines, audit), encoding="utf-8")
    (folder / "_cards.md").write_text(cards(outlines), encoding="utf-8")
    (folder / "claims.md").write_text(board(outlines, audit), encoding="utf-8")
    (folder / "references.md").write_text(references(outlines), encoding="utf-8")
    (folder / "api").mkdir(exist_ok=True)
    for name, text in api():
        (folder / "api" / f"{name}.md").write_text(text, encoding="utf-8")


def landing() -> bytes:
    """The course in one picture, a PNG file: two players, and what is learned around their game."""
    from matplotlib import pyplot  # here, because it takes longer to import than the whole package

    figure, written = plotting.diagram("players", "outer loop"), io.BytesIO()
    figure.savefig(written, format="png", dpi=150)
    pyplot.close(figure)
    return with_palette(written.getvalue())


def ways(outlines: list[Outline]) -> str:
    """Where to begin: at the first notebook, or, for who knows GANs, after it at the first on what is learned."""
    if not outlines:
        return ""
    first, *others = outlines
    learned = next((each for each in others if LEARNED.search(each.title + " " + each.question)), first)
    return WAYS.format(
        picture=LANDING,
        first=f"[{first.title}]({first.file})",
        learned=f"[{learned.title}]({learned.file})",
        game=GAME,
    )


def covers(outlines: list[Outline]) -> dict[str, Picture]:
    """Notebook's file -> its first figure that is not on the card of one before it, if there is such."""
    shown: dict[str, Picture] = {}
    for each in outlines:
        taken = {picture.png for picture in shown.values()}
        fresh = [picture for picture in each.pictures if picture.png not in taken] or each.pictures
        if fresh:
            shown[each.file] = fresh[0]
    return shown


def cards(outlines: list[Outline]) -> str:
    """A card for each notebook: a figure, its title, its question, the time that it takes, and what it builds on."""
    lines, shown = ["::::{container} cards"], covers(outlines)
    for each in outlines:
        lines += [":::{container} notebook"]
        if each.file in shown:
            lines += [f"![{_plain(shown[each.file].alt)}]({THUMBNAILS}/{Path(each.file).stem}.png)", ""]
        lines += [
            f"**[{each.title}]({each.file})**",
            "",
            each.question,
            "",
            f"*{_takes(each)}*" + f" · [play it]({GAME})" * each.plays,
            ":::",
        ]
    return "\n".join([*lines, "::::", ""])


def _takes(each):
    counts, earlier = each.counts, each.earlier
    running = f", {counts.seconds} s to run" if counts.seconds else ""
    needs = f"; builds on notebook{'s' * (len(earlier) > 1)} {_ranges(earlier)}" if earlier else ""
    return f"{counts.stated or counts.minutes} minutes to read and do{running}{needs}"


def _ranges(numbers: list[str]) -> str:
    """Ascending numbers in words, three and more in a row as "00 to 13"."""
    rows: list[list[str]] = []
    for number in numbers:
        if rows and int(number) == int(rows[-1][-1]) + 1:
            rows[-1].append(number)
        else:
            rows.append([number])
    return ", ".join(f"{row[0]} to {row[-1]}" if len(row) > 2 else ", ".join(row) for row in rows)


def lectures(outlines: list[Outline], audit: Audit) -> str:
    """What each notebook takes and stands on, and what all of them claim, for who plans a course."""
    played = _other_draws(audit)
    said = [claim for each in outlines for claim in each.claims]
    shares = [(sum(played[claim.text]), len(played[claim.text])) for claim in said if claim.text in played]
    least, draws = min(shares, key=lambda share: share[0] / share[1], default=(0, 0))
    text = LECTURES.format(
        notebooks=len(outlines),
        hours=round(sum(each.counts.minutes for each in outlines) / 60),
        minutes=round(sum(each.counts.seconds or 0 for each in outlines) / 60),
        claims=len(said),
        recorded=sum(claim.recorded for claim in said),
        audited=len(shares),
        least=least,
        draws=draws,
    )
    return text + "".join(f"| {' | '.join(map(str, _lecture(each)))} |\n" for each in outlines)


def _other_draws(audit: Audit) -> dict[str, list[int]]:
    """Claim -> 0 or 1 for each seed, in whatever notebook it was audited."""
    return {text: held for claims in audit.values() for text, held in claims.items()}


def _lecture(each):
    recorded = sum(claim.recorded for claim in each.claims)
    counts, named = each.counts, _ranges(each.earlier) or "–"
    yield from (f"[{each.title}]({each.file})", counts.minutes, counts.seconds or "–", named)
    yield from (counts.turns, counts.exercises, f"{len(each.claims) - recorded}, {recorded}")


def sections(outlines: list[Outline]) -> str:
    """The minutes of each section of each notebook, for who cuts a lecture out of it."""
    lines = [SECTIONS]
    for each in outlines:
        named = [
            ("introduction" if part.heading == each.title else part.heading, part.minutes) for part in each.sections
        ]
        lines.append(f"* **[{each.title}]({each.file})**: " + "; ".join(f"{name} ({count})" for name, count in named))
    return "\n".join([*lines, ""])


def spread(outlines: list[Outline], audit: Audit) -> str:
    """How far runs with other draws agree: how many claims of a notebook came out the same, and which did not."""
    played, text = _other_draws(audit), SPREAD
    for each in outlines:
        shares = {claim.text: played[claim.text] for claim in each.claims if claim.text in played}
        others = {words: held for words, held in shares.items() if len(set(held)) > 1}
        said = "; ".join(f"{_literal(words)} ({sum(held)} of {len(held)})" for words, held in others.items())
        text += f"| [{each.title}]({each.file}) | {len(shares)} | {len(shares) - len(others)} | {said or '–'} |\n"
    return text


def _plain(text: str) -> str:
    return re.sub(r"[\[\]\\`*_$]", "", " ".join(text.split()))


def board(outlines: list[Outline], audit: Audit) -> str:
    """Every claim with its verdict, where it comes from, its share in the audit, and a link to its cell."""
    lines = [BOARD.format(total=sum(len(each.claims) for each in outlines))]
    other_draws = _other_draws(audit)
    for each in outlines:
        if not each.claims:
            continue
        lines += [f"## {each.title}", "", "| claim | verdict | from | other draws |", "|---|---|---|---|"]
        for claim in each.claims:
            held = other_draws.get(claim.text)
            place = f"{Path(each.file).stem}.html#cell-{claim.cell}"
            words = f'<a href="{place}">{_literal(claim.text)}</a>'
            verdict = "holds" if claim.holds else "**does not hold**"
            share = f"{sum(held)} of {len(held)}" if held else "–"
            lines.append(f"| {words} | {verdict} | {'recorded' if claim.recorded else 'live'} | {share} |")
        lines.append("")
    return "\n".join(lines)


def _literal(text: str) -> str:
    """Printed text as it was printed: nothing in it is Markdown, HTML or the end of a cell."""
    return re.sub(r"([\\`*_$\[\]])", r"\\\1", html.escape(text, quote=False)).replace("|", "&#124;")


def references(outlines: list[Outline]) -> str:
    """The entries of all notebooks, each work once, with links to the notebooks that name it."""
    works: dict[str, tuple[str, list[str]]] = {}
    for each in outlines:
        for entry in each.references:
            work, text = _work(entry), REMARK.sub("", entry)
            known, places = works.get(work, ("", []))
            longer = max(known, text, key=lambda words: ("arXiv" in words, len(words)))
            works[work] = (longer, list(dict.fromkeys([*places, f"[{each.title}]({each.file})"])))
    ordered = sorted(works.values(), key=lambda found: _surname(found[0]))
    return REFERENCES.format(total=len(ordered)) + "".join(
        f"\n* {text}\\\n  {' · '.join(places)}\n" for text, places in ordered
    )


def _work(entry: str) -> str:
    """What entries of one work have in common: its title, the longest sentence after the authors'."""
    sentences = re.split(r"[.?!]\W", INITIALS.sub("", REMARK.sub("", entry)))
    return re.sub(r"\W+", " ", max(sentences[1:] or sentences, key=len)).strip().casefold()


def _surname(entry: str) -> str:
    """The word that an entry is ordered by: the first author's name without initials."""
    return INITIALS.sub("", entry.lstrip("* ")).casefold()


def api() -> Iterator[tuple[str, str]]:
    """(file's name, text) of the package's pages: one for each of its public modules, and the list of them."""
    names = ["metagan_edu", *(name for top in _modules(metagan_edu) for name in (top, *_below(top)))]
    for name in names:
        yield name.removeprefix("metagan_edu."), _page(name)
    listed = "\n".join(name.removeprefix("metagan_edu.") for name in names)
    yield "index", f"{API}\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n"


def _page(name: str) -> str:
    short = "mg" + name.removeprefix("metagan_edu")
    return f"# {short}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n   :member-order: bysource\n```\n"


def _modules(package: types.ModuleType) -> list[str]:
    """The public modules of a package: those that ``__all__`` names."""
    public = {name: getattr(package, name) for name in getattr(package, "__all__", [])}
    return [value.__name__ for value in public.values() if isinstance(value, types.ModuleType)]


def _below(name: str) -> list[str]:
    module: types.ModuleType = metagan_edu
    for part in name.split(".")[1:]:
        module = getattr(module, part)
    return _modules(module)
