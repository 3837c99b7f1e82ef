"""Tables as workbooks (XLSX), whose cells say of what type they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

import xlsxwriter

from medtheca.toolkit.errors import Refused

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_576
"""Rows that a workbook's sheet can hold, the head among them."""

_EXACT = 10**15
_WIDEST = 48


def write_workbook(
    rows: Iterable[Sequence[str | int | float]], target: IO[bytes], *, folder: Path | None = None, name: str = "Values"
) -> None:
    """Write rows, the first of which is the head, as the one sheet of a workbook; memory is that of a row.

    Texts are typed as texts, so that no program takes one that begins with = + - or @ for a formula, and none drops the
    noughts of an id. Whole numbers of more than fifteen digits are texts too, since workbooks keep no more of a number.
    Raises `Refused` for more rows than a sheet can have. `folder` is where it is put together.
    """
    book = xlsxwriter.Workbook(target, {"constant_memory": True, "tmpdir": str(folder) if folder else None})
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    for at, row in enumerate(rows):
        if at >= MOST_ROWS:
            words = f"A sheet of a workbook has {MOST_ROWS:,} rows at most."
            raise Refused("too_many_rows", words, "Filter the items, or take them as CSV.")
        for column, cell in enumerate(row):
            if isinstance(cell, bool):
                sheet.write_boolean(at, column, cell)
            elif isinstance(cell, str):
                if at == 0:
                    sheet.set_column(column, column, min(max(len(cell) + 2, 12), _WIDEST))
                if cell:
                    sheet.write_string(at, column, cell, bold if at == 0 else None)
            elif abs(cell) < _EXACT or isinstance(cell, float):
                sheet.write_number(at, column, cell)
            else:
                sheet.write_string(at, column, str(cell))
    book.close()
