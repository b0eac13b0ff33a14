"""How long a class takes to grade, and whether the grader's memory grows with it.

    python tests/benchmarks/grading.py [1 2 ...]

grades thirty solutions, each of a variant of its own, of these assignments. What a class hands in takes as long as what
its answers train.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import metagan_edu  # noqa: F401 - first: it quiets the log of TensorFlow's start

# isort: split
from ratios import Ratio, Report

from metagan_edu.course import notebooks
from metagan_edu.course.assignments import release, source, variants

ROOT = Path(__file__).resolve().parents[2]
STUDENTS, SECONDS, JOBS = 30, 300, 2
SECRET = b"of a class that is not there"
GRADE = """
import resource, sys
from metagan_edu.__main__ import main
status = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(status)
"""


def grading(number=1, few=STUDENTS // 5, many=STUDENTS):
    """Seconds of a class, and the most that the grader's own process holds (what runs and judges beside it apart)."""
    (small, _), (large, seconds) = (graded(number, count) for count in (few, many))
    numbers = {f"{many} graded, s": seconds, f"memory with {few}, GB": small, f"memory with {many}, GB": large}
    return Report(numbers, "", [
        Ratio(f"{SECONDS} s", "the seconds of a class", SECONDS / seconds, least=1),
        Ratio(f"memory with {many}", f"with {few}", large / small, most=1.1),
    ])  # fmt: skip


def graded(number, count):
    """GB and seconds of grading so many solutions of an assignment; each must come to more than half of the points
    (those of 5 are words, which are right for one variant only)."""
    (path,) = source.find(ROOT, [str(number)])
    assignment = source.read(path)
    with tempfile.TemporaryDirectory() as folder:
        submitted, secret, out = (Path(folder, name) for name in ("submitted", "secret", "out"))
        secret.write_bytes(SECRET)
        for i in range(count):
            mine = release.solution(assignment, variants.Seeds(SECRET, assignment.name, f"student {i}").variant)
            notebooks.write(mine, submitted / f"student {i}" / path.name)
        command = ["grade", submitted, "--course", ROOT, "--secret", secret, "--jobs", JOBS, "--out", out]
        began = time.perf_counter()
        ran = subprocess.run([sys.executable, "-c", GRADE, *map(str, command)], capture_output=True, text=True)
        seconds = time.perf_counter() - began
        if ran.returncode:
            raise RuntimeError(f"grading failed: {ran.stderr.strip().splitlines()[-1]}")
        *lines, memory = ran.stdout.splitlines()
        points = [float(line.split("  ")[2].split()[0]) for line in lines if line.startswith("student ")]
        if len(points) != count or min(points) < sum(test.points for test in assignment.of(source.TEST)) / 2:
            raise RuntimeError(f"solutions of {assignment.name} were not graded as they should: {sorted(points)}.")
    return int(memory) * 1024 / 1e9, seconds


if __name__ == "__main__":
    for one in sys.argv[1:] or range(1, 7):
        report = grading(one)
        print(f"assignment {one}:", ", ".join(f"{name} {value:.3g}" for name, value in report.numbers.items()))
        print("\n".join(f"  {ratio}" for ratio in report.ratios), flush=True)
