"""Where every tile of a pyramid lies in its file: plain numbers that a web process holds.

Level 0 is the finest; each further one is half as large, rounded up, down to a single pixel, so that every tile that
Deep Zoom or IIIF asks for at a power of two is one range of the file. Tiles at the right and lower edge are cropped to
the picture. A pyramid keeps this index in a tag of its first directory.
"""

import functools
import os
import struct
import sys
from array import array
from dataclasses import dataclass

from medtheca.toolkit.deidentify.faults import corrupt, truncated
from medtheca.toolkit.ranges.readers import FileRanges, RangeReader

INDEX_TAG = 65100
_MAGIC = b"medtheca-tiles/1"
_HEAD = struct.Struct("<16sIH")
_LEVEL = struct.Struct("<II")
_BIG_TIFF = b"II+\0\x08\0\0\0"
_MOST_BYTES = 256_000_000
_MOST_ENTRIES = 64


@dataclass(frozen=True, slots=True)
class TileLevel:
    """One resolution: offsets and byte counts of its tiles, row by row."""

    width: int
    height: int
    columns: int
    rows: int
    offsets: "array[int]"
    counts: "array[int]"


@dataclass(frozen=True, slots=True)
class PyramidIndex:
    """All levels of a picture of `width` by `height` pixels, in square tiles of `tile` pixels."""

    width: int
    height: int
    tile: int
    levels: tuple[TileLevel, ...]

    def place(self, level: int, column: int, row: int) -> tuple[int, int]:
        """Offset and byte count of a tile. Raises `LookupError` where there is none."""
        if not 0 <= level < len(self.levels):
            raise LookupError(f"there is no level {level}")
        found = self.levels[level]
        if not (0 <= column < found.columns and 0 <= row < found.rows):
            raise LookupError(f"level {level} has no tile {column}, {row}")
        at = row * found.columns + column
        return found.offsets[at], found.counts[at]

    def tile_size(self, level: int, column: int, row: int) -> tuple[int, int]:
        """Width and height of a tile in pixels, smaller at the edges."""
        found = self.levels[level]
        return min(self.tile, found.width - column * self.tile), min(self.tile, found.height - row * self.tile)


def level_sizes(width: int, height: int) -> list[tuple[int, int]]:
    """Each half of the one before, rounded up, down to one pixel.

    >>> level_sizes(5, 2)
    [(5, 2), (3, 1), (2, 1), (1, 1)]
    """
    sizes = [(width, height)]
    while sizes[-1] != (1, 1):
        width, height = -(-width // 2), -(-height // 2)
        sizes.append((width, height))
    return sizes


@functools.lru_cache(maxsize=256)
def bare_index(width: int, height: int, tile: int) -> PyramidIndex:
    """The levels of a pyramid that is not stored, or whose tiles are had elsewhere: no tile has a place."""
    nowhere = (array("Q"), array("I"))
    levels = tuple(
        TileLevel(across, down, -(-across // tile), -(-down // tile), *nowhere)
        for across, down in level_sizes(width, height)
    )
    return PyramidIndex(width, height, tile, levels)


def pack_index(index: PyramidIndex) -> bytes:
    """The index as bytes for a pyramid's own tag."""
    pieces = [_HEAD.pack(_MAGIC, index.tile, len(index.levels))]
    for level in index.levels:
        pieces += [_LEVEL.pack(level.width, level.height), _little(level.offsets), _little(level.counts)]
    return b"".join(pieces)


def unpack_index(data: bytes, *, file_size: int) -> PyramidIndex:
    """What `pack_index` made, checked against the file. Raises `Refused` (`corrupt`, `truncated`)."""
    if len(data) < _HEAD.size:
        raise truncated("its tile index is cut off")
    magic, tile, count = _HEAD.unpack_from(data)
    if magic != _MAGIC or not 16 <= tile <= 4096 or not 1 <= count <= 33:
        raise corrupt("its tile index is none")
    levels, at = [], _HEAD.size
    for _ in range(count):
        if at + _LEVEL.size > len(data):
            raise truncated("its tile index is cut off")
        width, height = _LEVEL.unpack_from(data, at)
        columns, rows = -(-width // tile), -(-height // tile)
        at += _LEVEL.size
        end = at + columns * rows * 12
        if not columns or not rows or end > len(data):
            raise corrupt("its tile index has the wrong length")
        offsets, counts = array("Q"), array("I")
        offsets.frombytes(data[at : at + columns * rows * 8])
        counts.frombytes(data[at + columns * rows * 8 : end])
        if sys.byteorder == "big":
            offsets.byteswap()
            counts.byteswap()
        if any(offset + size > file_size for offset, size in zip(offsets, counts, strict=True)):
            raise truncated("a tile lies behind its end")
        levels.append(TileLevel(width, height, columns, rows, offsets, counts))
        at = end
    sizes = [(level.width, level.height) for level in levels]
    if at != len(data) or sizes != level_sizes(*sizes[0]):
        raise corrupt("its tile index names levels that do not belong together")
    return PyramidIndex(levels[0].width, levels[0].height, tile, tuple(levels))


def read_index(descriptor: int) -> PyramidIndex:
    """The index of a pyramid of ours, by its open file; its position is left alone.

    Raises:
        Refused: `corrupt` or `truncated`, also where the file is no pyramid of ours.
    """
    return read_index_of(FileRanges(descriptor))


def read_index_of(file: RangeReader) -> PyramidIndex:
    """As `read_index`, of what is read by ranges; also raises what reading it does."""
    size = file.size
    head = file.read(0, 16)
    if len(head) < 16 or head[:8] != _BIG_TIFF:
        raise corrupt("it is no pyramid of ours")
    first = int.from_bytes(head[8:], "little")
    if not 16 <= first <= size - 8:
        raise truncated("its directories are missing")
    directory = file.read(first, 8 + 20 * _MOST_ENTRIES)
    entries = min(int.from_bytes(directory[:8], "little"), _MOST_ENTRIES)
    for at in range(8, min(8 + 20 * entries, len(directory) - 19), 20):
        tag, kind, count, place = struct.unpack_from("<HHQQ", directory, at)
        if tag == INDEX_TAG and kind == 7 and 8 < count <= _MOST_BYTES and place + count <= size:
            packed = file.read(place, count)
            if len(packed) < count:
                raise truncated("its tile index is cut off")
            return unpack_index(packed, file_size=size)
    raise corrupt("it holds no tile index")


def tile_bytes(descriptor: int, index: PyramidIndex, level: int, column: int, row: int) -> bytes:
    """One whole JPEG, as the file holds it. Raises `LookupError` where there is no such tile."""
    return read_range(descriptor, *index.place(level, column, row))


def read_range(descriptor: int, offset: int, count: int) -> bytes:
    """Bytes of a file, all of them (`truncated`)."""
    found = os.pread(descriptor, count, offset)
    while len(found) < count:
        more = os.pread(descriptor, count - len(found), offset + len(found))
        if not more:
            raise truncated("a tile is cut off")
        found += more
    return found


def _little(numbers: "array[int]") -> bytes:
    if sys.byteorder == "big":
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers.tobytes()
