"""Mending a spreadsheet in place where many cells say the same."""

from __future__ import annotations

from collections.abc import Mapping

from medtheca.base.errors import Conflict, Invalid, Problem
from medtheca.domains.accounts.models import User
from medtheca.toolkit.schemas import TableError
from medtheca.workflows.describe import edit_cells, file_to_edit
from medtheca.workflows.describing.reading import open_sheet

_AT_ONCE = 20_000


def replace_values(*, user: User, file_id: int, column: str, values: Mapping[str, str]) -> int:
    """Replace, in one column, every cell that says a key of `values` by its value; return how many there were.

    The sheet is read once and checked again once. Raises `Invalid` or `Conflict`.
    """
    file = file_to_edit(user, file_id)
    try:
        sheet = open_sheet(file)
    except TableError as error:
        raise Conflict("The spreadsheet cannot be read.", remedy=str(error)) from error
    if column not in sheet.columns:
        raise Invalid("Nothing was replaced.", problems=[Problem("column", f"No column is called '{column}'.")])
    at = sheet.columns.index(column)
    wanted = {old.strip(): new for old, new in values.items()}
    cells = {
        line: {column: wanted[row[at]]} for line, row in zip(sheet.lines, sheet.rows, strict=True) if row[at] in wanted
    }
    lines = sorted(cells)
    for start in range(0, len(lines), _AT_ONCE):
        edit_cells(user=user, file_id=file_id, cells={line: cells[line] for line in lines[start : start + _AT_ONCE]})
    return len(lines)
