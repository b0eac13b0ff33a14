"""Make the project's own environment: `.venv` with the package (editable), its tools and the tested versions.

Standard library only, and syntax that an old Python can still parse: the sentence about the wrong version must reach
its reader. Nothing is done when neither the project's requirements nor the Python changed.
"""

from __future__ import print_function

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time

OLDEST, NEWEST = (3, 10), (3, 13)
SPACE_GB = 4.0  # an installed environment measured 3 GB; pip unpacks what it downloads beside it
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NO_NETWORK = (
    "Failed to establish a new connection",
    "Name or service not known",
    "Temporary failure in name resolution",
    "nodename nor servname provided",
    "Network is unreachable",
    "Connection refused",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "Max retries exceeded",
    # What pip asks for first, and every index has: where there is none of it, no index was reached.
    "setuptools>=77 (from versions: none)",
)


class SetupError(Exception):
    """One sentence for the reader, with the remedy."""


def runs(name):
    """Whether a Python of this name is here, starts, and can make environments."""
    with open(os.devnull, "w") as nowhere:
        try:
            return subprocess.call([name, "-c", "import venv, ensurepip"], stdout=nowhere, stderr=nowhere) == 0
        except OSError:
            return False


def fitting_pythons():
    """Names of the Pythons on this machine that the project supports, newest first."""
    names = ["python3.%d" % minor for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    return [name for name in names if runs(name)]


def check_python(version, candidates=fitting_pythons):
    """Refuse a Python that TensorFlow has no wheels for, and name one to take."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return
    found = candidates()
    name = found[0] if found else "python3.12"
    where = "this machine has it" if found else "after installing it from your system's packages or python.org"
    raise SetupError(
        "This is Python %d.%d, and the course needs 3.%d to 3.%d: run 'make PYTHON=%s ...' (%s)."
        % (version[0], version[1], OLDEST[1], NEWEST[1], name, where)
    )


def check_venv_module(find=__import__):
    """Debian and Ubuntu split `venv` (and the `ensurepip` it needs) from Python itself."""
    try:
        find("venv")
        find("ensurepip")
    except ImportError as error:
        raise SetupError(
            "This Python has no '%s' module, so no environment can be made: install it (on Debian or Ubuntu: "
            "sudo apt install python%d.%d-venv), or choose another Python with 'make PYTHON=...'."
            % (getattr(error, "name", None) or "venv", sys.version_info[0], sys.version_info[1])
        )


def check_space(folder, needed_gb=SPACE_GB):
    """TensorFlow and JupyterLab are large; better to say so before than half-way."""
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb < needed_gb:
        raise SetupError(
            "Only %.1f GB are free on the disk of %s, and the environment needs %.0f GB: free some space, "
            "then run the same command again." % (free_gb, folder, needed_gb)
        )


def explain_pip_failure(text, log):
    """The one sentence that says why pip failed, from all that it logged."""
    if "No space left on device" in text or "Errno 28" in text:
        return (
            "The disk ran full while pip was installing: free %.0f GB here and in the temporary folder (TMPDIR), "
            "then run the same command again." % SPACE_GB
        )
    if any(sign in text for sign in NO_NETWORK):
        return (
            "pip could not reach the package index: check the network (behind a proxy set HTTPS_PROXY, for a mirror "
            "PIP_INDEX_URL), then run the same command again; it goes on where it stopped."
        )
    errors = [line[line.index("ERROR:") + 6 :].strip() for line in text.splitlines() if "ERROR:" in line]
    return "pip could not install the requirements (%s): read %s, mend that, and run the same command again." % (
        errors[0].rstrip(".") if errors else "it gave no reason",
        log,
    )


def run_pip(python, arguments, log):
    """pip with its whole story in `log`; on a terminal one changing line says what it is at."""
    if os.path.exists(log):
        os.remove(log)
    command = [python, "-m", "pip", "--no-input", "--disable-pip-version-check", "--log", log, "install"]
    process = subprocess.Popen(
        command + arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    shown = sys.stdout.isatty()
    said = []
    with process.stdout:
        for line in process.stdout:
            said.append(line)
            if shown:
                print("\r  " + line.strip()[:76].ljust(76), end="")
                sys.stdout.flush()
    if shown:
        print("\r" + " " * 78 + "\r", end="")
    if process.wait() != 0:
        text = "".join(said)
        if os.path.exists(log):
            with open(log) as stream:
                text += stream.read()
        raise SetupError(explain_pip_failure(text, os.path.relpath(log, ROOT)))


def fingerprint(constraints, wanted):
    """What the environment depends on: the requirements, the tested versions, and the Python's minor version."""
    digest = hashlib.sha256(("%d.%d %s" % (tuple(sys.version_info[:2]) + (wanted,))).encode())
    for name in ["pyproject.toml"] + ([constraints] if constraints else []):
        path = os.path.join(ROOT, name)
        if not os.path.isfile(path):
            raise SetupError("There is no file '%s' in the project: give one that exists, or 'CONSTRAINTS='." % name)
        with open(path, "rb") as stream:
            digest.update(stream.read())
    return digest.hexdigest()


def python_of(venv, system=os.name):
    """Where the Python of an environment lies."""
    return os.path.join(venv, *(("Scripts", "python.exe") if system == "nt" else ("bin", "python")))


def make_venv(venv, python):
    """A fresh environment, unless a working one of this Python's version is there."""
    if os.path.isdir(venv):
        if not os.path.isfile(os.path.join(venv, "pyvenv.cfg")) and os.listdir(venv):
            raise SetupError(
                "'%s' is in the way and is no Python environment: move it, then run the same command again." % venv
            )
        probe = "import pip, sys; sys.exit(sys.version_info[:2] != (%d, %d))" % tuple(sys.version_info[:2])
        if os.path.exists(python) and subprocess.call([python, "-c", probe], stderr=subprocess.DEVNULL) == 0:
            return
        print("The environment in %s is incomplete or of another Python: making it anew." % os.path.relpath(venv, ROOT))
        shutil.rmtree(venv)
    check_space(ROOT)
    print("Making %s with Python %d.%d." % ((os.path.relpath(venv, ROOT),) + tuple(sys.version_info[:2])))
    status = subprocess.call([sys.executable, "-m", "venv", venv], stdout=subprocess.DEVNULL)
    if status != 0:
        shutil.rmtree(venv, ignore_errors=True)
        raise SetupError("Python's venv module failed: reinstall Python, or choose another with 'make PYTHON=...'.")


def set_up(venv, constraints, wanted):
    """Bring the environment up to date and stamp it with `ready`; quick where nothing changed."""
    check_venv_module()
    stamp, needs = os.path.join(venv, "ready"), fingerprint(constraints, wanted)
    python = python_of(venv)
    if os.path.isfile(stamp) and os.path.exists(python):
        with open(stamp) as stream:
            if stream.read() == needs:
                os.utime(stamp, None)
                return
    started = time.time()
    make_venv(venv, python)
    print("Installing TensorFlow and the rest (about 3 GB, some minutes the first time).")
    sys.stdout.flush()
    arguments = ["--editable", ".[%s]" % wanted] + (["--constraint", constraints] if constraints else [])
    run_pip(python, arguments, os.path.join(venv, "install.log"))
    with open(stamp + ".part", "w") as stream:
        stream.write(needs)
    os.replace(stamp + ".part", stamp)
    print("The environment is ready (%.0f s)." % (time.time() - started))


def main(argv=None):
    """Exit code 0, or 1 with one sentence that says what is wrong and what to do."""
    parser = argparse.ArgumentParser(description="Make or update the project's own Python environment.")
    parser.add_argument("--venv", default=".venv")
    parser.add_argument("--constraints", default="constraints.txt", help="a file of versions; empty for the newest")
    parser.add_argument("--extras", default="dev,docs", help="the groups of optional requirements in pyproject.toml")
    options = parser.parse_args(argv)
    try:
        check_python(sys.version_info)
        set_up(os.path.join(ROOT, options.venv), options.constraints, options.extras)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
