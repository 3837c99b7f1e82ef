"""Dry runs: the verdicts that an upload would give, without storing anything. For callers without an account, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from ninja import Router, Status

from medtheca.domains.trials.queries import inspection_for
from medtheca.interfaces.api.v2.calling import caller_of
from medtheca.interfaces.api.v2.shapes.inspections import InspectionOut
from medtheca.interfaces.http.api_auth import anybody
from medtheca.interfaces.http.limits import seconds_to_wait_for_inspection
from medtheca.interfaces.http.refusals import TooOften
from medtheca.workflows.inspect import FOR_ANYBODY, FOR_PEOPLE, Given, begin_inspection

if TYPE_CHECKING:
    from medtheca.domains.trials.models import Inspection

router = Router(tags=["inspections"], auth=anybody)
_BINARY = {"type": "string", "format": "binary"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": _BINARY,
                            "description": "Images and ZIPs; what ends in .csv, .tsv or .xlsx is the spreadsheet.",
                        },
                        "metadata": {**_BINARY, "description": "The spreadsheet, whatever it is called."},
                    },
                }
            }
        },
    }
}


@router.post("/", response={202: InspectionOut}, url_name="inspections", openapi_extra=_BODY)
def begin_dry_run(request: HttpRequest) -> Any:
    """Try files: their bytes are deleted once they have been looked at, and the report is kept for an hour.

    Ask `/inspections/{id}/` until `state` is `done` or `failed`. Callers without an account may try a few an hour, and
    smaller ones; then the id alone opens the report, so keep it to yourself.
    """
    user = caller_of(request).user
    if wait := seconds_to_wait_for_inspection(request, user.pk if user else None):
        limits = FOR_PEOPLE if user else FOR_ANYBODY
        remedy = "" if user else "Log in, or use `medtheca inspect`, which asks nobody."
        raise TooOften(f"{limits.an_hour} dry runs an hour are the most.", wait=wait, remedy=remedy)
    given = [_given(file) for file in request.FILES.getlist("files")]
    given += [_given(file, is_sheet=True) for file in request.FILES.getlist("metadata")]
    return Status(202, _shown(begin_inspection(user=user, given=given)))


@router.get("/{uuid:inspection_id}/", response=InspectionOut, url_name="inspection_detail")
def show_dry_run(request: HttpRequest, inspection_id: UUID) -> Any:
    """How far a dry run has come, and its report once it is done. Of somebody with an account: theirs alone."""
    return _shown(inspection_for(caller_of(request).user, inspection_id))


def _given(file: UploadedFile[Any], *, is_sheet: bool | None = None) -> Given:
    return Given(file.name or "file", file.size or 0, file.chunks(), is_sheet)


def _shown(inspection: Inspection) -> dict[str, Any]:
    return {
        "id": inspection.pk,
        "created": inspection.created,
        "expires": inspection.expires,
        "state": inspection.state,
        "done": inspection.done,
        "total": inspection.total,
        "failure": inspection.words,
        "report": inspection.report,
    }
