"""Looking at other processes through `/proc`. Where there is none, nothing is found."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def processes_in(folder: Path, *, program: str) -> list[int]:
    """Processes of that name whose working directory is `folder`: of PostgreSQL, all that serve a cluster."""
    if not folder.exists():
        return []
    wanted = folder.stat()

    def matches(process: Path) -> bool:
        if (process / "comm").read_text().strip() != program:
            return False
        found = (process / "cwd").stat()
        return (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)

    return list(_matching(matches))


def processes_with(variable: str, value: str) -> list[int]:
    """Processes, other than this one, that were started with an environment variable set so."""
    wanted = f"{variable}={value}".encode()
    ours = os.getpid()
    return [
        number
        for number in _matching(lambda process: wanted in (process / "environ").read_bytes().split(b"\0"))
        if number != ours
    ]


def parent_of(process: int) -> int | None:
    """The parent of a process, or None when it is gone."""
    return _status(process)[1]


def is_alive(process: int) -> bool:
    """Whether a process is there and is no zombie."""
    state, _parent = _status(process)
    return state not in {None, "Z", "X"}


def signal_all(processes: list[int], number: signal.Signals, *, still: Callable[[], list[int]] | None = None) -> None:
    """Signal each process that is still there.

    With `still`, asked once each is held, only those that are found again: a number that has gone to a stranger
    since it was looked up is let be.
    """
    held = {process: handle for process in processes if (handle := _hold(process)) is not None}
    try:
        meant = set(held) if still is None else set(held) & set(still())
        for process in meant:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(held[process], number)
    finally:
        for handle in held.values():
            os.close(handle)


def _hold(process: int) -> int | None:
    """A descriptor that means this process and no later one of its number; None where it has gone."""
    try:
        return os.pidfd_open(process)
    except OSError:
        return None


def wait_until_gone(processes: list[int], *, seconds: float) -> list[int]:
    """Wait for processes that need not be our children; return those that are left."""
    until = time.monotonic() + seconds
    while True:
        left = [process for process in processes if is_alive(process)]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.05)


def _matching(matches: Callable[[Path], bool]) -> Iterator[int]:
    if not _PROC.is_dir():
        return
    for process in _PROC.iterdir():
        if not process.name.isdigit():
            continue
        try:
            if matches(process):
                yield int(process.name)
        except OSError:
            continue  # It ended meanwhile, or belongs to somebody else.


def _status(process: int) -> tuple[str | None, int | None]:
    try:
        text = (_PROC / str(process) / "stat").read_text()
    except OSError:
        return None, None
    # The name in parentheses may itself hold spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[1])
