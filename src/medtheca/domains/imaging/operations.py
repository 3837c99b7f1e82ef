"""Writing images, their files and public ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import IntegrityError, transaction

from medtheca.base.ids import random_number
from medtheca.domains.imaging.models import Image, ImageFile

_TRIES = 8


def create_images(*, images: Sequence[Image], files: Iterable[ImageFile]) -> None:
    """Write new images and their files. `files` refer to members of `images`."""
    Image.objects.bulk_create(images)
    rows = list(files)
    for row in rows:
        row.image_id = row.image.pk
    ImageFile.objects.bulk_create(rows)


def assign_public_ids(*, image_ids: Iterable[int]) -> None:
    """Give each image without a public id a random one.

    No lock: the unique constraint decides, and a collision is tried again; when ids of the configured width
    run out, they become wider.
    """
    waiting = list(Image.objects.filter(pk__in=list(image_ids), public_id__isnull=True).order_by("pk"))
    width = settings.ENVIRONMENT.id_width
    for attempt in range(_TRIES):
        if not waiting:
            return
        _draw_ids(waiting, width + (1 if attempt >= _TRIES // 2 else 0))
        try:
            with transaction.atomic():
                Image.objects.bulk_update(waiting, ["public_id"])
        except IntegrityError:
            continue
        return
    raise RuntimeError(f"No free public ids of {width} digits were found; raise MEDTHECA_ID_WIDTH.")


def _draw_ids(images: Sequence[Image], width: int) -> None:
    prefix = settings.ENVIRONMENT.id_prefix
    drawn: set[str] = set()
    while len(drawn) < len(images):
        drawn |= {random_number(prefix, width) for _ in range(len(images) - len(drawn))}
        drawn -= set(Image.objects.filter(public_id__in=drawn).values_list("public_id", flat=True))
    for image, public_id in zip(images, sorted(drawn), strict=True):
        image.public_id = public_id
