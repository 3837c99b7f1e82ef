"""What is said of one image: corrections and versions; and which fields there are."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from medtheca.domains.metadata.history import differences_of, public_history
from medtheca.domains.metadata.queries import versions_of
from medtheca.domains.provenance.queries import accession_for, accessions_of_images
from medtheca.domains.search.queries import image_for
from medtheca.interfaces.api.v2.calling import caller_of, page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.api.v2.shapes.metadata import (
    CorrectionIn,
    CorrectionOut,
    DictionaryOut,
    PublicChangesOut,
    VersionOut,
)
from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.toolkit.schemas import DERMATOLOGY, csv_template, data_dictionary, find_pack
from medtheca.workflows.correct import correct_metadata

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataVersion

router = Router(tags=["metadata"])


class DictionaryQuery(Schema):
    """Which fields."""

    pack: Literal["dermatology", "acquisition"] = "dermatology"


@router.get("/metadata-fields/", auth=anybody, response=DictionaryOut, url_name="metadata_fields")
def list_fields(request: HttpRequest, which: Query[DictionaryQuery]) -> Any:
    """The data dictionary: every field with its values, unit and synonyms. Those of a spreadsheet, or of `pack`.

    The pack `acquisition` is what files say themselves: shown as `facts` of an image, never set or changed by a sheet.
    """
    pack = find_pack(which.pack)
    fields = [asdict(entry) for entry in data_dictionary(pack)]
    return {"pack": pack.name, "version": pack.version, "source": pack.source, "fields": fields}


@router.get("/metadata-fields/template.csv", auth=anybody, response=None, url_name="metadata_fields_template")
def download_template(request: HttpRequest) -> HttpResponse:
    """An empty spreadsheet: a header with every field, and one row that passes."""
    headers = {"Content-Disposition": 'attachment; filename="metadata-template.csv"'}
    return HttpResponse(csv_template(DERMATOLOGY), content_type="text/csv; charset=utf-8", headers=headers)


@router.patch("/images/{isic_id}/metadata/", auth=somebody, response=CorrectionOut, url_name="image_metadata")
def correct_image(request: HttpRequest, isic_id: str, given: CorrectionIn) -> Any:
    """Correct what is said of an image; its id stays. Editors. A published one needs a reason, and stays reviewed."""
    version = correct_metadata(
        user=user_of(request),
        image_ref=isic_id,
        changes=given.metadata,
        unstructured=given.unstructured,
        reason=given.reason,
    )
    return {"version": _versions([version])[0] if version else None}


@router.patch(
    "/accessions/{int:accession_id}/metadata/", auth=somebody, response=CorrectionOut, url_name="accession_metadata"
)
def correct_accession(request: HttpRequest, accession_id: int, given: CorrectionIn) -> Any:
    """As for an image, by its accession. Of one that is not published, review begins anew."""
    version = correct_metadata(
        user=user_of(request),
        accession_id=accession_id,
        changes=given.metadata,
        unstructured=given.unstructured,
        reason=given.reason,
    )
    return {"version": _versions([version])[0] if version else None}


@router.get(
    "/accessions/{int:accession_id}/metadata-versions/",
    auth=somebody,
    response=PageOut[VersionOut],
    url_name="accession_metadata_versions",
)
def list_versions(request: HttpRequest, accession_id: int, page: Query[PageQuery]) -> Any:
    """Every version of what is said of an accession, newest first, with all that each changed. Its people."""
    rows = versions_of(accession_for(user_of(request), accession_id))
    return page_of(request, rows, page, order=("number",), shape=_versions, descending=True)


@router.get(
    "/images/{isic_id}/metadata-versions/",
    auth=anybody,
    response=PublicChangesOut,
    url_name="image_metadata_versions",
)
def list_public_changes(request: HttpRequest, isic_id: str) -> Any:
    """What has changed in the public metadata of an image since it was published, newest first, with the reasons."""
    image = image_for(caller_of(request).user, isic_id)
    accession = accessions_of_images([image.pk]).get(image.pk)
    return {"results": [asdict(change) for change in public_history(accession)] if accession else []}


def _versions(rows: list[MetadataVersion]) -> list[dict[str, Any]]:
    return [
        {
            "number": version.number,
            "created": version.created,
            "creator": version.creator_id,
            "reason": version.reason,
            "metadata_file": version.source_id,
            "changes": difference.structured,
            "unstructured": difference.unstructured,
        }
        for version, difference in zip(rows, differences_of(rows), strict=True)
    ]
