"""A picture with boxes blacked out, as a new file: what lies below them is gone, all else is as it was.

The picture is made upright and written as PNG, so that every pixel outside the boxes is that of the original and no box
can be off by a block. CMYK, which PNG does not have, becomes sRGB as it is shown everywhere else.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from medtheca.toolkit.images.examine import choose_reader, examine
from medtheca.toolkit.images.raster import Pixels, Raster
from medtheca.toolkit.images.readers import DEFAULT_MEMORY
from medtheca.toolkit.renditions.colour import to_srgb
from medtheca.toolkit.renditions.png import encode_png

RECIPE = "redact/1"
REDACTION = "redaction"
"""The kind under which a report says how many bytes of samples were blacked out."""

Box = Sequence[int]


def redact(data: memoryview, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The report and the parts of a redacted copy, as `examine` gives those of a file; `public` is always a part.

    Options: `redactions`, boxes `[x, y, width, height]` in pixels of the upright picture; `memory`.

    Raises:
        Refused: as `examine`.
    """
    reading = choose_reader(data).read(data, memory=int(options.get("memory", DEFAULT_MEMORY)))
    removed = [{"kind": item.kind, "bytes": item.bytes} for item in reading.public.removed]
    raster = upright(reading.raster)
    del reading
    blackened = black_out(raster.pixels, options["redactions"], alpha=raster.colour_model.endswith("+alpha"))
    copy = encode_png(raster)
    del raster
    # What is reported is read from the copy itself: its pixels, hashes and renditions are those that people get.
    report, parts = examine(memoryview(copy), {"memory": options.get("memory", DEFAULT_MEMORY)})
    parts["public"] = copy
    report["removed"] = [*removed, {"kind": REDACTION, "bytes": blackened}]
    report["public"] = "part"
    report["recipes"]["public"] = RECIPE
    report["parts"]["public"] = {
        "media_type": report["media_type"],
        "width": report["width"],
        "height": report["height"],
        "bytes": len(copy),
    }
    return report, parts


def upright(raster: Raster) -> Raster:
    """The picture as it is looked at, in colours that PNG has; its pixels are a copy that may be changed."""
    if raster.colour_model == "cmyk":
        picture = Image.frombuffer("CMYK", (raster.width, raster.height), raster.pixels, "raw", "CMYK", 0, 1)
        samples: Pixels = np.asarray(to_srgb(picture, raster.icc))
        raster = Raster(samples, "rgb", 8, raster.orientation, None)
    pixels: Pixels = turned(raster.pixels, raster.orientation).copy(order="C")
    return Raster(pixels, raster.colour_model, raster.bits, 1, raster.icc)


def black_out(pixels: Pixels, boxes: Sequence[Box], *, alpha: bool) -> int:
    """Blacken boxes in place, opaque where there is alpha; return how many bytes of samples lie in them."""
    inside = np.zeros(pixels.shape[:2], bool)
    for x, y, width, height in boxes:
        inside[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = True
    pixels[inside] = 0
    if alpha:
        pixels[inside, -1] = np.iinfo(pixels.dtype).max
    return int(inside.sum()) * int(pixels.shape[2]) * int(pixels.dtype.itemsize)


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """A view of the pixels in which EXIF's eight ways are undone."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
