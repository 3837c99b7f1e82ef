"""From a lesion and a view to the bytes of a picture."""

import io

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from medtheca.toolkit.synthetic.canvas import Canvas
from medtheca.toolkit.synthetic.lesions import Painter, Placement
from medtheca.toolkit.synthetic.surroundings import View, lay_on_top, paint_skin, shade

_JPEG_QUALITY = 88


def draw_picture(paint: Painter, *, lesion_seed: int, view_seed: int, view: View, size: tuple[int, int]) -> bytes:
    """JPEG bytes; `size` is width and height in pixels, at least 64 each.

    The same `lesion_seed` under another `view_seed` is the same lesion, turned and moved a little, on skin that is lit
    anew. Equal arguments give equal bytes under equal versions of numpy and Pillow.
    """
    shape = (size[1], size[0])
    lesion_rng, view_rng = np.random.default_rng(lesion_seed), np.random.default_rng(view_seed)
    zoom = size[0] / 600
    radius = float(lesion_rng.uniform(70, 150)) * float(view_rng.uniform(0.92, 1.08)) * zoom
    place = Placement(
        shape,
        radius=radius,
        x=float(view_rng.normal(0, 26)) * zoom,
        y=float(view_rng.normal(0, 16)) * zoom,
        turn=float(view_rng.normal(0, 0.15)),
    )
    canvas = Canvas.blank(shape)
    paint(lesion_rng, canvas, place)
    pixels = canvas.over(paint_skin(view_rng, shape, view)) * np.float32(1.05)
    picture = Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))
    lay_on_top(view_rng, picture, view)
    # A lens is never as sharp as a drawing.
    picture = picture.filter(ImageFilter.GaussianBlur(3.2 if view.blurry else 0.7))
    share = np.clip(shade(view_rng, shape, view) * 255, 0, 255).astype(np.uint8)
    picture = ImageChops.multiply(picture, Image.merge("RGB", [Image.fromarray(share)] * 3))
    grain = view_rng.integers(0, 7, size=(*shape, 3), dtype=np.uint8)
    picture = ImageChops.add(picture, Image.fromarray(grain), scale=1, offset=-3)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()
