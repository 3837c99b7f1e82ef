"""A workbook (XLSX, XLS, ODS) becomes lines of text: the task of a sandboxed child, and what its caller makes of it.

A workbook is a ZIP of XML that a stranger made: it may inflate to anything, so it is opened only behind the fence.
"""

import csv
import datetime as dt
import io
import itertools
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.schemas.sheet import XLSX, Sheet, make_sheet
from medtheca.toolkit.schemas.table import Record, TableLimits, find_filename_column

_LIMITS = TableLimits()
_MOST_PARTS = 5_000
# A hundred thousand rows of forty columns take some 150 MB of XML. The child's memory is bounded besides, because what
# a ZIP says of its sizes need not be true.
_MOST_INFLATED = 400 << 20
_HEADER_WITHIN = 50
_LONGEST = 40_000  # more than Excel allows, less than what our own reader of lines takes
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_REMEDY = "Save the sheet as CSV UTF-8 in your spreadsheet program and give that."


def is_workbook(head: bytes) -> bool:
    r"""Whether a file that begins so is a workbook, or at least no CSV.

    >>> is_workbook(b"PK\x03\x04..."), is_workbook(b"filename,age")
    (True, False)
    """
    return head.startswith((_ZIP, _OLE))


def warm_up() -> None:
    """Load what is loaded late, before the fence goes up."""
    import python_calamine

    assert python_calamine


def read_workbook(data: memoryview, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The sheet with a file name column, or else the first that holds anything, as lines of CSV.

    Each line begins with the number of its row. Options: `rows` and `columns`, the most there may be. The report
    names the sheet (`tab`), all sheets (`tabs`) and counts cells that were dates (`dates`). Raises Refused.
    """
    import python_calamine

    content = bytes(data)
    _check_parts(content)
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except python_calamine.PasswordError:
        words = "The workbook is protected by a password."
        raise Refused("protected", words, "Save it without one.") from None
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise Refused("bad_workbook", f"The workbook cannot be read: {error}.", _REMEDY) from None
    tab, tabs = _choose(workbook)
    rows = workbook.get_sheet_by_name(tab).iter_rows()
    text, dates = _write(rows, most_rows=int(options["rows"]), most_columns=int(options["columns"]))
    return {"tab": tab, "tabs": tabs, "dates": dates}, {"lines": text}


def sheet_of_lines(report: dict[str, Any], lines: bytes, *, limits: TableLimits = _LIMITS) -> Sheet:
    """The sheet of what `read_workbook` gave. Raises TableError for a header that cannot be used."""
    notes = [f"The sheet '{report['tab']}' of {len(report['tabs'])} was read."] if len(report["tabs"]) > 1 else []
    if report["dates"]:
        notes.append(f"{report['dates']:,} cells are dates and were read as such, like 2026-01-31.")
    records = _records(lines)
    return make_sheet(
        records, limits=limits, kind=XLSX, encoding="", delimiter="", tab=report["tab"], notes=tuple(notes)
    )


def _records(lines: bytes) -> Iterator[Record]:
    for number, *cells in csv.reader(io.StringIO(lines.decode(), newline="")):
        trimmed = [cell.strip() for cell in cells]
        if any(trimmed):
            yield Record(int(number), trimmed)


def _check_parts(content: bytes) -> None:
    if not content.startswith(_ZIP):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        words = "The workbook is damaged: it is no whole ZIP."
        raise Refused("bad_workbook", words, "Save or upload it again.") from None
    inflated = sum(part.file_size for part in parts)
    if inflated > _MOST_INFLATED or len(parts) > _MOST_PARTS:
        words = f"The workbook unpacks to {inflated:,} bytes in {len(parts):,} parts, which is too much."
        raise Refused("too_big", words, _REMEDY)


def _choose(workbook: Any) -> tuple[str, list[str]]:
    """The first sheet that is shown and has a file name column; else the first that holds anything."""
    import python_calamine

    shown = [found.name for found in workbook.sheets_metadata if str(found.visible).endswith("Visible")]
    tabs = shown or workbook.sheet_names
    filled = ""
    for name in tabs:
        try:
            sheet = workbook.get_sheet_by_name(name)
        except (python_calamine.CalamineError, OSError, ValueError):
            continue  # A chart, or a sheet that is damaged: another may be the one.
        for row in itertools.islice(sheet.iter_rows(), _HEADER_WITHIN):
            cells = [_text(cell).strip() for cell in row]
            if any(cells):
                filled = filled or name
                if find_filename_column(cells) is not None:
                    return name, list(tabs)
                break
    if not filled:
        raise Refused("empty", "The workbook is empty.", "The first row must name the columns.")
    return filled, list(tabs)


def _write(rows: Iterable[list[Any]], *, most_rows: int, most_columns: int) -> tuple[bytes, int]:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    dates = given = 0
    for number, row in enumerate(rows, start=1):
        cells = [_text(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        given += 1
        if given > most_rows + 1:
            words = f"There are more than {most_rows:,} rows."
            raise Refused("too_many_rows", words, "Split it into several spreadsheets.")
        if len(cells) > most_columns * 2:
            words = f"Row {number} has {len(cells):,} cells; {most_columns:,} columns is the most."
            raise Refused("too_many_columns", words, "Leave out what is not metadata.")
        dates += sum(isinstance(cell, dt.date) for cell in row)
        writer.writerow([number, *cells])
    return out.getvalue().encode(), dates


def _text(cell: Any) -> str:
    """A cell as somebody would have written it.

    >>> [_text(cell) for cell in (42.0, 0.1 + 0.2, True, "0042", dt.date(2026, 1, 31), None)]
    ['42', '0.3', 'true', '0042', '2026-01-31', '']
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        # Fifteen digits are what a spreadsheet program shows; the rest is how it counts.
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(cell, ".15g")
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)[:_LONGEST]
