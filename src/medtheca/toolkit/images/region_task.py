"""What a decoder child is asked to do for a IIIF request: make a part of a pyramid or of a photograph.

A child that stays for one source keeps what it has decoded of it, as far as the option `keep` (bytes) allows; what is
kept makes answers quicker and never other ones.
"""

import io
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from medtheca.toolkit.deidentify.faults import corrupt, truncated
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.readers import READERS
from medtheca.toolkit.images.readers.reading import DEFAULT_MEMORY
from medtheca.toolkit.renditions.pictures import show
from medtheca.toolkit.tiles.iiif import make_plan
from medtheca.toolkit.tiles.iiif_request import MOST_AREA, ImageRequest
from medtheca.toolkit.tiles.index import PyramidIndex, bare_index
from medtheca.toolkit.tiles.render import Halves, decode_tile, render_picture, render_tiles

MOST_TILES = 2800
"""Of one request: so many places fit into the options of a decoder child."""

_MOST_READ = 5 * MOST_AREA


def options_for_pyramid(index: PyramidIndex, request: ImageRequest) -> tuple[dict[str, Any], list[tuple[int, int]]]:
    """What `run` has to know, and the pieces (offset, length) of the file that it needs: not the whole index.

    Raises:
        Refused: `bad_size` where too much would have to be read: for pictures pressed out of shape.
    """
    plan = make_plan(index, request)
    if len(plan.rows) * len(plan.columns) > MOST_TILES or plan.width * plan.height > _MOST_READ:
        raise Refused("bad_size", "Too much of the slide has to be read for this size.", "Ask for a smaller one.")
    pieces = [index.place(plan.level, column, row) for row in plan.rows for column in plan.columns]
    lengths = [length for _, length in pieces]
    return {
        "request": request.to_list(),
        "pyramid": [index.width, index.height, index.tile],
        "lengths": lengths,
    }, pieces


def options_for_picture(media_type: str, size: tuple[int, int], request: ImageRequest) -> dict[str, Any]:
    """As above, of a photograph that is `size` large when upright."""
    return {"request": request.to_list(), "media_type": media_type, "size": list(size)}


def bytes_kept_of_picture(width: int, height: int) -> int:
    """What a child keeps of a photograph: its pixels in colour and all halves, a third more."""
    return 4 * width * height


BYTES_KEPT_OF_PYRAMID = 24_000_000
"""For tiles that were decoded, about 120: neighbours in a view share them."""


def run(data: memoryview, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The part `picture`, as JPEG or PNG. Raises `Refused` (`corrupt`, `truncated`)."""
    request = ImageRequest(*options["request"])
    _kept.begin(options.get("source", ""), options.get("keep", 0))
    if "pyramid" in options:
        return {}, {"picture": _from_pyramid(data, options, request)}
    return {}, {"picture": _from_picture(data, options, request)}


class _Kept:
    """What was decoded of one source."""

    def __init__(self) -> None:
        self._source = ""
        self._room = self._used = 0
        self._tiles: OrderedDict[tuple[int, int, int], NDArray[np.uint8]] = OrderedDict()
        self._picture: Halves | None = None

    def begin(self, source: str, room: int) -> None:
        """Forget all that is of another source, or was kept while there was more room."""
        if not source or source != self._source or room < self._room:
            self._tiles.clear()
            self._picture, self._used = None, 0
        self._source, self._room = source, room if source else 0

    def tile(self, place: tuple[int, int, int], decode: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """A tile by its place, decoded where it is not kept."""
        found = self._tiles.get(place)
        if found is not None:
            self._tiles.move_to_end(place)
            return found
        found = decode()
        if found.nbytes <= self._room:
            self._tiles[place] = found
            self._used += found.nbytes
            while self._used > self._room:
                self._used -= self._tiles.popitem(last=False)[1].nbytes
        return found

    def picture(self, size: list[int], decode: Callable[[], Halves]) -> Halves:
        """The photograph, decoded where it is not kept."""
        if self._picture is not None:
            return self._picture
        found = decode()
        if bytes_kept_of_picture(*size) <= self._room:
            self._picture = found
        return found


_kept = _Kept()


def _from_pyramid(data: memoryview, options: dict[str, Any], request: ImageRequest) -> bytes:
    index = bare_index(*options["pyramid"])
    plan = make_plan(index, request)
    pieces, start = {}, 0
    places = [(plan.level, column, row) for row in plan.rows for column in plan.columns]
    for place, length in zip(places, options["lengths"], strict=True):
        pieces[place] = data[start : start + length]
        start += length
    if len(data) < start:
        raise truncated("a tile is cut off")

    def tile_at(*place: int) -> NDArray[np.uint8]:
        level, column, row = place
        return _kept.tile((level, column, row), lambda: decode_tile(pieces[level, column, row]))

    return render_tiles(tile_at, index, plan, request)


def _from_picture(data: memoryview, options: dict[str, Any], request: ImageRequest) -> bytes:
    def decode() -> Halves:
        reader = next(reader for reader in READERS if reader.media_type == options["media_type"])
        raster = reader.read(data, memory=DEFAULT_MEMORY).raster
        if list(raster.upright_size) != options["size"]:
            raise corrupt("it has another size than was noted of it")
        return Halves(show(raster, max(raster.upright_size)))

    width, height = options["size"]
    # The size of tiles does not matter: the picture is no mosaic.
    return render_picture(_kept.picture(options["size"], decode), bare_index(width, height, 256), request)


def warm_up() -> None:
    """Load behind no fence whatever is loaded late."""
    pixels = np.zeros((40, 30, 3), np.uint8)
    request = ImageRequest(0, 0, 30, 40, 15, 20, format="png")
    for media_type, data in (
        ("image/jpeg", bytes(simplejpeg.encode_jpeg(pixels, 90, "RGB", "420"))),
        ("image/png", _png(pixels)),
    ):
        run(memoryview(data), options_for_picture(media_type, (30, 40), request))


def _png(pixels: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
