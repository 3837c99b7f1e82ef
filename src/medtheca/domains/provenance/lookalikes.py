"""Near-duplicates of an image, as far as a person may know of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image
from medtheca.domains.imaging.similar import NEAR, near
from medtheca.domains.provenance.models import Accession


@dataclass(frozen=True, slots=True)
class Lookalike:
    """An image that looks like another: how many bits of 64 of their hashes differ, and whether the pixels do."""

    image: Image
    distance: int
    same_pixels: bool


def lookalikes_of(user: User, accession: Accession, *, most: int = 12) -> list[Lookalike]:
    """The nearest near-duplicates among the contributor's images that the person sees; for staff among all images."""
    if accession.image is None:
        return []
    images = visible_images(viewer_of(user))
    if not user.is_staff:
        images = images.filter(accession__cohort__contributor=accession.cohort.contributor_id)
    return nearest(images, accession.image, most=most)


def nearest(images: QuerySet[Image], image: Image, *, most: int, within: int = NEAR) -> list[Lookalike]:
    """Those of `images` that look like an image, the nearest first, without itself."""
    rows = near(images.exclude(pk=image.pk), image.perceptual_hash, within=within)
    return [Lookalike(row, row.distance, row.pixel_hash == image.pixel_hash) for row in rows[:most]]
