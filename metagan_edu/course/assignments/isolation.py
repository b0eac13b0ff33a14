"""How a submission is kept apart from the machine: bubblewrap, or namespaces by ``unshare``, or limits alone.

The first two show it the system's libraries, Python and this package, read-only, one folder of its own, no network and
no other process. What each does and does not protect stands in ``PROTECTION`` and on the page for lecturers.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import metagan_edu

BUBBLEWRAP, NAMESPACES, LIMITS = "bubblewrap", "namespaces", "limits only"
ALONE = "without network, seeing no files but Python's and its own, and no other process."
PROTECTION = {
    BUBBLEWRAP: f"It ran under bubblewrap: {ALONE}",
    NAMESPACES: f"It ran in namespaces of its own: {ALONE}",
    LIMITS: "It ran under limits of time, memory and disk alone: this system offered no sandbox, so that files and the "
    "network were within its reach.",
}
INSIDE = "/submission"  # where its folder is, seen from inside
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts",
    "/etc/localtime",
)  # fmt: skip

# Arguments: the new root, the submission's folder, then what is shown, then "--" and what is hidden, "--", the command.
# In the end the process has no capability left, and within a chroot the kernel gives it no new user namespace.
SCRIPT = """set -e
new=$1 folder=$2; shift 2
mount --make-rprivate /
mount -t tmpfs -o size=1m,mode=755 none "$new"
show() {
    if [ -d "$1" ]; then mkdir -p "$new$2"; else mkdir -p "$(dirname "$new$2")"; touch "$new$2"; fi
    mount --rbind "$1" "$new$2"
}
show "$folder/tmp" /tmp
while [ "$1" != -- ]; do
    show "$1" "$1"; mount -o remount,bind,ro,nosuid,nodev "$new$1"; shift
done; shift
while [ "$1" != -- ]; do
    mount -t tmpfs -o size=4k,ro none "$new$1"; shift
done; shift
for device in /dev/null /dev/zero /dev/random /dev/urandom; do show $device $device; done
show "$folder" /submission; show "$folder/shm" /dev/shm
mkdir "$new/dev/pts"; mount -t devpts -o newinstance,ptmxmode=0666 none "$new/dev/pts"  # for IPython's "!"
ln -s pts/ptmx "$new/dev/ptmx"
mkdir "$new/proc"; mount -t proc proc "$new/proc"
mount -o remount,ro "$new"
cd "$new/submission"
exec chroot "$new" /bin/sh -c '
    cd /submission && exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"' sh "$@"
"""


def command(kind: str, folder: Path, hidden: Iterable[Path], argv: list[str]) -> list[str]:
    """``argv``, run in ``folder`` under this kind of isolation, without sight of ``hidden`` folders.

    ``folder`` holds the folders ``tmp``, ``shm`` and, for namespaces, an empty ``root`` beside ``work`` (its own).
    """
    shown = readable()
    covered = [str(path) for path in hidden if any(Path(one) in (path, *path.parents) for one in shown)]
    work = folder / "work"
    if kind == BUBBLEWRAP:
        return [
            shutil.which("bwrap") or "bwrap", "--unshare-all", "--die-with-parent", "--new-session",
            "--cap-drop", "ALL", "--bind", str(work / "tmp"), "/tmp",
            *(word for path in shown for word in ("--ro-bind", path, path)),
            *(word for path in covered for word in ("--tmpfs", path, "--remount-ro", path)),
            "--proc", "/proc", "--dev", "/dev", "--bind", str(work / "shm"), "/dev/shm", "--remount-ro", "/dev",
            "--bind", str(work), INSIDE, "--remount-ro", "/", "--chdir", INSIDE,
            *argv,
        ]  # fmt: skip
    if kind == NAMESPACES:
        return [
            "setpriv", "--pdeathsig", "KILL", "unshare", "--user", "--map-root-user", "--net", "--pid", "--ipc",
            "--uts", "--mount", "--fork", "--kill-child", "sh", "-c", SCRIPT, "sh", str(folder / "root"), str(work),
            *shown, "--", *covered, "--", *argv,
        ]  # fmt: skip
    return argv


def inside(kind: str, folder: Path) -> Path:
    """Where the submission's own folder is, seen from inside."""
    return folder / "work" if kind == LIMITS else Path(INSIDE)


def prepare(folder: Path) -> None:
    """Make the folders that :func:`command` shows."""
    for name in ("root", "work/tmp", "work/shm", "work/home", "work/results"):
        (folder / name).mkdir(parents=True)


@functools.cache
def readable() -> tuple[str, ...]:
    """What a submission may read: the system's libraries, Python with its packages, and this package."""
    paths = sysconfig.get_paths()
    found = [*SYSTEM, sys.prefix, sys.base_prefix, *(paths[name] for name in ("stdlib", "purelib", "platlib"))]
    found += [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    found.append(package())
    there = sorted({path for path in found if os.path.exists(path)})
    return tuple(path for path in there if not any(Path(other) in Path(path).parents for other in there))


def package() -> str:
    """This package's folder."""
    return os.path.dirname(os.path.abspath(metagan_edu.__file__))


def working() -> Iterator[str]:
    """The kinds of isolation that work here, found by trying each, the strongest first."""
    for kind, tool in ((BUBBLEWRAP, "bwrap"), (NAMESPACES, "unshare")):
        if shutil.which(tool) and _works(kind):
            yield kind
    yield LIMITS


@functools.cache
def best() -> str:
    """The strongest isolation that works here; weaker ones are not tried."""
    return next(working())


def _works(kind):
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(OSError, subprocess.TimeoutExpired):
        prepare(Path(folder))
        argv = command(kind, Path(folder), [], [sys.executable, "-c", "print('inside')"])
        tried = subprocess.run(argv, capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        return tried.returncode == 0 and tried.stdout == b"inside\n"
    return False
