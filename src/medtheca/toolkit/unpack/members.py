"""What the directory of a ZIP says, as frozen values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from medtheca.toolkit.errors import Problem


class Kind(StrEnum):
    """What a member is, before a byte of it is inflated. Only a FILE can be opened."""

    FILE = "file"
    DIRECTORY = "directory"
    JUNK = "junk"
    SYMLINK = "symlink"
    DEVICE = "device"
    ENCRYPTED = "encrypted"
    NESTED_ARCHIVE = "nested_archive"
    UNSUPPORTED = "unsupported"
    UNSAFE = "unsafe"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the directory. Sizes are what the archive declares; `open_member` holds it to them.

    Attributes:
        ordinal: place in the directory, from 0; tells apart two members with the same path.
        path: as stored, decoded, and nothing else done to it. Data to show, never a place to write to.
        name: last part of the path, composed (NFC); what the accession is called.
        problem: why it is skipped (directory, junk) or refused (all other kinds but file); None for a file.
        end_limit: offset in the file at which this member's data must have ended.
        name_crc: CRC-32 of the stored bytes of the path, to compare with the member's own header.
    """

    ordinal: int
    path: str
    name: str
    kind: Kind
    problem: Problem | None
    size_declared: int
    compressed_size: int
    crc: int
    method: int
    flags: int
    header_offset: int
    end_limit: int
    name_crc: int


@dataclass(frozen=True, slots=True)
class Listing:
    """Every member of a ZIP in the order of its directory.

    Attributes:
        prefix_bytes: bytes before the archive (a self-extracting program, for instance), which are never
        looked at.
    """

    members: Sequence[Member]
    total_declared: int
    prefix_bytes: int

    def files(self) -> Iterator[Member]:
        """The members that can be opened."""
        return (member for member in self.members if member.kind is Kind.FILE)
