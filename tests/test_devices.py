"""The report on devices says what is there, what is used, and how fast it is."""

import pathlib
from typing import NamedTuple

import pytest
import tensorflow as tf

from metagan_edu import __main__ as commands
from metagan_edu import devices, training


class Device(NamedTuple):
    name: str
    device_type: str


def machine_of(monkeypatch, *names):
    """A machine with these devices, on which step rates are 1000 with XLA and 100 without."""
    found = [Device(name, name.split(":")[0]) for name in names]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [d for d in found if d.device_type == kind])
    monkeypatch.setattr(devices, "_steps_per_second", lambda name, jit: 1000.4 if jit else 100.4)
    monkeypatch.setattr(devices, "cpu_instructions", lambda: ["avx2", "amx_bf16"])


def test_on_a_machine_without_gpu(monkeypatch, capsys):
    machine_of(monkeypatch, "CPU:0")
    assert commands.main(["devices"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"TensorFlow {tf.__version__}; CPU instructions: avx2, amx_bf16",
        "no GPU is visible to TensorFlow: everything runs on the CPU, which the laptop profile is made for",
        "CPU:0: 100 steps/s (28x28 GAN, width 32, batch 64)",
        "used: CPU:0",
    ]


def test_a_gpu_is_timed_in_both_ways_and_used(monkeypatch, capsys):
    machine_of(monkeypatch, "CPU:0", "GPU:0")
    devices.report()
    assert capsys.readouterr().out.splitlines()[1:] == [
        "GPU:0: 100 steps/s (28x28 GAN, width 32, batch 64)",
        "GPU:0, jit=True: 1000 steps/s (28x28 GAN, width 32, batch 64)",
        "CPU:0: 100 steps/s (28x28 GAN, width 32, batch 64)",
        "used: GPU:0",
    ]


def test_the_rate_is_of_steps_that_were_taken(monkeypatch):
    """With a loop that only sleeps: 20 steps in 0.1 s, after one that is not counted."""
    calls = []

    def compiled(process, jit):
        def loop(state, hyper, seed, start, count):
            assert hyper == process.hyper() and int(start) == 0
            calls.append((int(count), jit, tuple(process.look(seed).shape)))
            clock[0] += 0.005 * int(count)
            return state, tf.zeros([1]), count

        return loop

    clock = [0.0]
    monkeypatch.setattr(training, "compiled", compiled)
    monkeypatch.setattr(devices.time, "perf_counter", lambda: clock[0])
    assert devices._steps_per_second("CPU:0", False) == pytest.approx(200)
    assert calls == [(1, False, (64, 28, 28, 1)), (20, False, (64, 28, 28, 1))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 avx512f amx_bf16\n", ["avx2", "avx512f", "amx_bf16"]),
        ("flags : fpu avx2x\n", []),
        ("Features : neon\n", []),
        ("", []),
        (None, []),
    ],
)
def test_cpu_instructions_are_read_where_the_system_says(monkeypatch, tmp_path, text, expected):
    info = tmp_path / "cpuinfo"
    if text is not None:
        info.write_text(text)
    monkeypatch.setattr(devices.pathlib, "Path", lambda path: info if path == "/proc/cpuinfo" else pathlib.Path(path))
    assert devices.cpu_instructions() == expected
