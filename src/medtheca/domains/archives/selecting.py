"""Which items of an archive are meant: all, those that are named, or those of which conditions hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.archives.access import Asker
from medtheca.domains.archives.models import Archive, Item, ItemValue
from medtheca.domains.archives.queries import items_of
from medtheca.domains.archives.searching import Condition, narrowed
from medtheca.toolkit.sockets.kinds import OVERLAYS

MOST_NAMED = 10_000
"""Items that one request may name."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Items of an archive: those that are named, and of them or of all those of which every condition holds."""

    item_ids: Sequence[UUID] | None = None
    conditions: Sequence[Condition] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all items are meant."""
        return self.item_ids is None and not self.conditions


def items_selected(archive: Archive, selection: Selection) -> QuerySet[Item]:
    """The items, in their order. Raises `Invalid` for names of which there is no item, for none and for too many."""
    items = narrowed(items_of(archive), selection.conditions, archive=archive)
    if selection.item_ids is None:
        return items
    wanted = list(dict.fromkeys(selection.item_ids))
    if not 1 <= len(wanted) <= MOST_NAMED:
        words = "No item is named." if not wanted else f"{len(wanted):,} items are named."
        raise _wrong(words, f"Name 1 to {MOST_NAMED:,}; more by what must hold of them.")
    named = items.filter(pk__in=wanted)
    there = set(named.values_list("pk", flat=True))
    missing = [pk for pk in wanted if pk not in there]
    if missing:
        raise _wrong(f"There is no item {missing[0]} in the archive.", "Items in the trash are restored first.")
    return named


def images_in_items(items: QuerySet[Item], asker: Asker, *, overlays: bool = False) -> list[int]:
    """Keys of the images in items that the asker sees, in the items' order, each once; overlays where asked for."""
    seen = visible_images(viewer_of(asker)).values("pk")
    rows = ItemValue.objects.filter(item__in=items.order_by().values("pk"), value__image__in=seen)
    if not overlays:
        rows = rows.exclude(socket__kind__in=OVERLAYS)
    found = rows.order_by("item__number", "socket__slug", "pk").values_list("value__image", flat=True)
    return [pk for pk in dict.fromkeys(found) if pk is not None]


def _wrong(words: str, remedy: str) -> Invalid:
    return Invalid("The items are not clear.", problems=[Problem("items", words, remedy=remedy)])
