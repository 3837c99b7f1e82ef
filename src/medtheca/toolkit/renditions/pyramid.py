"""A slide or a large picture as a tiled pyramid in one BigTIFF, written in one pass and in little memory.

Tiles are 256 pixels wide: what scanners and viewers use most, so an edge of the view costs little, and the rows that
wait for their other half stay small. Each tile is a whole JPEG with its own tables (some 3 % larger), so serving one is
sending a range of the file. The finest level's JPEG is copied undecoded where the slide has it, at the slide's tile
size. Where a tile reaches over the edge, the file holds it twice: padded, as TIFF has it, and cropped, as viewers do.
"""

import hashlib
import io
import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from medtheca.toolkit.deidentify.faults import corrupt
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.ranges.making import LEAST_COPIED, Copied, pack_copies
from medtheca.toolkit.renditions.shrink import fit
from medtheca.toolkit.tiles.index import INDEX_TAG, PyramidIndex, TileLevel, level_sizes, pack_index

if TYPE_CHECKING:
    from medtheca.toolkit.images.slide import JpegTiles, Slide

TILE = 256
QUALITY = 87
PYRAMID = f"pyramid-{TILE}/1 jpeg-{QUALITY}-420 simplejpeg-{simplejpeg.__version__}"
MEDIA_TYPE = "image/tiff"
PIXEL_HASH = "medtheca-tiles/1"

Pixels = NDArray[np.uint8]
Progress = Callable[[float], None]

# One reading of the slide covers so many tiles of a row.
_TILES_AT_ONCE = 8
# The finest level of at most so many pixels a side is kept for pictures of the whole.
_OVERVIEW = 2048
_SHORT, _LONG, _RATIONAL, _UNDEFINED, _LONG8 = 3, 4, 5, 7, 16
_SIZES = {_SHORT: 2, _LONG: 4, _RATIONAL: 8, _UNDEFINED: 1, _LONG8: 8}
_RGB, _YCBCR = 2, 6


@dataclass(frozen=True, slots=True)
class Made:
    """What was written. `copied`: the finest level's tiles are the slide's own, bit for bit.

    `pixel_hash` is SHA-256 in hex over one line of ASCII, `medtheca-tiles/1 WIDTHxHEIGHT TILE` and a line feed, and
    the finest level's pixels, RGB, tile by tile, row by row, as decoded from the source.
    """

    index: PyramidIndex
    copied: bool
    pixel_hash: str
    small: Pixels
    recipe: str = PYRAMID

    def overview(self, longest: int) -> Image.Image:
        """The whole picture in RGB, within `longest` pixels (at most 2,048), never enlarged."""
        picture = Image.fromarray(self.small)
        size = fit(self.index.width, self.index.height, longest)
        return picture.resize(size, Image.Resampling.LANCZOS) if max(picture.size) > longest else picture


def write(
    slide: "Slide", output: BinaryIO, *, progress: Progress | None = None, copied: BinaryIO | None = None
) -> Made:
    """Write all levels into an empty seekable file; `progress` is told the fraction that is done.

    Into `copied` goes what of it are ranges of the slide's first file, as `ranges.making.pack_copies` writes them.
    Resolution is written where the slide has it, and nothing else of what its file says.

    Raises:
        Refused: what reading the slide raises.
    """
    return _Writer(slide, output, _usable(slide.jpeg_tiles), copied).write(progress or (lambda _: None))


def _usable(tiles: "JpegTiles | None") -> "JpegTiles | None":
    """The slide's own tiles, unless the first is of a kind that cannot be copied: then all are made anew."""
    if tiles is None:
        return None
    try:
        _sampling(tiles.source.at(0))
    except Refused:
        return None
    return tiles


@dataclass(slots=True)
class _Level:
    """One level in the making: where its padded and its cropped tiles lie, and the rows that wait for more."""

    width: int
    height: int
    columns: int
    rows: int
    padded: "list[tuple[int, int]]" = field(default_factory=list)
    served: "list[tuple[int, int]]" = field(default_factory=list)
    band: Pixels = field(default_factory=lambda: np.empty((0, 0, 3), np.uint8))
    row: int = 0


class _Writer:
    def __init__(self, slide: "Slide", output: BinaryIO, tiles: "JpegTiles | None", copied: BinaryIO | None) -> None:
        self._slide = slide
        self._output = output
        self._copied = copied
        self._tiles = tiles
        self._tile = tiles.tile_width if tiles else TILE
        finest = slide.levels[0]
        self._levels = [self._plan(*size) for size in level_sizes(finest.width, finest.height)]
        self._plain: dict[tuple[int, ...], tuple[int, int]] = {}
        self._sampling: tuple[int, int] | None = None
        self._at = 0
        self._small = next(level for level in self._levels if max(level.width, level.height) <= _OVERVIEW)
        self._overview = np.empty((self._small.height, self._small.width, 3), np.uint8)
        words = f"{PIXEL_HASH} {finest.width}x{finest.height} {self._tile}\n"
        self._digest = hashlib.sha256(words.encode())

    def write(self, progress: Progress) -> Made:
        self._append(b"II+\0\x08\0\0\0" + bytes(8))
        finest = self._levels[0]
        for row in range(finest.rows):
            if self._tiles:
                self._copy_row(self._tiles, row)
            else:
                self._read_row(row)
            self._finish_row(0)
            progress((row + 1) / finest.rows)
        index = self._index()
        self._write_directories(index)
        return Made(index, self._tiles is not None, self._digest.hexdigest(), self._overview)

    # -- pixels

    def _plan(self, width: int, height: int) -> _Level:
        level = _Level(width, height, -(-width // self._tile), -(-height // self._tile))
        level.band = np.empty((min(self._tile, height), width, 3), np.uint8)
        return level

    def _read_row(self, row: int) -> None:
        finest, tile = self._levels[0], self._tile
        top = row * tile
        height = min(tile, finest.height - top)
        for left in range(0, finest.width, tile * _TILES_AT_ONCE):
            width = min(tile * _TILES_AT_ONCE, finest.width - left)
            block = self._slide.region(0, left, top, width, height)
            for x in range(0, width, tile):
                pixels = block[:, x : x + tile]
                self._add(finest, pixels)
                self._pass_on(0, (left + x) // tile, row, pixels)

    def _copy_row(self, tiles: "JpegTiles", row: int) -> None:
        finest, tile = self._levels[0], self._tile
        height = min(tile, finest.height - row * tile)
        for column in range(finest.columns):
            tile_of_slide = tiles.source.coded(row * finest.columns + column)
            coded = tile_of_slide.data
            self._check_sampling(coded)
            try:
                pixels = simplejpeg.decode_jpeg(coded, "RGB")
            except ValueError as error:
                raise corrupt("a JPEG tile cannot be decoded") from error
            place = self._append(coded)
            self._note_copied(place[0], tile_of_slide.copied)
            finest.padded.append(place)
            pixels = pixels[:height, : min(tile, finest.width - column * tile)]
            finest.served.append(place if pixels.shape[:2] == (tile, tile) else self._encode(pixels))
            self._pass_on(0, column, row, pixels)

    def _note_copied(self, at: int, copied: Sequence[Copied]) -> None:
        if self._copied is not None:
            listed = (Copied(at + it.target, it.source, it.length) for it in copied if it.length >= LEAST_COPIED)
            self._copied.write(pack_copies(listed))

    def _check_sampling(self, coded: bytes) -> None:
        """All tiles must be coded as the directory says: its tag holds for all of them."""
        found = _sampling(coded)
        if (self._sampling or found) != found:
            raise corrupt("its JPEG tiles differ in how their colours are sampled")
        self._sampling = found

    def _finish_row(self, at: int) -> None:
        """A row of tiles of a level is whole: the next level's may be too."""
        level = self._levels[at]
        level.row += 1
        if at + 1 == len(self._levels) or (level.row % 2 and level.row < level.rows):
            return
        coarser, tile = self._levels[at + 1], self._tile
        height = min(tile, coarser.height - coarser.row * tile)
        for column in range(coarser.columns):
            pixels = coarser.band[:height, column * tile : (column + 1) * tile]
            self._add(coarser, pixels)
            self._pass_on(at + 1, column, coarser.row, pixels)
        self._finish_row(at + 1)

    def _pass_on(self, at: int, column: int, row: int, pixels: Pixels) -> None:
        """A tile's pixels into the hash and the overview, and at half its size into the rows of the next level."""
        level = self._levels[at]
        if not at:
            self._digest.update(np.ascontiguousarray(pixels).data)
        if level is self._small:
            top, left = row * self._tile, column * self._tile
            self._overview[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        if at + 1 == len(self._levels):
            return
        small, half = halve(pixels), self._tile // 2
        top, left = row % 2 * half, column * half
        self._levels[at + 1].band[top : top + small.shape[0], left : left + small.shape[1]] = small

    # -- bytes

    def _add(self, level: _Level, pixels: Pixels) -> None:
        height, width = pixels.shape[:2]
        served = self._encode(pixels)
        level.served.append(served)
        if (height, width) == (self._tile, self._tile):
            level.padded.append(served)
        elif self._is_directory(level):
            around = ((0, self._tile - height), (0, self._tile - width), (0, 0))
            level.padded.append(self._encode(np.pad(pixels, around, "edge")))

    def _is_directory(self, level: _Level) -> bool:
        """Levels that are smaller than half a tile are for Deep Zoom alone."""
        return level is self._levels[0] or max(level.width, level.height) * 2 > self._tile

    def _encode(self, pixels: Pixels) -> tuple[int, int]:
        corner = pixels[0, 0]
        if not (pixels == corner).all():
            return self._append(_jpeg(pixels))
        # Empty background: coded once.
        key = (*pixels.shape, *(int(value) for value in corner))
        if key not in self._plain:
            self._plain[key] = self._append(_jpeg(pixels))
        return self._plain[key]

    def _append(self, data: bytes) -> tuple[int, int]:
        place = (self._at, len(data))
        self._output.write(data)
        self._at += len(data)
        return place

    # -- directories

    def _index(self) -> PyramidIndex:
        levels = tuple(
            TileLevel(
                level.width, level.height, level.columns, level.rows,
                array("Q", (offset for offset, _ in level.served)), array("I", (count for _, count in level.served)),
            )
            for level in self._levels
        )  # fmt: skip
        return PyramidIndex(levels[0].width, levels[0].height, self._tile, levels)

    def _write_directories(self, index: PyramidIndex) -> None:
        chosen = [level for level in self._levels if self._is_directory(level)]
        link = 8
        for level in chosen:
            tags = self._tags(level)
            if level is self._levels[0]:
                packed = pack_index(index)
                tags[INDEX_TAG] = (_UNDEFINED, len(packed), packed)
            start, following = self._write_directory(tags)
            self._patch(link, start)
            link = following
        self._output.flush()

    def _tags(self, level: _Level) -> dict[int, tuple[int, int, bytes]]:
        finest = self._levels[0]
        copied = level is finest and self._tiles is not None
        ycbcr = self._tiles.ycbcr if copied and self._tiles else True
        tags = {
            254: _longs(0 if level is finest else 1),
            256: _longs(level.width),
            257: _longs(level.height),
            258: _shorts(8, 8, 8),
            259: _shorts(7),
            262: _shorts(_YCBCR if ycbcr else _RGB),
            277: _shorts(3),
            284: _shorts(1),
            322: _longs(self._tile),
            323: _longs(self._tile),
            324: (_LONG8, len(level.padded), struct.pack(f"<{len(level.padded)}Q", *(at for at, _ in level.padded))),
            325: _longs(*(count for _, count in level.padded)),
        }
        if ycbcr:
            tags[530] = _shorts(*(self._sampling if copied and self._sampling else (2, 2)))
        microns = self._slide.microns_per_pixel
        if microns:
            tags[282] = _rational(1e4 / microns[0] * level.width / finest.width)
            tags[283] = _rational(1e4 / microns[1] * level.height / finest.height)
            tags[296] = _shorts(3)
        return tags

    def _write_directory(self, tags: dict[int, tuple[int, int, bytes]]) -> tuple[int, int]:
        """Offsets of a directory and of its link to the next."""
        entries = io.BytesIO()
        for tag, (kind, count, values) in sorted(tags.items()):
            assert len(values) == count * _SIZES[kind]
            entries.write(struct.pack("<HHQ", tag, kind, count))
            if len(values) > 8:
                self._append(bytes(-self._at % 8))
                entries.write(struct.pack("<Q", self._append(values)[0]))
            else:
                entries.write(values.ljust(8, b"\0"))
        self._append(bytes(-self._at % 8))
        body = struct.pack("<Q", len(tags)) + entries.getvalue()
        start, _ = self._append(body + bytes(8))
        return start, start + len(body)

    def _patch(self, at: int, offset: int) -> None:
        self._output.seek(at)
        self._output.write(struct.pack("<Q", offset))
        self._output.seek(self._at)


def _sampling(coded: bytes) -> tuple[int, int]:
    """How many luminance samples a JPEG has for one of each colour, across and down (`corrupt` for other ways)."""
    at = 2
    while coded[at + 1] not in {0xC0, 0xC1}:
        at += 2 + int.from_bytes(coded[at + 2 : at + 4], "big")
    first, *others = coded[at + 11], coded[at + 14], coded[at + 17]
    if others != [0x11, 0x11]:
        raise corrupt("its JPEG tiles sample their colours in a rare way")
    return first >> 4, first & 15


def halve(pixels: Pixels) -> Pixels:
    """Means of 2 by 2 pixels, rounded; an odd last row or column counts for itself."""
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
    rows = pixels[0::2].astype(np.uint16)
    rows += pixels[1::2]
    total = rows[:, 0::2] + rows[:, 1::2]
    total += 2
    total >>= 2
    return total.astype(np.uint8)


def _jpeg(pixels: Pixels) -> bytes:
    coded = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), QUALITY, "RGB", "420")
    return bytes(coded)


def _shorts(*numbers: int) -> tuple[int, int, bytes]:
    return _SHORT, len(numbers), struct.pack(f"<{len(numbers)}H", *numbers)


def _longs(*numbers: int) -> tuple[int, int, bytes]:
    return _LONG, len(numbers), struct.pack(f"<{len(numbers)}I", *numbers)


def _rational(number: float) -> tuple[int, int, bytes]:
    ratio = Fraction(number).limit_denominator(10_000)
    most = (1 << 32) - 1
    return _RATIONAL, 1, struct.pack("<II", min(max(ratio.numerator, 1), most), ratio.denominator)
