"""Deep Zoom arithmetic. Source: the DZI schema of 2008; level 0 is one pixel, the last the whole picture."""

from medtheca.toolkit.tiles.index import PyramidIndex

MEDIA_TYPE = "application/xml"
_NAMESPACE = "http://schemas.microsoft.com/deepzoom/2008"


def describe(index: PyramidIndex) -> bytes:
    """The `.dzi` document: tiles of JPEG without overlap."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Image xmlns="{_NAMESPACE}" Format="jpeg" Overlap="0" '
        f'TileSize="{index.tile}"><Size Width="{index.width}" Height="{index.height}"/></Image>\n'
    ).encode()


def find_tile(index: PyramidIndex, level: int, column: int, row: int) -> tuple[int, int, int]:
    """Level, column and row in the index of a tile as Deep Zoom numbers it. Raises `LookupError` for none."""
    found = len(index.levels) - 1 - level
    index.place(found, column, row)
    return found, column, row
