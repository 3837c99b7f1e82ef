"""CSV that a spreadsheet program may open without running what strangers wrote into it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """A cell that is text to every spreadsheet program.

    >>> safe_cell("=HYPERLINK(1)"), safe_cell("a-b.jpg")
    ("'=HYPERLINK(1)", 'a-b.jpg')
    """
    return f"'{text}" if text.startswith(_DANGEROUS) else text


class _Line:
    """A file that hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Lines of a CSV as they are asked for, every text made safe."""
    writer = csv.writer(_Line())
    for row in rows:
        line: str = writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
        yield line
