"""A picture that is held whole, as a slide of one level: for pyramids of large photographs and single planes."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.images.facts import Facts
from medtheca.toolkit.images.slide import JpegTiles, Level
from medtheca.toolkit.images.volume import Volume


@dataclass(frozen=True, slots=True)
class PictureSlide:
    """See `Slide`. `pixels` is (height, width, 1 or 3), uint8, as it should be seen."""

    pixels: NDArray[np.uint8]
    microns_per_pixel: tuple[float, float] | None = None
    facts: Facts = field(default_factory=Facts)
    vendor: str = "generic"

    @property
    def levels(self) -> tuple[Level, ...]:
        return (Level(self.pixels.shape[1], self.pixels.shape[0], 1.0),)

    @property
    def jpeg_tiles(self) -> JpegTiles | None:
        return None

    def region(self, level: int, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        shown = np.full((height, width, 3), 255, np.uint8)
        part = self.pixels[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
        top, left = max(0, -y), max(0, -x)
        shown[top : top + part.shape[0], left : left + part.shape[1]] = part
        return shown

    def close(self) -> None:
        """There is nothing to let go."""


def volume_as_slide(volume: Volume) -> PictureSlide:
    """The one plane of a still picture (t = z = 1) of grey, RGB or RGBA, for looking at.

    Whole numbers of 8 bits are shown as they are, colours of 16 bits by their high byte; other grey from its lowest to
    its highest finite value. Alpha is laid on white. Raises `ValueError` for anything else.
    """
    if volume.timepoints != 1 or volume.depth != 1 or volume.colour == "vector":
        raise ValueError(f"a {volume.colour} volume of shape {volume.voxels.shape} is no still picture")
    plane = volume.voxels[0, 0]
    samples = plane.reshape(*plane.shape[:2], -1)
    if samples.dtype == np.uint16 and volume.colour != "grey":
        samples = (samples >> 8).astype(np.uint8)
    if samples.dtype != np.uint8:
        samples = _stretch(samples)
    if volume.facts.inverted:
        samples = 255 - samples
    if volume.colour == "rgba":
        alpha = samples[:, :, 3:].astype(np.uint16)
        samples = ((samples[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    spacing = volume.geometry.spacing
    return PictureSlide(samples, (spacing[0] * 1000, spacing[1] * 1000) if spacing else None, volume.facts)


def _stretch(samples: NDArray[np.generic]) -> NDArray[np.uint8]:
    values = samples.astype(np.float32)
    finite = np.isfinite(values)
    low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
    scaled = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) * (255 / ((high - low) or 1))
    return np.asarray(np.rint(np.clip(scaled, 0, 255)), np.uint8)
