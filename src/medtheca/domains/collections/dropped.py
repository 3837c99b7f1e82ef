"""Images of a public collection that the public does not see any more, and why: for those who may change it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from medtheca.base.clock import now
from medtheca.domains.access.enums import PUBLIC_SCOPE
from medtheca.domains.access.models import Placement, Withdrawal
from medtheca.domains.access.queries import open_public_placements, viewer_of, visible_images
from medtheca.domains.collections.access import Asker
from medtheca.domains.collections.models import Collection
from medtheca.domains.imaging.models import Image


@dataclass(frozen=True, slots=True)
class Dropped:
    """One image that dropped out: its name (public id or key), why, and whether the asker can look at it."""

    name: str
    words: str
    is_visible: bool


@dataclass(frozen=True, slots=True)
class DroppedOut:
    """The first of them that may be named, and how many there are in all."""

    rows: tuple[Dropped, ...]
    total: int


def dropped_out(collection: Collection, asker: Asker, *, most: int = 100) -> DroppedOut:
    """What is in a public collection and not public now. The caller has seen that the asker may edit it.

    Named are those that the public once knew, whose tombstone everybody may read, and those that the asker sees.
    """
    if not collection.public:
        return DroppedOut((), 0)
    listed = Placement.objects.filter(scope=collection.listing_id).values("image")
    public = open_public_placements().filter(image=OuterRef("pk"))
    out = Image.objects.filter(pk__in=listed).filter(~Exists(public))
    seen = Exists(visible_images(viewer_of(asker)).filter(pk=OuterRef("pk")))
    named = out.annotate(seen=seen).filter(public_id__isnull=False) | out.annotate(seen=seen).filter(seen=True)
    rows = list(named.order_by("pk").values_list("pk", "public_id", "key", "seen")[:most])
    ids = [pk for pk, *_ in rows]
    reasons = {
        row.image_id: f"It was withdrawn on {row.at:%d %B %Y}{f': {row.reason}' if row.was_public else '.'}"
        for row in Withdrawal.objects.filter(image__in=ids)
    }
    waiting = Placement.objects.filter(image__in=ids, scope=PUBLIC_SCOPE, opens__gt=now()).values_list("image", "opens")
    embargoed = {pk: f"It is under embargo until {opens:%d %B %Y}." for pk, opens in waiting}
    found = tuple(
        Dropped(
            public_id or str(key), reasons.get(pk) or embargoed.get(pk) or "It was made private again.", bool(visible)
        )
        for pk, public_id, key, visible in rows
    )
    return DroppedOut(found, out.count())
