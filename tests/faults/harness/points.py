"""Enumerated fault points: an ingest is aborted at a named step, goes on in a new process, is judged; then the next.

Without `medtheca up`: the story's own process takes the jobs, so that each point costs a few seconds.
"""

import json
import subprocess
import sys

from medtheca.config.processes.database import embedded_server
from tests.faults.harness.archive import Archive
from tests.faults.harness.judging import judge
from tests.faults.harness.pictures import package
from tests.faults.harness.preparing import prepare
from tests.faults.harness.steps import all_steps

ABORTED = 86


class Points:
    """An archive with a database server and nothing else running, and the program that tells the story on it."""

    def __init__(self, folder, **variables):
        self.archive = Archive(folder, **variables)
        self.server = embedded_server(self.archive.data)
        # No power is cut here, and waiting for the disk would be most of the time.
        self.server.durable = False
        self.story = None
        self._numbers = (number for number in range(1, 10_000) if package(1, number).container == "zip")

    def __enter__(self):
        try:
            cohorts = prepare(self.archive.folder)["cohorts"][:1]
            self.server.start()
            log = (self.archive.folder / "story.log").open("ab")
            with log:
                self.story = subprocess.Popen(
                    [sys.executable, "-m", "tests.faults.harness.story", self.archive.history, json.dumps(cohorts)],
                    env=self.archive.inside(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.story is not None:
            self.story.stdin.close()
            self.story.wait(timeout=60)
            self.story.stdout.close()
        self.server.stop()

    def tell(self, step=None, count=1):
        """Tell the story once, aborted where `step` is passed for the `count`th time.

        Returns whether it was aborted, and what the checker found.
        """
        self.archive.steps.order(*([("abort", step, count)] if step else []))
        self.story.stdin.write(f"{next(self._numbers)}\n")
        self.story.stdin.flush()
        line = self.story.stdout.readline()
        assert line, (self.archive.folder / "story.log").read_text()[-3000:]
        told = json.loads(line)
        aborted = told["codes"][0] == ABORTED
        assert not aborted or self.archive.steps.aborted()
        violations = judge(self.archive)["violations"]
        if told["codes"][-1] != 0:
            violations.append({"subject": f"the story aborted at {step}", "words": f"It ended with {told['codes']}."})
        return aborted, violations

    def tell_all(self, *, every_pass, note=print):
        """Abort once at every named step, or at every pass of every step; returns aborts and violations."""
        aborts, violations = {}, []
        for step in all_steps():
            count = 1
            while True:
                aborted, found = self.tell(step, count)
                violations += found
                aborts[step] = aborts.get(step, 0) + aborted
                if not aborted or not every_pass:
                    break
                count += 1
            note(f"aborted {aborts[step]} times at {step}, {len(found)} violations")
        return aborts, violations
