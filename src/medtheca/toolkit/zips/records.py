"""The records of a stored ZIP (PKWARE's APPNOTE 6.3, sections 4.3 and 4.5.3), the same bytes for the same members.

Nothing is compressed and nothing follows a file's bytes, so that where each member lies follows from names and sizes.
Times are 1 January 1980 throughout, as a ZIP that is made twice is to be the same.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

LARGEST = 0xFFFFFFFF
"""What a field of four bytes holds at most; it then says that the value is in the ZIP64 field."""
MOST_MEMBERS = 0xFFFF

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_UTF8 = 0x0800
_MIDNIGHT, _FIRST_DAY = 0, 0x0021
_STORED = 0
_PLAIN, _ZIP64 = 20, 45
_MADE_BY_UNIX = 3 << 8 | _ZIP64
_MODE = 0o100644 << 16
_EXTRA64 = 0x0001


@dataclass(frozen=True, slots=True)
class Limits:
    """Values from which ZIP64 is used. Smaller ones than a ZIP has are for tests: readers must take them, too."""

    value: int = LARGEST
    members: int = MOST_MEMBERS


STANDARD = Limits()


def local_size(name: bytes, size: int, limits: Limits = STANDARD) -> int:
    """How many bytes stand before a member's own."""
    return _LOCAL.size + len(name) + (20 if size >= limits.value else 0)


def local_header(name: bytes, size: int, crc32: int, limits: Limits = STANDARD) -> bytes:
    """What stands before a member's bytes."""
    extra, needed, told = b"", _PLAIN, size
    if size >= limits.value:
        extra, needed, told = struct.pack("<2H2Q", _EXTRA64, 16, size, size), _ZIP64, LARGEST
    fixed = (b"PK\3\4", needed, _UTF8, _STORED, _MIDNIGHT, _FIRST_DAY, crc32, told, told, len(name), len(extra))
    return _LOCAL.pack(*fixed) + name + extra


def central_size(name: bytes, size: int, offset: int, limits: Limits = STANDARD) -> int:
    """How many bytes a member has in the central directory."""
    wide = 16 * (size >= limits.value) + 8 * (offset >= limits.value)
    return _CENTRAL.size + len(name) + (4 + wide if wide else 0)


def central_entry(name: bytes, size: int, crc32: int, offset: int, limits: Limits = STANDARD) -> bytes:
    """A member's entry in the central directory; its local header begins at `offset`."""
    wide = b""
    told, place = size, offset
    if size >= limits.value:
        wide, told = struct.pack("<2Q", size, size), LARGEST
    if offset >= limits.value:
        wide, place = wide + struct.pack("<Q", offset), LARGEST
    extra = struct.pack("<2H", _EXTRA64, len(wide)) + wide if wide else b""
    needed = _ZIP64 if wide else _PLAIN
    fixed = (b"PK\1\2", _MADE_BY_UNIX, needed, _UTF8, _STORED, _MIDNIGHT, _FIRST_DAY, crc32, told, told)
    return _CENTRAL.pack(*fixed, len(name), len(extra), 0, 0, 0, _MODE, place) + name + extra


def end_records(members: int, size: int, offset: int, limits: Limits = STANDARD) -> bytes:
    """The end of a ZIP whose central directory has `size` bytes from `offset` on."""
    wide = b""
    if members >= limits.members or size >= limits.value or offset >= limits.value:
        end = (b"PK\6\6", _END64.size - 12, _MADE_BY_UNIX, _ZIP64, 0, 0, members, members, size, offset)
        wide = _END64.pack(*end) + _LOCATOR.pack(b"PK\6\7", 0, offset + size, 1)
    number = MOST_MEMBERS if members >= limits.members else members
    length = LARGEST if size >= limits.value else size
    place = LARGEST if offset >= limits.value else offset
    return wide + _END.pack(b"PK\5\6", 0, 0, number, number, length, place, 0)
