"""Kills at named steps: what passes them is done while nothing else is going on, and whoever comes into one is killed.

Chance finds steps that are passed often. An erasure, a dry run or an image of several files is rare in a storm, and
each of their steps a moment in it.
"""

import subprocess
import sys
import time

from tests.faults.harness.archive import INSIDER
from tests.faults.harness.pictures import package
from tests.faults.harness.plots import PLOTS, plot_of
from tests.faults.harness.points import suits_plot

_STRETCH = 20.0
_ROUNDS = 4
_PATIENCE = 240
_FIRST_NUMBER = 20_000_000
_APART = 1_000


class Striker:
    """Strikes at the steps of a storm's archive, whose clients rest meanwhile."""

    def __init__(self, storm):
        self.storm = storm
        self._number = _FIRST_NUMBER

    def strike_all(self, names, *, note=print):
        """Kill in each of these steps, plot by plot; those in which nobody was killed stay `missing` in its counts."""
        for plot in PLOTS:
            wanted = {name for name in names if plot_of(name) == plot}
            if wanted:
                begun = time.monotonic()
                kills = self.strike(plot, wanted)
                took = time.monotonic() - begun
                note(f"{took:6.0f} s  {plot}: {kills} strikes, {len(self._left(wanted))} steps not hit", flush=True)

    def strike(self, plot, wanted):
        """Have a plot told until somebody was killed in each of the steps, for a few rounds at most."""
        kills = 0
        once, each, acts = PLOTS[plot]
        for _ in range(_ROUNDS):
            if not self._left(wanted):
                break
            # What it needs is made in peace; what cannot be done once more is passed over.
            self._order(())
            self._tell(plot, [*once, *each])
            kills += self._tell(plot, [act for act in acts if act != "settle"], wanted)
            once = ()
        self._order(())
        self.storm.rest()
        return kills

    def _tell(self, plot, acts, wanted=()):
        """Have acts done, by somebody new where their doer is killed; how many were killed in one of the steps."""
        kills, client, until = 0, None, time.monotonic() + _PATIENCE
        self._number = self._next_number(plot)
        self._order(wanted)
        try:
            while acts or wanted:
                assert time.monotonic() < until, f"{plot}: {acts} are not done after {_PATIENCE} s"
                self.storm.keep_up()
                if client is None:
                    client = self._begin(acts)
                process = self.storm.archive.steps.standing(self._left(wanted))
                if process:
                    kills += bool(self.storm.kill_there(process))
                    self._order(wanted)
                elif client.poll() is not None:
                    if client.returncode == 0 and self.storm.archive.waiting_jobs() == 0:
                        return kills
                    # Killed, or cut off by a kill of somebody else: the next goes on.
                    client = None if client.returncode else client
                time.sleep(0.02)
            return kills
        finally:
            if client is not None:
                client.kill()
                client.wait()

    def _begin(self, acts):
        storm = self.storm
        arguments = storm.arguments("striker")
        with (storm.folder / "striker.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *INSIDER, "act", *arguments, str(self._number), *acts],
                env=storm.archive.inside(),
                stdout=log,
                stderr=log,
            )

    def _left(self, wanted):
        return {name for name in wanted if not self.storm.archive.steps.hits[name]}

    def _order(self, wanted):
        self.storm.archive.steps.order(*[("linger", name, _STRETCH) for name in sorted(self._left(wanted))])

    def _next_number(self, plot):
        """The next number whose package has something for each step of the plot."""
        fits, number = suits_plot(plot), self._number + _APART
        while not fits(package(self.storm.seed, number)):
            number += 1
        return number
