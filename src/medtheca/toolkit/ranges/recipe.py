"""The file that says from which ranges a content is put together.

```
16 s   medtheca-ranges1
u64    bytes of the content          u64  entries          u32  sources          u32  0
       sources: SHA-256 (32 bytes), u64 bytes of it
       directory: u64 where in the content each 256th entry begins
       entries: u64 where in the content it begins, u64 place: number of the source << 48 | offset in it
       literals
```

All numbers have the low byte first. An entry reaches to where the next one begins. Source 0 is the recipe itself, whose
literals may serve several entries: the tables that all tiles of a slide begin with are kept once. A slide of 500,000
tiles has a million entries, 16 MB, of which one read needs the directory (32 KB) and a page of 4 KB.
"""

import struct
import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from medtheca.toolkit.ranges.readers import RangeReader

MOST_ENTRIES = 1 << 22
MOST_SOURCES = 1 << 12
OWN = 0
"""The number of the recipe itself among the sources."""

MAGIC = b"medtheca-ranges1"
HEAD = struct.Struct("<16sQQII")
SOURCE = struct.Struct("<32sQ")
ENTRY_BYTES = 16
PAGE = 256
OFFSET_BITS = 48
_OFFSET = (1 << OFFSET_BITS) - 1

Read = Callable[[int, int], bytes]


class Damaged(Exception):
    """A recipe, or what it refers to, is not as it should be; in words, without a full stop."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of which ranges are used: its SHA-256 in hexadecimal, and its bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes are: `source` 0 is the recipe, n the n-th of its sources."""

    source: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """The head of a recipe: small, and good for any number of reads. `size` counts the content's bytes."""

    size: int
    sources: tuple[Source, ...]
    own_size: int
    entries: int
    entries_at: int
    directory: "array[int]"

    @property
    def cost(self) -> int:
        """Bytes that it takes in memory, roughly."""
        return 1000 + 200 * len(self.sources) + 8 * len(self.directory)

    def places(self, offset: int, count: int, read: Read) -> Iterator[Place]:
        """Where the content's bytes from `offset` on are, in order; `read` reads the recipe's own file.

        Raises `Damaged`, and whatever `read` does.
        """
        at, end = max(0, offset), min(offset + count, self.size)
        if at >= end:
            return
        page = max(0, bisect_right(self.directory, at) - 1)
        while at < end:
            starts, packed = self._page(page, read)
            entry = max(0, bisect_right(starts, at) - 1)
            while entry < len(packed) and at < end:
                begins, upto = starts[entry], starts[entry + 1]
                if not begins <= at < upto <= self.size:
                    raise Damaged("its entries are not in order")
                length = min(end, upto) - at
                yield self._place(packed[entry], at - begins, length)
                at += length
                entry += 1
            page += 1

    def _page(self, number: int, read: Read) -> tuple["array[int]", "array[int]"]:
        """Where the entries of a page begin, and where the next page does; and their places."""
        first = number * PAGE
        count = min(PAGE, self.entries - first)
        if count <= 0:
            raise Damaged("its entries end too early")
        numbers = numbers_of(read(self.entries_at + first * ENTRY_BYTES, count * ENTRY_BYTES))
        if len(numbers) != 2 * count:
            raise Damaged("it is cut off")
        starts = numbers[::2]
        starts.append(self.directory[number + 1] if number + 1 < len(self.directory) else self.size)
        return starts, numbers[1::2]

    def _place(self, packed: int, skipped: int, length: int) -> Place:
        source, offset = packed >> OFFSET_BITS, (packed & _OFFSET) + skipped
        if source > len(self.sources):
            raise Damaged("an entry names a source that it has not")
        known = self.sources[source - 1].size if source else self.own_size
        if offset + length > known:
            raise Damaged("an entry reaches beyond its source")
        return Place(source, offset, length)


def read_recipe(own: RangeReader) -> Recipe:
    """The head of a recipe. Raises `Damaged` where the file is none."""
    head = own.read(0, HEAD.size)
    if len(head) < HEAD.size:
        raise Damaged("it is cut off")
    magic, size, entries, sources, _ = HEAD.unpack(head)
    if magic != MAGIC or not 1 <= entries <= min(MOST_ENTRIES, size) or sources > MOST_SOURCES:
        raise Damaged("it is no recipe")
    pages = -(-entries // PAGE)
    rest = own.read(HEAD.size, SOURCE.size * sources + 8 * pages)
    if len(rest) < SOURCE.size * sources + 8 * pages:
        raise Damaged("it is cut off")
    listed = tuple(Source(digest.hex(), length) for digest, length in SOURCE.iter_unpack(rest[: SOURCE.size * sources]))
    directory = numbers_of(rest[SOURCE.size * sources :])
    if directory[0] != 0 or any(later <= earlier for earlier, later in pairwise(directory)):
        raise Damaged("its directory is not in order")
    return Recipe(size, listed, own.size, entries, HEAD.size + len(rest), directory)


def numbers_of(data: bytes) -> "array[int]":
    """Numbers of eight bytes, the low one first; bytes that are too many for that are left out."""
    numbers = array("Q")
    numbers.frombytes(data[: len(data) // 8 * 8])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def bytes_of(numbers: "array[int]") -> bytes:
    """What `numbers_of` reads."""
    if sys.byteorder == "big":
        numbers = array("Q", numbers)
        numbers.byteswap()
    return numbers.tobytes()
