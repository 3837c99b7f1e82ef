"""The central directory, read by hand (APPNOTE 6.3.10, sections 4.3.12 to 4.3.16 and 4.5.3).

The standard library's zipfile reads the whole directory into memory, makes an object of each entry before
anyone can count them, and believes the sizes. Here the entries are walked through a small window, so that a
count, a sum or an overlap is refused before anything is kept.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.unpack.limits import Limits

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_WINDOW = 1 << 20
_ZIP64_FIELD = 0x0001
_MAX_COMMENT = 0xFFFF
_REMAKE = "Make the ZIP again and upload it again."


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies in the file; `prefix` is added to every offset the archive states."""

    start: int
    size: int
    entries: int
    prefix: int
    entries_modulo: int


class Entry(NamedTuple):
    """One record of the directory, sizes and offset widened by its zip64 field."""

    made_by: int
    flags: int
    method: int
    crc: int
    compressed_size: int
    size: int
    header_offset: int
    attributes: int
    raw_path: bytes
    extra: bytes


def find_directory(file: BinaryIO, limits: Limits) -> Directory:
    """Find the end record and believe it only as far as it agrees with the file.

    Raises Refused: `not_a_zip`, `truncated_zip`, `multi_disk`, `too_many_members`, `directory_too_large`,
    `damaged_zip`.
    """
    length = file.seek(0, io.SEEK_END)
    end_at, end = _find_end(file, length)
    _, disk, first_disk, here, entries, size, offset, _ = end
    modulo = 1 << 16
    finish = end_at
    wide = _read_end64(file, end_at)
    if wide is not None:
        finish, (_, _, _, _, disk, first_disk, here, entries, size, offset) = wide
        modulo = 1 << 64
    if disk or first_disk or here != entries:
        raise Refused(
            "multi_disk",
            "The ZIP is split into several files and this is one of them.",
            "Join the parts into one ZIP and upload that.",
        )
    if entries > limits.max_members:
        raise too_many_members(limits)
    if size > limits.max_directory_bytes:
        raise Refused(
            "directory_too_large",
            f"The ZIP's list of contents takes {size:,} bytes; the limit is {limits.max_directory_bytes:,}.",
            "Split the files over several ZIPs.",
        )
    prefix = finish - size - offset
    if prefix < 0:
        raise Refused(
            "damaged_zip", "The ZIP's list of contents lies outside the file: part of it is missing.", _REMAKE
        )
    return Directory(start=finish - size, size=size, entries=entries, prefix=prefix, entries_modulo=modulo)


def read_entries(file: BinaryIO, directory: Directory, limits: Limits) -> Iterator[Entry]:
    """Walk the directory. Raises Refused: `damaged_zip`, `multi_disk`, `too_many_members`."""
    window = _Window(file, directory.start, directory.size)
    count = 0
    while window.left:
        count += 1
        if count > limits.max_members:
            raise too_many_members(limits)
        yield _read_entry(window, count)
    # A writer without zip64 may have let the count wrap at 65,536, as some do; anything else is a forged
    # directory.
    if count % directory.entries_modulo != directory.entries:
        raise Refused("damaged_zip", f"The ZIP announces {directory.entries:,} entries and lists {count:,}.", _REMAKE)


def extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Split an extra field into (id, data); a remainder that is no field ends it, as in every reader."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        if at + 4 + length > len(extra):
            return
        yield tag, extra[at + 4 : at + 4 + length]
        at += 4 + length


def too_many_members(limits: Limits) -> Refused:
    """The refusal of an archive with more entries than `limits.max_members`."""
    return Refused(
        "too_many_members",
        f"The ZIP lists more than {limits.max_members:,} entries.",
        f"Split the files over several ZIPs of at most {limits.max_members:,} each.",
    )


def _read_entry(window: "_Window", number: int) -> Entry:
    fields = _ENTRY.unpack(window.take(_ENTRY.size, number))
    signature, made_by, _, flags, method, _, _, crc, compressed, size = fields[:10]
    name_length, extra_length, comment_length, disk, _, attributes, offset = fields[10:]
    if signature != b"PK\x01\x02":
        raise _bad_entry(number)
    raw_path = window.take(name_length, number)
    extra = window.take(extra_length, number)
    window.take(comment_length, number)
    if 0xFFFFFFFF in (size, compressed, offset) or disk == 0xFFFF:
        size, compressed, offset, disk = _widen(extra, (size, compressed, offset, disk), number)
    if disk:
        raise Refused(
            "multi_disk",
            f"Entry {number} of the ZIP lies in another part of a split archive.",
            "Join the parts into one ZIP and upload that.",
        )
    return Entry(made_by, flags, method, crc, compressed, size, offset, attributes, raw_path, extra)


def _widen(extra: bytes, narrow: tuple[int, int, int, int], number: int) -> tuple[int, ...]:
    """Size, compressed size, offset and disk; the zip64 field holds those that did not fit, in this order."""
    wide = next((data for tag, data in extra_fields(extra) if tag == _ZIP64_FIELD), None)
    if wide is None:  # 4 GiB less one byte is also a size
        return narrow
    values, at = [], 0
    for value, code in zip(narrow, ("<Q", "<Q", "<Q", "<L"), strict=True):
        width = struct.calcsize(code)
        if value != (1 << 4 * width) - 1:
            values.append(value)
            continue
        if at + width > len(wide):
            raise _bad_entry(number)
        values.append(struct.unpack_from(code, wide, at)[0])
        at += width
    return tuple(values)


def _find_end(file: BinaryIO, length: int) -> tuple[int, tuple[bytes, int, int, int, int, int, int, int]]:
    """The end record whose comment reaches exactly to the end of the file: nothing may follow an archive."""
    start = max(0, length - _END.size - _MAX_COMMENT)
    file.seek(start)
    tail = file.read(length - start)
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if at + _END.size <= len(tail):
            end = _END.unpack_from(tail, at)
            if at + _END.size + end[7] == len(tail):
                return start + at, end
        at = tail.rfind(b"PK\x05\x06", 0, at + 3) if at else -1
    file.seek(0)
    head = file.read(4)
    if head in (b"PK\x07\x08", b"PK00"):
        raise Refused(
            "multi_disk",
            "This is the first part of a split ZIP.",
            "Join the parts into one ZIP and upload that.",
        )
    if head.startswith(b"PK\x03\x04"):
        raise Refused(
            "truncated_zip",
            "The file begins as a ZIP but its end, with the list of contents, is missing or damaged.",
            "Check that the ZIP opens on your machine, then upload it again.",
        )
    raise Refused(
        "not_a_zip",
        "The file is empty." if length == 0 else "The file is not a ZIP archive, whatever its name says.",
        "Upload a ZIP, or the images themselves.",
    )


def _read_end64(
    file: BinaryIO, end_at: int
) -> tuple[int, tuple[bytes, int, int, int, int, int, int, int, int, int]] | None:
    locator_at = end_at - _END64_LOCATOR.size
    if locator_at < 0:
        return None
    file.seek(locator_at)
    signature, _, offset, _ = _END64_LOCATOR.unpack(file.read(_END64_LOCATOR.size))
    if signature != b"PK\x06\x07":
        return None
    # The stated offset does not know of bytes put before the archive; then the record stands right before
    # the locator.
    for at in (offset, locator_at - _END64.size):
        if not 0 <= at <= locator_at - _END64.size:
            continue
        file.seek(at)
        end64 = _END64.unpack(file.read(_END64.size))
        if end64[0] == b"PK\x06\x06":
            return at, end64
    raise Refused("damaged_zip", "The ZIP points to a zip64 record that is not there.", _REMAKE)


def _bad_entry(number: int) -> Refused:
    return Refused("damaged_zip", f"Entry {number} in the ZIP's list of contents is damaged.", _REMAKE)


class _Window:
    """Reads `size` bytes of a file from `start`, about a megabyte at a time, keeping its own place."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._next = start
        self._unread = size
        self._held = b""
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._held) - self._at + self._unread

    def take(self, count: int, number: int) -> bytes:
        if self._at + count > len(self._held):
            self._fill(count, number)
        taken = self._held[self._at : self._at + count]
        self._at += count
        return taken

    def _fill(self, count: int, number: int) -> None:
        wanted = min(max(_WINDOW, count), self._unread)
        self._file.seek(self._next)
        fresh = self._file.read(wanted)
        self._next += len(fresh)
        self._unread -= len(fresh)
        self._held = self._held[self._at :] + fresh
        self._at = 0
        if len(fresh) < wanted or len(self._held) < count:
            raise _bad_entry(number)
