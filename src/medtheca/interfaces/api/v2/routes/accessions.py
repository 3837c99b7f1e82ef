"""Accessions of the caller's cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.provenance.access import visible_accessions
from medtheca.domains.provenance.origins import origins_of
from medtheca.domains.provenance.overviews import verdict_of
from medtheca.domains.provenance.queries import accession_for, original_files
from medtheca.domains.provenance.versions import file_versions_of
from medtheca.interfaces.api.v2.calling import page_of, user_of
from medtheca.interfaces.api.v2.shapes.acquired import acquired_out
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery, isic_licence
from medtheca.interfaces.api.v2.shapes.provenance import (
    AccessionDetailOut,
    AccessionIn,
    AccessionMadeOut,
    AccessionOut,
    origin_out,
)
from medtheca.interfaces.api.v2.shapes.publishing import FileVersionOut
from medtheca.interfaces.http.api_auth import somebody
from medtheca.interfaces.http.upload_tickets import read_upload
from medtheca.workflows.accession import accession_upload

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Accession

router = Router(tags=["accessions"], auth=somebody)


class AccessionQuery(PageQuery):
    """Which accessions."""

    cohort: int | None = Field(None, description="Of this cohort.")
    state: Literal["received", "converted", "refused"] | None = None


@router.get("/", response=PageOut[AccessionOut], url_name="accessions")
def list_accessions(request: HttpRequest, page: Query[AccessionQuery]) -> Any:
    """Accessions of the caller's cohorts, in the order in which they came; all for staff."""
    rows = visible_accessions(user_of(request)).select_related("image")
    rows = rows.filter(cohort=page.cohort) if page.cohort is not None else rows
    rows = rows.filter(state=page.state) if page.state is not None else rows
    return page_of(request, rows, page, order=("pk",), shape=lambda found: [_shown(row) for row in found])


@router.post("/", response={201: AccessionMadeOut}, url_name="accessions")
def make_accession(request: HttpRequest, given: AccessionIn) -> Any:
    """Make an accession of a file that was uploaded by `s3-upload/`. Editors and owners of the cohort.

    400 where the name is taken in the cohort, where the file is no single image, or where the metadata is not right;
    then nothing is made, and the upload may be used again. DICOM, volumes of several files and ZIPs go by tus.
    """
    user = user_of(request)
    upload_id = read_upload(given.original_blob, owner_id=user.pk, purpose="field")
    if upload_id is None:
        words = "This is no upload of yours, or it is more than a day old."
        problem = Problem("original_blob", words, code="bad_field_value", remedy="Upload the file again.")
        raise Invalid("The file cannot be used.", problems=[problem])
    made = accession_upload(user=user, cohort_id=given.cohort, upload_id=upload_id, metadata=given.metadata)
    return Status(201, {"id": made.pk})


@router.get("/{int:accession_id}/", response=AccessionDetailOut, url_name="accession_detail")
def show_accession(request: HttpRequest, accession_id: int) -> Any:
    """One accession, with the files of its original and what they say of the image."""
    user = user_of(request)
    accession = accession_for(user, accession_id)
    verdict, image = verdict_of(accession), accession.image
    return {
        **_shown(accession),
        "original": [
            {"name": part.path, "size": part.blob.size, "sha256": part.blob.sha256}
            for part in original_files(accession)
        ],
        "origins": [origin_out(row) for row in origins_of(user, accession)],
        "notes": verdict.note if verdict else "",
        "text_suspected": image.text_suspected if image else "",
        "image": acquired_out(image) if image else None,
    }


@router.get("/{int:accession_id}/file-versions/", response=list[FileVersionOut], url_name="file_versions")
def list_file_versions(request: HttpRequest, accession_id: int) -> Any:
    """Versions of an accession's file, newest first; none where it was never changed.

    A file is replaced by uploading another: name the `accession` and the `reason` in `Upload-Metadata`, and no cohort.
    """
    return [
        {
            "number": row.number,
            "kind": row.kind,
            "state": row.state,
            "name": row.name,
            "created": row.created,
            "creator": row.creator_id,
            "reason": row.reason,
            "refusal": row.refusal,
            "remedy": row.remedy,
            "sha256": row.original.sha256 if row.original else None,
            "width": row.facts.get("width"),
            "height": row.facts.get("height"),
            "redactions": row.redactions,
        }
        for row in file_versions_of(accession_for(user_of(request), accession_id))
    ]


def _shown(accession: Accession) -> dict[str, Any]:
    image = accession.image
    return {
        "id": accession.pk,
        "created": accession.created,
        "cohort": accession.cohort_id,
        "creator": accession.creator_id,
        "upload": str(accession.delivery_id) if accession.delivery_id else None,
        "name": accession.name,
        "path": accession.original_path,
        "state": accession.state,
        "published": accession.published,
        "isic_id": (image.public_id or str(image.key)) if image else None,
        "same_as": accession.same_as_id,
        "copyright_license": isic_licence(accession.licence),
        "license_spdx": accession.licence,
        "attribution": accession.attribution,
    }
