"""Two workers with half the cores each against one process with all of them: where it pays, and where it does not."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess
import sys

from ratios import Ratio, Report

SCRIPT = pathlib.Path(__file__).with_name("worker.py")


def _steps_per_second(game, workers, cores):
    sockets = [socket.create_server(("", 0)) for _ in range(workers)]
    ports = ",".join(str(s.getsockname()[1]) for s in sockets)
    for s in sockets:
        s.close()
    threads = str(max(1, cores // workers))
    started = [
        subprocess.Popen([sys.executable, SCRIPT, game, str(index), ports, threads], stdout=subprocess.PIPE, text=True)
        for index in range(workers)
    ]
    ends = [process.communicate()[0] for process in started]
    return json.loads(ends[0].splitlines()[-1])


def together():
    """Steps per second of four games, by one process and by two workers, at equal cores and equal batches."""
    cores, numbers, ratios = os.cpu_count() or 1, {}, []
    for game, least in (("2-D", None), ("28x28", 0.6), ("64x64", None), ("meta-training", None)):
        for workers, name in ((1, "one process"), (2, "two workers")):
            numbers[f"{game}, {name}"] = _steps_per_second(game, workers, cores)
        of, to = f"{game}, two workers", f"{game}, one process"
        ratios.append(Ratio(of, to, numbers[of] / numbers[to], least=least))
    return Report(numbers, "steps/s", ratios)
