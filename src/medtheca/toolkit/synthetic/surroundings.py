"""What a dermoscope sees besides the lesion: skin, light, hairs, gel, a scale, pen marks."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from medtheca.toolkit.synthetic.canvas import curve, spots, strokes
from medtheca.toolkit.synthetic.noise import Field, clouds, smooth_step, waves

# Fitzpatrick types I to VI under a dermoscope's light, which brightens dark skin.
SKIN_COLOURS = {
    "I": (238, 208, 198),
    "II": (230, 192, 174),
    "III": (214, 172, 145),
    "IV": (186, 138, 108),
    "V": (158, 112, 86),
    "VI": (124, 86, 68),
}
# Red, green and blue of the light, by the tint that the metadata names.
_TINTS = {"none": (1.0, 1.0, 1.0), "pink": (1.07, 0.91, 0.95), "blue": (0.86, 0.98, 1.14)}


@dataclass(frozen=True, kw_only=True)
class View:
    """How a picture is taken. `plate`: radius of the visible disc in half diagonals of the picture, or None."""

    fitzpatrick: str
    tint: str
    hairs: int
    stubble: bool
    light_hair: bool
    plate: float | None
    ruler: bool
    ink: bool
    bubbles: int
    blurry: bool


def paint_skin(rng: np.random.Generator, shape: tuple[int, int], view: View) -> Field:
    """Height by width by 3, 0 to 255: tone, furrows, redness and freckles of bare skin under the view's light."""
    dark = list(SKIN_COLOURS).index(view.fitzpatrick) / 5
    tone = clouds(rng, shape, shape[1] / 3, 3) * np.float32(0.045)
    furrows = np.abs(waves(rng, shape, float(rng.uniform(9, 14))))
    tone -= smooth_step(furrows, 0.3, 0.0) * np.float32(0.018 + 0.05 * dark)
    tone += waves(rng, shape, 3.0) * np.float32(0.012)
    redness = clouds(rng, shape, 60, 3) * np.float32(0.035 * (1 - 0.7 * dark))
    redness += smooth_step(clouds(rng, shape, 34, 2), 0.6, 3.0) * np.float32(0.11 * (1 - 0.7 * dark))
    freckles = smooth_step(clouds(rng, shape, 34, 2), 1.0, 3.2) * np.float32(rng.choice([0, 0.06, 0.15, 0.28]))
    base = np.array(SKIN_COLOURS[view.fitzpatrick]) * rng.normal(1, 0.025, 3) * _TINTS[view.tint]
    skin = np.empty((*shape, 3), np.float32)
    for channel, (red, brown) in enumerate(zip((0.25, 1.0, 0.8), (0.6, 1.0, 1.4), strict=True)):
        skin[..., channel] = base[channel] * (1 + tone - redness * np.float32(red) - freckles * np.float32(brown))
    return skin


def shade(rng: np.random.Generator, shape: tuple[int, int], view: View) -> Field:
    """Share of the light, 0 to 1: falling off towards the edge, sloping a little, black around the contact plate."""
    height, width = shape
    y = (np.arange(height, dtype=np.float32)[:, None] - height / 2) / np.float32(math.hypot(height, width) / 2)
    x = (np.arange(width, dtype=np.float32)[None, :] - width / 2) / np.float32(math.hypot(height, width) / 2)
    slope_y, slope_x = rng.normal(0, 0.05, 2)
    falloff = np.float32(rng.uniform(0.12, 0.42))
    share = 1 + np.float32(slope_y) * y + np.float32(slope_x) * x - falloff * (x * x + y * y)
    if view.plate is not None:
        off_y, off_x = rng.normal(0, 0.02, 2)
        distance = np.sqrt((x - np.float32(off_x)) ** 2 + (y - np.float32(off_y)) ** 2)
        share *= np.float32(0.05) + np.float32(0.95) * smooth_step(distance, view.plate, view.plate - 0.06)
    return share.astype(np.float32)


def lay_on_top(rng: np.random.Generator, picture: Image.Image, view: View) -> None:
    """Draw pen marks, a millimetre scale, hairs and gel bubbles on the picture, in the order in which they lie."""
    shape = (picture.height, picture.width)
    if view.ink:
        _draw(picture, _ink(rng, shape), (74, 38, 150))
    if view.ruler:
        _draw(picture, _ruler(rng, shape) * np.float32(0.8), (38, 34, 40))
    if view.hairs:
        colour = (176, 150, 118) if view.light_hair else (44, 30, 26)
        _draw(picture, _hairs(rng, shape, view) * np.float32(0.86), colour)
    if view.bubbles:
        ring, gleam = _bubbles(rng, shape, view.bubbles)
        _draw(picture, ring * np.float32(0.35), (120, 110, 110))
        _draw(picture, gleam, (255, 252, 250))


def _draw(picture: Image.Image, opacity: Field, colour: tuple[int, int, int]) -> None:
    picture.paste(colour, (0, 0), Image.fromarray((opacity * 255).astype(np.uint8)))


def _hairs(rng: np.random.Generator, shape: tuple[int, int], view: View) -> Field:
    height, width = shape
    way = rng.uniform(0, 2 * math.pi)
    lines = []
    for _ in range(view.hairs):
        length = rng.uniform(0.03, 0.08) * width if view.stubble else rng.uniform(0.25, 0.9) * width
        angle = way + rng.normal(0, 0.5)
        start = (rng.uniform(-0.1, 1.1) * width, rng.uniform(-0.1, 1.1) * height)
        end = (start[0] + length * math.cos(angle), start[1] + length * math.sin(angle))
        sag = rng.normal(0, 0.16) * length
        bend = (
            (start[0] + end[0]) / 2 - sag * math.sin(angle),
            (start[1] + end[1]) / 2 + sag * math.cos(angle),
        )
        points = curve(start, bend, end)
        thickness = rng.uniform(0.9, 1.9)
        # A hair thins towards its tip.
        lines += [(points[:6], thickness * 1.2), (points[5:11], thickness), (points[10:], thickness * 0.6)]
    return strokes(shape, lines, blur=0.4)


def _ruler(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    height, width = shape
    step = width / rng.uniform(44, 56)
    y, x = height * rng.uniform(0.88, 0.94), width * rng.uniform(0.1, 0.3)
    slope = rng.normal(0, 0.05)
    lines = [([(x, y), (x + 20 * step, y + 20 * step * slope)], 1.1)]
    for tick in range(21):
        at = (x + tick * step, y + tick * step * slope)
        length = (3.0 if tick % 10 == 0 else 2.2 if tick % 5 == 0 else 1.4) * step / 1.6
        lines.append(([at, (at[0] + length * slope, at[1] - length)], 1.0))
    return strokes(shape, lines, blur=0.5)


def _ink(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    height, width = shape
    lines = []
    for _ in range(int(rng.integers(2, 5))):
        angle = rng.uniform(0, 2 * math.pi)
        x = width / 2 + 0.42 * width * math.cos(angle)
        y = height / 2 + 0.42 * height * math.sin(angle)
        points = [(x + rng.normal(0, 7), y + rng.normal(0, 5)) for _ in range(7)]
        lines.append((points, rng.uniform(2.5, 4.5)))
    worn = smooth_step(waves(rng, shape, 5), -0.9, 0.6)
    return strokes(shape, lines, blur=0.9) * worn * np.float32(0.85)


def _bubbles(rng: np.random.Generator, shape: tuple[int, int], count: int) -> tuple[Field, Field]:
    height, width = shape
    rings, gleams = [], []
    for _ in range(count):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        radius = rng.uniform(3, 11)
        turn = [i * math.pi / 8 for i in range(17)]
        rings.append(([(x + radius * math.cos(t), y + radius * math.sin(t)) for t in turn], 1.4))
        gleams.append((x - radius * 0.35, y - radius * 0.35, max(1.2, radius * 0.22), 0.8))
    return strokes(shape, rings, blur=0.6), spots(shape, gleams, blur=0.9)
