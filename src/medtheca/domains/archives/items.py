"""Items and what is in them: made, filled, renamed, put into the trash and taken out again.

An image that is in an item hangs in the archive's circle, as long as any item that is not in the trash has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, Problem
from medtheca.domains.access.models import Placement
from medtheca.domains.access.operations import place_images
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_editor, require_uploader
from medtheca.domains.archives.enums import ItemVerb
from medtheca.domains.archives.models import Archive, Item, ItemChange, ItemValue
from medtheca.domains.ledger.operations import record
from medtheca.domains.sockets.models import Socket, Value

LONGEST_TITLE = 255
_LONGEST_TEXT = 200
MOST_VALUES = 200
"""Sockets that one item may fill."""


def create_item(*, archive: Archive, creator: User, title: str = "") -> Item:
    """Make an empty item at the end of the archive. Raises `NotFound`, `NotAllowed`, `Invalid` or `Conflict`."""
    return create_items(archive=archive, creator=creator, titles=[title])[0]


def create_items(*, archive: Archive, creator: User, titles: Sequence[str]) -> list[Item]:
    """Make empty items at the end of the archive, in this order; a title is empty or nobody else's there."""
    require_uploader(creator, archive, to="make items")
    words = [_checked_title(title) for title in titles]
    with transaction.atomic():
        # The archive's row is the queue in which places are given out.
        Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=archive.pk)
        last = Item.objects.filter(archive=archive).aggregate(last=Max("number"))["last"] or 0
        made = [
            Item(archive=archive, creator=creator, title=title, number=last + at) for at, title in enumerate(words, 1)
        ]
        try:
            with transaction.atomic():
                Item.objects.bulk_create(made)
        except IntegrityError as error:
            raise _title_taken(words) from error
        ItemChange.objects.bulk_create([ItemChange(item=item, by=creator, verb=ItemVerb.CREATED) for item in made])
    return made


def rename_item(*, item: Item, actor: User, title: str) -> None:
    """Give an item another title. Raises `NotFound`, `NotAllowed`, `Invalid` or `Conflict`."""
    require_uploader(actor, item.archive, to="change items")
    words = _checked_title(title)
    if words == item.title:
        return
    with transaction.atomic():
        try:
            with transaction.atomic():
                Item.objects.filter(pk=item.pk).update(title=words, modified=now())
        except IntegrityError as error:
            raise _title_taken([words]) from error
        ItemChange.objects.create(item=item, by=actor, verb=ItemVerb.TITLED, title=item.title)
    item.title = words


def put_values(*, item: Item, actor: User, values: Iterable[Value], keep_others: bool = True) -> None:
    """Put values into an item: each takes the place of what was in its socket. Without `keep_others` the rest goes.

    That the actor may show the images of `values` to the archive's people is the caller's to have asked.
    Raises `NotFound`, `NotAllowed`, or `Invalid` for two values of one socket.
    """
    require_uploader(actor, item.archive, to="change items")
    wanted = {value.socket_id: value for value in values}
    if len(wanted) > MOST_VALUES:
        raise Invalid("The item has too many values.", problems=[Problem("values", f"{MOST_VALUES} is the most.")])
    with transaction.atomic():
        Item.objects.select_for_update(no_key=True, of=("self",)).get(pk=item.pk)
        there = {row.socket_id: row for row in ItemValue.objects.filter(item=item)}
        changes = []
        for socket, value in wanted.items():
            before = there.get(socket)
            if before is not None and before.value_id == value.pk:
                continue
            verb = ItemVerb.REPLACED if before else ItemVerb.ADDED
            changes.append(
                ItemChange(
                    item=item,
                    by=actor,
                    verb=verb,
                    socket_id=socket,
                    before_id=before.value_id if before else None,
                    after=value,
                )
            )
            number, text = sortable(value)
            ItemValue.objects.update_or_create(
                item=item,
                socket_id=socket,
                defaults={"value": value, "number": number, "text": text},
                create_defaults={"archive_id": item.archive_id, "value": value, "number": number, "text": text},
            )
        gone = [] if keep_others else [row for socket, row in there.items() if socket not in wanted]
        changes += _removals(item, actor, gone)
        ItemValue.objects.filter(pk__in=[row.pk for row in gone]).delete()
        _note(item, changes)


def remove_values(*, item: Item, actor: User, sockets: Iterable[Socket]) -> None:
    """Take what is in these sockets out of an item; what is not there is passed over."""
    require_uploader(actor, item.archive, to="change items")
    with transaction.atomic():
        Item.objects.select_for_update(no_key=True, of=("self",)).get(pk=item.pk)
        rows = list(ItemValue.objects.filter(item=item, socket__in=list(sockets)))
        ItemValue.objects.filter(pk__in=[row.pk for row in rows]).delete()
        _note(item, _removals(item, actor, rows))


def trash_items(*, archive: Archive, actor: User, item_ids: Iterable[UUID]) -> int:
    """Put items into the trash: nobody sees them or their images there. Returns how many. Raises `NotAllowed`."""
    require_editor(actor, archive, to="delete items")
    with transaction.atomic():
        rows = Item.objects.filter(archive=archive, pk__in=list(item_ids), trashed__isnull=True)
        found = list(rows.select_for_update(no_key=True, of=("self",)).order_by("pk"))
        ids = [item.pk for item in found]
        Item.objects.filter(pk__in=ids).update(trashed=now(), trashed_by=actor)
        ItemChange.objects.bulk_create([ItemChange(item=item, by=actor, verb=ItemVerb.TRASHED) for item in found])
        hang_images(archive, _images_in(ids))
        _record(archive, actor, "archive.items_trashed", len(ids))
    return len(ids)


def restore_items(*, archive: Archive, actor: User, item_ids: Iterable[UUID]) -> int:
    """Take items out of the trash; a title that another has by now is left out. Returns how many."""
    require_editor(actor, archive, to="restore items")
    with transaction.atomic():
        rows = Item.objects.filter(archive=archive, pk__in=list(item_ids), trashed__isnull=False)
        found = list(rows.select_for_update(no_key=True, of=("self",)).order_by("number"))
        for item in found:
            taken = Item.objects.filter(archive=archive, title=item.title, trashed__isnull=True).exclude(title="")
            item.title = "" if taken.exists() else item.title
            item.trashed = item.trashed_by = None
            item.save(update_fields=["title", "trashed", "trashed_by", "modified"])
        ItemChange.objects.bulk_create([ItemChange(item=item, by=actor, verb=ItemVerb.RESTORED) for item in found])
        hang_images(archive, _images_in([item.pk for item in found]))
        _record(archive, actor, "archive.items_restored", len(found))
    return len(found)


def hang_images(archive: Archive, image_ids: Iterable[int]) -> None:
    """Let images hang in the archive's circle where an item that is not in the trash has them, and not otherwise."""
    images = set(image_ids)
    if not images:
        return
    # The archive's row is the queue: one that takes an image out and one that puts it in must not pass each other by.
    Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=archive.pk)
    held = ItemValue.objects.filter(item__archive=archive, item__trashed__isnull=True, value__image__in=images)
    shown = set(held.values_list("value__image", flat=True))
    Placement.objects.filter(scope=archive.scope_id, image__in=images - shown).delete()
    place_images(image_ids=sorted(shown), scope_ids=[archive.scope_id])


def sortable(value: Value) -> tuple[float | None, str]:
    """What tables sort and filter a value by: a number where it is one (true is 1), and its words."""
    if value.image_id is not None or value.blob_id is not None:
        return None, value.filename[:_LONGEST_TEXT]
    content = value.value
    if isinstance(content, bool | int | float):
        try:
            return float(content), str(content).lower()[:_LONGEST_TEXT]
        except OverflowError:
            return None, str(content)[:_LONGEST_TEXT]
    if isinstance(content, str):
        return None, content[:_LONGEST_TEXT].replace("\x00", "")
    if isinstance(content, list) and all(isinstance(one, str) for one in content):
        return None, ", ".join(content)[:_LONGEST_TEXT]
    return None, ""


def _removals(item: Item, by: User, rows: Iterable[ItemValue]) -> list[ItemChange]:
    return [
        ItemChange(item=item, by=by, verb=ItemVerb.REMOVED, socket_id=row.socket_id, before_id=row.value_id)
        for row in rows
    ]


def _images_in(item_ids: Sequence[UUID]) -> list[int]:
    rows = ItemValue.objects.filter(item__in=item_ids, value__image__isnull=False)
    return list(rows.values_list("value__image", flat=True))


def _note(item: Item, changes: list[ItemChange]) -> None:
    """Write the history, and hang images as the item has them now."""
    if not changes:
        return
    ItemChange.objects.bulk_create(changes)
    Item.objects.filter(pk=item.pk).update(modified=now())
    touched = [pk for change in changes for pk in (change.before_id, change.after_id) if pk is not None]
    images = Value.objects.filter(pk__in=touched, image__isnull=False).values_list("image", flat=True)
    hang_images(item.archive, list(images))


def _record(archive: Archive, actor: User, verb: str, number: int) -> None:
    if number:
        record(
            actor_id=actor.pk,
            verb=verb,
            subject_type="archive",
            subject_id=archive.pk,
            cohort_id=archive.cohort_id,
            details={"items": number},
        )


def _checked_title(title: str) -> str:
    words = title.strip()
    if len(words) > LONGEST_TITLE or any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in words):
        problem = Problem("title", f"A title is one line of up to {LONGEST_TITLE} characters.", remedy="Shorten it.")
        raise Invalid("The item cannot be called so.", problems=[problem])
    return words


def _title_taken(titles: Sequence[str]) -> Conflict:
    named = ", ".join(title for title in titles[:5] if title)
    return Conflict(
        f"Another item of the archive is called so already: {named}.",
        code="title_taken",
        remedy="Choose another title.",
    )
