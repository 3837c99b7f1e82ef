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

# Who is killed together, and how often beside the others. With `up` the kernel kills its children. The changer seldom:
# what it asks for has to be done before there is something to ask for next.
TARGETS = {
    ("worker",): 8,
    ("worker", "insider"): 8,
    ("worker", "web"): 3,
    ("worker", "web", "insider"): 3,
    ("insider",): 3,
    ("changer",): 1,
    ("worker", "changer"): 1,
    ("web",): 3,
    ("postgres",): 2,
    ("backend",): 2,
    ("decoder",): 1,
    ("up",): 1,
    ("all",): 1,
}
_SENDERS = 3
_LATE = 5
# So many of the kills are aimed, as long as a step was never hit; and how long one waits for somebody to come by.
_AIMED = 0.6
_AIM = 12.0
_STRETCH = 3.0
_CLIENTS = {"insider": "deliver", "changer": "change"}


class Storm:
    """One archive, its clients, and whoever kills. All chance comes from `seed`; moments depend on the machine too.

    `patience` is for how many seconds the queue need not become shorter when all is quiet: a machine that has much else
    to do is slow, not broken.
    """

    def __init__(self, folder, *, seed, patience=90, **variables):
        self.seed, self.patience = seed, patience
        self.random = random.Random(f"storm {seed}")
        self.archive = Archive(folder, **variables)
        self.folder = folder
        self.kills = Counter()
        self.gave_up = 0
        self.rests = []
        self.insiders = {}
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
        for client in self.insiders.values():
            client.kill()
            client.wait()
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
        begun = time.monotonic()
        late = 0
        try:
            # Receiving goes before converting, so there is most to convert when all has been sent.
            while (sending := any(sender.is_alive() for sender in senders)) or (
                late < _LATE and self.archive.waiting_jobs()
            ):
                late += not sending
                assert not sending or time.monotonic() - begun < seconds, f"{ingests} were not sent in {seconds} s"
                self._keep_going()
                if self.archive.steps.missing() and self.random.random() < _AIMED:
                    self._aim()
                    continue
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
        for name, verb in _CLIENTS.items():
            if name not in self.insiders or self.insiders[name].poll() is not None:
                with (self.folder / f"{name}.log").open("ab") as log:
                    self.insiders[name] = subprocess.Popen(
                        [sys.executable, *INSIDER, verb, *self.arguments(name)],
                        env=self.archive.inside(),
                        stdout=log,
                        stderr=log,
                    )
        # Most kills hit an archive at work; a few hit one that is just starting.
        if self.random.random() < 0.9:
            self._wait_until_ready()

    def arguments(self, name):
        """What an insider of this name has to know."""
        return [name, str(self.seed), json.dumps(self.facts), str(self.archive.history), str(self._stop)]

    def keep_up(self):
        """See to it that the archive runs, without its clients."""
        if not self.archive.is_running():
            self.archive.start()

    def kill_there(self, process):
        """Kill a process that stands in a step; the names of the steps in which it stood."""
        stood = self.archive.kill(process)
        self._note(["struck"], [process], stood)
        return stood

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

    def _aim(self):
        """Stretch every step that was never hit, and kill whoever first comes into one; nobody where nobody comes.

        Chance alone does not find steps that are passed seldom. And while one only aims the archive gets on.
        """
        steps = self.archive.steps
        missing = set(steps.missing())
        steps.order(*[("linger", name, _STRETCH) for name in sorted(missing)])
        until = time.monotonic() + _AIM
        while time.monotonic() < until:
            if process := steps.standing(missing):
                stood = self.archive.kill(process)
                self._note(["aimed"], [process], stood)
                return
            time.sleep(0.03)

    def _kill(self, *targets):
        archive = self.archive
        find = {
            "web": lambda: [archive.web()],
            "worker": lambda: [archive.worker()],
            "postgres": lambda: [archive.postmaster()],
            "backend": lambda: [archive.backend()],
            "decoder": lambda: [archive.decoder()],
            **{name: lambda name=name: [self.insiders[name].pid] for name in _CLIENTS},
            "up": lambda: [archive.process.pid, archive.web(), archive.worker()],
            "all": lambda: [process for name in ("up", *_CLIENTS) for process in find[name]()] + archive.servers(),
        }
        victims = [process for target in targets for process in find[target]() if process]
        if not victims:
            return
        stood = archive.kill(*victims)
        self._note(targets, victims, stood)
        if {"up", "all"} & set(targets):
            archive.process.wait()
        for name in _CLIENTS:
            if {name, "all"} & set(targets):
                self.insiders[name].wait()

    def _note(self, targets, victims, stood):
        self.kills["+".join(targets)] += 1
        with (self.folder / "kills.jsonl").open("a") as log:
            line = {"targets": targets, "victims": victims, "stood": stood, "at": time.time()}
            log.write(json.dumps(line | {"missing": len(self.archive.steps.missing())}) + "\n")

    # -- judgement

    def rest(self):
        """Wait until the clients have ended and no job waits or is being done."""
        begun = time.monotonic()
        self.archive.steps.order()
        self._stop.touch()
        for client in self.insiders.values():
            client.wait(timeout=120)
        self.insiders = {}
        least, until = None, time.monotonic() + self.patience
        # What is left in the queue after that is for the checker to judge.
        while True:
            # In the loop, because `up` may give up only now.
            self._wait_until_ready()
            waiting = self.archive.waiting_jobs()
            if waiting == 0 or time.monotonic() > until:
                break
            if waiting is not None and (least is None or waiting < least):
                least, until = waiting, time.monotonic() + self.patience
            time.sleep(0.2)
        # Whatever is not needed any more goes now, so that the checker may ask for all that is left.
        settled = self.archive.run(*INSIDER, "settle", *self.arguments("settler"))
        assert settled.returncode == 0, settled.stderr
        self.rests.append(round(time.monotonic() - begun, 1))

    def judge(self):
        """What the separate checker and `medtheca check` say: counts and violations."""
        return judge(self.archive, own_check=True, settled=True)
