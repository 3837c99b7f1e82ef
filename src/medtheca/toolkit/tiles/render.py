"""A IIIF request made from the tiles of a pyramid, or from a picture. Decodes: for the sandbox only."""

import io
from collections.abc import Callable

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from medtheca.toolkit.deidentify.faults import corrupt
from medtheca.toolkit.tiles.iiif import Plan, make_plan
from medtheca.toolkit.tiles.iiif_request import ImageRequest
from medtheca.toolkit.tiles.index import PyramidIndex, tile_bytes

QUALITY = 87
# Pillow turns counter-clockwise.
_TURNS = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
_HALF = 128


Box = tuple[float, float, float, float]
TileAt = Callable[[int, int, int], NDArray[np.uint8]]


def render_region(descriptor: int, index: PyramidIndex, request: ImageRequest) -> bytes:
    """The picture that is asked for, as JPEG or PNG. Raises `Refused` (`corrupt`, `truncated`)."""

    def tile_at(*place: int) -> NDArray[np.uint8]:
        return decode_tile(tile_bytes(descriptor, index, *place))

    return render_tiles(tile_at, index, make_plan(index, request), request)


def render_tiles(tile_at: TileAt, index: PyramidIndex, plan: Plan, request: ImageRequest) -> bytes:
    """As `render_region`, from decoded tiles that are had by level, column and row; of the index only sizes are asked.

    `plan` is that of the request.
    """
    part = _read(tile_at, index, plan)
    box = _box(request, plan.level, (plan.x, plan.y), (plan.width, plan.height))
    if _is_plain(request) and _is_whole(box, part, request):
        return _encode(part)
    picture = Image.frombuffer("RGB", (plan.width, plan.height), part, "raw", "RGB", 0, 1)
    return finish(_fit(picture, box, request), request)


class Halves:
    """A picture in L or RGB and each half of the one before, rounded up: made when first wanted, and kept."""

    def __init__(self, picture: Image.Image) -> None:
        self._levels = [picture]

    def level(self, number: int) -> Image.Image:
        """The picture halved so many times."""
        while len(self._levels) <= number:
            self._levels.append(self._levels[-1].reduce(2))
        return self._levels[number]


def render_picture(picture: Halves, index: PyramidIndex, request: ImageRequest) -> bytes:
    """What is asked for of a picture that is held whole; of the index only sizes are asked.

    From the coarsest half that still has as many pixels as are asked for, as of a slide: whether a half was made for
    this request or kept from an earlier one, the bytes are the same.
    """
    level = make_plan(index, request).level
    shown = picture.level(level)
    return finish(_fit(shown, _box(request, level, (0, 0), shown.size), request), request)


def finish(picture: Image.Image, request: ImageRequest) -> bytes:
    """The part that is asked for, at its size, turned and coloured and coded as is asked."""
    if request.mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if request.rotation:
        picture = picture.transpose(_TURNS[request.rotation])
    if request.quality in {"gray", "bitonal"}:
        picture = picture.convert("L")
    if request.quality == "bitonal":
        samples = np.where(np.asarray(picture) >= _HALF, np.uint8(255), np.uint8(0))
        picture = Image.fromarray(samples)
    if request.format == "png":
        file = io.BytesIO()
        picture.save(file, "PNG", compress_level=4)
        return file.getvalue()
    return _encode(np.asarray(picture))


def _is_plain(request: ImageRequest) -> bool:
    coloured = request.quality in {"default", "color"}
    return coloured and request.format == "jpg" and not request.mirrored and not request.rotation


def _encode(samples: NDArray[np.uint8]) -> bytes:
    samples = np.ascontiguousarray(samples)
    if samples.ndim == 2:
        return bytes(simplejpeg.encode_jpeg(samples[:, :, None], QUALITY, "GRAY", "Gray"))
    return bytes(simplejpeg.encode_jpeg(samples, QUALITY, "RGB", "420"))


def _read(tile_at: TileAt, index: PyramidIndex, plan: Plan) -> NDArray[np.uint8]:
    """The part of a level that is planned: (height, width, 3)."""
    canvas = np.empty((plan.height, plan.width, 3), np.uint8)
    for row in plan.rows:
        for column in plan.columns:
            tile = tile_at(plan.level, column, row)
            width, height = index.tile_size(plan.level, column, row)
            if list(tile.shape) != [height, width, 3]:
                raise corrupt("a tile has another size than its place")
            x, y = column * index.tile - plan.x, row * index.tile - plan.y
            part = tile[max(0, -y) : plan.height - y, max(0, -x) : plan.width - x]
            top, left = max(0, y), max(0, x)
            canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
    return canvas


def _box(request: ImageRequest, level: int, corner: tuple[int, int], size: tuple[int, int]) -> Box:
    """Left, top, right and lower edge of the region in a part of a level, of that size, whose corner is there.

    Where the region does not begin or end between two pixels of the level, a fraction of them belongs to it.
    """
    step = 1 << level
    right = (request.x + request.region_width) / step - corner[0]
    bottom = (request.y + request.region_height) / step - corner[1]
    left, top = request.x / step - corner[0], request.y / step - corner[1]
    return left, top, min(right, float(size[0])), min(bottom, float(size[1]))


def _is_whole(box: Box, part: NDArray[np.uint8], request: ImageRequest) -> bool:
    height, width = part.shape[:2]
    return (width, height) == (request.width, request.height) and box == (0.0, 0.0, float(width), float(height))


def _fit(picture: Image.Image, box: Box, request: ImageRequest) -> Image.Image:
    """What is in the box, at the size asked for."""
    size = (request.width, request.height)
    width, height = box[2] - box[0], box[3] - box[1]
    if (width, height) == (float(size[0]), float(size[1])) and all(edge.is_integer() for edge in box):
        left, top = int(box[0]), int(box[1])
        return picture.crop((left, top, left + size[0], top + size[1]))
    # For less than a half, Hamming's window is as sharp as the cubic one and takes half the time.
    enlarged = size[0] > width or size[1] > height
    return picture.resize(size, Image.Resampling.BICUBIC if enlarged else Image.Resampling.HAMMING, box=box)


def decode_tile(data: bytes | memoryview) -> NDArray[np.uint8]:
    """A JPEG as (height, width, 3). Raises `Refused` (`corrupt`)."""
    try:
        return np.asarray(simplejpeg.decode_jpeg(data, "RGB"))
    except ValueError as error:
        raise corrupt("a tile cannot be decoded") from error
