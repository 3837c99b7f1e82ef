"""A picture too large to hold: levels of tiles, read region by region."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.images.facts import Facts
from medtheca.toolkit.ranges.making import Copied


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of a slide, in pixels; `downsample` is 1.0 for the first, which is the finest."""

    width: int
    height: int
    downsample: float


@dataclass(frozen=True, slots=True)
class JpegTiles:
    """The finest level as JPEG tiles of the file itself, to be copied undecoded.

    `at(index)` counts row by row and gives one whole JPEG stream (its tables joined in), all of one size, the last of a
    row and column padded; `ycbcr` says whether their three samples are YCbCr or RGB as stored.
    """

    tile_width: int
    tile_height: int
    count: int
    ycbcr: bool
    source: "TileSource"


@dataclass(frozen=True, slots=True)
class CodedTile:
    """A whole JPEG stream, and which stretches of it are ranges of the slide's first file."""

    data: bytes
    copied: tuple[Copied, ...]


class TileSource(Protocol):
    """Gives coded tiles."""

    def coded(self, index: int) -> CodedTile:
        """The tile of a number, counted row by row, and where it comes from."""

    def at(self, index: int) -> bytes:
        """The coded tile of a number, counted row by row."""


class Slide(Protocol):
    """An open slide. Label and macro pictures are not part of it and cannot be reached through it."""

    @property
    def levels(self) -> tuple[Level, ...]:
        """The finest first."""

    @property
    def facts(self) -> Facts:
        """Magnification, stain, scanner."""

    @property
    def microns_per_pixel(self) -> tuple[float, float] | None:
        """Of the finest level, along x and y, in µm; None where the file does not say."""

    @property
    def vendor(self) -> str:
        """As OpenSlide calls it (such as `aperio`), or `generic`."""

    @property
    def jpeg_tiles(self) -> JpegTiles | None:
        """The finest level's own JPEG tiles, where they can be copied."""

    def region(self, level: int, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        """Pixels (height, width, 3), RGB on white; x and y in pixels of that level."""

    def close(self) -> None:
        """Let the file go."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is kept as what it is and not turned into a picture: SEG, RTSTRUCT, SR, an encapsulated PDF.

    `kind` is a short name such as `dicom-seg`; `title` says it in words.
    """

    kind: str
    title: str
    facts: Facts = field(default_factory=Facts)
    notes: tuple[str, ...] = ()
    text_suspected: str = ""
