"""JPEG tiles of a TIFF file made into whole JPEG streams, undecoded. Source: ITU-T T.81; TIFF Technical Note 2."""

import struct
from dataclasses import dataclass

from medtheca.toolkit.deidentify.faults import corrupt
from medtheca.toolkit.deidentify.jpeg_segments import BASELINE, DHT, DQT, DRI, EXTENDED, SOS, parse_jpeg
from medtheca.toolkit.deidentify.jpeg_tables import keep_used_tables
from medtheca.toolkit.deidentify.stripped import Pieces
from medtheca.toolkit.images.readers.tiff_page import JPEG, RGB, YCBCR, Page
from medtheca.toolkit.images.slide import CodedTile, JpegTiles

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_KEPT = frozenset({DQT, DHT, DRI, SOS, BASELINE, EXTENDED})
_MOST_TABLES = 100_000
_SIDES = range(64, 2049)


def join_tables(data: memoryview, tables: bytes, samples: int, *, ycbcr: bool) -> bytes:
    """A tile and its file's tables as one stream, which says itself whether its colours are YCbCr or RGB."""
    if bytes(data[:2]) != _SOI:
        raise corrupt("a JPEG tile does not begin like one")
    shared = b""
    if tables:
        if tables[:2] != _SOI or tables[-2:] != _EOI or len(tables) > _MOST_TABLES:
            raise corrupt("its JPEG tables are none")
        shared = tables[2:-2]
    # The picture's photometric tag decides; without a marker, decoders guess from the numbers of the components.
    return _SOI + (adobe_marker(ycbcr=ycbcr) if samples == 3 else b"") + shared + bytes(data[2:])


def adobe_marker(*, ycbcr: bool) -> bytes:
    """The APP14 segment that says how the three samples are to be taken."""
    return b"\xff\xee" + struct.pack(">H5sHHHB", 14, b"Adobe", 100, 0, 0, int(ycbcr))


@dataclass(frozen=True, slots=True)
class PageTiles:
    """The JPEG tiles of a page."""

    page: Page

    def at(self, index: int) -> bytes:
        """As `coded`, the stream alone."""
        return self.coded(index).data

    def coded(self, index: int) -> CodedTile:
        """A whole baseline JPEG of three samples, of tile size, without any words in it.

        Raises:
            Refused: `corrupt`, `truncated` or `unsupported_variant` where the tile is anything else.
        """
        page = self.page
        offset, count = page.places[index]
        ycbcr = page.photometric == YCBCR
        tables = page.directory.text(347)
        tile = page.directory.data[offset : offset + count]
        stream = join_tables(tile, tables, 3, ycbcr=ycbcr)
        layout = parse_jpeg(stream)
        if (layout.frame.width, layout.frame.height) != (page.tile_width, page.tile_height):
            raise corrupt(f"a tile has {layout.frame.width:,} by {layout.frame.height:,} pixels")
        if layout.frame.components != 3 or layout.frame.process not in {BASELINE, EXTENDED}:
            raise corrupt("a tile is no plain JPEG of three colours")
        used = keep_used_tables(layout)
        # The stream ends with the tile, but for the marker that this begins with.
        own, shift = len(stream) - len(tile) + 2, offset + len(tile) - len(stream)
        pieces = Pieces()
        pieces.append(_SOI)
        pieces.append(adobe_marker(ycbcr=ycbcr))
        for segment in layout.segments:
            if segment in used:
                pieces.append(used[segment])
            elif segment.marker in _KEPT:
                source = segment.start + shift if segment.start >= own else None
                pieces.append(bytes(layout.data[segment.start : segment.end]), source=source)
        pieces.append(_EOI)
        return CodedTile(pieces.join(), pieces.copied)


def find_jpeg_tiles(page: Page) -> JpegTiles | None:
    """The page's own JPEG tiles, where all are there and such as a pyramid may take."""
    fits = page.tiled and page.compression == JPEG and page.photometric in {RGB, YCBCR}
    square = page.tile_width == page.tile_height and page.tile_width in _SIDES and not page.tile_width % 16
    if not fits or not square or (page.samples, page.bits, page.separate) != (3, 8, False) or page.orientation != 1:
        return None
    if not all(count for _, count in page.places):
        return None
    return JpegTiles(
        page.tile_width, page.tile_height, page.columns * page.rows, page.photometric == YCBCR, PageTiles(page)
    )
