"""Time to quality: seconds of training until MNIST samples are as good as the goals say, median of three seeds."""

from __future__ import annotations

import numpy as np
from ratios import Ratio, Report

import metagan_edu as mg
from metagan_edu.studies import time_to_quality as study

FLOOR, AIM = 50.0, 90.0  # seconds to the two goals of the study; the second need not be met
NUM_STEPS = 5200


def time_to_quality():
    """Share of the real score over time, and the seconds to each goal; nothing where MNIST is not at hand."""
    if not mg.data.available("mnist"):
        print("MNIST is not at hand (METAGAN_EDU_DATA), so time to quality is not measured.")
        return Report({}, "s", [])
    curves = [study.run(seed, NUM_STEPS) for seed in study.SEEDS]
    for i in range(1, len(curves[0]["steps"]), 2):
        row = {
            name: np.median([curve[name][i] for curve in curves]) for name in ("seconds", "share_of_real", "coverage")
        }
        print(
            f"  {row['seconds']:5.0f} s: {row['share_of_real']:.3f} of the real score, coverage {row['coverage']:.2f}"
        )
    medians = {}
    for goal in study.GOALS:
        reached = sorted(np.nan_to_num(study.first(curve, goal, "seconds"), nan=np.inf) for curve in curves)
        medians[f"{goal:.2f} of the real score"] = float(reached[1])
    medians |= {"one second": 1.0}
    first, second, one = medians
    ratios = [Ratio(first, one, medians[first], most=FLOOR), Ratio(second, one, medians[second], aim=AIM)]
    return Report(medians, "s", ratios)
