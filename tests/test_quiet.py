"""TensorFlow starts without a word on a healthy machine, and no error is lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_up import saved
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from metagan_edu import quiet
from metagan_edu.course import notebooks

ROOT = Path(__file__).resolve().parents[1]
PLANTED = "with quiet.quiet():\n    os.write(2, b'E some real error\\n')\n"


def environment(**changes):
    kept = {name: value for name, value in os.environ.items() if name != quiet.LEVEL}
    return {**kept, "PYTHONPATH": str(ROOT), **changes}


def script(source, **changes):
    """What a script of this source writes to its standard error, run with the log level that a user has: none."""
    ran = subprocess.run(
        [sys.executable, "-c", source],
        env=environment(**changes),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stderr


def test_a_script_starts_quietly_and_still_hears_errors():
    source = "import os\nimport metagan_edu as mg\nfrom metagan_edu import quiet\nimport tensorflow as tf\n"
    assert script(f"{source}tf.constant(0) + 1\n{PLANTED}") == (0, "E some real error\n")


def test_a_notebook_starts_quietly_and_still_hears_errors(tmp_path):
    first = "import metagan_edu as mg\nimport os, time\nimport tensorflow as tf\nfrom metagan_edu import quiet"
    second = (
        f"{PLANTED}x = int(tf.constant(6) + 1)\ntime.sleep(0.5)"  # a thread of the kernel's brings what was written
    )
    notebook = notebooks.read(saved(tmp_path / "a.ipynb", new_code_cell(first), new_code_cell(second)))
    # A kernel that finds this variable does not show what is written to file descriptor 2.
    shown = {name: value for name, value in environment().items() if name != "PYTEST_CURRENT_TEST"}
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(env=shown)
    assert [[output.text for output in cell.outputs] for cell in notebook.cells] == [[], ["E some real error\n"]]


def test_options_of_the_devices_can_still_be_set():
    source = "import metagan_edu\nimport tensorflow as tf\ntf.config.threading.set_intra_op_parallelism_threads(1)\n"
    assert script(f"{source}assert int(tf.constant(6) + 1) == 7") == (0, "")


HEALTHY = [
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795649763.395946    7499 port.cc:153] oneDNN custom operations are on. You may see",
    "2025-03-12 10:00:00.1: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on. You may see slightly",
    "I0000 00:00:1.4 7499 cudart_stub.cc:31] Could not find cuda drivers on your machine, GPU will not be used.",
    "I0000 00:00:1.4 7499 cpu_feature_guard.cc:227] This TensorFlow binary is optimized to use available CPU",
    "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow with flags.",
    "E0000 00:00:1.8 1 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error: Failed: UNKNOWN ERROR (303)",
    "E0000 00:00:1.8 1 cuda_executor.cc:1] failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device",
    "E0000 00:00:1.8 1 cuda_fft.cc:467] Unable to register cuFFT factory: Attempting to register factory for plugin",
    "W0000 00:00:1.8 1 computation_placer.cc:177] computation placer already registered. Please check linkage.",
    "",
]
UNWELL = [
    "E0000 00:00:1.8 1 cuda_platform.cc:52] failed call to cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: system has",
    "W0000 00:00:1.8 1 gpu_device.cc:2344] Cannot dlopen some GPU libraries. Please make sure the missing libraries",
    "To enable the following instructions, buy another computer.",
    "E some real error",
]


@pytest.mark.parametrize("line", HEALTHY)
def test_what_a_healthy_machine_says_is_left_out(capfd, line):
    with quiet.quiet():
        os.write(2, f"{line}\n".encode())
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("line", UNWELL)
def test_everything_else_is_shown_when_the_block_ends(capfd, monkeypatch, line):
    monkeypatch.delenv(quiet.LEVEL, raising=False)
    with quiet.quiet():
        os.write(2, "\n".join([HEALTHY[0], line, HEALTHY[1], "no line's end"]).encode())
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err == f"{line}\nno line's end"


def test_all_is_shown_where_the_block_raises(capfd):
    with pytest.raises(ImportError), quiet.quiet():
        os.write(2, f"{HEALTHY[1]}\n".encode())
        raise ImportError("no TensorFlow")
    assert capfd.readouterr().err == f"{HEALTHY[1]}\n"


def test_level_0_shows_all(capfd, monkeypatch):
    monkeypatch.setenv(quiet.LEVEL, "0")
    with quiet.quiet():
        os.write(2, HEALTHY[1].encode())
        assert capfd.readouterr().err == HEALTHY[1]


@pytest.mark.parametrize("close", ["os.close(2)", "os.close(2); sys.stderr = None", "sys.stderr.close()"])
def test_a_closed_standard_error_is_no_error(close):
    source = f"import os, sys\nsys.path.insert(0, 'metagan_edu')\nimport quiet\n{close}\n"
    block = "with quiet.quiet():\n    print(6 * 7)\nos._exit(0)"
    assert script(source + block)[0] == 0


def test_a_tensorflow_that_is_there_is_left_alone(monkeypatch):
    monkeypatch.setattr(quiet, "quiet", lambda: pytest.fail("it was imported again"))
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    quiet.import_tensorflow()
