"""A spreadsheet as its cells: columns and rows as somebody wrote them, with the faults of single rows beside them.

Unlike `read_table` it stops only where nothing can be read, so that rows can be mended in place.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from medtheca.toolkit.schemas.formulas import unguarded
from medtheca.toolkit.schemas.table import (
    MOST_PROBLEMS,
    Record,
    TableError,
    TableLimits,
    TableProblem,
    check_header,
    check_record,
    read_csv,
)

CSV, XLSX = "csv", "xlsx"
_LONGEST_SHARED = 64
_MOST_SHARED = 50_000
_LIMITS = TableLimits()


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """`rows` are cells by column, trimmed, one tuple a row; `lines` their numbers in the file; `problems` by row.

    `delimiter` is empty for a workbook, `tab` for all others: which of its sheets this is.
    """

    columns: tuple[str, ...]
    lines: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: str = CSV
    encoding: str = "UTF-8"
    delimiter: str = ","
    tab: str = ""
    notes: tuple[str, ...] = ()
    problems: tuple[TableProblem, ...] = ()


def read_sheet(data: bytes, *, limits: TableLimits = _LIMITS) -> Sheet:
    r"""Read CSV bytes. Raises TableError where the file as a whole cannot be read.

    >>> sheet = read_sheet(b"filename;age\r\na.jpg;53\r\n")
    >>> sheet.columns, sheet.lines, sheet.rows, sheet.delimiter
    (('filename', 'age'), (2,), (('a.jpg', '53'),), ';')
    """
    read = read_csv(data, limits)
    return make_sheet(
        read.records, limits=limits, encoding=read.encoding, delimiter=read.delimiter, notes=tuple(read.notes)
    )


def make_sheet(
    records: Iterable[Record],
    *,
    limits: TableLimits = _LIMITS,
    kind: str = CSV,
    encoding: str = "UTF-8",
    delimiter: str = ",",
    tab: str = "",
    notes: tuple[str, ...] = (),
) -> Sheet:
    """A sheet of records that are not blank, the header first. Raises TableError for a header that cannot be used."""
    remaining = iter(records)
    header = next(remaining, None)
    if header is None:
        problem = TableProblem(
            line=0, code="empty", message="The file is empty.", remedy="The first line must name the columns."
        )
        raise TableError([problem])
    columns, faults = check_header(Record(header.line, [unguarded(cell) for cell in header.cells]), limits)
    if faults:
        raise TableError(faults)
    found = _Rows(columns, limits)
    found.take(remaining)
    return Sheet(
        columns=tuple(column for column in columns if column),
        lines=tuple(found.lines),
        rows=tuple(found.rows),
        kind=kind,
        encoding=encoding,
        delimiter=delimiter,
        tab=tab,
        notes=(*notes, *found.notes()),
        problems=tuple(found.problems),
    )


class _Rows:
    """Rows on their way in. Equal cells are kept once: a hundred thousand rows say 'female' often."""

    def __init__(self, columns: list[str], limits: TableLimits) -> None:
        self.lines: list[int] = []
        self.rows: list[tuple[str, ...]] = []
        self.problems: list[TableProblem] = []
        self._columns = columns
        self._named = [place for place, column in enumerate(columns) if column]
        self._limits = limits
        self._shared: dict[str, str] = {}
        self._short: list[int] = []

    def take(self, records: Iterator[Record]) -> None:
        for record in records:
            if len(record.cells) < len(self._columns):
                self._short.append(record.line)
            problem = check_record(record, self._columns, self._limits)
            if problem is not None and len(self.problems) < MOST_PROBLEMS:
                self.problems.append(problem)
            cells = record.cells + [""] * (len(self._columns) - len(record.cells))
            self.lines.append(record.line)
            self.rows.append(tuple(self._share(unguarded(cells[place])[: self._limits.cell]) for place in self._named))

    def notes(self) -> tuple[str, ...]:
        if not self._short:
            return ()
        words = "Rows with fewer cells than the header, the missing ones counted as blank"
        return (f"{words}: {len(self._short):,} (first: line {self._short[0]}).",)

    def _share(self, cell: str) -> str:
        if len(cell) > _LONGEST_SHARED:
            return cell
        known = self._shared.get(cell)
        if known is None:
            if len(self._shared) < _MOST_SHARED:
                self._shared[cell] = cell
            return cell
        return known
