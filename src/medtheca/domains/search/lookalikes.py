"""Images that look like one, for whoever may see them."""

from __future__ import annotations

from dataclasses import dataclass

from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.imaging.similar import near
from medtheca.domains.search.duplicates import Member, compare, group_named, groups_of_cohort
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


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An image of a group: `distance` counts bits of 64 that differ from the image that it is compared with."""

    entry: Entry
    distance: int
    same_pixels: bool


MOST_OF_GROUP = 100
"""So many of a group are listed; the word `duplicate_group` of the query language finds it whole, page by page."""


def duplicates_of(asker: Asker, ref: str) -> list[Duplicate]:
    """What is most alike in the group of an image that the asker sees, without it. Raises `NotFound`."""
    image = image_for(asker, ref)
    others = [key for key in group_named(asker, str(image.key)) if key != image.pk]
    (members,) = compare([[image.pk, *others]], most=MOST_OF_GROUP + 1)
    return _entries(asker, [members[1:]])[0]


def duplicate_groups(asker: Asker, cohort_id: int, *, first: int, limit: int) -> tuple[int, list[list[Duplicate]]]:
    """How many groups an image of a cohort is in, as the asker sees them, and some of them, by their first image.

    The caller has seen to it that the asker may know of the cohort.
    """
    groups = groups_of_cohort(asker, cohort_id)
    return len(groups), _entries(asker, compare(groups[first : first + limit], most=MOST_OF_GROUP))


def _entries(asker: Asker, groups: list[list[Member]]) -> list[list[Duplicate]]:
    pks = {member.image.pk for group in groups for member in group}
    entries = entries_among(visible_images(viewer_of(asker)).filter(pk__in=pks), asker=asker)
    return [
        [
            Duplicate(entries[member.image.pk], member.distance, member.same_pixels)
            for member in group
            if member.image.pk in entries
        ]
        for group in groups
    ]
