"""The directories of a TIFF file, walked without believing them. Source: TIFF 6.0 (Adobe, 1992); BigTIFF (2007).

Every offset is checked against the file's size and every count against what could be there, before anything is
allocated: a header may promise 2**60 values, or point back at itself.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from medtheca.toolkit.deidentify.faults import corrupt, truncated

# Real stacks have thousands of pages; each costs a walk.
MOST_DIRECTORIES = 20_000
_MOST_ENTRIES = 2_000
# Ten gigapixels in tiles of 64 by 64.
_MOST_VALUES = 4_000_000
_MOST_TEXT = 64_000_000

_TYPES = {
    1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 6: "b", 7: "s", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d", 13: "I",
    16: "Q", 17: "q", 18: "Q",
}  # fmt: skip
_WHOLE = frozenset("BHIQ")
Order = Literal["<", ">"]
_TEXTS = frozenset({1, 2, 6, 7})


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag: where its values lie and how many there are; they have been found to lie within the file."""

    tag: int
    kind: int
    count: int
    start: int


@dataclass(frozen=True, slots=True)
class Directory:
    """One image file directory of an open TIFF file."""

    data: memoryview
    order: Order
    offset: int
    entries: dict[int, Entry]

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The whole numbers of a tag, empty where it is absent. Raises `Refused` where they are none or too many."""
        entry = self.entries.get(tag)
        if entry is None:
            return ()
        code = _TYPES[entry.kind]
        if code not in _WHOLE:
            raise corrupt(f"tag {tag} should hold whole numbers")
        if entry.count > _MOST_VALUES:
            raise corrupt(f"tag {tag} holds {entry.count:,} values, more than any picture needs")
        return struct.unpack_from(f"{self.order}{entry.count}{code}", self.data, entry.start)

    def number(self, tag: int, default: int) -> int:
        """The first whole number of a tag."""
        numbers = self.numbers(tag)
        return numbers[0] if numbers else default

    def text(self, tag: int) -> bytes:
        """The bytes of a tag, up to its first zero for text; empty where it is absent."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _TEXTS:
            return b""
        if entry.count > _MOST_TEXT:
            raise corrupt(f"tag {tag} holds {entry.count:,} bytes of text")
        found = bytes(self.data[entry.start : entry.start + entry.count])
        return found.partition(b"\0")[0] if entry.kind == 2 else found

    def ratio(self, tag: int) -> tuple[int, int] | None:
        """Numerator and denominator of a tag; None where it is absent or of another type."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind != 5 or entry.count != 1:
            return None
        numerator, denominator = struct.unpack_from(f"{self.order}II", self.data, entry.start)
        return numerator, denominator


@dataclass(frozen=True, slots=True)
class Structure:
    """All directories of a file: the chain of pages, and below each page its sub-directories."""

    data: memoryview
    order: Order
    big: bool
    pages: tuple[Directory, ...]
    below: dict[int, tuple[Directory, ...]]


def is_tiff(data: memoryview) -> bool:
    """Whether bytes begin as a TIFF file does."""
    return bytes(data[:4]) in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}


def read_structure(data: memoryview) -> Structure:
    """Walk all directories.

    Raises:
        Refused: `truncated` or `corrupt`.
    """
    if len(data) < 8:
        raise truncated("its header is cut off")
    order: Order = "<" if bytes(data[:2]) == b"II" else ">"
    big = struct.unpack_from(f"{order}H", data, 2)[0] == 43
    if big and (len(data) < 16 or struct.unpack_from(f"{order}HH", data, 4) != (8, 0)):
        raise corrupt("its BigTIFF header is not one")
    first = struct.unpack_from(f"{order}Q", data, 8)[0] if big else struct.unpack_from(f"{order}I", data, 4)[0]
    seen: set[int] = set()
    pages = tuple(_chain(data, order, first, seen, big=big))
    if not pages:
        raise corrupt("it holds no picture")
    below = {page.offset: tuple(_children(page, seen, big=big)) for page in pages}
    return Structure(data, order, big, pages, below)


def _children(page: Directory, seen: set[int], *, big: bool) -> Iterator[Directory]:
    for offset in page.numbers(330):
        if offset:
            yield _one(page.data, page.order, offset, seen, big=big)[0]


def _chain(data: memoryview, order: Order, offset: int, seen: set[int], *, big: bool) -> Iterator[Directory]:
    while offset:
        directory, offset = _one(data, order, offset, seen, big=big)
        yield directory


def _one(data: memoryview, order: Order, offset: int, seen: set[int], *, big: bool) -> tuple[Directory, int]:
    """One directory and the offset of the next."""
    if offset in seen:
        raise corrupt("its directories point in a circle")
    if len(seen) >= MOST_DIRECTORIES:
        raise corrupt(f"it has more than {MOST_DIRECTORIES:,} directories")
    seen.add(offset)
    head, each, link = (8, 20, 8) if big else (2, 12, 4)
    if offset + head > len(data):
        raise truncated(f"a directory should lie at byte {offset:,} of {len(data):,}")
    count = struct.unpack_from(f"{order}{'Q' if big else 'H'}", data, offset)[0]
    if not 1 <= count <= _MOST_ENTRIES:
        raise corrupt(f"the directory at byte {offset:,} promises {count:,} entries")
    end = offset + head + count * each
    if end + link > len(data):
        raise truncated(f"the directory at byte {offset:,} is cut off")
    entries: dict[int, Entry] = {}
    for start in range(offset + head, end, each):
        entry = _entry(data, order, start, big=big)
        if entry is not None:
            entries.setdefault(entry.tag, entry)
    following = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, end)[0]
    return Directory(data, order, offset, entries), following


def _entry(data: memoryview, order: Order, start: int, *, big: bool) -> Entry | None:
    tag, kind, count = struct.unpack_from(f"{order}HH{'Q' if big else 'I'}", data, start)
    if kind not in _TYPES:
        return None  # TIFF 6.0: readers skip fields of a type that they do not know
    size = count * struct.calcsize(f"<{_TYPES[kind]}")
    place, inline = (start + 12, 8) if big else (start + 8, 4)
    if size > inline:
        place = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, place)[0]
    if place + size > len(data):
        raise truncated(f"the values of tag {tag} should end at byte {place + size:,} of {len(data):,}")
    return Entry(tag, kind, count, place)
