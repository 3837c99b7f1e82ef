"""Values put into many items at once and taken out, in a few queries whatever their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from medtheca.base.bulk import insert_rows
from medtheca.base.clock import now
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_uploader
from medtheca.domains.archives.enums import ItemVerb
from medtheca.domains.archives.items import hang_images, sortable
from medtheca.domains.archives.models import Archive, Item, ItemChange, ItemValue
from medtheca.domains.imaging.models import Image
from medtheca.domains.sockets.models import Socket
from medtheca.domains.sockets.operations import NewValue, create_values


@dataclass(frozen=True, slots=True)
class ItemPlan:
    """What one item is to have: JSON or images by socket, sockets to be emptied, and its title where that is new."""

    item: Item
    puts: dict[Socket, Any] = field(default_factory=dict)
    clears: tuple[Socket, ...] = ()
    title: str | None = None


def change_items(*, archive: Archive, actor: User, plans: Sequence[ItemPlan], reason: str) -> None:
    """Change items of one archive, all or none, each in one plan; the reason stands in their histories.

    That the actor may show the images to the archive's people, and that titles are free, is the caller's to have asked.
    Raises `NotFound`, `NotAllowed`, or `Invalid` for a value that its socket cannot hold.
    """
    require_uploader(actor, archive, to="change items")
    with transaction.atomic():
        ids = sorted(plan.item.pk for plan in plans)
        list(Item.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True, of=("self",)))
        there = _there(ids)
        changes = _put(archive, actor, plans, there) + _clear(actor, plans, there) + _rename(actor, plans)
        for change in changes:
            change.reason = reason
        insert_rows(changes, ["item", "by", "verb", "socket", "before", "after", "title", "reason"])
        Item.objects.filter(pk__in={change.item_id for change in changes}).update(modified=now())
        touched = {change.before.image_id for change in changes if change.before is not None}
        touched |= {change.after.image_id for change in changes if change.after is not None}
        hang_images(archive, [image for image in touched if image is not None])


def _there(item_ids: Sequence[UUID]) -> dict[tuple[UUID, int], ItemValue]:
    rows = ItemValue.objects.filter(item__in=item_ids).select_related("value")
    return {(row.item_id, row.socket_id): row for row in rows}


def _put(
    archive: Archive, actor: User, plans: Sequence[ItemPlan], there: dict[tuple[UUID, int], ItemValue]
) -> list[ItemChange]:
    wanted = [(plan.item, socket, content) for plan in plans for socket, content in plan.puts.items()]
    made = create_values(
        creator=actor,
        given=[
            NewValue(socket, image=content) if isinstance(content, Image) else NewValue(socket, value=content)
            for _, socket, content in wanted
        ],
    )
    rows, changes = [], []
    for (item, socket, _), value in zip(wanted, made, strict=True):
        before = there.get((item.pk, socket.pk))
        number, text = sortable(value)
        rows.append(ItemValue(item=item, archive=archive, socket=socket, value=value, number=number, text=text))
        verb = ItemVerb.REPLACED if before else ItemVerb.ADDED
        changes.append(
            ItemChange(
                item=item, by=actor, verb=verb, socket=socket, before=before.value if before else None, after=value
            )
        )
    insert_rows(
        rows,
        ["item", "archive", "socket", "value", "number", "text"],
        unique=["item", "socket"],
        replaced=["value", "number", "text"],
    )
    return changes


def _clear(actor: User, plans: Sequence[ItemPlan], there: dict[tuple[UUID, int], ItemValue]) -> list[ItemChange]:
    gone = [
        (plan.item, socket, row)
        for plan in plans
        for socket in plan.clears
        if (row := there.get((plan.item.pk, socket.pk)))
    ]
    ItemValue.objects.filter(pk__in=[row.pk for _, _, row in gone]).delete()
    return [
        ItemChange(item=item, by=actor, verb=ItemVerb.REMOVED, socket=socket, before=row.value)
        for item, socket, row in gone
    ]


def _rename(actor: User, plans: Sequence[ItemPlan]) -> list[ItemChange]:
    renamed = [plan for plan in plans if plan.title is not None and plan.title != plan.item.title]
    changes = [ItemChange(item=plan.item, by=actor, verb=ItemVerb.TITLED, title=plan.item.title) for plan in renamed]
    # Emptied first, so that two items may change their titles with each other.
    Item.objects.filter(pk__in=[plan.item.pk for plan in renamed]).update(title="")
    for plan in renamed:
        Item.objects.filter(pk=plan.item.pk).update(title=plan.title)
    return changes
