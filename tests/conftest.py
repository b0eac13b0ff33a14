"""What all tests share: a collector of garbage that does not look at the graphs of TensorFlow at every turn, and the
site of the committed notebooks."""

import fcntl
import gc
import os
import shutil
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

gc.freeze()
gc.set_threshold(200_000, 50, 100)


@pytest.fixture(scope="session")
def built_site(tmp_path_factory):
    """The folder of the built pages. Whichever process of the session asks first builds them, and the others wait."""
    from metagan_edu.course import site

    shared = tmp_path_factory.getbasetemp()
    shared = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "course"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        index = shared / "build" / "site" / "index.html"
        if not index.exists():
            shutil.copytree(ROOT / "notebooks", shared / "notebooks", ignore=site.IGNORED, dirs_exist_ok=True)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", category=DeprecationWarning)  # of Sphinx and what stands on it
                warnings.filterwarnings("ignore", category=PendingDeprecationWarning)
                site.build(shared)
    return index.parent
