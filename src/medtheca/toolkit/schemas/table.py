"""A metadata spreadsheet in CSV, read with every fault of the file named."""

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.schemas.encoding import decode_text
from medtheca.toolkit.schemas.problems import quoted

# Column names that are taken for the image's file name, in order of preference.
FILENAME_COLUMNS = ("filename", "file_name", "file", "image", "image_name", "image_id", "isic_id")

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MOST_PROBLEMS = 1_000
LONGEST_COLUMN = 255


@dataclass(frozen=True, kw_only=True)
class TableLimits:
    size: int = 64 * 1024 * 1024
    rows: int = 100_000
    columns: int = 500
    cell: int = 10_000


@dataclass(frozen=True, kw_only=True)
class TableProblem:
    """What is wrong with the file. `line` counts from 1, which is the header mostly; 0 is the file itself."""

    line: int
    code: str
    message: str
    remedy: str
    column: str = ""


class TableError(Exception):
    """The spreadsheet cannot be used; `problems` has every reason that was found, up to `MOST_PROBLEMS`."""

    def __init__(self, problems: list[TableProblem]) -> None:
        super().__init__(problems)
        self.problems = problems[:MOST_PROBLEMS]
        self.count = len(problems)

    def __str__(self) -> str:
        first = self.problems[0]
        where = f"Line {first.line}: " if first.line else ""
        more = f" ({self.count - 1:,} more problems)" if self.count > 1 else ""
        return f"{where}{first.message} {first.remedy}{more}"


@dataclass(frozen=True)
class TableRow:
    """`cells` by column, trimmed, without the one that names the image."""

    line: int
    filename: str
    cells: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Table:
    """`columns` in the order of the file, the one that names the image among them; `notes` are for the reader."""

    columns: tuple[str, ...]
    filename_column: str
    rows: tuple[TableRow, ...]
    encoding: str
    delimiter: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One line that is not blank: its number in the file, its cells trimmed."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Csv:
    """The lines of a CSV as they are read on; reading may raise TableError."""

    records: Iterator[Record]
    encoding: str
    delimiter: str
    notes: list[str]


def read_table(data: bytes, *, filename_column: str | None = None, limits: TableLimits = TableLimits()) -> Table:
    r"""Read CSV bytes: any common encoding; commas, semicolons or tabs; quotes as in RFC 4180.

    The image is named by `filename_column`, or by the first of `FILENAME_COLUMNS` that the header has. Blank
    lines are skipped, and line numbers stay those of the file. Raises TableError.

    >>> table = read_table(b"filename;age\r\na.jpg;53\r\n")
    >>> table.filename_column, table.rows
    ('filename', (TableRow(line=2, filename='a.jpg', cells={'age': '53'}),))
    """
    read = read_csv(data, limits)
    records = read.records
    header = next(records, None)
    if header is None:
        raise TableError([_problem(0, "empty", "The file is empty.", "The first line must name the columns.")])
    columns, problems = check_header(header, limits)
    name_column = find_filename_column(columns, filename_column)
    if name_column is None:
        problems.append(_no_filename(header.line, columns, filename_column))
    if problems:
        raise TableError(problems)
    assert name_column is not None
    rows, row_problems, row_notes = _read_rows(records, columns, name_column, limits)
    row_problems += _repeated_filenames(rows, name_column)
    if row_problems:
        raise TableError(sorted(row_problems, key=lambda problem: problem.line))
    return Table(
        columns=tuple(column for column in columns if column),
        filename_column=name_column,
        rows=tuple(rows),
        encoding=read.encoding,
        delimiter=read.delimiter,
        notes=(*read.notes, *row_notes),
    )


def read_csv(data: bytes, limits: TableLimits) -> Csv:
    """The lines of CSV bytes, the header first, and how they are written. Raises TableError."""
    text, encoding = _decode(data, limits)
    text, delimiter, first_line = find_delimiter(text)
    notes = []
    if encoding not in {"UTF-8", "UTF-16"}:
        notes.append(f"The file is not UTF-8 and was read as {encoding}: look at letters with accents.")
    return Csv(_read_records(text, delimiter, first_line, limits), encoding, delimiter, notes)


def normalise_column(name: str) -> str:
    """How column names are compared: case, blanks, hyphens and dots do not count.

    >>> normalise_column(" File Name "), normalise_column("file-name")
    ('file_name', 'file_name')
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "_".join(folded.replace("-", " ").replace(".", " ").replace("_", " ").split())


def _decode(data: bytes, limits: TableLimits) -> tuple[str, str]:
    if len(data) > limits.size:
        message = f"The file has {len(data):,} bytes; {limits.size:,} is the most."
        raise TableError([_problem(0, "too_big", message, "Split it into several spreadsheets.")])
    try:
        return decode_text(data)
    except Refused as refusal:
        problem = _problem(0, refusal.code, refusal.message, refusal.remedy)
        raise TableError([problem]) from None


def find_delimiter(text: str) -> tuple[str, str, int]:
    """The text from its header on, the delimiter, and the number of the first line kept."""
    first = text[: text.find("\n") + 1].strip()
    # Spreadsheet programs write this line for each other.
    if first[:4].lower() == "sep=" and first[4:5] in DELIMITERS:
        return text.partition("\n")[2], first[4:5], 2
    header = next((line for line in io.StringIO(text) if line.strip()), "")
    # Delimiters inside quotes are part of a name.
    outside = "".join(header.split('"')[::2])
    return text, max(DELIMITERS, key=outside.count), 1


def _read_records(text: str, delimiter: str, first_line: int, limits: TableLimits) -> Iterator[Record]:
    """Every line that is not blank, the header first. Raises TableError where the CSV itself is broken."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    count = 0
    while True:
        line = reader.line_num + first_line
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            remedy = 'Put a cell that holds a quote, a delimiter or a line break in "…", its quotes doubled.'
            raise TableError([_problem(line, "bad_csv", f"The line cannot be read: {error}.", remedy)]) from None
        if not any(cells):
            continue
        if count > limits.rows:
            message = f"There are more than {limits.rows:,} rows."
            raise TableError([_problem(line, "too_many_rows", message, "Split it into several spreadsheets.")])
        yield Record(line, cells)
        count += 1


def check_header(header: Record, limits: TableLimits) -> tuple[list[str], list[TableProblem]]:
    """The column names with empty ones at the end cut off, and what is wrong with them."""
    columns = list(header.cells)
    while not columns[-1]:
        columns.pop()
    problems = []
    if len(columns) > limits.columns:
        message = f"There are {len(columns):,} columns; {limits.columns:,} is the most."
        problems.append(_problem(header.line, "too_many_columns", message, "Leave out what is not metadata."))
    for column, count in Counter(columns).items():
        if len(column) > LONGEST_COLUMN:
            message = f"The column {quoted(column)} has a name of {len(column):,} characters."
            remedy = f"Shorten it to {LONGEST_COLUMN}."
            problems.append(_problem(header.line, "column_name_too_long", message, remedy))
        if column and count > 1:
            message = f"The column {quoted(column)} stands {count} times in the header."
            problem = _problem(header.line, "duplicate_column", message, "Keep one, or rename the others.")
            problems.append(replace(problem, column=column))
    return columns, problems


def find_filename_column(columns: Sequence[str], wanted: str | None = None) -> str | None:
    """The column that names the images: the one wanted, or the first of `FILENAME_COLUMNS` that is there."""
    if wanted is not None:
        return wanted if wanted in columns else None
    by_name = {normalise_column(column): column for column in reversed(columns)}
    return next((by_name[name] for name in FILENAME_COLUMNS if name in by_name), None)


def _no_filename(line: int, columns: list[str], wanted: str | None) -> TableProblem:
    found = ", ".join(quoted(column) for column in columns[:20] if column) or "none"
    if wanted is not None:
        message = f"No column is called {quoted(wanted)}. Columns: {found}."
        return _problem(line, "no_filename_column", message, f"Name one column {quoted(wanted)}.")
    message = f"No column names the images. Columns: {found}."
    remedy = f"Call the column with the file names 'filename'. Known too: {', '.join(FILENAME_COLUMNS[1:])}."
    return _problem(line, "no_filename_column", message, remedy)


def _read_rows(
    records: Iterator[Record], columns: list[str], name_column: str, limits: TableLimits
) -> tuple[list[TableRow], list[TableProblem], list[str]]:
    rows: list[TableRow] = []
    problems: list[TableProblem] = []
    short: list[int] = []
    for record in records:
        if len(record.cells) < len(columns):
            short.append(record.line)
        problem = check_record(record, columns, limits)
        if problem is not None:
            problems.append(problem)
            continue
        cells = dict(zip(columns, record.cells + [""] * (len(columns) - len(record.cells)), strict=False))
        cells.pop("", None)
        filename = cells.pop(name_column)
        if not filename:
            message = f"The row has nothing under {quoted(name_column)}."
            problems.append(_problem(record.line, "no_filename", message, "Name the image, or delete the row."))
        rows.append(TableRow(record.line, filename, cells))
    notes = []
    if short:
        notes.append(
            "Rows with fewer cells than the header, the missing ones counted as blank: "
            f"{len(short):,} (first: line {short[0]})."
        )
    return rows, problems, notes


def check_record(record: Record, columns: list[str], limits: TableLimits) -> TableProblem | None:
    """What is wrong with the shape of a line, whatever its cells say."""
    extra = [cell for cell in record.cells[len(columns) :] if cell]
    if extra:
        message = f"The row has {len(record.cells)} cells but the header {len(columns)}: {quoted(extra[0])} is over."
        remedy = 'Put a cell that holds the delimiter in quotes: "a, b".'
        return _problem(record.line, "too_many_cells", message, remedy)
    for column, cell in zip(columns, record.cells, strict=False):
        if not column and cell:
            message = f"{quoted(cell)} stands in a column without a name."
            return _problem(record.line, "nameless_column", message, "Name the column in the header.")
        if len(cell) > limits.cell:
            message = f"{quoted(column)} has {len(cell):,} characters; {limits.cell:,} is the most."
            remedy = "Shorten it. A quote that is opened and never closed also does this."
            return replace(_problem(record.line, "cell_too_long", message, remedy), column=column)
    return None


def _repeated_filenames(rows: list[TableRow], name_column: str) -> list[TableProblem]:
    """Names are compared in one Unicode composition, as the archive compares them."""
    first: dict[str, int] = {}
    problems = []
    for row in rows:
        name = unicodedata.normalize("NFC", row.filename)
        line = first.setdefault(name, row.line)
        if name and line != row.line:
            message = f"{quoted(row.filename)} stands in line {line} already."
            problem = _problem(row.line, "duplicate_filename", message, "Keep one row an image.")
            problems.append(replace(problem, column=name_column))
    return problems


def _problem(line: int, code: str, message: str, remedy: str) -> TableProblem:
    return TableProblem(line=line, code=code, message=message, remedy=remedy)
