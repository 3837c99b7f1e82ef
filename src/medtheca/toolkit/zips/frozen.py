"""A frozen list: the members of a ZIP, once for all, in a file that is read by ranges.

The file has the bytes of small members (a spreadsheet, licences), then names, then a record of fixed length for each
member, then a footer in JSON, its length and a mark. Whatever is asked for is found by its place; a million members
need no memory. The CRC-32 of a member whose bytes are elsewhere is not in it: that is known by whoever has the bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from medtheca.toolkit.ranges.readers import RangeReader
from medtheca.toolkit.zips.records import STANDARD, Limits, central_size, end_records, local_size

_RECORD = struct.Struct("<QQQQQIHI32s")
_TAIL = struct.Struct("<I8s")
_MARK = b"MTFROZE1"
_COPY = 1 << 20
_LONGEST_NAME = 0xFFFF
_LONGEST_FOOTER = 1 << 20
NOWHERE = 2**64 - 1
"""In place of an offset: the bytes are not in the list itself."""


class NotFrozen(Exception):
    """The file is no frozen list, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the ZIP. `subject` is the key of what it is a file of, 0 for none; `crc32` counts where `inner` does.

    `inner` is where its bytes are in the list's own file, `NOWHERE` where they are not. `offset` is that of its local
    header, `central` that of its entry from the beginning of the central directory.
    """

    name: bytes
    size: int
    sha256: str
    subject: int
    inner: int
    crc32: int
    offset: int
    central: int

    @property
    def path(self) -> str:
        return self.name.decode()

    @property
    def is_inner(self) -> bool:
        return self.inner != NOWHERE


@dataclass(frozen=True, slots=True)
class Inner:
    """A member whose bytes are kept in the list: `file` has them, from its beginning."""

    path: str
    file: BinaryIO
    size: int
    sha256: str
    crc32: int


@dataclass(frozen=True, slots=True)
class Outer:
    """A member whose bytes are elsewhere, named by their SHA-256."""

    path: str
    size: int
    sha256: str
    subject: int


class Writer(Protocol):
    """Where a list is written to."""

    def write(self, data: bytes, /) -> object: ...


def write_frozen(
    target: Writer, *, inner: Sequence[Inner], outer: Iterable[Outer], limits: Limits = STANDARD, room: BinaryIO
) -> None:
    """Write a list: `inner` members first, then `outer` ones, in their orders.

    `room` is an empty temporary file for what is put together meanwhile. Raises `ValueError` for names that no ZIP has.
    """
    at, inner_at = 0, []
    for one in inner:
        one.file.seek(0)
        inner_at.append(at)
        for chunk in _chunks(one.file):
            target.write(chunk)
            at += len(chunk)
    names_at, offset, central, number, total = at, 0, 0, 0, 0
    records = bytearray()
    for place, member in enumerate(_all(inner, outer)):
        name = member.path.encode()
        if not 0 < len(name) <= _LONGEST_NAME:
            raise ValueError(f"A name of {len(name)} bytes is none for a ZIP.")
        if isinstance(member, Inner):
            where, subject, crc32 = inner_at[place], 0, member.crc32
        else:
            where, subject, crc32 = NOWHERE, member.subject, 0
        digest = bytes.fromhex(member.sha256)
        records += _RECORD.pack(offset, central, member.size, where, subject, crc32, len(name), 0, digest)
        records += struct.pack("<Q", at - names_at)
        target.write(name)
        at += len(name)
        central += central_size(name, member.size, offset, limits)
        offset += local_size(name, member.size, limits) + member.size
        number += 1
        total += member.size if isinstance(member, Outer) else 0
        if len(records) > _COPY:
            room.write(records)
            records.clear()
    room.write(records)
    room.seek(0)
    for chunk in _chunks(room):
        target.write(chunk)
    end = end_records(number, central, offset, limits)
    footer = {
        "names": names_at,
        "records": at,
        "inner": len(inner),
        "members": number,
        "outer_bytes": total,
        "central": offset,
        "central_size": central,
        "size": offset + central + len(end),
        "limits": [limits.value, limits.members],
    }
    text = json.dumps(footer, sort_keys=True).encode()
    target.write(text + _TAIL.pack(len(text), _MARK))


def _all(inner: Sequence[Inner], outer: Iterable[Outer]) -> Iterator[Inner | Outer]:
    yield from inner
    yield from outer


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_COPY):
        yield chunk


_STRIDE = _RECORD.size + 8


class Frozen:
    """A list, read from its file, which whoever opened it closes. Raises `NotFrozen` or OSError."""

    def __init__(self, file: RangeReader) -> None:
        self.file = file
        try:
            tail = file.read(max(0, file.size - _TAIL.size), _TAIL.size)
            length, mark = _TAIL.unpack(tail)
            if mark != _MARK or not 0 < length <= min(_LONGEST_FOOTER, file.size):
                raise NotFrozen("The list has no end.")
            footer = json.loads(file.read(file.size - _TAIL.size - length, length))
            self._names: int = footer["names"]
            self._records: int = footer["records"]
            self.inner: int = footer["inner"]
            self.members: int = footer["members"]
            self.outer_bytes: int = footer["outer_bytes"]
            self.central: int = footer["central"]
            self.central_size: int = footer["central_size"]
            self.size: int = footer["size"]
            self.limits = Limits(*footer["limits"])
        except (struct.error, ValueError, KeyError, TypeError) as error:
            raise NotFrozen("The list cannot be read.") from error

    def end(self) -> bytes:
        """The last bytes of the ZIP."""
        return end_records(self.members, self.central_size, self.central, self.limits)

    def read(self, first: int, count: int) -> list[Member]:
        """Members from the `first` on, fewer than `count` only at the end."""
        count = max(0, min(count, self.members - first))
        if not count:
            return []
        raw = self.file.read(self._records + first * _STRIDE, count * _STRIDE)
        if len(raw) < count * _STRIDE:
            raise NotFrozen("The list ends early.")
        rows = [
            (*_RECORD.unpack_from(raw, at), struct.unpack_from("<Q", raw, at + _RECORD.size)[0])
            for at in range(0, len(raw), _STRIDE)
        ]
        # The names of members that follow each other follow each other.
        begins = rows[0][9]
        names = self.file.read(self._names + begins, rows[-1][9] + rows[-1][6] - begins)
        return [
            Member(
                name=names[row[9] - begins : row[9] - begins + row[6]],
                size=row[2],
                sha256=row[8].hex(),
                subject=row[4],
                inner=row[3],
                crc32=row[5],
                offset=row[0],
                central=row[1],
            )
            for row in rows
        ]

    def every(self, *, batch: int = 5000, first: int = 0) -> Iterator[list[Member]]:
        """All members, so many at a time."""
        for at in range(first, self.members, batch):
            yield self.read(at, batch)

    def at(self, offset: int) -> int:
        """Which member's header or bytes are at an offset of the ZIP before the central directory."""
        return self._search(0, offset)

    def at_central(self, offset: int) -> int:
        """Which member's entry is at an offset from the beginning of the central directory."""
        return self._search(8, offset)

    def read_inner(self, member: Member, offset: int, count: int) -> bytes:
        """Bytes of a member that are in the list."""
        count = min(count, member.size - offset)
        return self.file.read(member.inner + offset, count)

    def _search(self, column: int, wanted: int) -> int:
        low, high = 0, self.members - 1
        while low < high:
            middle = (low + high + 1) // 2
            raw = self.file.read(self._records + middle * _STRIDE + column, 8)
            if struct.unpack("<Q", raw)[0] <= wanted:
                low = middle
            else:
                high = middle - 1
        return low
