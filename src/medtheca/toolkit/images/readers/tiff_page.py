"""One picture of a TIFF file as its tags describe it, checked: layout, samples, where each strip or tile lies."""

import math
from dataclasses import dataclass
from functools import cached_property

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.images.readers.tiff_structure import Directory

MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, MASK, SEPARATED, YCBCR = range(7)
JPEG = 7
_MOST_SIDE = 1 << 24
_REMEDY = "Save it as an ordinary TIFF (grey or RGB; uncompressed, LZW or Deflate)."
_MM_PER_UNIT = {2: 25.4, 3: 10.0}


@dataclass(frozen=True)
class Page:
    """A picture of `width` by `height` pixels in strips or tiles (a strip is a tile as wide as the picture).

    `bits` and `sample_format` (1 unsigned, 2 signed, 3 float) are those of all samples. `separate` says that each
    sample has its own plane of tiles.
    """

    directory: Directory
    width: int
    height: int
    samples: int
    bits: int
    sample_format: int
    photometric: int
    compression: int
    predictor: int
    separate: bool
    tile_width: int
    tile_height: int
    tiled: bool
    extra: tuple[int, ...]

    @property
    def columns(self) -> int:
        return -(-self.width // self.tile_width)

    @property
    def rows(self) -> int:
        return -(-self.height // self.tile_height)

    @property
    def tile_samples(self) -> int:
        """How many samples a pixel has within one tile."""
        return 1 if self.separate else self.samples

    @property
    def item_bytes(self) -> int:
        """Bytes that a sample takes once it is unpacked."""
        return max(1, 1 << math.ceil(math.log2(self.bits / 8))) if self.bits > 8 else 1

    @property
    def kind(self) -> tuple[int, ...]:
        """What pages of one stack have in common."""
        return (self.width, self.height, self.samples, self.bits, self.sample_format, self.photometric)

    @cached_property
    def places(self) -> tuple[tuple[int, int], ...]:
        """Offset and length of every tile; both zero for one that was left out (only tiles may be)."""
        offsets, counts = _find_places(self)
        wanted = self.columns * self.rows * (self.samples if self.separate else 1)
        if min(len(offsets), len(counts)) < wanted:
            raise corrupt(f"it needs {wanted:,} strips or tiles and names {min(len(offsets), len(counts)):,}")
        places = tuple(zip(offsets[:wanted], counts[:wanted], strict=True))
        for offset, count in places:
            if not count and not (self.tiled and not offset):
                raise truncated("a strip or tile is empty")
            if offset + count > len(self.directory.data):
                raise truncated("a strip or tile lies behind its end")
        return places

    @property
    def is_reduced(self) -> bool:
        """A smaller version, a thumbnail or a mask of another page."""
        return bool(self.directory.number(254, 0) & 0b101) or self.directory.number(255, 1) == 2

    @property
    def orientation(self) -> int:
        """1 to 8; others are taken for 1, as everybody does."""
        stored = self.directory.number(274, 1)
        return stored if 1 <= stored <= 8 else 1

    @property
    def spacing(self) -> tuple[float, float] | None:
        """Millimetres between pixels along x and y as stored; None where the file gives no unit."""
        millimetres = _MM_PER_UNIT.get(self.directory.number(296, 2))
        per_unit = [self.directory.ratio(tag) for tag in (282, 283)]
        if millimetres is None or not all(ratio and ratio[0] and ratio[1] for ratio in per_unit):
            return None
        x, y = (millimetres * ratio[1] / ratio[0] for ratio in per_unit if ratio)
        return x, y

    @property
    def description(self) -> bytes:
        return self.directory.text(270)


def _find_places(page: Page) -> tuple[tuple[int, ...], tuple[int, ...]]:
    directory = page.directory
    if page.tiled:
        # Some writers put a tile's place under a strip's tag.
        return directory.numbers(324) or directory.numbers(273), directory.numbers(325) or directory.numbers(279)
    offsets, counts = directory.numbers(273), directory.numbers(279)
    if not counts and page.compression == 1 and len(offsets) == 1:
        counts = (-(-page.width * page.tile_samples * page.bits // 8) * page.height,)  # it may be left out then
    return offsets, counts


def read_page(directory: Directory) -> Page:
    """Understand a directory's tags.

    Raises:
        Refused: `corrupt` or `unsupported_variant`.
    """
    width, height = directory.number(256, 0), directory.number(257, 0)
    if not 1 <= width <= _MOST_SIDE or not 1 <= height <= _MOST_SIDE:
        raise corrupt(f"it says to be {width:,} by {height:,} pixels large")
    if directory.number(32997, 1) != 1:
        raise unsupported("This TIFF holds pages with a depth of their own.", "Save each plane as a page.")
    samples = directory.number(277, 1)
    bits, formats = set(directory.numbers(258)) or {1}, set(directory.numbers(339)) or {1}
    if len(bits) > 1 or len(formats) > 1:
        raise unsupported("The samples of this TIFF differ in their bits or kind.", _REMEDY)
    tiled = 322 in directory.entries
    if tiled:
        tile_width, tile_height = directory.number(322, 0), directory.number(323, 0)
    else:
        tile_width, tile_height = width, min(directory.number(278, height) or height, height)
    if not 1 <= tile_width <= _MOST_SIDE or not 1 <= tile_height <= _MOST_SIDE:
        raise corrupt(f"its tiles are {tile_width:,} by {tile_height:,} pixels large")
    if not 1 <= samples <= 64 or not 1 <= next(iter(bits)) <= 64:
        raise unsupported(f"This TIFF has {samples:,} samples of {next(iter(bits)):,} bits a pixel.", _REMEDY)
    form = next(iter(formats))
    return Page(
        directory, width, height, samples, next(iter(bits)), 1 if form == 4 else form,
        directory.number(262, MIN_IS_BLACK), directory.number(259, 1), directory.number(317, 1),
        directory.number(284, 1) == 2 and samples > 1, tile_width, tile_height, tiled, directory.numbers(338),
    )  # fmt: skip
