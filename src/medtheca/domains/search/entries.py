"""What lists show of an image, gathered for a whole page in three queries and as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.queries import visibility_of
from medtheca.domains.imaging.enums import SERVED_KINDS, FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.provenance.models import Accession


@dataclass(frozen=True, slots=True)
class EntryFile:
    """A file that may be served: its media type, exact size in bytes and SHA-256 in hexadecimal."""

    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One image with what its accession says of it.

    `structured` are its stored values, private ones among them: show them by `toolkit.schemas.public_metadata` only.
    `public_ids` are those of its patient and lesion.
    """

    image: Image
    visibility: Visibility
    licence: str
    attribution: str
    structured: Mapping[str, Any]
    public_ids: Mapping[str, str]
    files: Mapping[FileKind, EntryFile]


def entries_of(images: Sequence[Image]) -> list[Entry]:
    """Entries of images, in their order. The caller has asked `find_page` or `image_for` for the images."""
    ids = [image.pk for image in images]
    visibility = visibility_of(ids)
    files: dict[int, dict[FileKind, EntryFile]] = {pk: {} for pk in ids}
    kinds = {kind.value: kind for kind in SERVED_KINDS}
    stored = ImageFile.objects.filter(image__in=ids, kind__in=SERVED_KINDS)
    for pk, kind, media_type, size, sha256 in stored.values_list(
        "image", "kind", "media_type", "blob__size", "blob__sha256"
    ):
        files[pk][kinds[kind]] = EntryFile(media_type, size, sha256)
    said = Accession.objects.filter(image__in=ids).values_list(
        "image", "licence", "attribution", "description__structured", "patient__public_id", "lesion__public_id"
    )
    by_image = {row[0]: row[1:] for row in said}
    entries = []
    for image in images:
        licence, attribution, structured, patient, lesion = by_image[image.pk]
        public_ids = {name: value for name, value in (("patient_id", patient), ("lesion_id", lesion)) if value}
        entries.append(
            Entry(
                image=image,
                visibility=visibility[image.pk],
                licence=licence,
                attribution=attribution,
                structured=structured or {},
                public_ids=public_ids,
                files=files[image.pk],
            )
        )
    return entries
