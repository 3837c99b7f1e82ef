"""The lock of a data folder: one process at a time owns the database server inside it."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from medtheca.config.processes.errors import FolderInUse


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a folder: process number, command, the web address if it serves one, and whether it is ready."""

    process: int
    command: str
    address: str = ""
    ready: bool = False

    def __str__(self) -> str:
        where = f" at {self.address}" if self.address else ""
        return f"`medtheca {self.command}` (process {self.process}){where}"


class FolderLock:
    """A lock that ends with the process that holds it, however that process ends.

    Children never inherit it, so an orphan cannot keep a folder locked.
    """

    def __init__(self, data: Path, *, command: str, address: str = "") -> None:
        self.data = data
        self.path = data / "run" / "lock"
        self.holder = Holder(process=os.getpid(), command=command, address=address)
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock at once or raise `FolderInUse` naming its holder."""
        if not self.data.exists():
            # Private images will lie here: closed to others from its first moment.
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            holder = read_holder(self.data)
            raise FolderInUse(f"The data folder {self.data} is in use by {holder or 'another process'}.") from None
        self._handle = handle
        self._write(self.holder)

    def mark_ready(self) -> None:
        """Tell others that the database can be used: the server answers and its tables are up to date."""
        self._write(Holder(**{**asdict(self.holder), "ready": True}))

    def release(self) -> None:
        """Give the lock back."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _write(self, holder: Holder) -> None:
        assert self._handle is not None
        text = json.dumps(asdict(holder)).encode()
        os.pwrite(self._handle, text, 0)
        os.ftruncate(self._handle, len(text))


def read_holder(data: Path) -> Holder | None:
    """Who says to hold the folder; None when nobody does, or is just about to."""
    path = data / "run" / "lock"
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            return Holder(**json.loads(os.read(handle, 4096)))
        except ValueError:
            return None
    else:
        return None  # What is written there is what a killed holder left.
    finally:
        os.close(handle)
