"""A large or pyramidal TIFF that no scanner's maker claims, as a slide: 8 bits, grey, palette or RGB."""

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.facts import Facts
from medtheca.toolkit.images.readers.tiff_colour import show_tile
from medtheca.toolkit.images.readers.tiff_jpeg import find_jpeg_tiles
from medtheca.toolkit.images.readers.tiff_page import MIN_IS_BLACK, MIN_IS_WHITE, PALETTE, RGB, YCBCR, Page
from medtheca.toolkit.images.readers.tiff_tiles import check_coding, decode_tile
from medtheca.toolkit.images.slide import JpegTiles, Level

_SHOWN = frozenset({MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, YCBCR})
# Strips are as wide as the picture: those that lie across a row of tiles must stay.
_CACHE_BYTES = 160_000_000
_MOST_TILE_BYTES = 120_000_000


def can_be_slide(page: Page) -> bool:
    """Whether a page can be shown tile by tile as it is: other kinds of samples would have to be made poorer."""
    colours = 1 if page.photometric in {MIN_IS_WHITE, MIN_IS_BLACK, PALETTE} else 3
    plain = page.bits == 8 and page.sample_format == 1 and page.orientation == 1 and not page.separate
    return plain and page.photometric in _SHOWN and page.samples in {colours, colours + 1} and page.samples != 2


def agrees(finest: Page, page: Page) -> bool:
    """Whether a page can be a smaller version of another, by its shape: labels and macros are shaped otherwise."""
    if page.width >= finest.width or page.height >= finest.height:
        return False
    # Each halving may have rounded either way.
    across, down = finest.width / page.width, finest.height / page.height
    slack = max(across, down) * 2 / min(page.width, page.height)
    return abs(across - down) <= max(0.02 * across, slack) and can_be_slide(page)


@dataclass(slots=True)
class TiffSlide:
    """See `Slide`. Tiles are decoded when they are asked for, and the last ones kept."""

    pages: tuple[Page, ...]
    levels: tuple[Level, ...] = field(init=False)
    microns_per_pixel: tuple[float, float] | None = field(init=False)
    facts: Facts = field(default_factory=Facts)
    vendor: str = "generic"
    _cache: "OrderedDict[tuple[int, int], NDArray[np.uint8]]" = field(default_factory=OrderedDict)
    _held: int = 0

    def __post_init__(self) -> None:
        finest = self.pages[0]
        self.levels = tuple(Level(page.width, page.height, finest.width / page.width) for page in self.pages)
        spacing = finest.spacing
        self.microns_per_pixel = (spacing[0] * 1000, spacing[1] * 1000) if spacing else None
        for page in self.pages:
            check_coding(page)
            if page.tile_width * page.tile_height * page.samples > _MOST_TILE_BYTES:
                raise Refused(
                    "too_many_pixels",
                    f"The picture is stored in strips of {page.tile_width:,} by {page.tile_height:,} pixels, "
                    "too large to be read one by one.",
                    "Save it in tiles of 256 by 256 pixels, or with fewer rows a strip.",
                )
            assert page.places  # Read and checked now, before anybody relies on it.

    @property
    def jpeg_tiles(self) -> JpegTiles | None:
        return find_jpeg_tiles(self.pages[0])

    def region(self, level: int, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        page = self.pages[level]
        shown = np.full((height, width, 3), 255, np.uint8)
        right, bottom = min(x + width, page.width), min(y + height, page.height)
        left, top = max(0, x), max(0, y)
        if right <= left or bottom <= top:
            return shown
        for row in range(top // page.tile_height, (bottom - 1) // page.tile_height + 1):
            for column in range(left // page.tile_width, (right - 1) // page.tile_width + 1):
                x0, y0 = column * page.tile_width, row * page.tile_height
                tile = self._tile(level, row * page.columns + column)
                x1, y1 = min(x0 + tile.shape[1], right), min(y0 + tile.shape[0], bottom)
                from_x, from_y = max(x0, left), max(y0, top)
                part = tile[from_y - y0 : y1 - y0, from_x - x0 : x1 - x0]
                shown[from_y - y : y1 - y, from_x - x : x1 - x] = part
        return shown

    def close(self) -> None:
        self._cache.clear()

    def _tile(self, level: int, index: int) -> NDArray[np.uint8]:
        found = self._cache.get((level, index))
        if found is not None:
            self._cache.move_to_end((level, index))
            return found
        page = self.pages[level]
        if not page.places[index][1]:
            # A tile that was left out is background.
            tile = np.full((page.tile_height, page.tile_width, 3), 255, np.uint8)
        else:
            tile = show_tile(page, decode_tile(page, index))
        self._cache[level, index] = tile
        self._held += tile.nbytes
        while self._held > _CACHE_BYTES and len(self._cache) > 1:
            self._held -= self._cache.popitem(last=False)[1].nbytes
        return tile
