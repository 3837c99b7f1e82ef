"""Biological observation matrices: version 1 is JSON, version 2 is HDF5, of which only the outside is looked at."""

from __future__ import annotations

from typing import Any

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.ranges.readers import RangeReader
from medtheca.toolkit.sockets.json_text import count_nodes, parse_json

LARGEST_JSON = 64 << 20
_HDF5 = b"\x89HDF\r\n\x1a\n"
_END_OF_FILE = {0: 40, 1: 44, 2: 28, 3: 28}
"""Where the superblock of HDF5 says how long the file is, by its version, with addresses of eight bytes."""

_NEEDED = ("id", "format", "type", "generated_by", "date", "rows", "columns", "matrix_type", "shape", "data")


def check_biom(file: RangeReader) -> None:
    """Raise `Refused` unless the file is HDF5 that is all there, or JSON that says a matrix."""
    head = file.read(0, 64)
    if head.startswith(_HDF5):
        _check_hdf5(head, file.size)
    elif head.lstrip().startswith(b"{"):
        if file.size > LARGEST_JSON:
            words = f"The file has {file.size:,} bytes, and {LARGEST_JSON:,} are the most of BIOM in JSON."
            raise Refused("too_large", words, "Convert it to BIOM 2, which is HDF5.")
        table = parse_json(file.read(0, file.size))
        count_nodes(table)
        check_table(table)
    else:
        words = "The file is neither HDF5 nor JSON, and BIOM is one of them."
        raise Refused("wrong_content", words, "Write it with the BIOM library.")


def _check_hdf5(head: bytes, size: int) -> None:
    version = head[8] if len(head) > 8 else -1
    at = _END_OF_FILE.get(version)
    width = head[13] if version in (0, 1) else head[9] if at else 0
    if at is None or len(head) < 64:
        raise Refused("damaged", "The HDF5 file has no header that is known.", "Write it again.")
    if width == 8 and int.from_bytes(head[at : at + 8], "little") > size:
        raise Refused("damaged", "The HDF5 file is cut off: it says that it is longer.", "Send it again.")


def check_table(table: dict[str, Any]) -> None:
    """Raise `Refused` unless the object is a table of BIOM 1 whose shape is that of its rows, columns and data."""
    missing = [name for name in _NEEDED if name not in table]
    if missing:
        raise _refusal(f"it lacks {', '.join(missing)}")
    rows, columns, shape, data = (table[name] for name in ("rows", "columns", "shape", "data"))
    if not isinstance(rows, list) or not isinstance(columns, list) or shape != [len(rows), len(columns)]:
        raise _refusal("shape is not the numbers of its rows and columns")
    if table["matrix_type"] not in ("sparse", "dense"):
        raise _refusal("matrix_type is neither sparse nor dense")
    if not isinstance(data, list):
        raise _refusal("data is no list")
    if table["matrix_type"] == "dense":
        sound = len(data) == len(rows) and all(isinstance(row, list) and len(row) == len(columns) for row in data)
    else:
        sound = all(_is_cell(cell, len(rows), len(columns)) for cell in data)
    if not sound:
        raise _refusal("data does not fit its shape")


def _is_cell(cell: object, rows: int, columns: int) -> bool:
    if not isinstance(cell, list) or len(cell) != 3:
        return False
    row, column, _ = cell
    return isinstance(row, int) and isinstance(column, int) and 0 <= row < rows and 0 <= column < columns


def _refusal(why: str) -> Refused:
    return Refused("invalid_biom", f"The file is no table of BIOM 1: {why}.", "Write it with the BIOM library.")
