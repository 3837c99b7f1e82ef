"""Spreadsheets that describe the images of a cohort."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from medtheca.base.errors import Invalid, Problem, TooLarge
from medtheca.domains.metadata.queries import metadata_file_for, metadata_files_of
from medtheca.domains.provenance.queries import cohort_for
from medtheca.interfaces.api.v2.calling import page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery, Reason, ShortText, Text, answers_with
from medtheca.interfaces.api.v2.shapes.metadata import (
    ApplyIn,
    EditsIn,
    MappingIn,
    MatchesIn,
    MetadataFileOut,
    PreviewOut,
    ReplacementIn,
    ReplacementOut,
    RowProblemsOut,
    UndoIn,
)
from medtheca.interfaces.http.api_auth import somebody
from medtheca.toolkit.schemas import TableLimits
from medtheca.workflows import describe

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataFile
    from medtheca.workflows.describing.previews import Preview

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
    apply_when_ready: bool = Field(
        True, description="Apply it as soon as it is without a fault; else it stops at `ready`, to be looked at."
    )
    reason: Reason = ""


class PreviewQuery(Schema):
    """Which rows."""

    page: int = Field(1, ge=1, le=1_000_000)
    size: int = Field(50, ge=1, le=500)
    field: Text = Field("", description="Only rows that change this field.")
    outcome: Text = Field("", description="Only rows with this outcome, such as `conflict`.")


class RowsQuery(Schema):
    """Which page of rows."""

    page: int = Field(1, ge=1, le=1_000_000)
    size: int = Field(100, ge=1, le=1000)


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
    """Give a CSV or workbook with a file name column and columns of metadata; it is checked whole. Editors.

    Ask `/metadata-files/{id}/` until `state` is `ready`, `invalid` or `applied`.
    """
    user = user_of(request)
    name, data = _spreadsheet(request, about.name)
    file = describe.give_metadata(
        user=user,
        cohort_id=cohort_id,
        name=name,
        data=data,
        recipe=about.recipe,
        apply_when_ready=about.apply_when_ready,
        reason=about.reason,
    )
    return Status(202, _shown(file))


@router.get("/metadata-files/{int:file_id}/", response=MetadataFileOut, url_name="metadata_file_detail")
def show_metadata_file(request: HttpRequest, file_id: int) -> Any:
    """One spreadsheet with its state, progress and report."""
    return _shown(metadata_file_for(user_of(request), file_id))


@router.delete("/metadata-files/{int:file_id}/", response={204: None}, url_name="metadata_file_detail")
def delete_metadata_file(request: HttpRequest, file_id: int) -> Any:
    """Delete a spreadsheet that changed nothing. Editors."""
    describe.discard_file(user=user_of(request), file_id=file_id)
    return Status(204, None)


@router.put("/metadata-files/{int:file_id}/mapping/", response={202: MetadataFileOut}, url_name="metadata_file_mapping")
def map_columns(request: HttpRequest, file_id: int, given: MappingIn) -> Any:
    """Say what columns are; the spreadsheet is then checked again. Editors."""
    chosen = {column: choice.dict(exclude_none=True) for column, choice in given.mapping.items()}
    return Status(202, _shown(describe.set_mapping(user=user_of(request), file_id=file_id, mapping=chosen)))


@router.put("/metadata-files/{int:file_id}/matches/", response={202: MetadataFileOut}, url_name="metadata_file_matches")
def match_names(request: HttpRequest, file_id: int, given: MatchesIn) -> Any:
    """Say which accession names mean; the spreadsheet is then checked again. Editors."""
    file = describe.set_matches(user=user_of(request), file_id=file_id, matches=given.matches)
    return Status(202, _shown(file))


@router.post("/metadata-files/{int:file_id}/edits/", response={202: MetadataFileOut}, url_name="metadata_file_edits")
def correct_cells(request: HttpRequest, file_id: int, given: EditsIn) -> Any:
    """Correct cells in place; the file's bytes stay as they came, and it is checked again. Editors."""
    return Status(202, _shown(describe.edit_cells(user=user_of(request), file_id=file_id, cells=given.cells)))


@router.post(
    "/metadata-files/{int:file_id}/replacements/",
    response={202: ReplacementOut},
    url_name="metadata_file_replacements",
)
def replace_values(request: HttpRequest, file_id: int, given: ReplacementIn) -> Any:
    """Correct one value of a column in every row that has it; the spreadsheet is then checked again. Editors."""
    number = describe.replace_values(
        user=user_of(request), file_id=file_id, column=given.column, values={given.old: given.new}
    )
    return Status(202, {"replaced": number})


@router.post("/metadata-files/{int:file_id}/check/", response={202: MetadataFileOut}, url_name="metadata_file_check")
def check_spreadsheet(request: HttpRequest, file_id: int) -> Any:
    """Check a spreadsheet again, for instance when its images have come. Editors."""
    return Status(202, _shown(describe.check_again(user=user_of(request), file_id=file_id)))


@router.get("/metadata-files/{int:file_id}/preview/", response=PreviewOut, url_name="metadata_file_preview")
def preview_spreadsheet(request: HttpRequest, file_id: int, wanted: Query[PreviewQuery]) -> Any:
    """What a checked spreadsheet would change, or has changed: each value before and after. Editors."""
    found = describe.preview_of(user=user_of(request), file_id=file_id, **wanted.dict())
    return preview_out(found)


@router.get("/metadata-files/{int:file_id}/problems/", response=list[RowProblemsOut], url_name="metadata_file_problems")
def list_problems(request: HttpRequest, file_id: int, wanted: Query[RowsQuery]) -> Any:
    """Rows with problems in the order of the sheet, a page at a time. Editors."""
    return describe.problems_of(user=user_of(request), file_id=file_id, page=wanted.page, size=wanted.size)


@router.get(
    "/metadata-files/{int:file_id}/errors.csv",
    url_name="metadata_file_errors",
    openapi_extra=answers_with("text/csv", conflict="The spreadsheet cannot be read at all, so it has no rows."),
)
def download_errors(request: HttpRequest, file_id: int) -> HttpResponse:
    """One's own sheet as CSV with a last column that says what is wrong in each row. Editors."""
    content = describe.sheet_with_errors(user=user_of(request), file_id=file_id)
    headers = {"Content-Disposition": f'attachment; filename="metadata-{file_id}-errors.csv"'}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


@router.post("/metadata-files/{int:file_id}/apply/", response={202: MetadataFileOut}, url_name="metadata_file_apply")
def apply_spreadsheet(request: HttpRequest, file_id: int, given: ApplyIn) -> Any:
    """Apply a spreadsheet that is `ready`. Editors."""
    return Status(202, _shown(describe.apply_file(user=user_of(request), file_id=file_id, reason=given.reason)))


@router.post("/metadata-files/{int:file_id}/undo/", response={202: MetadataFileOut}, url_name="metadata_file_undo")
def undo_spreadsheet(request: HttpRequest, file_id: int, given: UndoIn) -> Any:
    """Undo an applied spreadsheet: every value as it was before; what has changed since is a conflict. Editors."""
    file = describe.undo_file(
        user=user_of(request), file_id=file_id, accept_conflicts=given.accept_conflicts, reason=given.reason
    )
    return Status(202, _shown(file))


def _spreadsheet(request: HttpRequest, name: str) -> tuple[str, bytes]:
    # A body is held in memory and a file of a form is not, so that may be as large as any sheet.
    most = TableLimits().size
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


def preview_out(found: Preview) -> dict[str, Any]:
    """A preview in the API's shape."""
    return {
        "results": [
            {
                "line": row.line,
                "file": row.sheet_name,
                "accession": row.accession_id,
                "name": row.name,
                "matched": row.matched,
                "published": row.published,
                "outcome": row.outcome,
                "changes": [asdict(change) for change in row.changes],
                "problems": list(row.problems),
            }
            for row in found.rows
        ],
        "page": found.page,
        "pages": found.pages,
        "count": found.total,
        "fields": [asdict(count) for count in found.fields],
    }


def _shown(file: MetadataFile) -> dict[str, Any]:
    return {
        "id": file.pk,
        "created": file.created,
        "cohort": file.cohort_id,
        "creator": file.creator_id,
        "name": file.name,
        "recipe": file.recipe,
        "state": file.state,
        "done": file.done,
        "total": file.total,
        "rows": file.rows,
        "apply_when_ready": file.apply_when_ready,
        "reason": file.reason,
        "mapping": file.mapping,
        "matches": file.matches,
        "applied": file.applied_at,
        "report": file.report,
    }
