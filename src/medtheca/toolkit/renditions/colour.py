"""Colours as a screen shows them: sRGB."""

import io
from functools import lru_cache

from PIL import Image, ImageCms

_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_SPACES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
_LONGEST_DESCRIPTION = 80


def to_srgb(picture: Image.Image, icc: bytes | None) -> Image.Image:
    """An L or RGB picture in sRGB: by the profile where it fits the picture, otherwise by plain formula.

    Relative colorimetric with black point compensation, as browsers do. A profile of another colour
    space than the picture's, or one that cannot be read, is not used: browsers do not use it either.
    """
    transform = _find_transform(icc, picture.mode) if icc else None
    if transform is not None:
        converted = transform.apply(picture)
        assert isinstance(converted, Image.Image)
        return converted
    return picture.convert("RGB") if picture.mode == "CMYK" else picture


def describe_profile(icc: bytes | None) -> str | None:
    """The name a profile gives itself, printable and short; `unreadable` where it cannot be opened."""
    if not icc:
        return None
    try:
        text = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc)))
    except (ImageCms.PyCMSError, OSError):
        return "unreadable"
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:_LONGEST_DESCRIPTION] or "unnamed"


@lru_cache(maxsize=16)
def _find_transform(icc: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    # Building one costs more than a thumbnail, and the pictures of one camera share one profile.
    if _SPACES.get(icc[16:20]) != mode:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        return ImageCms.buildTransform(profile, _SRGB, mode, "RGB", _INTENT, _FLAGS)
    except (ImageCms.PyCMSError, OSError):
        return None
