"""IIIF Image API 3.0 over a pyramid: what it offers, and which of its tiles a request needs."""

from dataclasses import dataclass
from typing import Any

from medtheca.toolkit.tiles.iiif_request import MOST_AREA, MOST_SIDE, ImageRequest
from medtheca.toolkit.tiles.index import PyramidIndex

CONTEXT = "http://iiif.io/api/image/3/context.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """A part of one level that a request is made from, and the tiles that hold it: columns and rows from … to (not)."""

    level: int
    x: int
    y: int
    width: int
    height: int
    columns: range
    rows: range


def describe(index: PyramidIndex, address: str) -> dict[str, Any]:
    """The `info.json` of a picture, `address` being its base URI without a slash at the end."""
    tiled = [level for level in index.levels if max(level.width, level.height) * 2 > index.tile]
    sizes = [(level.width, level.height) for level in tiled if _is_given(level.width, level.height)]
    return {
        "@context": CONTEXT,
        "id": address,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": index.width,
        "height": index.height,
        "maxWidth": MOST_SIDE,
        "maxHeight": MOST_SIDE,
        "maxArea": MOST_AREA,
        "sizes": [{"width": width, "height": height} for width, height in reversed(sizes)],
        "tiles": [
            {
                "width": index.tile,
                "height": index.tile,
                "scaleFactors": [1 << number for number in range(max(1, len(tiled)))],
            }
        ],
        "extraFormats": ["jpg", "png"],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": ["mirroring", "regionSquare", "sizeUpscaling"],
    }


def _is_given(width: int, height: int) -> bool:
    return max(width, height) <= MOST_SIDE and width * height <= MOST_AREA


def find_whole_tile(index: PyramidIndex, request: ImageRequest) -> tuple[int, int, int] | None:
    """Level, column and row of the tile that is the answer as it is; None where something must be made."""
    as_is = not request.mirrored and not request.rotation and request.format == "jpg"
    if not as_is or request.quality not in {"default", "color"}:
        return None
    for level in range(len(index.levels)):
        step = index.tile << level
        if request.x % step or request.y % step:
            continue
        across = min(step, index.width - request.x)
        down = min(step, index.height - request.y)
        column, row = request.x // step, request.y // step
        wanted = (request.width, request.height)
        if (request.region_width, request.region_height) == (across, down) and wanted == index.tile_size(
            level, column, row
        ):
            return level, column, row
    return None


def make_plan(index: PyramidIndex, request: ImageRequest) -> Plan:
    """The coarsest level that still has as many pixels as are asked for, and what of it is needed."""
    level = 0
    while level + 1 < len(index.levels):
        x, y, right, bottom = _cover(index, request, level + 1)
        if right - x < request.width or bottom - y < request.height:
            break
        level += 1
    x, y, right, bottom = _cover(index, request, level)
    columns = range(x // index.tile, (right - 1) // index.tile + 1)
    rows = range(y // index.tile, (bottom - 1) // index.tile + 1)
    return Plan(level, x, y, right - x, bottom - y, columns, rows)


def _cover(index: PyramidIndex, request: ImageRequest, level: int) -> tuple[int, int, int, int]:
    """Left, top, right and lower edge, in pixels of a level, of what holds the region asked for."""
    found, step = index.levels[level], 1 << level
    right = min(found.width, -(-(request.x + request.region_width) // step))
    bottom = min(found.height, -(-(request.y + request.region_height) // step))
    return min(request.x // step, found.width - 1), min(request.y // step, found.height - 1), right, bottom
