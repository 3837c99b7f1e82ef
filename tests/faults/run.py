"""The crash test: `python -m tests.faults.run --ingests 300 --seed 1`. Exits 1 where a promise was broken."""

import argparse
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.faults.harness.plots import PLOTS
from tests.faults.harness.points import Points
from tests.faults.harness.preparing import LEFT_OUT, prepare
from tests.faults.harness.steps import all_steps
from tests.faults.harness.storm import Storm
from tests.faults.harness.striking import Striker

_PHASE = 50


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ingests", type=int, default=300)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--minutes", type=float, default=30, help="When to end the storm at the latest.")
    parser.add_argument("--pace", type=float, default=3.0, help="Most seconds from an archive at work to a kill.")
    parser.add_argument("--plant", default="", help="A bug of tests/faults/planted.py to put back.")
    parser.add_argument("--strike", nargs="*", metavar="STEP", help="Kill in these steps only, without a storm.")
    parser.add_argument("--no-points", action="store_true", help="Leave out the enumerated fault points.")
    parser.add_argument("--plots", nargs="*", choices=PLOTS, default=PLOTS, help="Whose fault points to enumerate.")
    parser.add_argument("--no-storm", action="store_true", help="Leave out the kills under clients at work.")
    parser.add_argument("--keep", action="store_true", help="Keep the folder.")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else secrets.randbelow(1 << 31)
    print(f"seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="medtheca-faults-"))
    try:
        code = 0 if options.no_storm and not options.strike else _run(folder / "storm", seed, options)
        if not options.no_points and not options.plant:
            code |= _run_points(folder / "points", options.plots)
        sys.exit(code)
    finally:
        if options.keep:
            print(f"kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _run(folder, seed, options):
    folder.mkdir()
    begun = time.monotonic()
    sent, failed = 0, []
    planted = {"MEDTHECA_BLOB_STORE": f"tests.faults.planted.{options.plant}"} if options.plant else {}
    with Storm(folder, seed=seed, patience=45 if options.plant else 90, **planted) as storm:
        steps = storm.archive.steps
        wanted = options.strike or all_steps()
        if unknown := set(wanted) - set(all_steps()):
            sys.exit(f"there are no steps {', '.join(sorted(unknown))}")
        while not options.strike and sent < options.ingests and not failed:
            more = min(_PHASE, options.ingests - sent)
            storm.rage(more, pace=(0.3, options.pace))
            sent += more
            report = storm.judge()
            failed += report["violations"]
            took = time.monotonic() - begun
            print(
                f"{took:6.0f} s  {sent} ingests by tus, {report['counts'].get('deliveries', 0)} in all, "
                f"{sum(storm.kills.values())} kills, {len(steps.missing())} steps not hit, "
                f"{len(report['violations'])} violations, at rest after {storm.rests[-1]} s",
                flush=True,
            )
            if took > 60 * options.minutes:
                break
        missing = [name for name in wanted if name in steps.missing()]
        if missing and not failed:
            Striker(storm).strike_all(missing)
            report = storm.judge()
            failed += report["violations"]
            missing = [name for name in missing if name in steps.missing()]
        print(f"kills: {dict(storm.kills)}; `up` gave up {storm.gave_up} times, started {storm.archive.starts} times")
        print(f"checked: {report['counts']}")
        print(f"steps hit by a kill:\n{steps.table()}")
    kinds = Counter(re.sub(r"[0-9a-f]{64}|\d+", "…", violation["words"]) for violation in failed)
    for words, count in kinds.most_common(20):
        print(f"{count:6} times  {words}")
    for violation in failed[:50]:
        print(f"BROKEN  {violation['subject']}: {violation['words']}")
    for name in missing:
        print(f"NOT HIT  {name}")
    return 1 if failed or missing or (sent < options.ingests and not options.strike) else 0


def _run_points(folder, plots):
    """Abort at the named steps of one ingest, and of each kind of change."""
    aborts, violations = Counter(dict.fromkeys(all_steps(), 0)), []
    (folder / "prepared").mkdir(parents=True)
    prepare(folder / "prepared")
    for plot in plots:
        place = shutil.copytree(folder / "prepared", folder / plot, symlinks=True, ignore=LEFT_OUT)
        with Points(place, plot) as points:
            aborted, found = points.tell_all()
        aborts.update(aborted)
        violations += found
    print(f"aborted at {sum(aborts.values())} passes of {len(aborts)} steps, {len(violations)} violations")
    for violation in violations:
        print(f"BROKEN  {violation['subject']}: {violation['words']}")
    never = [step for step, count in aborts.items() if not count] if set(plots) == set(PLOTS) else []
    for step in never:
        print(f"NOT ABORTED AT  {step}")
    return 1 if violations or never else 0


if __name__ == "__main__":
    main()
