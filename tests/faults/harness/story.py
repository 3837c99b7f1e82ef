"""Plots in one process, again and again, aborted at a named step each time: `story.py HISTORY FACTS`.

Reads a number and a plot a line, tells the plot in a fork of itself, goes on in another where that one aborted, and
prints a line of JSON: exit codes, how often each step was passed, and what was broken right after an abort.
"""

import json
import os
import random
import subprocess
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.faults.harness.insider import Insider
from tests.faults.harness.plots import PLOTS

# ruff: isort: split
from django.db import connections

from medtheca.base import steps
from medtheca.base.work import work_until_idle
from medtheca.workflows.decoding import close_decoder_pool

CHECKER = Path(__file__).parents[1] / "checker.py"
_PEACE = "before"
_TRIES = 4
# A machine that has much else to do is slow, not broken.
_PATIENCE = 120.0


class Story(Insider):
    """A plot of one number."""

    def __init__(self, folder, facts, number):
        super().__init__("story", 1, facts["cohorts"], facts["changing"], folder)
        self.number, self.folder = number, folder

    def tell(self, part, acts):
        """Do the acts in order, each with the jobs that it makes; those that are done are passed over."""
        rng = random.Random(f"{self.number} {part}")
        until = time.monotonic() + _PATIENCE
        for place, name in enumerate(acts):
            done = self.folder / f"{self.number}-{part}-{place}.done"
            if done.exists() and not _has_jobs():
                continue
            if not done.exists():
                getattr(self, name)(rng)
                done.touch()
            # A job that failed waits for some seconds before it is tried again.
            while _has_jobs() and time.monotonic() < until:
                work_until_idle(concurrency=2)
                time.sleep(0.05)
            self.number += 10_000_000
        close_decoder_pool()


def _has_jobs():
    """Whether a job waits or is being done."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))")
        return cursor.fetchone()[0]


def _in_a_fork(folder, facts, number, part, acts):
    child = os.fork()
    if child == 0:
        try:
            passes = _count_steps(part == _PEACE)
            Story(folder, facts, number).tell(part, acts)
            (folder / "passes.json").write_text(json.dumps(passes))
        except BaseException:  # noqa: BLE001 - it is printed, and the exit code tells
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _in_peace(folder, facts, number, acts):
    code = _in_a_fork(folder, facts, number, _PEACE, acts) if acts else 0
    assert code == 0, f"{', '.join(acts)} could not be told in peace"


def _count_steps(in_peace):
    """How often each step is passed in this process; in peace no order is obeyed."""
    passes, obey = Counter(), steps._obey

    def count(name):
        passes[name] += 1
        if not in_peace:
            obey(name)

    steps._obey = count
    return passes


def _midway(folder):
    """What the checker finds broken while work is cut off."""
    places = [folder, os.environ["MEDTHECA_DATA"], os.environ["DATABASE_URL"], "midway"]
    answer = subprocess.run([sys.executable, "-I", CHECKER, *places], capture_output=True, text=True, check=False)
    assert answer.stdout, answer.stderr
    return json.loads(answer.stdout)["violations"]


def main():
    folder, facts, prepared = Path(sys.argv[1]), json.loads(sys.argv[2]), set()
    for line in sys.stdin:
        word, plot = line.split()
        number, begun, midway = int(word), time.monotonic(), []
        once, each, acts = PLOTS[plot]
        if once not in prepared:
            _in_peace(folder, facts, 0, once)
            prepared.add(once)
        _in_peace(folder, facts, number, each)
        codes = [_in_a_fork(folder, facts, number, "acts", acts)]
        while codes[-1] != 0 and len(codes) < _TRIES:
            if plot != "ingest" and codes[-1] == steps.ABORTED:
                midway += _midway(folder)
            codes.append(_in_a_fork(folder, facts, number, "acts", acts))
        passes = json.loads((folder / "passes.json").read_text()) if codes == [0] else {}
        told = {"codes": codes, "passes": passes, "midway": midway, "seconds": round(time.monotonic() - begun, 2)}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
