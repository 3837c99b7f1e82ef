"""A spreadsheet of values that was checked is applied: in chunks, each whole, going on where an earlier try stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from medtheca.base.errors import DomainError
from medtheca.base.steps import step
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.archives.access import may_upload
from medtheca.domains.archives.enums import ImportOutcome, ImportState
from medtheca.domains.archives.importing import end_application, lock_import, rows_with
from medtheca.domains.archives.items import create_items
from medtheca.domains.archives.many import ItemPlan, change_items
from medtheca.domains.archives.models import Archive, ImportedRow, Item, ItemChange, ItemValue, ValuesImport
from medtheca.domains.archives.queries import items_of
from medtheca.domains.archives.sharing import shareable_images
from medtheca.domains.imaging.models import Image
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.sockets.models import Socket
from medtheca.workflows.archiving.judging_values import label_of

CHUNK = 200
_GONE = "The item is not there any more."
_CHANGED = "Changed after the check: {}. Import the sheet again to see what it would change now."


def apply_values(*, import_id: UUID, chunk: int = CHUNK, told: Callable[[int], None] | None = None) -> None:
    """Apply one that is to be applied, to its end; `told` is called with the number of rows that were done."""
    while done := _apply_chunk(import_id, chunk):
        step("archives.values_applied")
        if told is not None:
            told(done)


def _apply_chunk(import_id: UUID, chunk: int) -> int:
    """How many rows were done; with none left, the application ends."""
    with transaction.atomic():
        given = lock_import(import_id)
        if given is None or given.state != ImportState.APPLYING:
            return 0
        rows = list(rows_with(given, ImportOutcome.WAITING)[:chunk])
        allowed = may_upload(given.creator, given.archive)
        if rows and allowed:
            _Chunk(given, rows).apply()
            given.done += len(rows)
            given.save(update_fields=["done", "modified"])
            return len(rows)
        stopped = "" if allowed else "Whoever gave the spreadsheet may not change items of the archive any more."
        _finish(given, stopped)
        return 0


def _finish(given: ValuesImport, stopped: str) -> None:
    applied = rows_with(given, ImportOutcome.APPLIED).count()
    conflicts = rows_with(given, ImportOutcome.CONFLICT).count()
    end_application(given, {"applied": applied, "conflicts": conflicts, "stopped": stopped})
    title = given.archive.title
    more = f" {conflicts:,} rows were left out, because their items changed meanwhile." if conflicts else ""
    words = f"A spreadsheet of values for the archive {title} was applied: {applied:,} items changed.{more}"
    record(
        actor_id=given.creator_id,
        verb="archive.values_imported",
        subject_type="archive",
        subject_id=given.archive_id,
        cohort_id=given.archive.cohort_id,
        details={"items": applied, "skipped": conflicts},
    )
    notify(
        recipient_ids=[given.creator_id],
        kind="archive.values_imported",
        words=stopped or words,
        url=f"/archives/{given.archive.slug}/items/import/{given.pk}/",
        subject_type="values_import",
        subject_id=given.pk,
        cohort_id=given.archive.cohort_id,
    )


class _Chunk:
    """Rows that are applied together; where that fails, each for itself."""

    def __init__(self, given: ValuesImport, rows: Sequence[ImportedRow]) -> None:
        self._given, self._archive, self._user = given, given.archive, given.creator
        self._rows = rows
        named = {change["socket"] for row in rows for change in row.changes}
        self._sockets = Socket.objects.in_bulk(named)
        self._images = self._images_of(rows)

    def _images_of(self, rows: Sequence[ImportedRow]) -> dict[str, Image]:
        """Images by their keys, as far as the person may still show them here."""
        keys = {change["image"] for row in rows for change in row.changes if "image" in change}
        if not keys:
            return {}
        seen = visible_images(viewer_of(self._user)).filter(key__in=keys)
        mine = shareable_images(self._user, self._archive).filter(pk__in=seen.values("pk"))
        shared = set(mine.values_list("pk", flat=True))
        return {str(image.key): image for image in seen if image.pk in shared}

    def apply(self) -> None:
        """Apply what can be, and say of the rest why not."""
        # Whoever makes items holds the archive first: settled uploads fill theirs after that, and wait for nobody then.
        Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=self._archive.pk)
        ids = sorted(row.item_id for row in self._rows if row.item_id)
        locked = Item.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True, of=("self",))
        items = {item.pk: item for item in locked}
        conflicts = self._conflicts(items)
        good = [row for row in self._rows if row.pk not in conflicts]
        try:
            with transaction.atomic():
                self._write(good, items)
        except (DomainError, IntegrityError):
            for row in good:
                try:
                    with transaction.atomic():
                        self._write([row], items)
                except DomainError as error:
                    conflicts[row.pk] = f"{error.message} {error.remedy}".strip()
                except IntegrityError:
                    conflicts[row.pk] = "Another item of the archive is called so by now."
        for row in self._rows:
            words = conflicts.get(row.pk)
            row.outcome = ImportOutcome.CONFLICT if words else ImportOutcome.APPLIED
            row.problems = [{"message": words}] if words else []
        ImportedRow.objects.bulk_update(self._rows, ["outcome", "problems"], batch_size=500)

    def _conflicts(self, items: dict[UUID, Item]) -> dict[int, str]:
        """What hinders rows, by their keys: nothing that changed since the check is written over unseen."""
        held = ItemValue.objects.filter(item__in=list(items), socket__in=list(self._sockets))
        now_there = {(item, socket): value for item, socket, value in held.values_list("item", "socket", "value")}
        titles = [row.title for row in self._rows if row.title]
        taken = dict(items_of(self._archive).filter(title__in=titles).values_list("title", "pk"))
        found: dict[int, str] = {}
        for row in self._rows:
            item = items.get(row.item_id) if row.item_id else None
            changed = [
                change["title"]
                for change in row.changes
                if row.item_id and now_there.get((row.item_id, change["socket"])) != row.base[str(change["socket"])]
            ]
            if row.renames and item is not None and label_of(item) != row.label:
                changed.insert(0, "the title")
            unshared = [one["after"] for one in row.changes if "image" in one and one["image"] not in self._images]
            if row.item_id and (item is None or item.trashed is not None):
                found[row.pk] = _GONE
            elif row.title and taken.get(row.title, row.item_id) != row.item_id:
                found[row.pk] = "Another item of the archive is called so by now."
            elif changed:
                found[row.pk] = _CHANGED.format(", ".join(changed))
            elif unshared:
                found[row.pk] = f"You may not show {', '.join(unshared)} to the people of the archive any more."
        return found

    def _write(self, rows: Sequence[ImportedRow], items: dict[UUID, Item]) -> None:
        new = [row for row in rows if row.item_id is None]
        made = create_items(archive=self._archive, creator=self._user, titles=[row.title for row in new]) if new else []
        for item in made:
            ItemChange.objects.filter(item=item).update(reason=self._given.reason)
        targets = [(row, items[row.item_id]) for row in rows if row.item_id is not None]
        plans = [self._plan(row, item) for row, item in [*targets, *zip(new, made, strict=True)]]
        change_items(archive=self._archive, actor=self._user, plans=plans, reason=self._given.reason)

    def _plan(self, row: ImportedRow, item: Item) -> ItemPlan:
        puts: dict[Socket, Any] = {}
        clears = []
        for change in row.changes:
            socket = self._sockets[change["socket"]]
            if "clear" in change:
                clears.append(socket)
            else:
                puts[socket] = self._images[change["image"]] if "image" in change else change["put"]
        return ItemPlan(item, puts, tuple(clears), row.title if row.renames else None)
