"""One item read closely: its neighbours, its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from medtheca.domains.archives.enums import ItemVerb
from medtheca.domains.archives.models import Item, ItemChange
from medtheca.domains.archives.queries import items_of
from medtheca.toolkit.sockets.cells import write_cell

MOST_CHANGES = 500
"""Changes of an item that its page tells, the latest."""

_LONGEST = 60


@dataclass(frozen=True, slots=True)
class History:
    """One change in words; `who` is empty where it was nobody, or somebody who is gone."""

    at: datetime
    who: str
    words: str


def neighbours_of(item: Item) -> tuple[UUID | None, UUID | None]:
    """The items before and after it, in the order in which they were made."""
    items = items_of(item.archive)
    before = items.filter(number__lt=item.number).order_by("-number").values_list("pk", flat=True).first()
    after = items.filter(number__gt=item.number).values_list("pk", flat=True).first()
    return before, after


def history_of(item: Item) -> list[History]:
    """What was done to the item, the latest first."""
    changes = ItemChange.objects.filter(item=item).select_related("by", "socket", "before", "after").order_by("-pk")
    return [
        History(
            change.at,
            change.by.shown_name if change.by else "",
            f"{_words(change)} ({change.reason})" if change.reason else _words(change),
        )
        for change in changes[:MOST_CHANGES]
    ]


def _words(change: ItemChange) -> str:
    verb = ItemVerb(change.verb)
    if verb is ItemVerb.TITLED:
        return f"renamed it; it was {change.title!r}" if change.title else "gave it a title"
    if change.socket is None:
        return f"{verb.label} it" if verb is ItemVerb.CREATED else f"{verb.label}"
    said = [_said(value) for value in (change.before, change.after)]
    what = f"{verb.label} {change.socket.title}"
    if verb is ItemVerb.REPLACED and all(said):
        return f"{what}: {said[0]} became {said[1]}"
    told = said[1] or said[0]
    return f"{what}: {told}" if told else what


def _said(value: object) -> str:
    """A value in a few words; nothing of images, which not everybody sees who sees the item."""
    if value is None or getattr(value, "image_id", None) is not None:
        return ""
    if getattr(value, "blob_id", None) is not None:
        return str(getattr(value, "filename", ""))
    text = str(write_cell(getattr(value, "value", None)))
    return f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text
