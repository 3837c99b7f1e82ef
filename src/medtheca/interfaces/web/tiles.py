"""Images as the tiles of a grid: three queries a page, whatever its size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from medtheca.domains.access.queries import visibility_of
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.provenance.queries import accessions_of_images
from medtheca.interfaces.http.file_urls import file_url

if TYPE_CHECKING:
    from medtheca.domains.imaging.models import Image
    from medtheca.domains.provenance.models import Accession

SYNTHETIC = "synthetic"


def tiles_of(images: Sequence[Image], *, query: str = "") -> list[dict[str, Any]]:
    """Tiles of images that the person may see. `query` is the search, so that an image's page knows its neighbours."""
    ids = [image.pk for image in images]
    accessions, visibilities = accessions_of_images(ids), visibility_of(ids)
    tiles = []
    for image in images:
        accession = accessions.get(image.pk)
        values = structured_of(accession)
        tiles.append(
            {
                "id": label_of(image, accession),
                "key": str(image.key),
                "accession": accession.pk if accession else None,
                "url": image_url(image, query=query),
                "thumbnail_url": file_url(image, FileKind.THUMBNAIL),
                "diagnosis": short_diagnosis(values),
                "licence": accession.licence if accession else "",
                "synthetic": values.get("image_manipulation") == SYNTHETIC,
                "visibility": visibilities[image.pk].value,
            }
        )
    return tiles


def image_url(image: Image, *, query: str = "") -> str:
    """The address of an image's page."""
    path = reverse("image", args=[image.public_id or image.key])
    return f"{path}?{query}" if query else path


def label_of(image: Image, accession: Accession | None) -> str:
    """What an image is called: its public id; before it has one, the name its owners gave it."""
    return image.public_id or (accession.name if accession else str(image.key))


def structured_of(accession: Accession | None) -> dict[str, Any]:
    """The present values of an accession, by column."""
    description = getattr(accession, "description", None)
    return description.structured if description else {}


def short_diagnosis(values: dict[str, Any]) -> str:
    """The most exact term that is given."""
    terms = [values[name] for name in (f"diagnosis_{level}" for level in range(5, 0, -1)) if values.get(name)]
    return str(terms[0]) if terms else ""
