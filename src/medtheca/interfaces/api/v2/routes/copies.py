"""De-identified DICOM of accessions, for their owners and editors."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from ninja import Router, Status

from medtheca.base.errors import NotFound
from medtheca.domains.provenance.access import require_editor
from medtheca.domains.provenance.copies import ask_for_copy, copy_of, file_of_copy
from medtheca.domains.provenance.queries import accession_for
from medtheca.interfaces.api.v2.calling import user_of
from medtheca.interfaces.api.v2.shapes.copies import CopyOut, copy_out
from medtheca.interfaces.http.api_auth import somebody
from medtheca.interfaces.http.copies import send_copy

router = Router(tags=["accessions"], auth=somebody)


@router.post("/{int:accession_id}/deidentified/", response={202: CopyOut}, url_name="accession_copy")
def ask(request: HttpRequest, accession_id: int) -> Any:
    """Have a copy of the original DICOM made by PS3.15 Annex E, unless there is one. Ask for it until it is made."""
    return Status(202, copy_out(ask_for_copy(accession_id=accession_id, actor=user_of(request))))


@router.get("/{int:accession_id}/deidentified/", response=CopyOut, url_name="accession_copy")
def show(request: HttpRequest, accession_id: int) -> Any:
    """How far the copy is, and what was done to each attribute."""
    accession = accession_for(user_of(request), accession_id)
    require_editor(user_of(request), accession.cohort, to="see what was de-identified")
    copy = copy_of(accession)
    if copy is None:
        raise NotFound("Nobody has asked for the de-identified DICOM of this.")
    return copy_out(copy)


@router.get(
    "/{int:accession_id}/deidentified/file/",
    response={200: bytes},
    url_name="accession_copy_file",
)
def download(request: HttpRequest, accession_id: int) -> HttpResponseBase:
    """The copy: one file of DICOM, or a ZIP of those of a series."""
    return send_copy(file_of_copy(user_of(request), accession_id))
