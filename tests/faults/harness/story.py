"""One whole ingest in one process, again and again, aborted at a named step each time: `story.py HISTORY`.

Reads a number a line, tells the story in a fork of itself, goes on in another where that one aborted, and prints a
line of JSON with the exit codes.
"""

import json
import os
import random
import sys
import time
import traceback
from pathlib import Path

from tests.faults.harness.insider import Insider

# ruff: isort: split
from django.db import connections

from medtheca.base.work import work_until_idle
from medtheca.workflows.decoding import close_decoder_pool

_TRIES = 4
_PATIENCE = 15.0


class Story(Insider):
    """Deliver, describe, publish, sweep, erase, each once; what was not acknowledged is done again."""

    def __init__(self, folder, cohorts, number):
        super().__init__("story", 1, cohorts, folder)
        self.number, self.folder = number, folder

    def tell(self):
        rng = random.Random(self.number)
        until = time.monotonic() + _PATIENCE
        for act in (self.deliver, self.describe, self.publish, self.sweep, self.erase):
            done = self.folder / f"{self.number}-{act.__name__}.done"
            if done.exists() and not self._has_jobs():
                continue
            if not done.exists():
                act(rng)
                done.touch()
            # A job that failed waits for some seconds before it is tried again.
            while self._has_jobs() and time.monotonic() < until:
                work_until_idle(concurrency=2)
                time.sleep(0.05)
        close_decoder_pool()

    def _has_jobs(self):
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))")
            return cursor.fetchone()[0]


def _in_a_fork(folder, cohorts, number):
    child = os.fork()
    if child == 0:
        try:
            Story(folder, cohorts, number).tell()
        except BaseException:  # noqa: BLE001 - it is printed, and the exit code tells
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    folder, cohorts = Path(sys.argv[1]), json.loads(sys.argv[2])
    for line in sys.stdin:
        number = int(line)
        begun = time.monotonic()
        codes = [_in_a_fork(folder, cohorts, number)]
        while codes[-1] != 0 and len(codes) < _TRIES:
            codes.append(_in_a_fork(folder, cohorts, number))
        print(json.dumps({"codes": codes, "seconds": round(time.monotonic() - begun, 2)}), flush=True)


if __name__ == "__main__":
    main()
