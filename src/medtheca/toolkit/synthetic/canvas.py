"""Layers of a picture in the making: what absorbs light in the skin, and what lies upon it."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from medtheca.toolkit.synthetic.noise import Field, smooth_step

# How strongly each pigment darkens red, green and blue, by eye after real dermoscopy. Blood spares the red; melanin
# deep in the skin scatters and looks blue.
MELANIN = (0.62, 1.12, 1.55)
BLOOD = (0.16, 1.05, 0.72)
DEEP_MELANIN = (1.25, 0.88, 0.52)


@dataclass
class Canvas:
    """Pigments are densities of 0 (none) to about 3 (black). `veils` are (opacity, colour) laid over the result."""

    shape: tuple[int, int]
    melanin: Field
    blood: Field
    deep: Field
    veils: list[tuple[Field, tuple[int, int, int]]]

    @classmethod
    def blank(cls, shape: tuple[int, int]) -> "Canvas":
        zeros = np.zeros(shape, np.float32)
        return cls(shape, zeros, zeros.copy(), zeros.copy(), [])

    def over(self, skin: Field) -> Field:
        """Light that comes back from `skin` (height by width by 3, 0 to 255) through the pigments and veils."""
        out = np.empty_like(skin)
        for channel in range(3):
            absorbed = self.melanin * np.float32(MELANIN[channel])
            absorbed += self.blood * np.float32(BLOOD[channel])
            absorbed += self.deep * np.float32(DEEP_MELANIN[channel])
            light = skin[..., channel] * np.exp(-absorbed)
            for opacity, colour in self.veils:
                light += opacity * (np.float32(colour[channel]) - light)
            out[..., channel] = light
        return out


@dataclass(frozen=True)
class Outline:
    """A closed irregular outline in the picture.

    Attributes:
        depth: about 1 at the outline's middle, 0 on it, negative outside; in radii.
        angle: direction from the middle, in radians.
        radius: mean radius in pixels.
    """

    depth: Field
    angle: Field
    radius: float
    centre: tuple[float, float]

    def inside(self, softness: float, at: float = 0.0) -> Field:
        """1 within, 0 without, with an edge `softness` radii wide."""
        return smooth_step(self.depth, at - softness, at + softness)


def strokes(
    shape: tuple[int, int], lines: list[tuple[list[tuple[float, float]], float]], *, blur: float = 0.0
) -> Field:
    """Anti-aliased lines of (points, width), 0 to 1."""
    height, width = shape
    sheet = Image.new("L", (width * 2, height * 2))
    pen = ImageDraw.Draw(sheet)
    for points, thickness in lines:
        pen.line([(x * 2, y * 2) for x, y in points], fill=255, width=max(1, round(thickness * 2)), joint="curve")
    sheet = sheet.resize((width, height), Image.Resampling.BOX)
    if blur:
        sheet = sheet.filter(ImageFilter.GaussianBlur(blur))
    return np.asarray(sheet, np.float32) / np.float32(255)


def spots(shape: tuple[int, int], circles: list[tuple[float, float, float, float]], *, blur: float = 1.0) -> Field:
    """Soft discs of (x, y, radius, strength), 0 to 1."""
    height, width = shape
    sheet = Image.new("L", (width, height))
    pen = ImageDraw.Draw(sheet)
    for x, y, radius, strength in circles:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(255 * strength))
    return np.asarray(sheet.filter(ImageFilter.GaussianBlur(blur)), np.float32) / np.float32(255)


def curve(
    start: tuple[float, float], bend: tuple[float, float], end: tuple[float, float], steps: int = 14
) -> list[tuple[float, float]]:
    """Points of a quadratic Bézier curve."""
    return [
        (
            (1 - t) ** 2 * start[0] + 2 * t * (1 - t) * bend[0] + t * t * end[0],
            (1 - t) ** 2 * start[1] + 2 * t * (1 - t) * bend[1] + t * t * end[1],
        )
        for t in (i / steps for i in range(steps + 1))
    ]
