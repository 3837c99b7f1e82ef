"""A PNG file as its chunks. Source: W3C PNG, third edition."""

import re
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.deidentify.stripped import Buffer

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}

_DEPTHS = {GREY: (1, 2, 4, 8, 16), PALETTE: (1, 2, 4, 8), RGB: (8, 16), GREY_ALPHA: (8, 16), RGB_ALPHA: (8, 16)}
_NAME = re.compile(rb"[A-Za-z]{4}")
# Adam7: first row, first column, row step, column step of each pass.
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
# A gigabyte of pixels in the small chunks that encoders write has about as many.
MAX_CHUNKS = 200_000


class Chunk(NamedTuple):
    """Type and place of one chunk, length and CRC included."""

    name: bytes
    start: int
    end: int


class ImageHeader(NamedTuple):
    """What IHDR says."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @property
    def channels(self) -> int:
        return CHANNELS[self.colour]

    @property
    def filtered_bytes(self) -> int:
        """Length of the pixels before compression: each row has one byte more, its filter type."""
        passes = _PASSES if self.interlaced else ((0, 0, 1, 1),)
        total = 0
        for row, column, row_step, column_step in passes:
            rows = max(0, -(-(self.height - row) // row_step))
            columns = max(0, -(-(self.width - column) // column_step))
            if columns:
                total += rows * (1 + -(-columns * self.channels * self.depth // 8))
        return total


@dataclass(frozen=True, slots=True)
class PngLayout:
    """Where everything is, every CRC checked. `end` is the offset just behind IEND."""

    data: memoryview
    chunks: tuple[Chunk, ...]
    header: ImageHeader
    end: int

    def payload(self, chunk: Chunk) -> memoryview:
        return self.data[chunk.start + 8 : chunk.end - 4]

    def find(self, name: bytes) -> memoryview | None:
        """The content of the first chunk of this type."""
        return next((self.payload(chunk) for chunk in self.chunks if chunk.name == name), None)


def parse_png(source: Buffer) -> PngLayout:
    """Walk a PNG file from its signature to IEND.

    Raises:
        Refused: `truncated`, `corrupt` (a wrong CRC, chunks out of order) or `unsupported_variant`.
    """
    data = memoryview(source)
    if bytes(data[:8]) != SIGNATURE:
        raise corrupt("it does not begin with the PNG signature")
    chunks: list[Chunk] = []
    position = 8
    while not chunks or chunks[-1].name != b"IEND":
        if len(chunks) >= MAX_CHUNKS:
            raise corrupt(f"it has more than {MAX_CHUNKS:,} chunks")
        chunk = _read_chunk(data, position)
        chunks.append(chunk)
        position = chunk.end
    header = _read_header(data, chunks[0])
    _check_order(chunks)
    return PngLayout(data, tuple(chunks), header, position)


def _read_chunk(data: memoryview, start: int) -> Chunk:
    if start + 12 > len(data):
        raise truncated("its end chunk is missing")
    length, name = int.from_bytes(data[start : start + 4], "big"), bytes(data[start + 4 : start + 8])
    if not _NAME.fullmatch(name):
        raise corrupt(f"there is no chunk at byte {start}, where one should begin")
    end = start + 12 + length
    if end > len(data):
        raise truncated(f"the {name.decode()} chunk at byte {start} is cut off")
    if zlib.crc32(data[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
        raise corrupt(f"the checksum of the {name.decode()} chunk at byte {start} is wrong")
    return Chunk(name, start, end)


def _read_header(data: memoryview, chunk: Chunk) -> ImageHeader:
    payload = data[chunk.start + 8 : chunk.end - 4]
    if chunk.name != b"IHDR" or len(payload) != 13:
        raise corrupt("it does not begin with an image header")
    width, height = int.from_bytes(payload[:4], "big"), int.from_bytes(payload[4:8], "big")
    depth, colour, compression, filtering, interlace = payload[8:]
    if not 0 < width < 2**31 or not 0 < height < 2**31:
        raise corrupt(f"its header gives an impossible size, {width} by {height}")
    if depth not in _DEPTHS.get(colour, ()):
        raise corrupt(f"its header combines colour type {colour} with {depth} bits, which PNG does not have")
    if compression or filtering or interlace > 1:
        raise corrupt("its header names a compression, filter or interlace method that PNG does not have")
    return ImageHeader(width, height, depth, colour, bool(interlace))


def _check_order(chunks: list[Chunk]) -> None:
    names = [chunk.name for chunk in chunks]
    known = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
    strange = next((name for name in names if name[0] < 0x60 and name not in known), None)
    if strange is not None:
        raise unsupported(
            f"This PNG has a {strange.decode()} chunk, which no standard defines but its pixels depend on.",
            "Save it as an ordinary PNG.",
        )
    if names.count(b"IHDR") > 1 or names.count(b"PLTE") > 1:
        raise corrupt("it has a header or palette twice")
    if b"IDAT" not in names:
        raise corrupt("it holds no pixels")
    first, pixels = names.index(b"IDAT"), names.count(b"IDAT")
    if any(name != b"IDAT" for name in names[first : first + pixels]):
        raise corrupt("its pixel chunks are not in one row")
    if b"PLTE" in names[first:] or b"tRNS" in names[first:]:
        raise corrupt("its palette comes after its pixels")
