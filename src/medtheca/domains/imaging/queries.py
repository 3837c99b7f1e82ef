"""Reading images and their files."""

from __future__ import annotations

from collections.abc import Iterable

from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile


def files_of(image_ids: Iterable[int]) -> dict[int, dict[FileKind, ImageFile]]:
    """Files of images by kind, with their blobs, in one query."""
    found: dict[int, dict[FileKind, ImageFile]] = {}
    for file in ImageFile.objects.filter(image__in=list(image_ids)).select_related("blob"):
        found.setdefault(file.image_id, {})[FileKind(file.kind)] = file
    return found


def same_pixels(image: Image) -> list[int]:
    """Ids of other images with the very same pixels, whatever their files."""
    others = Image.objects.filter(pixel_hash=image.pixel_hash).exclude(pk=image.pk)
    return list(others.order_by("pk").values_list("pk", flat=True)[:50])
