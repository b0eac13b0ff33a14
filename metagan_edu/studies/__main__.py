"""Make the recorded experiments again: ``make records`` (all of them, hours), ``make records ONLY=ring_lookahead``
(one).

Each record is made by the function ``make`` of the script of its name in this folder, and written beside it as JSON.
"""

import importlib
import pathlib
import sys
import time

import metagan_edu as mg

FOLDER = pathlib.Path(__file__).parent


def main(only):
    """Make the records that are named; the exit status says whether all names are known."""
    known = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
    unknown = sorted(set(only) - set(known))
    if unknown:
        print(f"there is no record {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for name in only or known:
        print(f"{name} ...", flush=True)
        began = time.monotonic()
        record = importlib.import_module(name).make()
        record |= {"name": name, "command": f"make records ONLY={name}"}
        record["total_seconds"] = round(time.monotonic() - began)
        mg.experiments.save_record(FOLDER / f"{name}.json", record)
        print(f"{name}: {record['total_seconds']} s\n{mg.experiments.table(record)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
