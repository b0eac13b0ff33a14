"""The project around the code: requirements in step, one address, and a set-up that says what is missing."""

import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10; pytest brings tomli there
    import tomli as tomllib

import metagan_edu
from metagan_edu.course.assignments import isolation
from metagan_edu.course.badges import repository

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WANTED = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"] + PROJECT["optional-dependencies"]["docs"]
INSTALL = "METAGAN_EDU_INSTALL"


def pip_section():
    parts = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (section,) = [part["pip"] for part in parts if isinstance(part, dict)]
    return parts, section


# -- requirements


def test_conda_users_get_the_same_ranges():
    parts, section = pip_section()
    assert f"python{PROJECT['requires-python']}" in parts
    assert section == [*WANTED, "--editable ."]
    assert {"jupyter", "tensorflow", "matplotlib", "nbval", "pytest"} <= {Requirement(r).name for r in section[:-1]}


@pytest.mark.skipif(not os.environ.get(INSTALL), reason=f"installs 3 GB: set {INSTALL}=1 (the weekly workflow does)")
def test_the_pip_section_installs_in_a_clean_environment(tmp_path):
    (tmp_path / "requirements.txt").write_text(
        "\n".join(pip_section()[1]).replace("--editable .", f"--editable {ROOT}")
    )
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "clean"], check=True)
    python = tmp_path / "clean" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", tmp_path / "requirements.txt"], check=True)
    subprocess.run([python, "-m", "pip", "check"], check=True)
    subprocess.run([python, "-c", "import metagan_edu, jupyterlab, nbval, matplotlib"], check=True, cwd=tmp_path)


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_the_tested_versions_name_every_requirement_within_its_range(python):
    pinned = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r'[\w.-]+==[\w.]+(; python_version (<|>=) "3\.11")?', line), line
            constraint = Requirement(line)
            if constraint.marker is None or constraint.marker.evaluate({"python_version": python}):
                name = canonicalize_name(constraint.name)
                assert name not in pinned, f"{name} is pinned twice"
                pinned[name] = str(constraint.specifier).removeprefix("==")
    for requirement in map(Requirement, WANTED):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), str(requirement)


def test_no_tested_version_needs_a_patch_release_of_python():
    """A version for Python >= 3.11.5 fails on a distribution's 3.11.2, though the project promises 3.11."""
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    pins = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if line[0] != "#"]
    for pin in pins:
        with contextlib.suppress(PackageNotFoundError):  # lines of another Python or platform
            distribution = metadata(pin.name)
            if pin.specifier.contains(distribution["Version"]) and "Requires-Python" in distribution:
                assert SpecifierSet(distribution["Requires-Python"]).contains(f"{minor}.0"), str(pin)


def test_the_lowest_pair_is_the_one_that_is_promised():
    lowest = [
        Requirement(line) for line in (ROOT / "constraints-lowest.txt").read_text().splitlines() if line[0] != "#"
    ]
    versions = {constraint.name: str(constraint.specifier).removeprefix("==") for constraint in lowest}
    floors = {Requirement(line).name: str(Requirement(line).specifier).removeprefix(">=") for line in WANTED}
    for name in ("tensorflow", "keras"):
        assert versions[name] == f"{floors[name]}.*"
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())["jobs"]
    pairs = {(job["python"], job["constraints"]) for job in jobs["test"]["strategy"]["matrix"]["include"]}
    assert {("3.10", "constraints-lowest.txt"), ("3.13", "")} <= pairs
    assert PROJECT["requires-python"] == ">=3.10,<3.14"


def test_the_version_stands_in_one_place():
    """Installers read it from the package; the newest entry of the change log is about it."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in PROJECT and PROJECT["dynamic"] == ["version"]
    assert whole["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "metagan_edu.__version__"}
    newest = re.search(r"(?m)^## (\S+)", (ROOT / "CHANGELOG.md").read_text())[1]
    assert newest == metagan_edu.__version__


def test_the_package_brings_its_records():
    """What a notebook reads comes with the package, from a wheel as well as from a checkout."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["metagan_edu"]
    package = ROOT / "metagan_edu"
    brought = {path for pattern in patterns for path in package.glob(pattern)}
    files = {path for path in package.rglob("*") if path.is_file() and path.suffix in {".json", ".safetensors"}}
    assert files and files == brought


def test_the_address_stands_in_one_place():
    assert PROJECT["urls"]["Repository"] == repository()
    slug = repository().removeprefix("https://github.com/")
    folders = [".ci", ".github", "metagan_edu", "notebooks", "tests", "tools"]
    files = [*ROOT.glob("*.*"), ROOT / "Makefile", *(path for name in folders for path in (ROOT / name).rglob("*.*"))]
    texts = {".md", ".py", ".toml", ".txt", ".yaml", ".yml", ""}  # a notebook's badges are held by the hygiene check
    holders = [
        path.name
        for path in files
        if path.is_file() and path.suffix in texts and slug in path.read_text(encoding="utf-8")
    ]
    assert holders == ["pyproject.toml"]


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb")))
def test_the_readme_links_every_notebook(name):
    assert f"](notebooks/{name})" in (ROOT / "README.md").read_text()


# -- the set-up script


@pytest.fixture
def setup_env(tmp_path, monkeypatch):
    """The script as a module, on a project folder of its own."""
    spec = importlib.util.spec_from_file_location("setup_env", ROOT / "tools" / "setup_env.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(module, "ROOT", str(tmp_path))
    return module


@pytest.mark.parametrize("version", [(2, 7), (3, 9), (3, 14)])
@pytest.mark.parametrize(("found", "remedy"), [(["python3.11"], "PYTHON=python3.11"), ([], "after installing it")])
def test_a_wrong_python_is_named_with_one_to_take(setup_env, version, found, remedy):
    with pytest.raises(setup_env.SetupError) as caught:
        setup_env.check_python(version, candidates=lambda: found)
    sentence = str(caught.value)
    assert f"This is Python {version[0]}.{version[1]}, and the course needs 3.10 to 3.13" in sentence
    assert remedy in sentence
    assert sentence.count("\n") == 0


def test_the_versions_of_the_script_are_those_of_the_project(setup_env):
    (oldest, newest) = setup_env.OLDEST, setup_env.NEWEST
    assert PROJECT["requires-python"] == f">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"
    for version in (oldest, newest):
        setup_env.check_python(version, candidates=lambda: pytest.fail("a fitting Python was refused"))


def test_the_script_parses_under_an_old_python():
    source = (ROOT / "tools" / "setup_env.py").read_text()
    assert not re.search(r"\bf[\"']|:=|\) ->|nonlocal|yield from|print [^(]", source)
    assert source.index("from __future__") < source.index("import argparse")


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_missing_module_is_named(setup_env, missing):
    def find(name):
        if name == missing:
            raise ImportError(name=name)

    with pytest.raises(setup_env.SetupError, match=rf"no '{missing}' module.*sudo apt install python3"):
        setup_env.check_venv_module(find)


def test_a_full_disk_is_seen_before_anything_is_written(setup_env, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(
        setup_env.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10**10, 9 * 10**9, 10**9)
    )
    assert setup_env.main([]) == 1
    assert "Only 1.0 GB are free on the disk of" in capsys.readouterr().err
    assert not (tmp_path / ".venv").exists()


def test_no_network_is_one_sentence_and_leaves_no_stamp(setup_env, monkeypatch, capsys, tmp_path):
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    assert setup_env.main([]) == 1
    sentence = capsys.readouterr().err
    assert sentence.startswith("pip could not reach the package index: check the network")
    assert sentence.count("\n") == 1
    assert (tmp_path / ".venv" / "install.log").exists()
    assert not (tmp_path / ".venv" / "ready").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "The disk ran full",
        ),
        ("WARNING: Retrying ... Temporary failure in name resolution", "pip could not reach the package index"),
        (
            "ERROR: No matching distribution found for x.\nERROR: y",
            r"\(No matching distribution found for x\): read a\.log",
        ),
        ("", r"\(it gave no reason\): read a\.log"),
    ],
)
def test_a_failure_of_pip_is_explained(setup_env, text, sentence):
    assert re.match(rf".*{sentence}", setup_env.explain_pip_failure(text, "a.log"))


def test_nothing_is_done_where_nothing_changed(setup_env, monkeypatch, tmp_path):
    """The first run makes and installs, the second neither; a changed requirement installs again."""
    done = []

    def make_venv(venv, python):
        done.append("venv")
        Path(python).parent.mkdir(parents=True, exist_ok=True)
        Path(python).touch()

    monkeypatch.setattr(setup_env, "make_venv", make_venv)
    monkeypatch.setattr(setup_env, "run_pip", lambda python, arguments, log: done.append(arguments[-1]))
    assert [setup_env.main([]) for _ in range(2)] == [0, 0]
    assert done == ["venv", "constraints.txt"]
    with (tmp_path / "pyproject.toml").open("a") as stream:
        stream.write("# changed\n")
    assert setup_env.main([]) == 0
    assert setup_env.main(["--constraints", ""]) == 0
    assert done[2:] == ["venv", "constraints.txt", "venv", ".[dev,docs]"]


def test_a_broken_environment_is_made_anew_and_a_stranger_is_left_alone(setup_env, monkeypatch, capsys, tmp_path):
    venv = tmp_path / ".venv"
    venv.mkdir()
    (venv / "notes.txt").write_text("mine")
    assert setup_env.main([]) == 1
    assert "is in the way and is no Python environment" in capsys.readouterr().err
    assert (venv / "notes.txt").read_text() == "mine"
    (venv / "pyvenv.cfg").write_text("home = /nowhere\n")
    monkeypatch.setattr(setup_env, "run_pip", lambda python, arguments, log: None)
    assert setup_env.main([]) == 0
    assert Path(setup_env.python_of(venv)).exists()
    assert (venv / "ready").exists()


def test_the_python_of_an_environment_lies_elsewhere_on_windows(setup_env):
    assert setup_env.python_of("here", "posix").replace(os.sep, "/") == "here/bin/python"
    assert setup_env.python_of("here", "nt").replace(os.sep, "/") == "here/Scripts/python.exe"


# -- workflows, the container, what Colab has


WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in sorted((ROOT / ".github/workflows").glob("*.yml"))}
JOBS = [(name, key, job) for name, whole in WORKFLOWS.items() for key, job in whole["jobs"].items()]


@pytest.mark.parametrize(("name", "key", "job"), JOBS, ids=[f"{name}-{key}" for name, key, _ in JOBS])
def test_each_job_has_a_time_limit_and_pinned_actions(name, key, job):
    assert job["timeout-minutes"] <= 90
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used), used
    cached = [step for step in job["steps"] if step.get("uses", "").startswith("actions/setup-python")]
    assert all(step["with"]["cache"] == "pip" for step in cached)
    systems = job["strategy"]["matrix"]["include"] if "${{" in job["runs-on"] else [{"system": job["runs-on"]}]
    assert not any(each["system"].endswith("latest") for each in systems), "a system moves by its name"


def test_workflows_ask_for_targets_that_the_makefile_has():
    steps = [step["run"] for *_, job in JOBS for step in job["steps"] if "run" in step]
    asked = {target for step in steps for target in re.findall(r"(?m)^make ([\w-]+)", step)}
    targets = set(re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text()))
    assert asked and asked <= targets


def test_the_graders_sandboxes_are_tested_and_not_skipped():
    (step,) = (step for step in WORKFLOWS["test.yml"]["jobs"]["test"]["steps"] if ".ci/run" in step.get("run", ""))
    assert step["env"]["METAGAN_EDU_SANDBOXES"].split() == [isolation.BUBBLEWRAP, isolation.NAMESPACES]


def test_an_action_has_one_version_and_says_which():
    lines = re.findall(r"uses: (\S+)@(\w+) # (v[\d.]+)\n", "".join(p.read_text() for p in workflow_files()))
    uses = "".join(path.read_text() for path in workflow_files()).count("uses:")
    assert len(lines) == uses and len({name for name, *_ in lines}) == len(set(lines))


def workflow_files():
    return sorted((ROOT / ".github/workflows").glob("*.yml"))


def test_the_container_has_a_python_that_is_supported_and_sets_itself_up():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    version = re.fullmatch(r"python:(3\.\d+)", container["image"])[1]
    assert SpecifierSet(PROJECT["requires-python"]).contains(version)
    assert container["postCreateCommand"] == "make setup"


def test_what_colab_has_lies_within_the_supported_ranges():
    """Where the course's cell installs without dependencies, nothing but this list holds them in range."""
    lines = [line for line in (ROOT / "tests/matrix/colab.txt").read_text().splitlines() if line[0] != "#"]
    there = {canonicalize_name(line.name): str(line.specifier) for line in map(Requirement, lines)}
    brought = {"safetensors", "pooch"}  # by the cell itself
    for requirement in map(Requirement, PROJECT["dependencies"]):
        if requirement.name not in brought:
            version = there[requirement.name].removeprefix("==").removesuffix(".*")
            assert not version or requirement.specifier.contains(version), str(requirement)


# -- make and .ci/run


def test_make_without_a_python_says_so(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "tools"):
        (shutil.copytree if name == "tools" else shutil.copy)(ROOT / name, tmp_path / name)
    ran = subprocess.run(["make", "PYTHON=no-such-python", "course"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode != 0
    assert "There is no 'no-such-python' here" in ran.stderr


@pytest.mark.parametrize(("user", "option"), [("0", True), ("1000", False)])
def test_root_may_open_the_lab_and_only_root_is_let_in_specially(tmp_path, user, option):
    fake = tmp_path / "id"
    fake.write_text(f"#!/bin/sh\necho {user}\n")
    fake.chmod(0o755)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "ready").touch()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "setup_env.py").touch()
    path = f"{tmp_path}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["make", "-n", "lab"], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PATH": path}
    )
    assert ran.returncode == 0, ran.stderr
    assert ("--allow-root" in ran.stdout) == option


@pytest.mark.parametrize("there", [True, False])
def test_ci_runs_make_test_and_names_the_data_only_where_it_is(tmp_path, monkeypatch, there):
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / ".ci", checkout / ".ci")
    data = tmp_path / "shared" / "data"
    if there:
        data.mkdir(parents=True)
    fake = tmp_path / "bin" / "make"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\necho "$PWD|$*|${METAGAN_EDU_DATA-unset}|$(cat)"\nexit 3\n')
    fake.chmod(0o755)
    monkeypatch.delenv("METAGAN_EDU_DATA", raising=False)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    ran = subprocess.run(
        [checkout / ".ci" / "run", "CONSTRAINTS="], input="typed", capture_output=True, text=True, cwd=tmp_path
    )
    assert ran.stdout.strip().split("|") == [str(checkout), "test CONSTRAINTS=", str(data) if there else "unset", ""]
    assert ran.returncode == 3


def test_the_matrix_refuses_a_notebook_that_is_not_there():
    ran = subprocess.run(
        [sys.executable, ROOT / "tests" / "matrix" / "elsewhere.py", "99"], capture_output=True, text=True
    )
    assert ran.returncode == 1
    assert ran.stderr == "No notebook's name starts with 99.\n"
