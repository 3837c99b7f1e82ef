"""Writing images, their files and public ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import IntegrityError, transaction

from medtheca.base.ids import random_number
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.storage.erased import erased_among

_TRIES = 8
# So many draws in a row that were all taken mean that ids of this width have all but run out.
_FRUITLESS = 20


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
    run out, they become wider. Raises `RuntimeError` where others are always faster.
    """
    waiting = list(Image.objects.filter(pk__in=list(image_ids), public_id__isnull=True).order_by("pk"))
    if not waiting:
        return
    for _ in range(_TRIES):
        for image, public_id in zip(waiting, _free_ids(len(waiting)), strict=True):
            image.public_id = public_id
        try:
            with transaction.atomic():
                Image.objects.bulk_update(waiting, ["public_id"])
        except IntegrityError:
            continue
        return
    raise RuntimeError("Others took every public id that was drawn; raise MEDTHECA_ID_WIDTH.")


def _free_ids(number: int) -> list[str]:
    """Random public ids that no image has, in no order."""
    prefix, width = settings.ENVIRONMENT.id_prefix, settings.ENVIRONMENT.id_width
    free: set[str] = set()
    fruitless = 0
    while len(free) < number:
        drawn = {random_number(prefix, width) for _ in range(number - len(free))} - free
        drawn -= set(Image.objects.filter(public_id__in=drawn).values_list("public_id", flat=True))
        drawn -= erased_among(drawn)
        fruitless = 0 if drawn else fruitless + 1
        if fruitless == _FRUITLESS:
            width, fruitless = width + 1, 0
        free |= drawn
    return list(free)
