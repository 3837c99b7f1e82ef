"""Groups of near-duplicates, kept up to date: what is new is looked up by index, never compared with everything.

A group may be coarser than what a viewer sees of it, never finer: whoever asks compares the members that they see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from numpy.typing import NDArray

from medtheca.base.errors import Conflict
from medtheca.domains.imaging.enums import ImageKind
from medtheca.domains.imaging.models import Image, NearDuplicate, NearDuplicateDue
from medtheca.domains.imaging.similar import near
from medtheca.toolkit.images.alike import NEAR, groups_of

MOST_DUE = 20_000
"""With more images due than this, everything is grouped anew, which takes less time."""
_AT_ONCE = 500
# Whoever holds this advisory lock writes groups; the number is "alike" on a telephone's keys.
_LOCK = 25453
# Cards of documents look all alike. A number of 64 bits stands for the pixels.
_HASHES = """
SELECT string_agg(int8send(i.id) || int8send(CASE WHEN i.kind = 'document' THEN 0 ELSE i.perceptual_hash END)
    || int8send(hashtextextended(i.pixel_hash, 0)) || int8send(coalesce(d.group, -i.id)),
    ''::bytea ORDER BY {order} i.id)
FROM imaging_image i {join} JOIN imaging_nearduplicate d ON d.image_id = i.id {condition}
"""


@dataclass(frozen=True, slots=True)
class Hashes:
    """Images as arrays of one length: their keys, perceptual hashes (0 says nothing), pixels as numbers, groups.

    Where an image is in none, its group is its key below zero.
    """

    images: NDArray[np.int64]
    perceptual: NDArray[np.int64]
    pixels: NDArray[np.int64]
    groups: NDArray[np.int64]

    def where(self, wanted: NDArray[Any]) -> Hashes:
        """Those at these places."""
        return Hashes(self.images[wanted], self.perceptual[wanted], self.pixels[wanted], self.groups[wanted])


@dataclass(frozen=True, slots=True)
class Status:
    """Groups and the images in them, as they are kept; `due` images are still to be looked at."""

    groups: int
    images: int
    due: int


def read_members(groups: Collection[int] | None = None) -> Hashes:
    """The images of groups, of all without an argument, in the order of their groups."""
    if groups is None:
        return _read("", [], join="", order="d.group,")
    return _read("WHERE d.group = ANY(%s)", [list(groups)], join="", order="d.group,")


def near_duplicates_of_outer(images: QuerySet[Image], *, exact: bool = False) -> QuerySet[Image]:
    """As a subquery: those of `images` that are near-duplicates of the outer one; with `exact`, with its pixels."""
    others = images.filter(near_duplicate__group=OuterRef("near_duplicate__group")).exclude(pk=OuterRef("pk"))
    alike = Q(pixel_hash=OuterRef("pixel_hash"))
    if not exact:
        both = (F("perceptual_hash"), OuterRef("perceptual_hash"))
        alike |= Q(_Near(*both)) & Q(_BothSay(*both)) & Q(_NoDocuments(F("kind"), OuterRef("kind")))
    return others.filter(alike)


def group_due() -> int:
    """Look at the images that are due, and at those of their groups; how many there were. Repeating it does no harm.

    Nothing is done while somebody else does it.
    """
    done = 0
    while True:
        with transaction.atomic():
            if not _alone():
                return done
            if NearDuplicateDue.objects.count() > MOST_DUE:
                return done + _group_all()
            ids = list(NearDuplicateDue.objects.order_by("pk").values_list("pk", "image")[:_AT_ONCE])
            if not ids:
                return done
            _group({image for _, image in ids})
            NearDuplicateDue.objects.filter(pk__in=[pk for pk, _ in ids]).delete()
            done += len(ids)


def group_everything() -> int:
    """Make all groups anew, from the images; how many images there are. Raises `Conflict` while somebody else does."""
    with transaction.atomic():
        if not _alone():
            raise Conflict("Somebody else is grouping near-duplicates.", remedy="Try again in a minute.")
        return _group_all()


def find_differences() -> list[int]:
    """Keys of images whose group is another than their hashes say, with what is due left out of it. Changes nothing."""
    with transaction.atomic():
        due = set(NearDuplicateDue.objects.values_list("image", flat=True))
        everything = _everything()
        wanted = everything.images[groups_of(everything.perceptual, everything.pixels)]
        _, which, sizes = np.unique(wanted, return_inverse=True, return_counts=True)
        # Labels may differ where groups are the same: the smallest key of each counts.
        kept = _smallest(everything.groups, everything.images)
        wrong = (wanted != kept) | ((sizes[which] > 1) != (everything.groups > 0))
        different = everything.images[wrong].tolist()
    return [image for image in different if image not in due]


def status() -> Status:
    """What is kept now."""
    there = NearDuplicate.objects.filter(Exists(Image.objects.filter(pk=OuterRef("pk"))))
    return Status(
        groups=there.values("group").distinct().count(), images=there.count(), due=NearDuplicateDue.objects.count()
    )


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _group(images: set[int]) -> None:
    """Bring the groups of these images up to date: those they were in, and those they belong to."""
    groups = set(NearDuplicate.objects.filter(image__in=images).values_list("group", flat=True))
    found = _groups_near(images)
    groups |= {group for group in found if group > 0}
    touched = images | {-single for single in found if single < 0}
    touched.update(NearDuplicate.objects.filter(group__in=groups).values_list("image", flat=True))
    there = _read("WHERE i.id = ANY(%s)", [sorted(touched)], join="LEFT")
    _write(there, gone=touched - set(there.images.tolist()))


def _groups_near(images: Iterable[int]) -> set[int]:
    """Groups of the near-duplicates of images, and those without a group as their keys below zero."""
    whose = Coalesce("near_duplicate__group", -F("pk"))
    rows = list(Image.objects.filter(pk__in=images).values_list("pk", "kind", "perceptual_hash", "pixel_hash"))
    same = Image.objects.filter(pixel_hash__in={pixels for *_, pixels in rows})
    found = set(same.order_by().values_list(whose, flat=True).distinct())
    looking = Image.objects.exclude(kind=ImageKind.DOCUMENT).exclude(perceptual_hash=0)
    for hash_ in {hash_ for _, kind, hash_, _ in rows if hash_ and kind != ImageKind.DOCUMENT}:
        alike = near(looking, hash_, within=NEAR)
        found.update(alike.order_by().values_list(whose, flat=True).distinct())
    return found


def _group_all() -> int:
    NearDuplicateDue.objects.all().delete()
    everything = _everything()
    with connection.cursor() as cursor:
        cursor.execute("SELECT image_id FROM imaging_nearduplicate d WHERE NOT EXISTS"
                       " (SELECT 1 FROM imaging_image i WHERE i.id = d.image_id)")  # fmt: skip
        gone = {row[0] for row in cursor.fetchall()}
    _write(everything, gone=gone)
    return len(everything.images)


def _write(there: Hashes, *, gone: set[int]) -> None:
    """Write the groups of images that have no near-duplicates but each other."""
    wanted = there.images[groups_of(there.perceptual, there.pixels)]
    _, which, sizes = np.unique(wanted, return_inverse=True, return_counts=True)
    grouped = sizes[which] > 1
    leaving = there.images[~grouped & (there.groups > 0)].tolist()
    NearDuplicate.objects.filter(image__in=[*leaving, *gone]).delete()
    changed = grouped & (wanted != there.groups)
    rows = zip(there.images[changed].tolist(), wanted[changed].tolist(), strict=True)
    NearDuplicate.objects.bulk_create(
        [NearDuplicate(image_id=image, group=group) for image, group in rows],
        update_conflicts=True,
        unique_fields=["image"],
        update_fields=["group"],
        batch_size=5000,
    )


def _everything() -> Hashes:
    return _read("", [], join="LEFT")


def _read(condition: str, parameters: list[Any], *, join: str, order: str = "") -> Hashes:
    """Rows packed by the database: a million come as one value of 32 MB."""
    with connection.cursor() as cursor:
        cursor.execute(_HASHES.format(condition=condition, join=join, order=order), parameters)
        packed = cursor.fetchone()[0]
    table = np.frombuffer(packed or b"", ">i8").astype(np.int64).reshape(-1, 4)
    return Hashes(*(np.ascontiguousarray(table[:, at]) for at in range(4)))


def _smallest(groups: NDArray[np.int64], images: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each image's group the smallest key; `images` ascend."""
    _, first, which = np.unique(groups, return_index=True, return_inverse=True)
    return images[first[which]]


class _BothSay(Func):
    """Whether no perceptual hash is that of a plain picture, of which nothing can be said."""

    template = "(0 <> ALL(ARRAY[%(expressions)s]::bigint[]))"
    output_field = BooleanField()


class _NoDocuments(Func):
    template = "('document' <> ALL(ARRAY[%(expressions)s]::text[]))"
    output_field = BooleanField()


class _Near(Func):
    template = f"(bit_count((%(expressions)s)::bit(64)) <= {NEAR})"
    arg_joiner = " # "
    output_field = BooleanField()
