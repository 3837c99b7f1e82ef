"""The bytes of a ZIP from any offset on, made of a frozen list and blobs; a megabyte at a time is in memory."""

from __future__ import annotations

import time
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from medtheca.domains.downloads.queries import Served, served_as_frozen
from medtheca.domains.storage.checksums import Unreadable, note_crc32s
from medtheca.domains.storage.opening import open_composed
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.bytes.sending import unavailable
from medtheca.toolkit.ranges.readers import FileRanges
from medtheca.toolkit.ranges.recipe import Damaged
from medtheca.toolkit.zips.frozen import NotFrozen
from medtheca.toolkit.zips.records import central_entry, central_size, local_header, local_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from medtheca.domains.access.queries import Viewer
    from medtheca.interfaces.bytes.threads import Threads
    from medtheca.toolkit.ranges.readers import RangeReader
    from medtheca.toolkit.zips.frozen import Frozen, Member
    from medtheca.toolkit.zips.records import Limits

    _Read = Callable[["_Window", int, int], bytes | bytearray]

CHUNK, PIECE = 1 << 20, 256 << 10
"""What is read in one turn of a thread, and what is sent at once: a megabyte leaves the processor's cache on its way
through the server, and goes out at half the rate.
"""
_FIRST_WINDOW, _LARGEST_WINDOW = 60, 4000
"""Members that are looked up at once: few for who wants a few bytes, more and more for who goes on."""
_GOOD_FOR = 20.0
"""Seconds after which it is asked again whether what is being sent may be: doors close within a minute."""


@dataclass(frozen=True, slots=True)
class _Window:
    """Members that follow each other, checked at `moment`."""

    members: list[Member]
    served: dict[int, Served]
    moment: float
    limits: Limits

    def holds(self, position: int) -> bool:
        """Whether an offset lies in the headers or bytes of its members, and they were checked a moment ago."""
        last = self.members[-1]
        end = last.offset + local_size(last.name, last.size, self.limits) + last.size
        return self.is_fresh() and self.members[0].offset <= position < end

    def holds_central(self, position: int) -> bool:
        """The same of an offset in the central directory."""
        last = self.members[-1]
        end = last.central + central_size(last.name, last.size, last.offset, self.limits)
        return self.is_fresh() and self.members[0].central <= position < end

    def is_fresh(self) -> bool:
        return time.monotonic() - self.moment < _GOOD_FOR

    def crc32(self, member: Member) -> int:
        if member.is_inner:
            return member.crc32
        crc32 = self.served[member.subject].crc32
        if crc32 is None:
            raise unavailable()
        return crc32


class ZipBytes:
    """The ZIP of a list for one answer. Members are looked at again as they come up; the whole ends with any of them.

    `read` raises `Changed`, or `Problem` 503 where bytes are away. Close it at the end.
    """

    def __init__(self, threads: Threads, frozen: Frozen, viewer: Viewer) -> None:
        self._threads = threads
        self._frozen = frozen
        self._viewer = viewer
        self._window: _Window | None = None
        self._next_window = _FIRST_WINDOW
        self._open: tuple[str, RangeReader] | None = None

    async def read(self, position: int, end: int) -> list[bytes | bytearray]:
        """Some bytes from `position` on, at least one, up to `CHUNK` and never beyond `end`, in pieces for sending."""
        frozen = self._frozen
        end = min(end, position + CHUNK)
        if position >= frozen.central + frozen.central_size:
            at = position - frozen.central - frozen.central_size
            return [frozen.end()[at : at + end - position]]
        directory = position >= frozen.central
        try:
            window = await self._window_at(position, directory=directory)
            read = self._entries if directory else self._files
            return await self._threads.on_disk(_in_pieces, read, window, position, end)
        except (OSError, Damaged, NotFrozen):
            raise unavailable() from None

    def close(self) -> None:
        """Let go of what is open."""
        if self._open:
            self._open[1].close()
            self._open = None

    async def _window_at(self, position: int, *, directory: bool) -> _Window:
        window, at = self._window, position - self._frozen.central
        if window and (window.holds_central(at) if directory else window.holds(position)):
            return window
        members = await self._threads.on_disk(self._members_from, position, self._next_window)
        self._next_window = min(self._next_window * 4, _LARGEST_WINDOW)
        moment = time.monotonic()
        served = await self._threads.ask(served_as_frozen, self._viewer, members)
        if unknown := [one.sha256 for one in served.values() if one.crc32 is None]:
            # The blob was gone and came back since the download was made ready.
            with suppress(Unreadable):
                await self._threads.change(note_crc32s, unknown)
            served = await self._threads.ask(served_as_frozen, self._viewer, members)
        self._window = _Window(members, served, moment, self._frozen.limits)
        return self._window

    def _members_from(self, position: int, number: int) -> list[Member]:
        frozen = self._frozen
        at = position - frozen.central
        return frozen.read(frozen.at_central(at) if at >= 0 else frozen.at(position), number)

    def _entries(self, window: _Window, position: int, end: int) -> bytes:
        """Bytes of the central directory. In a thread."""
        found, base, limits = bytearray(), self._frozen.central, self._frozen.limits
        for member in _from(window, position - base, key=lambda member: member.central):
            entry = central_entry(member.name, member.size, window.crc32(member), member.offset, limits)
            begin = position + len(found) - base - member.central
            found += entry[begin : begin + end - position - len(found)]
            if position + len(found) >= end:
                break
        return bytes(found)

    def _files(self, window: _Window, position: int, end: int) -> bytes | bytearray:
        """Headers and bytes of members. In a thread."""
        # One buffer into which files are read, for bytes that are copied once more each time cost as much as sending.
        found = bytearray(end - position)
        target, at = memoryview(found), 0
        for member in _from(window, position, key=lambda member: member.offset):
            header = local_header(member.name, member.size, window.crc32(member), self._frozen.limits)
            within = position + at - member.offset
            if within < len(header):
                part = header[within : within + len(found) - at]
                target[at : at + len(part)] = part
                at += len(part)
                within += len(part)
            count = min(member.size - (within - len(header)), len(found) - at)
            if count > 0:
                self._read_into(target[at : at + count], window, member, within - len(header))
                at += count
            if at >= len(found):
                break
        target.release()
        del found[at:]
        return found

    def _read_into(self, target: memoryview, window: _Window, member: Member, offset: int) -> None:
        if member.is_inner:
            part = self._frozen.read_inner(member, offset, len(target))
        else:
            if self._open is None or self._open[0] != member.sha256:
                self.close()
                self._open = (member.sha256, open_member(member, window.served[member.subject]))
            reader = self._open[1]
            if isinstance(reader, FileRanges):
                if reader.read_into(target, offset) < len(target):
                    raise unavailable()
                return
            part = reader.read(offset, len(target))
        if len(part) < len(target):
            raise unavailable()
        target[:] = part


def _in_pieces(read: _Read, window: _Window, position: int, end: int) -> list[bytes | bytearray]:
    """What `read` finds in a window. In a thread."""
    pieces: list[bytes | bytearray] = []
    while position < end and (piece := read(window, position, min(end, position + PIECE))):
        pieces.append(piece)
        position += len(piece)
    return pieces


def _from(window: _Window, wanted: int, *, key: Callable[[Member], int]) -> Iterator[Member]:
    """Members of a window from the one on in which an offset lies."""
    place = bisect_right(window.members, wanted, key=key) - 1
    return islice(window.members, place, None)


def open_member(member: Member, served: Served) -> RangeReader:
    """A file of an image. Raises OSError or `Damaged`, or `Problem` 503 where it has another size."""
    recipe = served.recipe
    reader: RangeReader = open_composed(recipe) if recipe else blob_store().ranges(member.sha256)
    if reader.size != member.size:
        reader.close()
        raise unavailable()
    return reader
