"""Enumerated fault points: a story is aborted at a named step, goes on in a new process, is judged; then the next.

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

ABORTED = 86
# Steps of storing bytes, which each plot passes often, and in which an ingest is aborted at every pass.
_STORING = ("blob.", "upload.", "tombstone.", "sweep.")


class Points:
    """An archive with a database server and nothing else running, and the program that tells plots on it.

    `plot` is the one of `plots.PLOTS` that is told where none is named. Other than an ingest, plots are settled at
    their end, and judged also where they were aborted.
    """

    def __init__(self, folder, plot="ingest", **variables):
        self.plot = plot
        self.archive = Archive(folder, **variables)
        self.server = embedded_server(self.archive.data)
        # No power is cut here, and waiting for the disk would be most of the time.
        self.server.durable = False
        self.story = None
        self.passes = {}
        self._numbers = iter(range(1, 10_000))

    def __enter__(self):
        try:
            facts = prepare(self.archive.folder)
            facts["cohorts"] = facts["cohorts"][:1]
            self.server.start()
            log = (self.archive.folder / "story.log").open("ab")
            with log:
                self.story = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "tests.faults.harness.story"),
                        *(self.archive.history, json.dumps(facts)),
                    ],
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

    def tell(self, step=None, count=1, *, plot=None):
        """Tell a plot once, aborted where `step` is passed for the `count`th time.

        Returns whether it was aborted, and what the checker found.
        """
        self.archive.steps.order(*([("abort", step, count)] if step else []))
        plot = plot or self.plot
        suits = suits_plot(plot)
        number = next(number for number in self._numbers if suits(package(1, number)))
        self.story.stdin.write(f"{number} {plot}\n")
        self.story.stdin.flush()
        line = self.story.stdout.readline()
        assert line, (self.archive.folder / "story.log").read_text()[-3000:]
        told = json.loads(line)
        aborted = told["codes"][0] == ABORTED
        assert not aborted or self.archive.steps.aborted()
        self.passes = told["passes"]
        violations = told["midway"] + judge(self.archive, settled=plot != "ingest")["violations"]
        if told["codes"][-1] != 0:
            violations.append({"subject": f"the story aborted at {step}", "words": f"It ended with {told['codes']}."})
        return aborted, violations

    def _counts(self, step, passes):
        if self.plot == "ingest":
            return range(1, passes + 1)
        return [1] if step.startswith(_STORING) else sorted({1, passes})

    def tell_all(self, *, note=print):
        """Abort at the passes of every step of the plot; returns aborts by step and violations.

        An ingest is aborted at every pass; the others at the first and the last, in steps of storing at the first.
        """
        aborted, violations = self.tell()
        assert not aborted
        passed = self.passes
        aborts = dict.fromkeys(passed, 0)
        for step, passes in sorted(passed.items()):
            found = []
            for count in self._counts(step, passes):
                done, broken = self.tell(step, count)
                aborts[step] += done
                found += broken
            violations += found
            note(f"{self.plot}: aborted {aborts[step]} times at {step}, {len(found)} violations", flush=True)
        return aborts, violations


def suits_plot(plot):
    """Tells whether a package has something for each step of a plot. What is gathered has a plot of its own."""
    return _has_cases if plot == "gather" else _is_plain


def _has_cases(parcel):
    return parcel.has_flat_slide and any(member.case.endswith(".dcm") for member in parcel.members)


def _is_plain(parcel):
    return parcel.container == "zip" and not parcel.has_cases and not parcel.has_flat_slide
