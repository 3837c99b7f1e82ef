"""Keeps processes running: starts them in order, restarts what dies, stops them in the opposite order.

It knows nothing of Medtheca's own processes; `up` describes those.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from medtheca.config.processes import inspection, logs
from medtheca.config.processes.errors import CannotRun
from medtheca.config.processes.launch import launch_command

# Every child carries this variable with the data folder, and so do the children's children: it is how
# what a killed supervisor left behind is found again. It is no setting, hence the underscore.
MARK = "_MEDTHECA_SUPERVISED"

_DEATHS_ALLOWED = 5
_WITHIN_SECONDS = 60.0
_LIFE_THAT_COUNTS_AS_STARTED = 5.0
_LONGEST_PAUSE = 8.0


class KeepsFailing(CannotRun):
    """A process died again and again."""


class Supervised(Protocol):
    """Something that runs, may die, and can be started again."""

    @property
    def name(self) -> str: ...
    @property
    def log(self) -> Path: ...
    def start(self) -> None: ...
    def is_running(self) -> bool: ...
    def is_ready(self) -> bool: ...
    def describe_death(self) -> str: ...
    def request_stop(self) -> None: ...
    def wait_until_stopped(self, *, hurry: Callable[[], bool]) -> None: ...


@dataclass
class Child:
    """A child process with a log of its own, killed at the latest when the supervisor is gone.

    `ready` says whether it does its work yet; without it, a few seconds of life are enough.
    `grace` is how many seconds it may take to stop.
    """

    name: str
    command: Sequence[str]
    log: Path
    mark: str
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    grace: float = 10.0
    ready: Callable[[], bool] | None = None
    process: subprocess.Popen[bytes] | None = None
    _born: float = 0.0

    def start(self) -> None:
        logs.rotate_at_start(self.log)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                launch_command(self.command, signal_on_orphaning=signal.SIGKILL),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**self.environment, MARK: self.mark},
                # Ctrl-C reaches the whole foreground group; the order of stopping is ours.
                start_new_session=True,
            )
        self._born = time.monotonic()

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        if self.ready is not None:
            return self.ready()
        return time.monotonic() - self._born > _LIFE_THAT_COUNTS_AS_STARTED

    def describe_death(self) -> str:
        code = self.process.poll() if self.process else None
        if code is None:
            return "is gone"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    def request_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait_until_stopped(self, *, hurry: Callable[[], bool]) -> None:
        """Wait for the end, for `grace` seconds or until in a hurry; then end it and its descendants by force."""
        if self.process is None:
            return
        until = time.monotonic() + self.grace
        while self.process.poll() is None and time.monotonic() < until and not hurry():
            time.sleep(0.05)
        self._kill_session()
        self.process.wait()

    def _kill_session(self) -> None:
        assert self.process is not None
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return  # Nobody is left in it.


@dataclass
class _Life:
    """How often a member died of late, and when it may be started again."""

    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=_DEATHS_ALLOWED))
    failed_starts: int = 0
    was_ready: bool = False
    start_at: float | None = None


class Supervisor:
    """Runs members from the first start to the last stop.

    `say` hears what happens while running. `stopping` says that somebody wants us to stop, `hurrying` that
    they have asked twice.
    """

    def __init__(
        self,
        *,
        say: Callable[[str], None],
        stopping: Callable[[], bool],
        hurrying: Callable[[], bool],
    ) -> None:
        self._say = say
        self._stopping = stopping
        self._hurrying = hurrying
        self._members: dict[str, Supervised] = {}
        self._lives: dict[str, _Life] = {}

    def add(self, member: Supervised) -> None:
        """Start a member and watch over it from now on."""
        self._members[member.name] = member
        self._lives[member.name] = _Life()
        member.start()

    def wait_until_ready(self, member: Supervised, *, seconds: float) -> None:
        """Watch over all until this one does its work, or we are to stop. Raises `CannotRun`."""
        until = time.monotonic() + seconds
        while not self._stopping():
            self.watch_once()
            if member.is_running() and member.is_ready():
                return
            if time.monotonic() > until:
                raise CannotRun(
                    f"{member.name} runs but has not answered for {seconds:.0f} s. "
                    f"The end of {member.log}:\n{logs.end_of(member.log)}"
                )
            time.sleep(0.1)

    def watch_once(self) -> None:
        """Look at each member once; start again what died. Raises `KeepsFailing`."""
        now = time.monotonic()
        for name, member in self._members.items():
            life = self._lives[name]
            if life.start_at is not None:
                if now >= life.start_at:
                    self._start_again(member, life)
            elif not member.is_running():
                self._note_death(member, life, now)
            elif not life.was_ready and member.is_ready():
                life.was_ready, life.failed_starts = True, 0

    def stop(self, groups: Sequence[Sequence[str]]) -> None:
        """Stop members group by group, in the order given; a group's members stop side by side."""
        for group in groups:
            members = [self._members[name] for name in group if name in self._members]
            for member in members:
                member.request_stop()
            for member in members:
                member.wait_until_stopped(hurry=self._hurrying)

    def rotate_logs(self) -> None:
        """Put very long logs aside."""
        for member in self._members.values():
            logs.rotate_while_running(member.log)

    def _note_death(self, member: Supervised, life: _Life, now: float) -> None:
        life.deaths.append(now)
        life.failed_starts += 0 if life.was_ready else 1
        life.was_ready = False
        often = len(life.deaths) == _DEATHS_ALLOWED and now - life.deaths[0] < _WITHIN_SECONDS
        if often or life.failed_starts >= _DEATHS_ALLOWED:
            raise KeepsFailing(
                f"{member.name} {member.describe_death()}, for the {_DEATHS_ALLOWED}th time. "
                f"The end of {member.log}:\n{logs.end_of(member.log)}"
            )
        recent = sum(1 for death in life.deaths if now - death < _WITHIN_SECONDS)
        pause = min(0.25 * 2 ** (recent - 1), _LONGEST_PAUSE)
        life.start_at = now + pause
        self._say(f"{member.name} {member.describe_death()}; it is started again (see {member.log})")

    def _start_again(self, member: Supervised, life: _Life) -> None:
        life.start_at = None
        try:
            # What the dead one left running would hold its port or its work.
            member.wait_until_stopped(hurry=lambda: True)
            member.start()
        except CannotRun as failure:
            if self._stopping():
                return
            self._say(f"{member.name} cannot be started: {str(failure).splitlines()[0]}")
            self._note_death(member, life, time.monotonic())


def put_away_orphans(mark: str) -> int:
    """End children of a killed supervisor of this data folder, and their children; return how many there were."""
    orphans = inspection.processes_with(MARK, mark)
    for number, patience in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 10.0)):
        left = inspection.processes_with(MARK, mark)
        inspection.signal_all(left, number, still=lambda: inspection.processes_with(MARK, mark))
        inspection.wait_until_gone(left, seconds=patience)
    if left := inspection.processes_with(MARK, mark):
        raise CannotRun(
            f"Processes {', '.join(map(str, left))} of an earlier start cannot be ended. "
            "Once they are gone, start again."
        )
    return len(orphans)
