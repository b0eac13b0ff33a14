"""Make the recorded experiments again: ``make records`` (all of them, hours), ``make records ONLY=ring_lookahead``
(one).

Each record is made by the function ``make`` of the script of its name, and written beside it as JSON.
"""

from __future__ import annotations

import importlib
import sys
import time

import metagan_edu as mg
from metagan_edu.studies import FOLDER, scripts


def main(only: list[str]) -> int:
    """Make the records that are named; the exit status says whether all names are known."""
    unknown = sorted(set(only) - set(scripts()))
    if unknown:
        print(f"there is no record {', '.join(unknown)}; there are: {', '.join(scripts())}", file=sys.stderr)
        return 2
    mg.experiments.check_folder(FOLDER)
    for name in only or scripts():
        print(f"{name} ...", flush=True)
        began = time.monotonic()
        record = importlib.import_module(f"metagan_edu.studies.{name}").make()
        record |= {"name": name, "command": f"make records ONLY={name}"}
        record["total_seconds"] = round(time.monotonic() - began)
        mg.experiments.save_record(FOLDER / f"{name}.json", record)
        print(f"{name}: {record['total_seconds']} s\n{mg.experiments.table(record)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
