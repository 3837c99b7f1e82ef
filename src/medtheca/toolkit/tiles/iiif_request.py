"""The words of a IIIF Image API 3.0 request, understood or refused. Source: iiif.io/api/image/3.0, section 4."""

import functools
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from medtheca.toolkit.errors import Refused

# What one answer may hold: memory is bounded by it, as no more than four times as many pixels are read.
MOST_SIDE = 8192
MOST_AREA = 4096 * 4096

QUALITIES = ("color", "gray", "bitonal", "default")
FORMATS = {"jpg": "image/jpeg", "png": "image/png"}
_OTHER_FORMATS = frozenset({"tif", "gif", "jp2", "pdf", "webp"})
_WHOLE = r"([0-9]{1,12})"
_DECIMAL = r"([0-9]{1,12}(?:\.[0-9]{1,12})?|\.[0-9]{1,12})"
_REGION = re.compile(rf"{_WHOLE},{_WHOLE},{_WHOLE},{_WHOLE}")
_REGION_PERCENT = re.compile(rf"pct:{_DECIMAL},{_DECIMAL},{_DECIMAL},{_DECIMAL}")
# How many times as large as the region the frame of !w,h may be. The standard gives small pictures whole in any frame,
# which viewers count on for their thumbnails; its validator wants a frame of twice the size refused, as servers do.
_LOOSEST = 2
_SIZE = re.compile(rf"(!?){_WHOLE}?,{_WHOLE}?")
_SIZE_PERCENT = re.compile(rf"pct:{_DECIMAL}")
_ROTATION = re.compile(rf"(!?){_DECIMAL}")


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """What is asked for, in whole pixels: a part of the picture, `width` by `height` before it is turned.

    `rotation` is 0, 90, 180 or 270 degrees clockwise, after mirroring left to right.
    """

    x: int
    y: int
    region_width: int
    region_height: int
    width: int
    height: int
    mirrored: bool = False
    rotation: int = 0
    quality: str = "default"
    format: str = "jpg"

    def to_list(self) -> list[Any]:
        """Its fields in their order, as JSON can hold them."""
        return [getattr(self, name) for name in self.__slots__]


def parse_request(
    size: tuple[int, int], *, region: str, scale: str, rotation: str, quality: str, form: str
) -> ImageRequest:
    """A request for a picture of `size`, from the five parts of its address (`scale` is IIIF's "size").

    Raises:
        Refused: `bad_region`, `bad_size`, `bad_rotation`, `bad_quality`, `bad_format` for what IIIF calls a bad
            request; `unsupported_rotation`, `unsupported_format` for what is right and not made here.
    """
    x, y, region_width, region_height = _parse_region(region, *size)
    width, height = _parse_size(scale, region_width, region_height)
    mirrored, degrees = _parse_rotation(rotation)
    if quality not in QUALITIES:
        raise Refused("bad_quality", f"There is no quality {quality[:40]!r}.", f"Use {', '.join(QUALITIES)}.")
    if form in _OTHER_FORMATS:
        raise Refused("unsupported_format", f"The format {form} is not made here.", "Use jpg or png.")
    if form not in FORMATS:
        raise Refused("bad_format", f"There is no format {form[:40]!r}.", "Use jpg or png.")
    return ImageRequest(x, y, region_width, region_height, width, height, mirrored, degrees, quality, form)


def _parse_region(text: str, width: int, height: int) -> tuple[int, int, int, int]:
    if text == "full":
        return 0, 0, width, height
    if text == "square":
        side = min(width, height)
        return (width - side) // 2, (height - side) // 2, side, side
    if found := _REGION.fullmatch(text):
        x, y, across, down = (int(number) for number in found.groups())
    elif found := _REGION_PERCENT.fullmatch(text):
        parts = [Fraction(number) / 100 for number in found.groups()]
        whole = (width, height, width, height)
        x, y, across, down = (round(part * side) for part, side in zip(parts, whole, strict=True))
    else:
        raise _bad_region(f"The region {text[:60]!r} cannot be read.")
    if not across or not down:
        raise _bad_region("The region has no pixels.")
    if x >= width or y >= height:
        raise _bad_region(f"The region lies outside the picture of {width:,} by {height:,} pixels.")
    return x, y, min(across, width - x), min(down, height - y)


def _bad_region(message: str) -> Refused:
    return Refused("bad_region", message, "Use full, square, x,y,w,h or pct:x,y,w,h with parts inside the picture.")


def _parse_size(text: str, region_width: int, region_height: int) -> tuple[int, int]:
    upscale = text.startswith("^")
    words = text.removeprefix("^")
    if words == "max":
        return _largest(region_width, region_height, upscale=upscale)
    if found := _SIZE_PERCENT.fullmatch(words):
        factor = Fraction(found[1]) / 100
        width, height = round(region_width * factor), round(region_height * factor)
    elif (found := _SIZE.fullmatch(words)) and (found[2] or found[3]):
        width, height = _fit(found, region_width, region_height, upscale=upscale)
    else:
        raise _bad_size(f"The size {text[:60]!r} cannot be read.")
    if not width or not height:
        raise _bad_size("The size asked for has no pixels.")
    if not upscale and (width > region_width or height > region_height):
        raise _bad_size(f"The size asked for is larger than the region ({region_width:,} by {region_height:,}).")
    if max(width, height) > MOST_SIDE or width * height > MOST_AREA:
        raise _bad_size(f"At most {MOST_SIDE:,} pixels a side and {MOST_AREA:,} pixels are given at once.")
    return width, height


def _fit(found: re.Match[str], region_width: int, region_height: int, *, upscale: bool) -> tuple[int, int]:
    if found[1]:
        if not (found[2] and found[3]):
            raise _bad_size("A size with ! needs width and height.")
        width, height = int(found[2]), int(found[3])
        if not width or not height:
            return 0, 0
        factor = min(Fraction(width, region_width), Fraction(height, region_height))
        if not upscale and factor >= _LOOSEST:
            raise _bad_size(f"A region of {region_width:,} by {region_height:,} pixels fills no such frame.")
        factor = factor if upscale else min(factor, Fraction(1))
        return max(1, round(region_width * factor)), max(1, round(region_height * factor))
    if found[2] and found[3]:
        return int(found[2]), int(found[3])
    ratio = Fraction(region_width, region_height)
    if found[2]:
        width = int(found[2])
        return width, max(1, round(width / ratio)) if width else 0
    height = int(found[3])
    return max(1, round(height * ratio)) if height else 0, height


def _largest(width: int, height: int, *, upscale: bool) -> tuple[int, int]:
    """The largest size that is given, of the same shape."""
    factor = min(MOST_SIDE / width, MOST_SIDE / height, math.sqrt(MOST_AREA / (width * height)))
    if factor < 1 or upscale:
        return max(1, math.floor(width * factor)), max(1, math.floor(height * factor))
    return width, height


def _bad_size(message: str) -> Refused:
    return Refused("bad_size", message, "Use max, w, or ,h or w,h or !w,h or pct:n, with ^ in front to enlarge.")


@functools.lru_cache(maxsize=64)  # nearly all ask for one of four
def _parse_rotation(text: str) -> tuple[bool, int]:
    found = _ROTATION.fullmatch(text)
    if found is None or Fraction(found[2]) > 360:
        raise Refused("bad_rotation", f"The rotation {text[:40]!r} cannot be read.", "Use 0, 90, 180 or 270.")
    degrees = Fraction(found[2])
    if degrees % 90:
        raise Refused(
            "unsupported_rotation", f"Pictures are not turned by {degrees} degrees.", "Use 0, 90, 180 or 270."
        )
    return bool(found[1]), int(degrees) % 360
