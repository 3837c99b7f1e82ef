"""Images as the tiles of a grid: three queries a page, or four where some are not public, whatever its size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from medtheca.domains.access.queries import visibility_of
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.provenance.access import visible_accessions
from medtheca.domains.provenance.queries import accessions_of_images
from medtheca.interfaces.http.file_urls import file_url
from medtheca.interfaces.web.people import person
from medtheca.interfaces.web.previews import chip_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from medtheca.domains.accounts.models import User
    from medtheca.domains.imaging.models import Image
    from medtheca.domains.provenance.models import Accession

SYNTHETIC = "synthetic"


def tiles_of(images: Sequence[Image], *, asker: User | AnonymousUser | None, query: str = "") -> list[dict[str, Any]]:
    """Tiles of images that the asker may see. `query` is the search, so that an image's page knows its neighbours."""
    ids = [image.pk for image in images]
    accessions, visibilities = accessions_of_images(ids), visibility_of(ids)
    named = named_for(asker, images)
    tiles = []
    for image in images:
        accession = accessions.get(image.pk)
        values = structured_of(accession)
        tiles.append(
            {
                "id": label_of(image, accession if image.pk in named else None),
                "key": str(image.key),
                "ref": image.public_id or str(image.key),
                "accession": accession.pk if accession else None,
                "url": image_url(image, query=query),
                "thumbnail_url": file_url(image, FileKind.THUMBNAIL),
                "diagnosis": short_diagnosis(values),
                "licence": accession.licence if accession else "",
                "synthetic": values.get("image_manipulation") == SYNTHETIC,
                "visibility": visibilities[image.pk].value,
                "chip": chip_of(image),
            }
        )
    return tiles


def image_url(image: Image, *, query: str = "") -> str:
    """The address of an image's page."""
    path = reverse("image", args=[image.public_id or image.key])
    return f"{path}?{query}" if query else path


def named_for(asker: User | AnonymousUser | None, images: Sequence[Image]) -> set[int]:
    """Keys of those images without a public id whose file names the asker may read: people of their cohorts.

    Names of files tell more than images do, of patients too; seeing an image in an archive or collection is no right
    to them.
    """
    ids = [image.pk for image in images if not image.public_id]
    if not ids:
        return set()
    return {pk for pk in visible_accessions(person(asker)).filter(image__in=ids).values_list("image", flat=True) if pk}


def label_of(image: Image, accession: Accession | None) -> str:
    """What an image is called: its public id; before it has one, the name its owners gave it.

    The accession is given for who may read that name; see `named_for`.
    """
    return image.public_id or (accession.name if accession else str(image.key))


def structured_of(accession: Accession | None) -> dict[str, Any]:
    """The present values of an accession, by column."""
    description = getattr(accession, "description", None)
    return description.structured if description else {}


def short_diagnosis(values: dict[str, Any]) -> str:
    """The most exact term that is given."""
    terms = [values[name] for name in (f"diagnosis_{level}" for level in range(5, 0, -1)) if values.get(name)]
    return str(terms[0]) if terms else ""
