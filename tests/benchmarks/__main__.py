"""Speed and memory as ratios within one run: ``make bench`` prints a table and writes ``build/bench.json``.

Machines are shared and noisy, so contenders are timed in turns and the best of several rounds is kept; only ratios mean
anything. Each has a floor, which must hold, and some an aim beside it, which need not. A floor that is missed is named
and makes the exit status 1.
"""

from __future__ import annotations

import pathlib
import sys

import metagan_edu as mg  # first: it quiets the log of TensorFlow's start

# isort: split
import grading
import quality
import redraws
import reuse
import speed
import sweeping
import together

BENCHMARKS = {
    "2-D": speed.two_dimensional,
    "convolutional": speed.convolutional,
    "unrolling": speed.unrolling,
    "meta-training": speed.meta_training,
    "rates": reuse.rates,
    "meta twice": reuse.meta_twice,
    "memory": reuse.memory,
    "lazy": reuse.lazy,
    "checkpoints": reuse.checkpoints,
    "stepper": redraws.stepper,
    "grading": grading.grading,
    "sweep": sweeping.sweeps,
    "workers": together.together,
    "time to quality": quality.time_to_quality,
}


def show(name, report):
    """Print what was measured, and how it is judged."""
    print(f"\n{name}")
    for contender, value in report.numbers.items():
        print(f"  {contender:<28}{value:10.{1 if value > 100 else 3}f} {report.unit}")
    for ratio in report.ratios:
        print(f"  {ratio}", flush=True)


def main(only):
    """Run the benchmarks whose names are given (default: all); 0 where all floors hold, 1 where one is missed, 2 for a
    name that there is not."""
    only = [" ".join(only)] if " ".join(only) in BENCHMARKS else only  # a name of two words, as make hands it over
    unknown = [name for name in only if name not in BENCHMARKS]
    if unknown:
        print(
            f"There is no benchmark {', '.join(map(repr, unknown))}; there are: {', '.join(BENCHMARKS)}.",
            file=sys.stderr,
        )
        return 2
    written, missed = {}, []
    for name in only or BENCHMARKS:
        report = BENCHMARKS[name]()
        show(name, report)
        ratios = [ratio._asdict() | {"met": ratio.met} for ratio in report.ratios]
        written[name] = {"unit": report.unit, "numbers": report.numbers, "ratios": ratios}
        missed += [f"{name}: {ratio.of} / {ratio.to}" for ratio in report.ratios if not ratio.met]
    path = pathlib.Path("build/bench.json")
    mg.experiments.save_record(path, written | mg.experiments.provenance())
    print(f"\nwritten to {path}" + (f"; missed: {', '.join(missed)}" if missed else "; all floors hold"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
