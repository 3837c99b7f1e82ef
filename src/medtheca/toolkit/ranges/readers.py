"""Bytes that are read by ranges, from any thread."""

import contextlib
import os
from typing import Protocol

# Linux only; elsewhere, and where a file system does not know it, nothing counts as being in memory.
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)


class RangeReader(Protocol):
    """Bytes of a known number, read by ranges. Nothing is remembered between two reads."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def read(self, offset: int, count: int) -> bytes:
        """Bytes from `offset` on, fewer than `count` only at the end. Raises OSError."""

    def read_now(self, offset: int, count: int) -> bytes | None:
        """As `read`, where that waits for nothing; None where it would have to wait. Raises OSError."""

    def forget(self) -> None:
        """Ask the system to forget what it holds in memory, so that the medium is read next."""

    def close(self) -> None:
        """Let go of what is open."""


class FileRanges:
    """A file of this machine, by its open descriptor, which it closes."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, count: int) -> bytes:
        found = os.pread(self._descriptor, count, offset)
        while len(found) < count:
            more = os.pread(self._descriptor, count - len(found), offset + len(found))
            if not more:
                break
            found += more
        return found

    def read_into(self, target: memoryview, offset: int) -> int:
        """Fill `target` with bytes from `offset` on; how many there were, fewer only at the end. Raises OSError."""
        at = 0
        while at < len(target):
            got = os.preadv(self._descriptor, [target[at:]], offset + at)
            if not got:
                break
            at += got
        return at

    def read_now(self, offset: int, count: int) -> bytes | None:
        if not _NOWAIT:
            return None
        wanted = min(count, max(0, self._size - offset))
        part = bytearray(wanted)
        try:
            if os.preadv(self._descriptor, [part], offset, _NOWAIT) == wanted:
                return bytes(part)
        except OSError:
            return None  # The disk would have to be asked, or the file system cannot say.
        return None

    def forget(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def close(self) -> None:
        os.close(self._descriptor)


class MemoryRanges:
    """Bytes that are held."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        return len(self._data)

    def read(self, offset: int, count: int) -> bytes:
        return self._data[offset : offset + count]

    def read_now(self, offset: int, count: int) -> bytes | None:
        return self.read(offset, count)

    def forget(self) -> None:
        """There is nothing but memory."""

    def close(self) -> None:
        """Nothing is open."""
