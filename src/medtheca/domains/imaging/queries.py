"""Reading images and their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile

REDACTION = "redaction"
"""The kind under which an image's list of what was taken out has what is blacked out (`toolkit.images.redact`)."""


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


def is_redacted(stripped: Iterable[Mapping[str, Any]]) -> bool:
    """Whether parts of an image are blacked out, by its list of what was taken out of the public copy."""
    return any(item.get("kind") == REDACTION for item in stripped)
