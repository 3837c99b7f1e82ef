"""Tables and surfaces that are text: read a line at a time, whole, and nothing kept."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator

from medtheca.toolkit.errors import Refused

_BUFFER = 1 << 20
_LONGEST_LINE = 1 << 20
_DELIMITERS = ",;\t|"
_KEYWORDS = re.compile(
    "v|vt|vn|vp|f|l|p|g|o|s|usemtl|mtllib|mg|bevel|c_interp|d_interp|lod|cstype|deg|bmat|step|curv|curv2|surf|parm|trim"
    "|hole|scrv|sp|end|con|shadow_obj|trace_obj|ctech|stech|call|csh|maplib|usemap"
)
"""What a line of Wavefront OBJ may begin with."""


def check_csv(file: io.RawIOBase) -> None:
    """Raise `Refused` unless the file is text in UTF-8 whose rows all have as many cells as the first."""
    lines = _lines(file)
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=first.count)

    def again() -> Iterator[str]:
        yield first
        yield from lines

    width = 0
    rows = csv.reader(again(), delimiter=delimiter, strict=True)
    try:
        for row in rows:
            width = width or len(row)
            # An empty line is no row: many writers end with one.
            if row and len(row) != width:
                words = f"Line {rows.line_num:,} has {len(row):,} cells, and the first row has {width:,}."
                raise Refused(
                    "uneven_rows", words, "Give every row as many cells; put quotes around cells with commas."
                )
    except csv.Error as error:
        words = f"Line {rows.line_num:,} cannot be read: {error}."
        raise Refused("invalid_csv", words, "Save it as CSV from a spreadsheet program.") from None
    if not width:
        raise Refused("invalid_csv", "The file has no rows.", "Write a header and rows.")


def check_obj(file: io.RawIOBase) -> None:
    """Raise `Refused` unless the file is Wavefront OBJ: vertices of numbers, and faces of vertices that there are."""
    vertices, largest = 0, 0
    for number, line in enumerate(_lines(file), 1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        keyword, values = words[0], words[1:]
        if not _KEYWORDS.fullmatch(keyword):
            raise _no_obj(number, f"it begins with {keyword[:20]}, which OBJ does not know")
        if keyword == "v":
            if len(values) < 3 or not all(map(_is_number, values)):
                raise _no_obj(number, "a vertex has at least three numbers")
            vertices += 1
        elif keyword == "f":
            largest = max(largest, _largest_of_face(number, values, vertices))
    if not vertices:
        raise Refused("invalid_obj", "The file has no vertices.", "Export the surface as Wavefront OBJ.")
    if largest > vertices:
        words_ = f"A face names vertex {largest:,}, and there are {vertices:,}."
        raise Refused("invalid_obj", words_, "Export the surface again.")


def _largest_of_face(number: int, values: list[str], vertices: int) -> int:
    if len(values) < 3:
        raise _no_obj(number, "a face has at least three vertices")
    largest = 0
    for value in values:
        text = value.split("/", 1)[0]
        if not text.removeprefix("-").isdecimal() or len(text) > 12 or int(text) == 0:
            raise _no_obj(number, f"{value[:20]} is no vertex")
        # Negative ones count back from the last vertex so far.
        if int(text) < -vertices:
            raise _no_obj(number, f"{value[:20]} is before the first vertex")
        largest = max(largest, int(text))
    return largest


def _lines(file: io.RawIOBase) -> Iterator[str]:
    """Lines of UTF-8, none of them longer than a megabyte. Raises `Refused`."""
    text = io.TextIOWrapper(io.BufferedReader(file, _BUFFER), encoding="utf-8-sig", newline="")
    number = 0
    try:
        while line := text.readline(_LONGEST_LINE):
            number += 1
            if len(line) == _LONGEST_LINE or "\0" in line:
                what = "is too long" if len(line) == _LONGEST_LINE else "has a zero byte, so this is no text"
                raise Refused("not_text", f"Line {number:,} {what}.", "Choose another file.")
            yield line
    except UnicodeDecodeError:
        words = f"The file is no text in UTF-8 after line {number:,}."
        raise Refused("not_text", words, "Save it as UTF-8.") from None


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _no_obj(number: int, why: str) -> Refused:
    return Refused("invalid_obj", f"Line {number:,}: {why}.", "Export the surface as Wavefront OBJ.")
