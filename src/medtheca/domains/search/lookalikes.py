"""Images that look like one, for whoever may see them."""

from __future__ import annotations

from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.imaging.similar import near
from medtheca.domains.search.entries import Entry, entries_among
from medtheca.domains.search.queries import Asker, image_for


def similar_entries(asker: Asker, ref: str, *, limit: int) -> list[tuple[Entry, int]]:
    """Near-duplicates among the images that the asker sees, the nearest first, each with its distance in bits of 64.

    Raises `NotFound` for an image that they do not see.
    """
    image = image_for(asker, ref)
    visible = visible_images(viewer_of(asker))
    rows = near(visible.exclude(pk=image.pk), image.perceptual_hash)
    found = [(row.pk, row.distance) for row in rows[:limit]]
    entries = entries_among(visible.filter(pk__in=[pk for pk, _ in found]), asker=asker)
    return [(entries[pk], distance) for pk, distance in found if pk in entries]
