"""Thumbnail and web picture: what is made, and when the public copy serves instead."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import simplejpeg
from PIL import Image

from medtheca.toolkit.renditions import recipes
from medtheca.toolkit.renditions.colour import to_srgb
from medtheca.toolkit.renditions.shrink import shrink

if TYPE_CHECKING:
    from medtheca.toolkit.images.raster import Raster

MEDIA_TYPE = "image/jpeg"
# A small picture stands for its own thumbnail up to this size; a noisy PNG is better compressed.
MOST_THUMBNAIL_BYTES = 64_000

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Rendition:
    """A picture for looking at, as a file, with the recipe that made it."""

    data: bytes
    width: int
    height: int
    recipe: str
    media_type: str = MEDIA_TYPE


def show(raster: "Raster", longest: int) -> Image.Image:
    """The picture as a person should see it: upright, in sRGB or grey, 8 bits, fitted into `longest` pixels."""
    picture = to_srgb(shrink(raster, longest), raster.icc)
    turn = _TURNS.get(raster.orientation)
    return picture if turn is None else picture.transpose(turn)


def thumbnail(raster: "Raster") -> Rendition:
    """A JPEG within 256 by 256 pixels."""
    return encode_thumbnail(show(raster, recipes.THUMBNAIL_SIDE))


def web_picture(raster: "Raster") -> Rendition:
    """A JPEG within 1,024 by 1,024 pixels, fit for a page."""
    return encode_web_picture(show(raster, recipes.WEB_SIDE))


def encode_thumbnail(picture: Image.Image) -> Rendition:
    """Encode what `show` gave for a thumbnail."""
    return _encode(picture, recipes.THUMBNAIL_QUALITY, "420", recipes.THUMBNAIL)


def encode_web_picture(picture: Image.Image) -> Rendition:
    """Encode what `show` gave for a web picture. Colour is kept at full resolution: lesions have fine edges in it."""
    return _encode(picture, recipes.WEB_QUALITY, "444", recipes.WEB)


def needs_web_picture(raster: "Raster", *, media_type: str) -> bool:
    """Whether a page cannot show the public copy itself, because of its size or what browsers make of it.

    Browsers honour profiles, palettes and the orientation of a JPEG; they cut 16-bit grey to its high
    byte, ignore the inks' profile of CMYK, and not all of them turn a PNG upright.
    """
    if max(raster.width, raster.height) > recipes.WEB_SIDE:
        return True
    deep_grey = raster.bits == 16 and raster.colour_model.startswith("grey")
    turned_png = raster.orientation != 1 and media_type != MEDIA_TYPE
    return raster.colour_model == "cmyk" or deep_grey or turned_png


def needs_thumbnail(raster: "Raster", *, media_type: str, public_bytes: int) -> bool:
    """Whether the public copy cannot stand for its own thumbnail."""
    plain = raster.orientation == 1 and raster.icc is None and raster.bits <= 8
    small = max(raster.width, raster.height) <= recipes.THUMBNAIL_SIDE and public_bytes <= MOST_THUMBNAIL_BYTES
    return not (plain and small) or needs_web_picture(raster, media_type=media_type)


def _encode(picture: Image.Image, quality: int, subsampling: str, recipe: str) -> Rendition:
    samples = np.asarray(picture)
    if picture.mode == "L":
        data = simplejpeg.encode_jpeg(samples[:, :, None], quality, "GRAY", "Gray")
    else:
        data = simplejpeg.encode_jpeg(samples, quality, "RGB", subsampling)
    return Rendition(data, picture.width, picture.height, recipe)
