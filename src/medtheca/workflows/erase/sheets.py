"""Rows of a patient in spreadsheets: found by file name and private id, and cut out of a copy that replaces the file.

A row that is cut leaves an empty line, so that the numbers of the other lines stay what corrections and problems say.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from medtheca.domains.metadata.models import MetadataFile, SheetEdit, SheetRow
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.names import name_key
from medtheca.toolkit.schemas.encoding import decode_text
from medtheca.toolkit.schemas.sheet import Sheet
from medtheca.toolkit.schemas.table import FILENAME_COLUMNS, TableError, normalise_column
from medtheca.toolkit.schemas.workbook import is_workbook
from medtheca.workflows.describing.reading import read_file
from medtheca.workflows.erase.plans import Plan
from medtheca.workflows.erase.reports import stands_in, words_of

REMOVED = b"This spreadsheet was removed because a patient was erased and it could not be read.\n"
_NAMELESS = "erased.csv"
_SURE = 6


@dataclass(slots=True)
class Found:
    """Lines of the patient by spreadsheet (none: the whole file), the spreadsheets' blobs, and what only they said."""

    lines: dict[int, list[int]] = field(default_factory=dict)
    blobs: dict[str, int] = field(default_factory=dict)
    values: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Row:
    first: int
    end: int
    cells: list[str]


def find_rows(plan: Plan, *, is_private: Callable[[str], bool] | None = None) -> Found:
    """Look for rows of the patient in all spreadsheets of the contributor."""
    found = Found()
    for file in _files_of(plan.contributor).iterator():
        test = _Test(plan, file, is_private)
        rows = _read(file)
        if rows is None:
            # Nobody can say whose rows are in it. It goes only where something else ties it to the patient.
            if _is_tied(plan, file):
                found.lines[file.pk] = []
                found.blobs[file.blob.sha256] = file.blob.size
            continue
        mine = [row for row in rows[1:] if rows and test.is_of_patient(rows[0].cells, row.cells)]
        lines = {row.first for row in mine} | _lines_of_rows(plan, file)
        if lines:
            found.lines[file.pk] = sorted(lines)
            found.blobs[file.blob.sha256] = file.blob.size
            found.values |= _only_in(mine, [row for row in rows if row.first not in lines])
    return found


def cut_sheet(file_id: int, lines: list[int]) -> None:
    """Replace a spreadsheet by a copy without these lines, or by a note where it cannot be read."""
    file = MetadataFile.objects.select_related("blob").filter(pk=file_id).first()
    if file is None:
        return
    data = _without(file, lines)
    with keeping_blobs():
        blob = _store(data)
        # A workbook is a CSV from now on, and one that was removed is a note.
        name = file.name if file.name.lower().endswith((".csv", ".tsv", ".txt")) else f"{file.name}.csv"
        if not _says_anything(data):
            # Of nobody but the patient: whoever named it may have named them, as with an upload of theirs alone.
            name = _NAMELESS
        MetadataFile.objects.filter(pk=file.pk).update(blob=blob, name=name[:255])
        SheetRow.objects.filter(file=file, line__in=lines).delete()
        SheetEdit.objects.filter(file=file, line__in=lines).delete()
        if not lines:
            SheetRow.objects.filter(file=file).delete()
            SheetEdit.objects.filter(file=file).delete()
            MetadataFile.objects.filter(pk=file.pk).update(report={}, mapping={}, matches={})


def _files_of(contributor_id: int) -> QuerySet[MetadataFile]:
    return MetadataFile.objects.filter(cohort__contributor=contributor_id).select_related("blob").order_by("pk")


class _Test:
    """Whether a row of one spreadsheet is of the patient."""

    def __init__(self, plan: Plan, file: MetadataFile, is_private: Callable[[str], bool] | None) -> None:
        mine = Accession.objects.filter(pk__in=plan.accessions, cohort=file.cohort_id)
        self._names = set(mine.values_list("name_key", flat=True))
        self._stems = {name.rpartition(".")[0] or name for name in self._names}
        self._said = {"patient": {plan.private_id} - {""}, "lesion": set(plan.lesion_private_ids)}
        self._sure = {text for texts in self._said.values() for text in texts if len(text) >= _SURE}
        self._is_private = is_private
        said = file.mapping if isinstance(file.mapping, dict) else {}
        self._mapped = {str(column): str(meaning) for column, meaning in said.items() if isinstance(meaning, str)}

    def is_of_patient(self, header: list[str], cells: list[str]) -> bool:
        for place, cell in enumerate(cells):
            text = cell.strip()
            if not text:
                continue
            column = header[place] if place < len(header) else ""
            meaning = self._mapped.get(column.strip(), "") or normalise_column(column)
            key = name_key(text.replace("\\", "/").rsplit("/", 1)[-1])
            if key in self._names and "." in key:
                return True
            if (meaning in FILENAME_COLUMNS or "file" in meaning) and (key in self._stems or key in self._names):
                return True
            if text in self._sure or any(what in meaning and text in texts for what, texts in self._said.items()):
                return True
            if self._is_private is not None and self._is_private(text):
                return True
        return False


def _is_tied(plan: Plan, file: MetadataFile) -> bool:
    """Whether anything that is kept of a file besides its bytes is of the patient."""
    if _lines_of_rows(plan, file):
        return True
    mine = set(plan.accessions)
    return any(pk in mine for pk in file.matches.values()) or stands_in([file.report, file.matches], words_of(plan))


def _lines_of_rows(plan: Plan, file: MetadataFile) -> set[int]:
    """Lines that were read as the patient's: by their image, by what they were to say, or by a corrected cell."""
    words = words_of(plan)
    said = Q(accession__in=plan.accessions) | Q(name__in=words)
    for name, ids in (("patient_id", [plan.private_id]), ("lesion_id", plan.lesion_private_ids)):
        said |= Q(**{f"structured__{name}__1__in": [text for text in ids if text]})
    lines = set(SheetRow.objects.filter(said, file=file).values_list("line", flat=True))
    return lines | set(SheetEdit.objects.filter(file=file, value__in=words).values_list("line", flat=True))


def _read(file: MetadataFile) -> list[_Row] | None:
    """Rows with the numbers of their lines, counted from 1, the header first; nothing for what cannot be read."""
    text = _text_of(file)
    return None if text is None else [row for row in _rows(text) if any(cell.strip() for cell in row.cells)]


def _text_of(file: MetadataFile) -> str | None:
    """The file as CSV; a workbook as a copy whose rows have the lines that they had there."""
    path = blob_store().path(file.blob.sha256)
    try:
        with path.open("rb") as opened:
            if is_workbook(opened.read(8)):
                return _as_csv(read_file(path))
        return decode_text(path.read_bytes())[0]
    except (FileNotFoundError, Refused, TableError):
        return None  # Damaged, protected, or none at all.


def _as_csv(sheet: Sheet) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(sheet.columns)
    line = 2
    for number, cells in zip(sheet.lines, sheet.rows, strict=True):
        text.write("\r\n" * (number - line))
        # A line break inside a cell would push all that follows.
        writer.writerow([" ".join(cell.splitlines()) for cell in cells])
        line = number + 1
    return text.getvalue()


def _rows(text: str) -> Iterator[_Row]:
    lines = list(io.StringIO(text, newline=""))
    begin = 1 if lines and lines[0].strip()[:4].lower() == "sep=" else 0
    header = next((line for line in lines[begin:] if line.strip()), "")
    outside = "".join(header.split('"')[::2])
    reader = csv.reader(lines[begin:], delimiter=max((",", ";", "\t"), key=outside.count))
    before = 0
    try:
        for cells in reader:
            yield _Row(before + 1 + begin, reader.line_num + begin, cells)
            before = reader.line_num
    except csv.Error:
        # Broken from here on: what cannot be told apart is one row.
        yield _Row(before + 1 + begin, len(lines), ["".join(lines[before + begin :])])


def _without(file: MetadataFile, lines: list[int]) -> bytes:
    text = _text_of(file)
    if text is None or not lines:
        return REMOVED
    physical = list(io.StringIO(text, newline=""))
    doomed = set(lines)
    for row in _rows(text):
        if row.first in doomed:
            for number in range(row.first - 1, row.end):
                line = physical[number]
                physical[number] = line[len(line.rstrip("\r\n")) :]
    return "".join(physical).encode()


def _says_anything(data: bytes) -> bool:
    """Whether a copy without the patient's lines has a row below its header."""
    if data == REMOVED:
        return False
    return sum(any(cell.strip() for cell in row.cells) for row in _rows(data.decode())) > 1


def _only_in(mine: list[_Row], others: list[_Row]) -> set[str]:
    """What the patient's rows say and no other row does: longer words only, because short ones say little."""
    said = {cell.strip() for row in mine for cell in row.cells if len(cell.strip()) >= _SURE}
    return said - {cell.strip() for row in others for cell in row.cells}


def _store(data: bytes) -> object:
    staged = blob_store().stage([data])
    return store_blobs([staged])[staged.sha256]
