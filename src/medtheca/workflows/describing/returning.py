"""Somebody's own sheet given back with a column of errors, for mending at home."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from medtheca.base.errors import Conflict
from medtheca.domains.metadata.sheets import edits_of, rows_with_problems
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.schemas import ERROR_COLUMN, TableError
from medtheca.toolkit.schemas.encoding import decode_text
from medtheca.toolkit.schemas.formulas import guarded, unguarded
from medtheca.toolkit.schemas.sheet import XLSX
from medtheca.toolkit.schemas.table import find_delimiter
from medtheca.workflows.describing.reading import read_blob

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataFile, SheetRow

_MARK = b"\xef\xbb\xbf"


def marked_sheet(file: MetadataFile) -> bytes:
    """The sheet as CSV in UTF-8: same separator, columns, order and cells, corrected ones as corrected, no formulas.

    The last column says what is wrong. Raises `Conflict` where the file cannot be read as a sheet.
    """
    told = {row.line: _words(row) for row in rows_with_problems(file).iterator()}
    out = io.StringIO(newline="")
    if file.report.get("kind") == XLSX:
        lines, delimiter, header = _workbook_lines(file)
    else:
        lines, delimiter, header = _csv_lines(file)
        out.write(header)
    _Marked(out, delimiter, told, edits_of(file)).write(lines)
    return _MARK + out.getvalue().encode("utf-8", "replace")


Lines = list[tuple[int, list[str]]]


def _csv_lines(file: MetadataFile) -> tuple[Lines, str, str]:
    """Every line untouched, the delimiter, and what stands before the header."""
    with blob_store().open(file.blob.sha256) as spreadsheet:
        data = spreadsheet.read()
    try:
        text, _ = decode_text(data)
        rest, delimiter, first = find_delimiter(text)
        reader = csv.reader(io.StringIO(rest, newline=""), delimiter=delimiter, strict=True)
        return list(_numbered(reader, first)), delimiter, text[: len(text) - len(rest)]
    except (Refused, csv.Error) as error:
        raise _unreadable(str(error)) from error


def _numbered(reader: Iterator[list[str]], first: int) -> Iterator[tuple[int, list[str]]]:
    while True:
        line = reader.line_num + first  # type: ignore[attr-defined] # the reader of csv has it, its protocol does not
        try:
            yield line, next(reader)
        except StopIteration:
            return


def _workbook_lines(file: MetadataFile) -> tuple[Lines, str, str]:
    try:
        sheet = read_blob(file.blob.sha256)
    except TableError as error:
        raise _unreadable(str(error)) from error
    rows = [(line, list(cells)) for line, cells in zip(sheet.lines, sheet.rows, strict=True)]
    return [(0, list(sheet.columns)), *rows], ",", ""


def _unreadable(why: str) -> Conflict:
    return Conflict("The spreadsheet cannot be given back with errors, because it cannot be read.", remedy=why)


class _Marked:
    """Writes lines with one more column; no cell of it is a formula, since a colleague may have given the sheet."""

    def __init__(
        self, out: io.StringIO, delimiter: str, told: dict[int, str], edits: dict[int, dict[str, str]]
    ) -> None:
        self._writer = csv.writer(out, delimiter=delimiter)
        self._told, self._edits = told, edits

    def write(self, lines: Lines) -> None:
        width = max((len(cells) for _, cells in lines), default=0)
        columns: list[str] | None = None
        at = width
        for line, cells in lines:
            if columns is None and any(cell.strip() for cell in cells):
                columns = [unguarded(cell.strip()) for cell in cells]
                # A sheet that was given back before has our column already.
                at = columns.index(ERROR_COLUMN) if ERROR_COLUMN in columns else width
                self._write(_placed(cells, at, ERROR_COLUMN))
            elif columns is None or not any(cells):
                self._write(cells)
            else:
                edited = self._edits.get(line)
                kept = _edited(cells, columns, edited) if edited else cells
                self._write(_placed(kept, at, self._told.get(line, "")))

    def _write(self, cells: list[str]) -> None:
        self._writer.writerow([guarded(cell) for cell in cells])


def _edited(cells: list[str], columns: list[str], edited: dict[str, str]) -> list[str]:
    padded = cells + [""] * (len(columns) - len(cells))
    return [
        edited[columns[at]] if at < len(columns) and columns[at] in edited else cell for at, cell in enumerate(padded)
    ]


def _placed(cells: list[str], at: int, text: str) -> list[str]:
    padded = cells + [""] * (at + 1 - len(cells))
    padded[at] = text
    return padded


def _words(row: SheetRow) -> str:
    return " | ".join(
        f"{problem['column'] or problem['field']}: {problem['message']} {problem['remedy']}".strip(": ")
        for problem in row.problems
    )
