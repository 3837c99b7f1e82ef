"""The file in which an upload's bytes gather. Everything here waits for the disk, so it runs in a disk thread."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Any
from uuid import UUID

from medtheca.domains.storage.queries import space_is_short
from medtheca.domains.storage.uploads import part_path
from medtheca.interfaces.bytes.tus_headers import Checksum
from medtheca.interfaces.bytes.wire import Problem

_LOOK_AT_SPACE_EVERY = 8 << 20


class PartWriter:
    """Writes from an offset on, one writer at a time in all processes, and hashes what it writes where that is asked.

    What lies in the file behind the acknowledged offset counts for nothing and is written over.

    With `shared` others may write at the same time, each to a range of its own, and nothing need be there before it.
    """

    def __init__(self, upload_id: UUID, offset: int, checksum: Checksum | None, *, shared: bool = False) -> None:
        self.position = offset
        self._checksum = checksum
        self._hash: Any = checksum.new_hash() if checksum else None
        self._handle = _open_locked(part_path(upload_id), 0 if shared else offset, shared=shared)
        self._unlooked = _LOOK_AT_SPACE_EVERY

    def write(self, data: bytes | bytearray) -> None:
        """Write and hash. Raises `Problem` 507 where there is no room; `position` is then behind what was written."""
        self._unlooked += len(data)
        if self._unlooked >= _LOOK_AT_SPACE_EVERY:
            if space_is_short(needed=len(data)):
                raise no_room()
            self._unlooked = 0
        view = memoryview(data)
        while view:
            try:
                written = os.pwrite(self._handle, view, self.position)
            except OSError as error:
                raise _as_problem(error) or error from None
            if self._hash is not None:
                self._hash.update(view[:written])
            view = view[written:]
            self.position += written

    def matches(self) -> bool:
        """Whether the bytes are those whose checksum was promised; true where none was."""
        return self._checksum is None or self._hash.digest() == self._checksum.digest

    def sync(self) -> None:
        """Return once what was written survives a power cut."""
        try:
            os.fdatasync(self._handle)
        except OSError as error:
            raise _as_problem(error) or error from None

    def close(self) -> None:
        """Close the file, which lets go of the lock."""
        os.close(self._handle)


def _open_locked(path: Path, offset: int, *, shared: bool) -> int:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise _lost() from None
    try:
        # Against other processes; the kernel lets go when a process dies.
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise busy() from None
    if os.fstat(handle).st_size < offset:
        os.close(handle)
        raise _lost()
    return handle


def _lost() -> Problem:
    return Problem(410, "upload_lost", "The beginning of this upload is gone.", remedy="Upload the file afresh.")


def busy() -> Problem:
    """The answer where another request writes to the same upload and does not let go."""
    return Problem(
        423,
        "upload_busy",
        "Another request is writing to this upload.",
        remedy="Wait a moment, ask for the offset and go on from there.",
    )


def no_room() -> Problem:
    """The answer where the disk, or what may be used of it, is full."""
    return Problem(
        507,
        "no_space",
        "The archive has no room left at the moment. What was acknowledged is kept.",
        remedy="Go on later, when the administrator has made room.",
    )


def _as_problem(error: OSError) -> Problem | None:
    return no_room() if error.errno in {errno.ENOSPC, errno.EDQUOT} else None
