"""The pixels of a still picture as a value."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ColourModel = Literal["grey", "grey+alpha", "rgb", "rgb+alpha", "cmyk"]
Pixels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Raster:
    """Pixels as the file holds them: not turned upright, not colour-managed.

    `pixels` is (height, width, channels), C-contiguous, uint8 or uint16, at full range: palettes are
    looked up, samples of 1, 2 or 4 bits are scaled to 8, a transparent colour has become an alpha channel.
    CMYK is 255 for full ink. `bits` is what the file stored per sample. `orientation` is EXIF's 1 to 8.
    """

    pixels: Pixels
    colour_model: ColourModel
    bits: int
    orientation: int
    icc: bytes | None

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def channels(self) -> int:
        return int(self.pixels.shape[2])

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as shown."""
        size = (self.width, self.height)
        return size if self.orientation <= 4 else size[::-1]
