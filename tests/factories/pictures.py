"""Pictures to choose logos from."""

import io

import numpy as np
from PIL import Image


def quarters(width=1300, height=700):
    """Red, green, blue and white quarters: (height, width, 3), uint8."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    return pixels


def saved(pixels, kind="PNG", mode=None, **options):
    """Pixels as a file that Pillow writes."""
    file = io.BytesIO()
    picture = Image.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(file, kind, **options)
    return file.getvalue()


def animated():
    """A PNG of two frames."""
    frames = [Image.fromarray(quarters(700, 700)), Image.new("RGB", (700, 700))]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    return file.getvalue()


def pixels_of(data):
    """A picture as (height, width, 3), uint8."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def corners(pixels):
    """Colours of the four quarters."""
    at = len(pixels) // 8
    return [tuple(int(one) for one in pixels[y, x]) for y in (at, -at) for x in (at, -at)]
