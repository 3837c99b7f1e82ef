"""Clients at work on an archive while its processes are killed; then quiet, and judgement."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path

from tests.faults.harness.archive import Archive
from tests.faults.harness.sender import Sender
from tests.faults.harness.steps import wait_for

ROOT = Path(__file__).parents[3]
CHECKER = ROOT / "tests" / "faults" / "checker.py"
INSIDER = ["-m", "tests.faults.harness.insider"]
# What is killed, and how often beside the others.
TARGETS = {"web": 4, "worker": 12, "postgres": 2, "backend": 2, "decoder": 1, "insider": 7, "up": 1, "all": 1}
_SENDERS = 3
_QUIET = 180


class Storm:
    """One archive, its clients, and whoever kills. All chance comes from `seed`; moments depend on the machine too."""

    def __init__(self, folder, *, seed, **variables):
        self.seed = seed
        self.random = random.Random(f"storm {seed}")
        self.archive = Archive(folder, PYTHONPATH=str(ROOT), **variables)
        self.folder = folder
        self.kills = Counter()
        self.log = []
        self.gave_up = 0
        self.insider = None
        self._stop = folder / "stop"
        self._numbers = count(1)
        self._last = 0

    def __enter__(self):
        try:
            self.archive.start().ready()
            answer = self.archive.run(*INSIDER, "setup", "3")
            assert answer.returncode == 0, answer.stderr
        except BaseException:
            self.close()
            raise
        self.facts = json.loads(answer.stdout)
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

    def rage(self, ingests, *, pace=(0.3, 3.0), targets=TARGETS, seconds=1200):
        """Let clients send that many deliveries more while processes are killed, then let all come to rest."""
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
                # About four deliveries a kill, of all senders together: the worker is rarely without work.
                pause=_SENDERS * sum(pace) / 4,
            )
            for n in range(_SENDERS)
        ]
        self._stop.unlink(missing_ok=True)
        for sender in senders:
            sender.start()
        until = time.monotonic() + seconds
        try:
            while any(sender.is_alive() for sender in senders):
                assert time.monotonic() < until, f"{ingests} deliveries were not sent in {seconds} s"
                self._keep_going()
                self._order()
                time.sleep(self.random.uniform(*pace))
                self._kill(self.random.choices(list(targets), list(targets.values()))[0])
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
        chosen = self.random.sample(rare, 5)
        self.archive.steps.order(*[("linger", name, round(self.random.uniform(0.2, 2.0), 2)) for name in chosen])

    def _kill(self, target):
        archive = self.archive
        find = {
            "web": archive.web,
            "worker": archive.worker,
            "postgres": archive.postmaster,
            "backend": archive.backend,
            "decoder": archive.decoder,
            "insider": lambda: self.insider.pid,
            "up": lambda: archive.process.pid,
        }
        if target == "all":
            victims = [archive.process.pid, self.insider.pid, archive.web(), archive.worker(), *archive.servers()]
        elif target == "up":
            # Its children are killed with it, by the kernel.
            victims = [archive.process.pid, archive.web(), archive.worker()]
        else:
            victims = [find[target]()]
        if not any(victims):
            return
        stood = archive.kill(*victims)
        self.kills[target] += 1
        self.log.append({"target": target, "victims": victims, "stood": stood, "at": time.time()})
        if target in {"up", "all"}:
            archive.process.wait()
        if target in {"insider", "all"}:
            self.insider.wait()

    # -- judgement

    def rest(self):
        """Wait until the insider has ended and no job waits or is being done."""
        self.archive.steps.order()
        self._stop.touch()
        if self.insider is not None:
            self.insider.wait(timeout=120)
            self.insider = None
        self._wait_until_ready()
        wait_for(
            lambda: self.archive.waiting_jobs() == 0,
            f"the queue is empty\n{self.archive.log_end()}",
            seconds=_QUIET,
        )

    def judge(self):
        """What the separate checker and `medtheca check` say: counts and violations."""
        answer = subprocess.run(
            [sys.executable, "-I", CHECKER, self.archive.history, self.archive.data, self.archive.url()],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert answer.stdout, answer.stderr
        report = json.loads(answer.stdout)
        own = self.archive.run("-m", "medtheca", "check", "--json", "--deep")
        assert own.stdout, own.stderr
        for violation in json.loads(own.stdout)["violations"]:
            report["violations"].append(
                {"subject": f"medtheca check: {violation['subject']}", "words": violation["words"]}
            )
        assert bool(answer.returncode or own.returncode) == bool(report["violations"])
        return report
