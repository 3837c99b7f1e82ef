"""Clients at work on an archive while its processes are killed; then quiet, and judgement."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from itertools import count

from tests.faults.harness.archive import INSIDER, Archive
from tests.faults.harness.judging import judge
from tests.faults.harness.preparing import prepare
from tests.faults.harness.sender import Sender
from tests.faults.harness.steps import wait_for

# Who is killed together, and how often beside the others. With `up` the kernel kills its children.
TARGETS = {
    ("worker",): 8,
    ("worker", "insider"): 8,
    ("worker", "web"): 3,
    ("worker", "web", "insider"): 3,
    ("insider",): 3,
    ("web",): 3,
    ("postgres",): 2,
    ("backend",): 2,
    ("decoder",): 1,
    ("up",): 1,
    ("all",): 1,
}
_SENDERS = 3
_LATE = 5


class Storm:
    """One archive, its clients, and whoever kills. All chance comes from `seed`; moments depend on the machine too.

    `patience` is how many seconds the queue may take to become empty when all is quiet.
    """

    def __init__(self, folder, *, seed, patience=180, **variables):
        self.seed, self.patience = seed, patience
        self.random = random.Random(f"storm {seed}")
        self.archive = Archive(folder, **variables)
        self.folder = folder
        self.kills = Counter()
        self.log = []
        self.gave_up = 0
        self.rests = []
        self.insider = None
        self._stop = folder / "stop"
        self._numbers = count(1)
        self._last = 0

    def __enter__(self):
        self.facts = prepare(self.folder)
        try:
            self.archive.start().ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End everything that was started."""
        if self.insider is not None:
            self.insider.kill()
            self.insider.wait()
        self.archive.stop()

    # -- clients

    def rage(self, ingests, *, pace=(0.3, 3.0), targets=None, seconds=1200):
        """Let clients send that many deliveries more while processes are killed, then let all come to rest."""
        targets = targets or TARGETS
        self._last += ingests
        senders = [
            Sender(
                f"sender-{self._last}-{n}",
                port=self.archive.port,
                token=self.facts["token"],
                cohorts=self.facts["cohorts"],
                seed=self.seed,
                numbers=self._next,
                history=self.archive.history,
                # About three deliveries a kill or more, of all senders together: the worker is rarely without work.
                pause=_SENDERS * sum(pace) / 3,
            )
            for n in range(_SENDERS)
        ]
        self._stop.unlink(missing_ok=True)
        for sender in senders:
            sender.start()
        until = time.monotonic() + seconds
        try:
            late = 0
            # Receiving goes before converting, so there is most to convert when all has been sent.
            while any(sender.is_alive() for sender in senders) or (late < _LATE and self.archive.waiting_jobs()):
                late += not any(sender.is_alive() for sender in senders)
                assert time.monotonic() < until, f"{ingests} deliveries were not sent in {seconds} s"
                self._keep_going()
                self._order()
                time.sleep(self.random.uniform(*pace))
                # By weight, less by what was done already, so that a short run too kills each kind.
                weights = [weight / (1 + self.kills["+".join(names)]) for names, weight in targets.items()]
                self._kill(*self.random.choices(list(targets), weights)[0])
        finally:
            for sender in senders:
                sender.stopping.set()
            self._stop.touch()
            for sender in senders:
                sender.join(timeout=60)
        for sender in senders:
            if sender.failure:
                raise sender.failure
        self.rest()

    def _next(self):
        number = next(self._numbers)
        return number if number <= self._last else None

    def _keep_going(self):
        if not self.archive.is_running():
            self.archive.start()
        if self.insider is None or self.insider.poll() is not None:
            with (self.folder / "insider.log").open("ab") as log:
                self.insider = subprocess.Popen(
                    [sys.executable, *INSIDER, "work", "insider", *map(str, self._insider_arguments())],
                    env=self.archive.inside(),
                    stdout=log,
                    stderr=log,
                )
        # Most kills hit an archive at work; a few hit one that is just starting.
        if self.random.random() < 0.9:
            self._wait_until_ready()

    def _insider_arguments(self):
        return [self.seed, json.dumps(self.facts["cohorts"]), self.archive.history, self._stop]

    def _wait_until_ready(self):
        def ready():
            if not self.archive.is_running():
                # It may give up after many deaths; that is promised, and the next start has to work.
                self.gave_up += 1
                self.archive.start()
            return self.archive.is_ready()

        wait_for(ready, f"the archive is ready\n{self.archive.log_end()}", seconds=180)

    # -- kills

    def _order(self):
        """Stretch the steps that were hit least, so that a moment taken at random falls into them too."""
        rare = self.archive.steps.rarest(8)
        # Those never hit come first, up to three; with more at once a process would stand in the others.
        chosen = (self.archive.steps.missing()[:3] + self.random.sample(rare, 4))[:4]
        self.archive.steps.order(*[("linger", name, round(self.random.uniform(1, 4), 2)) for name in chosen])

    def _kill(self, *targets):
        archive = self.archive
        find = {
            "web": lambda: [archive.web()],
            "worker": lambda: [archive.worker()],
            "postgres": lambda: [archive.postmaster()],
            "backend": lambda: [archive.backend()],
            "decoder": lambda: [archive.decoder()],
            "insider": lambda: [self.insider.pid],
            "up": lambda: [archive.process.pid, archive.web(), archive.worker()],
            "all": lambda: [process for name in ("up", "insider") for process in find[name]()] + archive.servers(),
        }
        victims = [process for target in targets for process in find[target]() if process]
        if not victims:
            return
        stood = archive.kill(*victims)
        self.kills["+".join(targets)] += 1
        self.log.append({"targets": targets, "victims": victims, "stood": stood, "at": time.time()})
        if {"up", "all"} & set(targets):
            archive.process.wait()
        if {"insider", "all"} & set(targets):
            self.insider.wait()

    # -- judgement

    def rest(self):
        """Wait until the insider has ended and no job waits or is being done."""
        begun = time.monotonic()
        self.archive.steps.order()
        self._stop.touch()
        if self.insider is not None:
            self.insider.wait(timeout=120)
            self.insider = None
        until = time.monotonic() + self.patience
        # What is left in the queue after that is for the checker to judge.
        while True:
            # In the loop, because `up` may give up only now.
            self._wait_until_ready()
            if self.archive.waiting_jobs() == 0 or time.monotonic() > until:
                break
            time.sleep(0.2)
        self.rests.append(round(time.monotonic() - begun, 1))

    def judge(self):
        """What the separate checker and `medtheca check` say: counts and violations."""
        return judge(self.archive, own_check=True)
