"""Runs the benchmarks: `python -m benchmarks [--only NAME] [--quick]`.

One JSON line a figure, on the terminal and in `benchmarks/results/`. A missed budget is told and ends in exit
code 0: this measures, it does not judge. A benchmark that breaks ends in 1.
"""

import argparse
import json
import os
import pkgutil
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import benchmarks
from benchmarks import figures, machine

_RESULTS = Path(__file__).parent / "results"


def main() -> int:
    options = _options()
    if options.quick:
        os.environ[figures.QUICK] = "1"
    modules = _modules(options.only)
    if not modules:
        sys.stderr.write(f"There is no benchmark {options.only}.\n")
        return 2
    _RESULTS.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = []
    broken = []
    for name, module in modules.items():
        path = _RESULTS / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
        try:
            for found in module.run():
                row = _complete(found, name)
                rows.append(row)
                print(json.dumps(row, ensure_ascii=False), flush=True)
                with path.open("a") as file:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
        except Exception:  # noqa: BLE001 - the others are measured all the same, and the run ends in 1
            traceback.print_exc()
            broken.append(name)
    _tell(rows, broken)
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", help="one benchmark, such as ingest")
    parser.add_argument("--quick", action="store_true", help="fewer inputs and one round: for a first look")
    return parser.parse_args()


def _modules(only: str | None) -> dict[str, ModuleType]:
    """Benchmarks by name. Their imports may be heavy, so only what is wanted is imported."""
    names = sorted(found.name for found in pkgutil.iter_modules(benchmarks.__path__) if not found.name.startswith("_"))
    modules = {name: import_module(f"benchmarks.{name}") for name in names if only in {None, name}}
    return {name: module for name, module in modules.items() if hasattr(module, "run")}


def _complete(found: dict[str, Any], benchmark: str) -> dict[str, Any]:
    quick = {"quick": True} if figures.is_quick() else {}
    noise = {} if "contention" in found else {"contention": machine.contention()}
    return {"benchmark": benchmark, **found, **noise, **quick, **machine.facts()}


def _tell(rows: list[dict[str, Any]], broken: list[str]) -> None:
    missed = [row for row in rows if row.get("met") is False]
    judged = [row for row in rows if "met" in row]
    sys.stderr.write(f"\n{len(judged) - len(missed)} of {len(judged)} budgets are met.\n")
    for row in missed:
        sys.stderr.write(f"  missed: {row['name']} is {row['figure']} {row['unit']}; budget {row['budget']}\n")
    for row in rows:
        if "skipped" in row:
            sys.stderr.write(f"  skipped: {row['name']}: {row['skipped']}\n")
    for name in broken:
        sys.stderr.write(f"  broken: {name} ended with an error, see above\n")


if __name__ == "__main__":
    sys.exit(main())
