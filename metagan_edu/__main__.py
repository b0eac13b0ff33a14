"""``python -m metagan_edu run | site | slides | test | check | sitting | assignments | grade | ...``.

All but ``layers`` and ``devices`` work on the course's folder, which is found from where they are called, or named with
``--course``.
"""

import argparse
import sys
from pathlib import Path


def run(options: argparse.Namespace) -> int:
    """Run notebooks into ``build/notebooks`` (or in place), then build the site where asked to."""
    from .course import notebooks, place, runner
    from .course.assignments import source

    if options.own and not options.site:
        raise ValueError("--with adds notebooks to the site, which is built with --site: run --site --with FOLDER.")
    root = place.find(options.course)
    folder, copies = root / "notebooks", root / "build" / "notebooks"
    paths = notebooks.find(folder, options.only, *([source.folder(root)] if options.only else []))
    runner.drop_stale(copies, {path.name for path in folder.glob("*.ipynb")})
    outcomes = runner.run(
        paths,
        target=(lambda path: path) if options.in_place else (lambda path: copies / path.name),
        timeout=options.timeout,
        keep_failed=not options.in_place,
    )
    print(f"{len(paths)} notebooks in {sum(outcome.seconds for outcome in outcomes):.0f} s")
    failures = [outcome.error for outcome in outcomes if outcome.error]
    if options.site:
        site(options)
    for failure in failures:
        print(f"FAILED  {failure}", file=sys.stderr)
    return 1 if failures else 0


def site(options: argparse.Namespace) -> int:
    """Build the site from the executed copies, or from the committed notebooks where there are none."""
    from .course import place
    from .course import site as builder

    root = place.find(options.course)
    print("Building the site ...", flush=True)
    print(f"Open {builder.build(root, options.own)}", flush=True)
    return 0


def slides(options: argparse.Namespace) -> int:
    """Make a deck of slides of each notebook, from the cells that are marked for it."""
    from .course import place
    from .course import slides as projector

    for made in projector.build(place.find(options.course), options.only):
        print(f"Open {made}")
    return 0


def test(options: argparse.Namespace) -> int:
    """Unit tests, nbval over all notebooks, and the guard."""
    from .course import place, suite

    return suite.run(place.find(options.course))


def check(options: argparse.Namespace) -> int:
    """Hygiene of the notebooks and links of all texts."""
    from .course import compared, hygiene, links, notebooks, place
    from .course.assignments import form, source

    root = place.find(options.course)
    paths = notebooks.find(root / "notebooks", options.only, source.folder(root))
    found = []
    for path in paths:
        if path.parent == source.folder(root):
            found += form.problems(path)
            continue
        notebook = notebooks.read(path)
        found += hygiene.problems(notebook, path.name) + compared.problems(notebook, path.name)
    documents = [path for path in links.documents(root) if not options.only or path in paths]
    for path in documents:
        found += links.broken(path, root)
    for problem in found:
        print(problem)
    print(f"{len(paths)} notebooks, {len(documents)} texts with links: {len(found) or 'no'} problems")
    return 1 if found else 0


def sitting(options: argparse.Namespace) -> int:
    """Count what each notebook asks of a reader: words, code, cells, claims, minutes; and mark what is too much."""
    from .course import notebooks, place
    from .course import sitting as measure
    from .course.assignments import form, source

    root = place.find(options.course)
    found = notebooks.find(root / "notebooks", options.only, source.folder(root))
    if options.sections:
        for path in found:
            parts = measure.sections(notebooks.read(path))
            print(path.stem, *(f"{part.minutes:>6}  {part.heading}" for part in parts), "", sep="\n")
        return 0
    assignments = [source.read(path) for path in found if path.parent == source.folder(root)]
    sittings = [measure.measure(notebooks.read(path), path.stem) for path in found if path.parent == root / "notebooks"]
    print(measure.table(sittings), *([form.table(assignments)] if assignments else []), sep="\n\n")
    too_much = [one.name for one in sittings if one.over()]
    print(f"{len(sittings)} notebooks, {len(too_much) or 'none'} of them more than one sitting")
    return 1 if too_much else 0


def assignments(options: argparse.Namespace) -> int:
    """Make the assignments' versions for students and with solutions, or one for each of ``--students``."""
    from .course import place
    from .course.assignments import release, source, variants

    root = place.find(options.course)
    secret = variants.secret(options.secret) if options.secret else None
    found = [source.read(path) for path in source.find(root, options.only)]
    if options.students:
        folder = options.out or root / "build" / "assignments" / "students"
        made = release.write_variants(found, release.students(options.students), secret, folder)
    else:
        folder = options.out or root / "build" / "assignments"
        made = release.write(found, folder)
    print(f"{made} notebooks in {folder}")
    return 0


def grade(options: argparse.Namespace) -> int:
    """Grade a folder of submissions offline: grades.csv, a feedback page each, and a leaderboard where there is one."""
    from .course import place
    from .course.assignments import course, isolation, sandbox
    from .course.assignments import grade as grader

    out = options.out or options.folder.with_name(options.folder.resolve().name + "-graded")
    own = course.opened(place.find(options.course), options.folder, out, options.secret, options.private)
    limits = sandbox.Limits(cell=options.cell, whole=options.whole, memory=options.memory * 1e9)
    count = grader.grade(options.folder, own, out, grader.How(isolation.best(), limits), jobs=options.jobs)
    print(f"{count} submissions: {out / 'grades.csv'}, and the pages in {out / 'feedback'}")
    return 0


def badges(options: argparse.Namespace) -> int:
    """Print the line with which each notebook begins, or bring the notebooks to the address in ``pyproject.toml``."""
    from .course import badges as maker
    from .course import notebooks, place
    from .course.assignments import source

    root = place.find(options.course)
    assignments = [source.folder(root)] if options.in_place else []  # they have the address, and no badge
    for path in notebooks.find(root / "notebooks", options.only, *assignments):
        if not options.in_place:
            print(maker.badges(path.name))
        elif maker.follow(notebook := notebooks.read(path)):
            notebooks.write(notebook, path)
            print(f"{path.name}: now of {maker.repository()}")
    return 0


def layers(options: argparse.Namespace) -> int:
    """Print the table of the package's layers, for CONTRIBUTING.md."""
    from .course import layers as house

    print(house.table())
    return 0


def devices(options: argparse.Namespace) -> int:
    """Say what would be used for training, and time it."""
    from . import devices as machine

    machine.report()
    return 0


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    whole = argparse.ArgumentParser(prog="python -m metagan_edu", description="Run, test and publish the course.")
    commands = whole.add_subparsers(required=True, metavar="command")
    for action in (run, site, slides, test, check, sitting, assignments, grade, badges, layers, devices):
        command = commands.add_parser(action.__name__, help=action.__doc__, description=action.__doc__)
        command.set_defaults(action=action)
        if action not in (layers, devices):
            where = "the course's folder (by default the nearest one, from the current folder upward)"
            command.add_argument("--course", type=Path, metavar="PATH", help=where)
        if action in (run, slides, check, sitting, assignments, badges):
            command.add_argument("only", nargs="*", help="starts of notebook names, such as 03 (all)")
        if action in (run, site):
            own = "also build the notebooks of this folder into the site"
            command.add_argument("--with", dest="own", type=Path, metavar="FOLDER", help=own)
        if action is badges:
            command.add_argument("--in-place", action="store_true", help="write the repository's address (for forks)")
        if action is sitting:
            command.add_argument("--sections", action="store_true", help="minutes for each section instead")
        if action is run:
            command.add_argument("--in-place", action="store_true", help="write outputs into notebooks/ (for authors)")
            command.add_argument("--site", action="store_true", help="build the site afterwards")
            command.add_argument("--timeout", type=float, default=600, help="seconds for each cell (default 600)")
        if action in (assignments, grade):
            command.add_argument("--secret", type=Path, metavar="FILE", help="what variants are drawn from")
            command.add_argument("--out", type=Path, metavar="FOLDER", help="where to write")
        if action is assignments:
            command.add_argument("--students", type=Path, metavar="FILE", help="a name a line: a version for each")
        if action is grade:
            command.add_argument(
                "folder", type=Path, help="STUDENT.ipynb, STUDENT/N_name.ipynb, or nbgrader's submitted/"
            )
            command.add_argument("--private", type=Path, metavar="FOLDER", help="notebooks with further tests")
            command.add_argument("--jobs", type=int, default=1, help="submissions at a time (default 1)")
            command.add_argument("--cell", type=float, default=120, help="seconds of one cell (default 120)")
            command.add_argument("--whole", type=float, default=600, help="seconds of one submission (default 600)")
            command.add_argument("--memory", type=float, default=4, help="GB of one submission (default 4)")
    return whole


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, 1 where something failed, 2 for a wrong request."""
    options = parser().parse_args(argv)
    try:
        return options.action(options)
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
