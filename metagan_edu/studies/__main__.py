"""Make the recorded experiments again: ``make records`` (all of them, hours), ``make records ONLY=ring_lookahead``
(one), ``make records JOBS=2`` (two runs at a time; by default as many as there are cores).

Each record is made by the function ``make`` of the script of its name, and written beside it as JSON. What was stopped
goes on where it was, with the runs that are kept in ``runs/records``.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import time

import joblib

import metagan_edu as mg
from metagan_edu import jobs
from metagan_edu.studies import FOLDER, constants, runs, scripts


def main(arguments: list[str]) -> int:
    """Make the records that are named, with ``--jobs N`` so many runs at a time; the exit status is 2 for names that
    are not known, or another N than there are cores."""
    try:
        jobs, only = _jobs(arguments)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    unknown = sorted(set(only) - set(scripts()))
    if unknown:
        print(f"there is no record {', '.join(unknown)}; there are: {', '.join(scripts())}", file=sys.stderr)
        return 2
    mg.experiments.check_folder(FOLDER)
    with joblib.parallel_config(n_jobs=jobs):
        for name in only or scripts():
            _make(name)
    return 0


def _jobs(arguments):
    """The number after ``--jobs``, and the names."""
    if arguments[:1] != ["--jobs"]:
        return jobs.count(None), arguments
    given = arguments[1] if len(arguments) > 1 else "nothing"
    return jobs.count(int(given) if given.isdecimal() else given), arguments[2:]


def _make(name):
    print(f"{name} ...", flush=True)
    began = time.monotonic()
    record = importlib.import_module(f"metagan_edu.studies.{name}").make()
    record |= {"name": name, "command": f"make records ONLY={name}", "constants": constants(name)}
    spent = sum(sum(seconds) for seconds in record["seconds"].values())  # of all runs, kept ones too
    record["total_seconds"] = round(max(spent, time.monotonic() - began))
    mg.experiments.save_record(FOLDER / f"{name}.json", record)
    shutil.rmtree(runs(name), ignore_errors=True)
    print(f"{name}: {record['total_seconds']} s\n{mg.experiments.table(record)}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
