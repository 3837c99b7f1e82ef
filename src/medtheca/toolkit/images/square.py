"""A square cut out of a picture, as PNG files of fixed sizes: upright, in sRGB, and with nothing else about it.

For pictures that stand for a thing, as the logo of an archive does. Transparent parts become white.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any, Self

import numpy as np
from PIL import Image

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.identify import FORMAT_WORDS, identify
from medtheca.toolkit.images.raster import Pixels, Raster
from medtheca.toolkit.images.readers import READERS, find_reader
from medtheca.toolkit.images.redact import turned
from medtheca.toolkit.renditions.pictures import show
from medtheca.toolkit.renditions.png import encode_png

LEAST = 640
"""Pixels that a side of the square must have at least, as Grand Challenge asks of logos."""

SIDES = {"large": 640, "small": 128}
"""The files that are made, and the pixels of their sides."""

MEMORY = 600_000_000
"""Bytes that decoding may take: enough for 50 million pixels of colour."""

MOST_PART_BYTES = 8_000_000
"""More than any PNG of the largest side takes."""

_REMEDY = "Choose a PNG or JPEG."
_NUMBERS = re.compile(r"\s*(\d{1,9})\s*,\s*(\d{1,9})\s*,\s*(\d{1,9})\s*")
_SIGNATURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


@dataclass(frozen=True, slots=True)
class Square:
    """A square of a picture: its left and upper edges and its side, in pixels of the picture when it is upright."""

    x: int
    y: int
    size: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `X,Y,SIZE`. Raises `ValueError` with words.

        >>> Square.parse("10, 20,640")
        Square(x=10, y=20, size=640)
        """
        found = _NUMBERS.fullmatch(text)
        if found is None:
            raise ValueError(
                f"“{text[:40]}” is no square: write its left edge, its upper edge and its side in pixels, as 0,120,640."
            )
        return cls(*map(int, found.groups()))

    @classmethod
    def middle(cls, width: int, height: int) -> Self:
        """The largest square in the middle of a picture.

        >>> Square.middle(1000, 641)
        Square(x=179, y=0, size=641)
        """
        size = min(width, height)
        return cls((width - size) // 2, (height - size) // 2, size)


def options_for_square(square: Square | None) -> dict[str, Any]:
    """The options of `cut_square`; without a square, the largest in the middle."""
    return {"square": list(astuple(square)) if square else None}


def cut_square(data: memoryview, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Cut the square of the option `square` (x, y, size; None for the middle) out of a PNG or JPEG.

    The report has `width` and `height` of the upright picture and the `square` that was taken; parts are `SIDES`.

    Raises:
        Refused: `wrong_format`, `too_small`, `bad_square`, and as readers do: `truncated`, `corrupt`, `animated`,
            `too_many_pixels`, `unsupported_variant`.
    """
    raster = _decode(data)
    width, height = raster.upright_size
    if min(width, height) < LEAST:
        raise Refused(
            "too_small",
            f"The picture has {width:,} by {height:,} pixels; {LEAST} on the shorter side are the least.",
            "Choose a larger picture.",
        )
    chosen = options["square"]
    square = Square.middle(width, height) if chosen is None else Square(*chosen)
    _require_inside(square, width, height)
    upright = turned(raster.pixels, raster.orientation)
    within = (slice(square.y, square.y + square.size), slice(square.x, square.x + square.size))
    pixels: Pixels = upright[within].copy(order="C")
    cut = Raster(pixels, raster.colour_model, raster.bits, 1, raster.icc)
    report = {"width": width, "height": height, "square": list(astuple(square))}
    return report, {name: _encode(show(cut, side)) for name, side in SIDES.items()}


def find_square_fault(report: Mapping[str, Any], parts: Mapping[str, bytes]) -> str:
    """What is wrong with what `cut_square` is said to have made, as the end of a sentence; empty where nothing is.

    A file may have taken its decoder over, so nothing of it is believed, and nothing decoded.

    >>> find_square_fault({}, {})
    'its files are not those that were asked for'
    """
    if set(parts) != set(SIDES):
        return "its files are not those that were asked for"
    for name, side in SIDES.items():
        head = bytes(parts[name][: len(_SIGNATURE) + 8])
        if head != _SIGNATURE + struct.pack(">II", side, side) or len(parts[name]) > MOST_PART_BYTES:
            return f"its {name} file is no PNG of {side} by {side} pixels"
    square = report.get("square")
    if not isinstance(square, list) or len(square) != 3 or not all(type(one) is int for one in square):
        return "it does not say which square was taken"
    return ""


def _decode(data: memoryview) -> Raster:
    if not len(data):
        raise Refused("empty", "The file is empty.", _REMEDY)
    found = identify(data)
    reader = find_reader(found) if found else None
    if reader is None:
        assert {one.format for one in READERS} == {"png", "jpeg"}  # as the words say
        what = FORMAT_WORDS[found] if found else "of no format that is known here"
        raise Refused("wrong_format", f"The content is {what}, and neither a PNG nor a JPEG.", _REMEDY)
    try:
        return reader.read(data, memory=MEMORY).raster
    except Refused as refusal:
        if refusal.code == "animated":
            words = "This PNG is an animation, and one still picture is wanted."
            raise Refused(refusal.code, words, "Save one of its frames as a PNG.") from refusal
        raise


def _require_inside(square: Square, width: int, height: int) -> None:
    told = f"The square at {square.x:,}, {square.y:,} with a side of {square.size:,} pixels"
    if square.size < LEAST:
        raise Refused("bad_square", f"{told} is too small.", f"{LEAST} pixels are the least.")
    if min(square.x, square.y) < 0 or square.x + square.size > width or square.y + square.size > height:
        raise Refused(
            "bad_square",
            f"{told} does not lie within the picture, which has {width:,} by {height:,}.",
            f"The side is {min(width, height):,} at most; with this one the left edge is "
            f"{max(0, width - square.size):,} at most, and the upper edge {max(0, height - square.size):,}.",
        )


def _encode(picture: Image.Image) -> bytes:
    samples = np.asarray(picture)
    if picture.mode == "L":
        return encode_png(Raster(samples[:, :, None], "grey", 8, 1, None))
    return encode_png(Raster(samples, "rgb", 8, 1, None))
