"""Lesions as everybody may see them: only where every image of one is visible to whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from medtheca.base.errors import NotFound
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.models import Accession, Lesion
from medtheca.domains.search.entries import Entry, entries_among
from medtheca.domains.search.queries import Asker
from medtheca.domains.storage.erased import raise_if_erased

# The nearer the look, the more an image says of a lesion. Others come last.
_RANKS = (
    "dermoscopic",
    "clinical: close-up",
    "TBP tile: close-up",
    "clinical: overview",
    "TBP tile: overview",
)
_LEVELS = tuple(f"diagnosis_{level}" for level in range(1, 6))


@dataclass(frozen=True, slots=True)
class SeenImage:
    """An image of a lesion: its row, and what lists show of it."""

    image: Image
    entry: Entry


@dataclass(frozen=True, slots=True)
class SeenLesion:
    """A lesion with its images in the order of the days on which they were made, unknown days last.

    `index` is the image that stands for it, and whose diagnosis is its outcome, with `:` between the levels.
    """

    public_id: str
    images: tuple[SeenImage, ...]
    index: SeenImage
    longitudinally_monitored: bool
    outcome_diagnosis: str
    outcome_diagnosis_1: str


def visible_lesions(asker: Asker) -> QuerySet[Lesion]:
    """Lesions with an image, every one of which the asker may see now; by public id."""
    seen = visible_images(viewer_of(asker)).filter(pk=OuterRef("image"))
    mine = Accession.objects.filter(lesion=OuterRef("pk"), image__isnull=False)
    return Lesion.objects.filter(Exists(mine), ~Exists(mine.filter(~Exists(seen)))).order_by("public_id")


def lesion_for(asker: Asker, public_id: str) -> SeenLesion:
    """A lesion that the asker may see. Raises `NotFound`, or `Erased`."""
    found = None if "\0" in public_id else visible_lesions(asker).filter(public_id=public_id).first()
    if found is None:
        if "\0" not in public_id:
            raise_if_erased(public_id)
        raise NotFound(f"There is no lesion {public_id}.")
    return see_lesions([found], asker=asker)[0]


def see_lesions(lesions: Sequence[Lesion], *, asker: Asker) -> list[SeenLesion]:
    """Lesions that the asker may see with their images, in two queries, whatever their number."""
    rows = Accession.objects.filter(lesion__in=[lesion.pk for lesion in lesions], image__isnull=False)
    accessions = list(rows.select_related("image"))
    images = Image.objects.filter(pk__in=[row.image_id for row in accessions])
    entries = entries_among(images, asker=asker)
    by_lesion: dict[int, list[SeenImage]] = {}
    for row in accessions:
        assert row.image is not None
        if row.image.pk in entries:
            by_lesion.setdefault(row.lesion_id or 0, []).append(SeenImage(row.image, entries[row.image.pk]))
    # An image that was taken from view between the two queries takes its lesion along.
    return [_see(lesion, by_lesion[lesion.pk]) for lesion in lesions if by_lesion.get(lesion.pk)]


def _see(lesion: Lesion, images: Iterable[SeenImage]) -> SeenLesion:
    in_time = tuple(sorted(images, key=_place_in_time))
    index = min(in_time, key=_place_as_index)
    terms = [str(index.entry.structured[level]) for level in _LEVELS if index.entry.structured.get(level)]
    days = {_day(seen) for seen in in_time} - {None}
    return SeenLesion(
        public_id=lesion.public_id,
        images=in_time,
        index=index,
        longitudinally_monitored=len(days) > 1,
        outcome_diagnosis=":".join(terms),
        outcome_diagnosis_1=str(index.entry.structured.get("diagnosis_1") or ""),
    )


def _day(seen: SeenImage) -> int | None:
    day = seen.entry.structured.get("acquisition_day")
    return int(day) if day is not None else None


def _place_in_time(seen: SeenImage) -> tuple[Any, ...]:
    day = _day(seen)
    return (day is None, day or 0, seen.image.created, seen.image.pk)


def _place_as_index(seen: SeenImage) -> tuple[Any, ...]:
    biopsied = seen.entry.structured.get("concomitant_biopsy") is True
    kind = str(seen.entry.structured.get("image_type") or "")
    day = _day(seen)
    rank = _RANKS.index(kind) if kind in _RANKS else len(_RANKS)
    return (not biopsied, day is None, day or 0, rank, seen.image.pk)
