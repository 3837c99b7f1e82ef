"""Spreadsheets of values: given, found, followed, put away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotFound, Problem
from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import Asker, editable_archives, person_of, require_uploader, uploadable_archives
from medtheca.domains.archives.enums import ImportOutcome, ImportState
from medtheca.domains.archives.models import Archive, ImportedRow, Item, ValuesImport
from medtheca.domains.storage.letting_go import mark_let_go
from medtheca.domains.storage.models import Blob

LONGEST_REASON = 500
IDLE = timedelta(days=7)
"""After so long a spreadsheet that nobody applies is put away."""

_SETTLED = (ImportState.READY, ImportState.INVALID)
_AT_ONCE = 500


def visible_imports(asker: Asker) -> QuerySet[ValuesImport]:
    """One's own, of archives into which one may still bring values, and all of those that one settles; newest first."""
    user = person_of(asker)
    if user is None:
        return ValuesImport.objects.none()
    own = ValuesImport.objects.filter(creator=user, archive__in=uploadable_archives(user).values("pk"))
    found = own | ValuesImport.objects.filter(archive__in=editable_archives(user).values("pk"))
    return found.select_related("archive__cohort", "creator", "blob").order_by("-created", "pk")


def import_for(asker: Asker, import_id: UUID) -> ValuesImport:
    """One that the asker sees. Raises `NotFound`."""
    found = visible_imports(asker).filter(pk=import_id).first()
    if found is None:
        raise NotFound("There is no such spreadsheet of values.")
    return found


def begin_import(
    *,
    archive: Archive,
    creator: User,
    blob: Blob,
    name: str,
    reason: str,
    makes_items: bool,
    columns: Mapping[str, str],
) -> ValuesImport:
    """Note a spreadsheet that is to be checked. Raises `NotAllowed` or `Invalid`."""
    require_uploader(creator, archive, to="change items")
    words = reason.strip().replace("\x00", "") or f"Imported from {name}"
    if len(words) > LONGEST_REASON:
        problem = Problem("reason", f"A reason has up to {LONGEST_REASON} characters.", remedy="Shorten it.")
        raise Invalid("The spreadsheet cannot be taken.", problems=[problem])
    return ValuesImport.objects.create(
        archive=archive,
        creator=creator,
        blob=blob,
        name=name[:255],
        reason=words,
        makes_items=makes_items,
        columns=dict(columns),
    )


def lock_import(import_id: UUID) -> ValuesImport | None:
    """A spreadsheet for oneself until the present transaction ends; None for one that was put away."""
    rows = ValuesImport.objects.select_for_update(of=("self",)).select_related("archive__cohort", "creator", "blob")
    return rows.filter(pk=import_id).first()


def check_again(*, given: ValuesImport, actor: User, columns: Mapping[str, str] | None, makes_items: bool) -> None:
    """Have a spreadsheet checked anew, with columns as they are said now. Raises `Conflict` or `NotAllowed`."""
    require_uploader(actor, given.archive, to="change items")
    with transaction.atomic():
        locked = _in_state(given.pk, to="change it")
        locked.columns = locked.columns | dict(columns or {})
        locked.makes_items = makes_items
        _set_going(locked, ImportState.CHECKING)


def begin_applying(*, given: ValuesImport, actor: User, work_now: bool = False, seen: datetime | None = None) -> None:
    """Have a spreadsheet that is ready applied, by a job unless the caller does it (`work_now`).

    `seen` is `modified` of what the person looked at. Raises `Conflict` for one that has errors, is under way, was
    applied already or was checked anew since it was seen; `NotAllowed`.
    """
    require_uploader(actor, given.archive, to="change items")
    with transaction.atomic():
        locked = _in_state(given.pk, to="apply it")
        if locked.state != ImportState.READY:
            raise Conflict("The spreadsheet has errors.", remedy="Mend them and import it again.")
        if seen is not None and seen != locked.modified:
            raise Conflict("The spreadsheet was checked anew since.", remedy="Look at what it would change now.")
        _set_going(locked, ImportState.APPLYING, enqueues=not work_now)


def put_away(*, given: ValuesImport, actor: User) -> None:
    """Forget a spreadsheet that is not being applied. Raises `Conflict` or `NotAllowed`."""
    require_uploader(actor, given.archive, to="change items")
    with transaction.atomic():
        locked = lock_import(given.pk)
        if locked is None:
            return
        if locked.state == ImportState.APPLYING:
            raise Conflict("The spreadsheet is being applied.", remedy="Wait until that has ended.")
        _forget([locked])


def put_idle_away(*, idle: timedelta = IDLE) -> int:
    """Forget spreadsheets of which nobody made anything for so long; return how many."""
    with transaction.atomic():
        old = ValuesImport.objects.filter(state__in=_SETTLED, modified__lt=now() - idle)
        return _forget(list(old.select_for_update(of=("self",))))


def blobs_of_imports_about(item_ids: Iterable[UUID]) -> dict[str, int]:
    """SHA-256 and bytes of spreadsheets that may say something of items."""
    return dict(_about(item_ids).filter(blob__isnull=False).values_list("blob__sha256", "blob__size"))


def forget_imports_about(item_ids: Iterable[UUID]) -> None:
    """Forget spreadsheets that may say something of items which are erased. Call inside a transaction."""
    _forget(list(_about(item_ids)))


def _about(item_ids: Iterable[UUID]) -> QuerySet[ValuesImport]:
    """With a row of one of the items; and all of their archives whose bytes are there.

    Those may say something of every item: a row that changes nothing, or that nobody has read yet, is not kept.
    """
    ids = list(item_ids)
    rows = ImportedRow.objects.filter(item__in=ids).values("given")
    archives = Item.objects.filter(pk__in=ids).values("archive")
    return ValuesImport.objects.filter(Q(pk__in=rows) | Q(archive__in=archives, blob__isnull=False))


def stranded_imports(*, patience: timedelta) -> list[UUID]:
    """Spreadsheets at which nobody has worked for so long."""
    waiting = ValuesImport.objects.filter(state__in=[ImportState.CHECKING, ImportState.APPLYING])
    return list(waiting.filter(modified__lt=now() - patience).values_list("pk", flat=True))


def enqueue_import(import_id: UUID) -> None:
    """Have a spreadsheet checked or applied, as its state says."""
    enqueue("archives.import_values", import_id=str(import_id), queueing_lock=f"values:{import_id}")


def note_progress(import_id: UUID, *, done: int, total: int) -> None:
    """Tell those who wait how far the present work is."""
    ValuesImport.objects.filter(pk=import_id).update(done=done, total=total, modified=Now())


def keep_rows(given: ValuesImport, pieces: Iterable[Sequence[ImportedRow]]) -> None:
    """Keep what was found of rows, which come in pieces, in the place of what was found before."""
    with transaction.atomic():
        ImportedRow.objects.filter(given=given).delete()
        for rows in pieces:
            ImportedRow.objects.bulk_create(rows, batch_size=_AT_ONCE)


def rows_with(given: ValuesImport, *outcomes: ImportOutcome) -> QuerySet[ImportedRow]:
    """Rows of which this became, in their order."""
    return ImportedRow.objects.filter(given=given, outcome__in=outcomes).select_related("item").order_by("line")


def problems_of_rows(given: ValuesImport) -> Iterator[tuple[object, ...]]:
    """Everything that is wrong with rows, a line each after one of heads."""
    yield ("line", "item", "column", "value", "problem", "remedy")
    for row in rows_with(given, ImportOutcome.WRONG, ImportOutcome.CONFLICT).iterator(chunk_size=_AT_ONCE):
        for problem in row.problems:
            told = (problem.get(name, "") for name in ("column", "value", "message", "remedy"))
            yield (row.line, row.label or row.title, *told)


def end_application(given: ValuesImport, report: Mapping[str, Any]) -> None:
    """Note that all is applied, and forget the bytes and values, which are in the items now."""
    given.report = {**given.report, **report}
    given.state, given.finished, given.done = ImportState.APPLIED, now(), given.total
    blob, given.blob = given.blob_id, None
    given.save()
    ImportedRow.objects.filter(given=given, outcome=ImportOutcome.APPLIED).delete()
    ImportedRow.objects.filter(given=given).update(changes=[], base={})
    mark_let_go([blob] if blob else [])


def _in_state(import_id: UUID, *, to: str) -> ValuesImport:
    locked = lock_import(import_id)
    if locked is None:
        raise NotFound("There is no such spreadsheet of values.")
    if locked.state not in _SETTLED:
        words = ImportState(locked.state).label.lower()
        raise Conflict(f"The spreadsheet is {words}: it is too late or too early to {to}.")
    return locked


def _set_going(given: ValuesImport, state: ImportState, *, enqueues: bool = True) -> None:
    given.state, given.done = state, 0
    given.save()
    if enqueues:
        enqueue_import(given.pk)


def _forget(imports: Sequence[ValuesImport]) -> int:
    blobs = {one.blob_id for one in imports if one.blob_id is not None}
    ValuesImport.objects.filter(pk__in=[one.pk for one in imports]).delete()
    mark_let_go(blobs)
    return len(imports)
