"""Metadata files on their way: locked, set going, followed, and the rows of their sheets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from medtheca.base.errors import Conflict, NotFound
from medtheca.domains.accounts.models import User
from medtheca.domains.metadata.enums import MetadataFileState, RowOutcome
from medtheca.domains.metadata.models import Description, MetadataFile, MetadataVersion, SheetEdit, SheetRow

RUNNING = (MetadataFileState.CHECKING, MetadataFileState.APPLYING, MetadataFileState.UNDOING)
CHANGEABLE = (
    MetadataFileState.CHECKING,
    MetadataFileState.READY,
    MetadataFileState.INVALID,
    MetadataFileState.UNDONE,
)
_BATCH = 1000


def lock_file(file_id: int) -> MetadataFile:
    """A metadata file, locked until the present transaction ends. Raises `NotFound`."""
    found = (
        MetadataFile.objects.select_for_update(of=("self",))
        .select_related("cohort__contributor", "blob", "creator", "actor")
        .filter(pk=file_id)
        .first()
    )
    if found is None:
        raise NotFound(f"There is no metadata file {file_id}.")
    return found


def require_state(file: MetadataFile, states: Sequence[MetadataFileState], *, to: str) -> None:
    """Raise `Conflict` unless the file is in one of these states; `to` says what somebody wanted."""
    if file.state not in states:
        remedy = "Wait until it has ended." if file.state in RUNNING else ""
        raise Conflict(f"The spreadsheet is {file.state}, so it is too late or too early to {to}.", remedy=remedy)


def set_going(file: MetadataFile, state: MetadataFileState, *, actor: User | None) -> None:
    """Note that work begins; the caller has locked the file and enqueues the job."""
    file.state, file.done, file.total = state, 0, 0
    file.actor = actor or file.actor
    file.save()


def note_progress(file_id: int, *, done: int, total: int) -> None:
    """Tell those who wait how far the present work is."""
    MetadataFile.objects.filter(pk=file_id).update(done=done, total=total, modified=Now())


def keep_edits(file: MetadataFile, cells: Mapping[int, Mapping[str, str]], *, by: User) -> int:
    """Keep corrected cells, line → column → value; return how many. The bytes of the file stay."""
    edits = [
        SheetEdit(file=file, line=line, column=column, value=value, by=by)
        for line, columns in cells.items()
        for column, value in columns.items()
    ]
    SheetEdit.objects.bulk_create(edits, batch_size=_BATCH)
    return len(edits)


def edits_of(file: MetadataFile) -> dict[int, dict[str, str]]:
    """The newest edit of each cell, line → column → value."""
    found: dict[int, dict[str, str]] = {}
    rows = SheetEdit.objects.filter(file=file).order_by("pk").values_list("line", "column", "value")
    for line, column, value in rows.iterator():
        found.setdefault(line, {})[column] = value
    return found


def history_of_edits(file: MetadataFile) -> QuerySet[SheetEdit]:
    """Every correction of a cell with who and when, newest first."""
    return SheetEdit.objects.filter(file=file).select_related("by").order_by("-pk")


def forget_rows(file: MetadataFile) -> None:
    """Drop what an earlier check found."""
    SheetRow.objects.filter(file=file).delete()


def keep_rows(rows: Sequence[SheetRow]) -> None:
    """Keep what checking found of some rows."""
    SheetRow.objects.bulk_create(rows, batch_size=_BATCH)


def rows_of(file: MetadataFile) -> QuerySet[SheetRow]:
    """The rows of a sheet in its order."""
    return SheetRow.objects.filter(file=file).order_by("line")


def changing_rows(file: MetadataFile) -> QuerySet[SheetRow]:
    """Rows that change something, applied or not, in the order of the sheet."""
    return rows_of(file).exclude(structured={}, unstructured={})


def rows_with_problems(file: MetadataFile) -> QuerySet[SheetRow]:
    """Rows with problems in the order of the sheet."""
    return rows_of(file).filter(~Q(problems=[]))


def next_rows(file: MetadataFile, outcomes: Sequence[RowOutcome], *, after: int, limit: int) -> list[SheetRow]:
    """The next rows with one of these outcomes, beyond the line `after`."""
    return list(rows_of(file).filter(outcome__in=outcomes, line__gt=after)[:limit])


def stale_rows(file: MetadataFile) -> QuerySet[SheetRow]:
    """Waiting rows whose description is no longer what the file was checked against."""
    present = Description.objects.values("version")
    return _compared(file, [RowOutcome.WAITING], F("base"), present)


def rows_changed_since(file: MetadataFile) -> QuerySet[SheetRow]:
    """Applied rows whose description has changed since: undoing them may meet conflicts."""
    return _compared(
        file, [RowOutcome.APPLIED, RowOutcome.CONFLICT], F("version"), Description.objects.values("version")
    )


def _compared(file: MetadataFile, outcomes: list[RowOutcome], mine: F, present: Any) -> QuerySet[SheetRow]:
    rows = rows_of(file).filter(outcome__in=outcomes, accession__isnull=False)
    return rows.filter(accession__description__isnull=False).exclude(accession__description__version=mine)


def snapshots(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], MetadataVersion]:
    """Versions by (accession, number)."""
    wanted = set(pairs)
    rows = MetadataVersion.objects.filter(
        accession__in={accession for accession, _ in wanted}, number__in={number for _, number in wanted}
    )
    return {(row.accession_id, row.number): row for row in rows if (row.accession_id, row.number) in wanted}
