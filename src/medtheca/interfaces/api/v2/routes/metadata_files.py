"""Spreadsheets that describe the images of a cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from medtheca.base.errors import Invalid, Problem, TooLarge
from medtheca.domains.metadata.queries import metadata_file_for, metadata_files_of
from medtheca.domains.provenance.queries import cohort_for
from medtheca.interfaces.api.v2.calling import page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery, ShortText, Text
from medtheca.interfaces.api.v2.shapes.uploads import MetadataFileOut
from medtheca.interfaces.http.api_auth import somebody
from medtheca.workflows.describe import give_metadata

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataFile

router = Router(tags=["metadata"], auth=somebody)
_SPREADSHEET = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": _SPREADSHEET,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


class SpreadsheetQuery(Schema):
    """What the spreadsheet is."""

    name: ShortText = Field("", description="What to call it, where the body is the CSV itself.")
    recipe: Text = Field("", description="How a known spreadsheet is read, such as `isic2017`.")


@router.get("/cohorts/{int:cohort_id}/metadata-files/", response=PageOut[MetadataFileOut], url_name="metadata_files")
def list_metadata_files(request: HttpRequest, cohort_id: int, page: Query[PageQuery]) -> Any:
    """Spreadsheets given to a cohort, newest first."""
    rows = metadata_files_of(cohort_for(user_of(request), cohort_id))
    return page_of(
        request,
        rows,
        page,
        order=("created", "pk"),
        shape=lambda found: [_shown(row) for row in found],
        descending=True,
    )


@router.post(
    "/cohorts/{int:cohort_id}/metadata-files/",
    response={202: MetadataFileOut},
    url_name="metadata_files",
    openapi_extra=_BODY,
)
def give_spreadsheet(request: HttpRequest, cohort_id: int, about: Query[SpreadsheetQuery]) -> Any:
    """Give a CSV with a file name column and columns of metadata; it is checked whole, then applied. Owners and staff.

    Ask `/metadata-files/{id}/` for its report until `state` is `applied` or `invalid`.
    """
    user = user_of(request)
    name, data = _spreadsheet(request, about.name)
    file = give_metadata(user=user, cohort_id=cohort_id, name=name, data=data, recipe=about.recipe)
    return Status(202, _shown(file))


@router.get("/metadata-files/{int:file_id}/", response=MetadataFileOut, url_name="metadata_file_detail")
def show_metadata_file(request: HttpRequest, file_id: int) -> Any:
    """One spreadsheet with its report: problems by line and field, rows without an image, remarks."""
    return _shown(metadata_file_for(user_of(request), file_id))


def _spreadsheet(request: HttpRequest, name: str) -> tuple[str, bytes]:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if request.content_type == "multipart/form-data":
        file = request.FILES.get("file")
        if file is None or file.size is None:
            problem = Problem("file", "The form has no file.", code="required", remedy="Send it as the field `file`.")
            raise Invalid("The spreadsheet is missing.", problems=[problem])
        if file.size > most:
            raise TooLarge(f"{file.name} has {file.size:,} bytes; {most:,} is the most.", remedy="Give it in parts.")
        return name or file.name or "metadata.csv", file.read()
    if not request.body:
        problem = Problem("body", "The body is empty.", code="required", remedy="Send the CSV as the body.")
        raise Invalid("The spreadsheet is missing.", problems=[problem])
    return name or "metadata.csv", request.body


def _shown(file: MetadataFile) -> dict[str, Any]:
    return {
        "id": file.pk,
        "created": file.created,
        "cohort": file.cohort_id,
        "creator": file.creator_id,
        "name": file.name,
        "recipe": file.recipe,
        "state": file.state,
        "rows": file.rows,
        "report": file.report,
    }
