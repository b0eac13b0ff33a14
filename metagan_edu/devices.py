"""What the package would compute on here, and how fast: ``python -m metagan_edu devices``."""

from __future__ import annotations

import pathlib
import time

import tensorflow as tf

from . import data, games, networks, optimizers, rules, seeds, training

INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def cpu_instructions() -> list[str]:
    """Which of the instruction sets that matter for speed this CPU has; empty where the system does not say."""
    info = pathlib.Path("/proc/cpuinfo")
    if not info.exists():
        return []
    flags = next((line for line in info.read_text().splitlines() if line.startswith("flags")), "").split()
    return [name for name in INSTRUCTIONS if name in flags]


def _steps_per_second(device, jit):
    """The 28x28 convolutional game (width 32, batch 64) on a device."""
    shape = (28, 28, 1)
    game = games.gan(networks.dcgan_generator(64, shape), networks.dcgan_discriminator(shape))
    rule = rules.simultaneous(optimizers.adam(2e-4), optimizers.adam(2e-4))
    images = seeds.uniform([640, *shape], 0, -1, 1)
    with tf.device(device):
        process = training.playing(game, rule, data.batches(images, 64))
        loop, count = training.compiled(process, jit), tf.constant(20)
        state = process.init(game.init(0), seeds.make(0))
        loop(state, process.hyper(), seeds.make(0), tf.constant(0), tf.constant(1))[1].numpy()
        began = time.perf_counter()
        loop(state, process.hyper(), seeds.make(0), tf.constant(0), count)[1].numpy()
    return int(count) / (time.perf_counter() - began)


def report() -> None:
    """Print the devices that TensorFlow sees, the steps per second of a small image GAN on each, and which is used."""
    gpus, cpus = (tf.config.list_logical_devices(kind) for kind in ("GPU", "CPU"))
    print(f"TensorFlow {tf.__version__}; CPU instructions: {', '.join(cpu_instructions()) or 'unknown'}")
    if not gpus:
        print("no GPU is visible to TensorFlow: everything runs on the CPU, which the laptop profile is made for")
    for device in [*gpus, *cpus]:
        for jit in (False, True) if device.device_type == "GPU" else (False,):
            speed = _steps_per_second(device.name, jit)
            how = f"{device.name}, jit=True" if jit else device.name
            print(f"{how}: {speed:.0f} steps/s (28x28 GAN, width 32, batch 64)", flush=True)
    print(f"used: {[*gpus, *cpus][0].name}")
