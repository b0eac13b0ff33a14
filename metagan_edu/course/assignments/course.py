"""What submissions are graded by: the sources, a lecturer's private tests, and the secret behind all seeds."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ... import files
from . import isolation, source, variants
from .source import TEST, Assignment, Cell

SECRET = "secret.txt"  # in the folder of results, where none was named


class Course(NamedTuple):
    """Assignments and private tests by name, digests of their files, the folders to hide from a submission, the secret,
    and whether variants were made with it."""

    found: Mapping[str, Assignment]
    private: Mapping[str, tuple[Cell, ...]]
    digests: Mapping[str, str]
    hidden: tuple[Path, ...]
    secret: bytes
    varied: bool

    def tests(self, assignment: Assignment) -> list[Cell]:
        """The assignment's own tests, then the lecturer's."""
        return [*assignment.of(TEST), *self.private.get(assignment.name, ())]

    def seeds(self, assignment: str, student: str) -> tuple[variants.Seeds, variants.Seeds]:
        """Of the student's variant, and of the hidden tests."""
        own = variants.Seeds(self.secret, assignment, student)
        return own if self.varied else own._replace(secret=None), own


def opened(root: Path, submissions: Path, out: Path, secret: Path | None, private: Path | None) -> Course:
    """The course at ``root``, with the ``private`` folder's tests.

    Without a ``secret`` everybody has variant 0, and hidden seeds come from one that is kept in ``out``. Raises
    ``ValueError`` for private tests of no assignment, and for a secret where submissions could read it.
    """
    paths = source.find(root)
    found = {path.stem: source.read(path) for path in paths}
    own = {path.stem: path for path in sorted(private.glob("*.ipynb"))} if private else {}
    if private and not own:
        raise FileNotFoundError(f"There is no notebook with private tests in '{private}'.")
    for name in own:
        if name not in found:
            raise ValueError(f"'{own[name]}' has the name of no assignment; there are {', '.join(found)}.")
    tests = {name: source.read_private(path, found[name]) for name, path in own.items()}
    digests = {
        path.stem: hashlib.sha256(
            path.read_bytes() + (own[path.stem].read_bytes() if path.stem in own else b"")
        ).hexdigest()
        for path in paths
    }
    hidden = tuple(one.resolve() for one in (root / "notebooks", submissions, out, private) if one)
    return Course(found, tests, digests, hidden, _secret(secret, out), secret is not None)


def _secret(named, out):
    if named:
        inside = next((one for one in isolation.readable() if Path(one) in named.resolve().parents), None)
        if inside:
            raise ValueError(f"'{named}' lies in '{inside}', which submissions can read: keep the secret elsewhere.")
        return variants.secret(named)
    kept = out / SECRET
    if not kept.exists():
        files.replace(kept, secrets.token_hex(32).encode())
        kept.chmod(0o600)
    return variants.secret(kept)
