"""Near-duplicates among the images that somebody sees: how many, and in which groups.

What an asker does not see neither counts nor connects: two images that only a hidden one resembles both are no group.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db.models import Count, IntegerField, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from numpy.typing import NDArray
from pyroaring import BitMap

from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.imaging.models import Image
from medtheca.domains.imaging.near_duplicates import Hashes, near_duplicates_of_outer, read_members
from medtheca.domains.search.naming import Asker
from medtheca.toolkit.bitmaps.answering import whole_bounds
from medtheca.toolkit.images.alike import count_near, distance, groups_of
from medtheca.toolkit.querylang import Equals, Range

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Member:
    """An image of a group: `distance` counts bits of 64 that differ from the image it is compared with."""

    image: Image
    distance: int
    same_pixels: bool


def number_alike(asker: Asker, *, exact: bool) -> Coalesce:
    """Of an image, how many others that the asker sees are near-duplicates; with `exact`, have the same pixels."""
    others = near_duplicates_of_outer(visible_images(viewer_of(asker)), exact=exact)
    counted = others.order_by().annotate(every=Value(1)).values("every").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


@dataclass(frozen=True, slots=True)
class Counted:
    """Images of groups among those that somebody sees: how many near-duplicates each has, and with its pixels."""

    images: NDArray[np.int64]
    near: NDArray[np.int64]
    same: NDArray[np.int64]


def count_alike(visible: BitMap) -> Counted:
    """The numbers for what somebody sees. Of a million images in groups it takes about a second: once for a query."""
    members = read_members()
    seen = members.where(_among(members.images, visible))
    return Counted(seen.images, *count_near(seen.groups, seen.perceptual, seen.pixels))


def images_counted(leaf: Equals | Range, images: BitMap, counted: Counted) -> BitMap:
    """The images of which a leaf says yes that is about the number of near-duplicates."""
    bounds = whole_bounds(leaf)
    if bounds is None:
        return BitMap()
    low, high = bounds
    numbers = counted.same if leaf.field.name == "exact_duplicates" else counted.near
    fitting = np.ones(len(numbers), bool)
    if low is not None:
        fitting &= numbers >= low
    if high is not None:
        fitting &= numbers <= high
    if (low is None or low <= 0) and (high is None or high >= 0):
        return images - BitMap(counted.images[~fitting].astype(np.uint32))
    return BitMap(counted.images[fitting].astype(np.uint32))


def group_named(asker: Asker, text: str) -> list[int]:
    """Keys of the images in the group of one that a text names by public id or key; none where nothing is like it."""
    if _NO_TEXT.search(text):
        return []
    named = Q(public_id=text.strip())
    with contextlib.suppress(ValueError):  # What is no key can only be a public id.
        named |= Q(key=UUID(text.strip()))
    visible = visible_images(viewer_of(asker))
    image = visible.filter(named).values_list("pk", "near_duplicate__group").first()
    if image is None or image[1] is None:
        return []
    return next((group for group in _groups_in([image[1]], visible) if image[0] in group), [])


def groups_of_cohort(asker: Asker, cohort_id: int) -> list[list[int]]:
    """Groups of what the asker sees in which there is an image of a cohort: keys in order, by their first.

    The caller has seen to it that the asker may know of the cohort.
    """
    visible = visible_images(viewer_of(asker))
    mine = visible.filter(accession__cohort=cohort_id, near_duplicate__isnull=False).order_by()
    rows = dict(mine.values_list("pk", "near_duplicate__group"))
    return sorted(group for group in _groups_in(set(rows.values()), visible) if not rows.keys().isdisjoint(group))


def with_same_pixels(groups: list[list[int]]) -> list[list[int]]:
    """What of each group has equal pixels, as groups of its own; images that nothing equals are left out.

    The caller has seen to it that they may be seen.
    """
    rows = Image.objects.filter(pk__in=[key for keys in groups for key in keys])
    pixels = dict(rows.values_list("pk", "pixel_hash"))
    found: dict[tuple[int, str], list[int]] = defaultdict(list)
    for number, keys in enumerate(groups):
        for key in keys:
            if key in pixels:
                found[number, pixels[key]].append(key)
    return [keys for keys in found.values() if len(keys) > 1]


def compare(groups: list[list[int]], *, most: int | None = None) -> list[list[Member]]:
    """The images of groups as the first of each is like them: it before all, then the most alike, `most` of each.

    The caller has seen to it that they may be seen.
    """
    every = Image.objects.filter(pk__in=[key for keys in groups for key in keys])
    hashes = {pk: (look, pixels) for pk, look, pixels in every.values_list("pk", "perceptual_hash", "pixel_hash")}
    found = [_compared([key for key in keys if key in hashes], hashes)[:most] for keys in groups]
    images = Image.objects.in_bulk([key for group in found for key, _, _ in group])
    return [[Member(images[key], bits, same) for key, bits, same in group if key in images] for group in found]


def _compared(keys: list[int], hashes: dict[int, tuple[int, str]]) -> list[tuple[int, int, bool]]:
    """Key, distance and whether the pixels are the same, of each image in comparison with the first."""
    if not keys:
        return []
    look, pixels = hashes[keys[0]]
    found = [(key, distance(look, hashes[key][0]), pixels == hashes[key][1]) for key in keys]
    return sorted(found, key=lambda one: (one[0] != keys[0], not one[2], one[1], one[0]))


def _groups_in(groups: Iterable[int], visible: QuerySet[Image]) -> list[list[int]]:
    """What is a group among the images that are seen, in these of the groups that are kept."""
    members = read_members(list(groups))
    seen = members.where(_among(members.images, BitMap(_seen(visible, members))))
    found: dict[int, list[int]] = defaultdict(list)
    for image, label in zip(seen.images.tolist(), groups_of(seen.perceptual, seen.pixels).tolist(), strict=True):
        found[label].append(image)
    return [sorted(images) for images in found.values() if len(images) > 1]


def _seen(visible: QuerySet[Image], members: Hashes) -> list[int]:
    groups = np.unique(members.groups).tolist()
    return list(visible.filter(near_duplicate__group__in=groups).order_by().values_list("pk", flat=True))


def _among(images: NDArray[np.int64], wanted: BitMap) -> NDArray[np.bool_]:
    return np.isin(images, np.asarray(wanted, np.int64))
