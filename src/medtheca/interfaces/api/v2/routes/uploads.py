"""Uploads to the caller's cohorts, and what became of every file in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from medtheca.domains.provenance.queries import deliveries_for, delivery_for, verdicts_of
from medtheca.domains.provenance.summaries import summarise_deliveries
from medtheca.interfaces.api.v2.calling import page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.api.v2.shapes.uploads import OUTCOMES, UploadOut, VerdictOut
from medtheca.interfaces.api.v2.verdicts_csv import verdicts_as_csv
from medtheca.interfaces.http.api_auth import somebody

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Delivery, Verdict

router = Router(tags=["uploads"], auth=somebody)


class UploadQuery(PageQuery):
    """Which uploads."""

    cohort: int | None = Field(None, description="To this cohort.")


class VerdictQuery(PageQuery):
    """Which verdicts."""

    outcome: OUTCOMES | None = None


@router.get("/", response=PageOut[UploadOut], url_name="uploads")
def list_uploads(request: HttpRequest, page: Query[UploadQuery]) -> Any:
    """Uploads to the caller's cohorts, newest first; all for staff."""
    rows = deliveries_for(user_of(request))
    rows = rows.filter(cohort=page.cohort) if page.cohort is not None else rows
    return page_of(request, rows, page, order=("created", "pk"), shape=_shown, descending=True)


@router.get("/{uuid:upload_id}/", response=UploadOut, url_name="upload_detail")
def show_upload(request: HttpRequest, upload_id: UUID) -> Any:
    """One upload: how far it has come, and the outcomes of its files so far."""
    return _shown([delivery_for(user_of(request), upload_id)])[0]


@router.get(
    "/{uuid:upload_id}/verdicts/",
    response=PageOut[VerdictOut],
    url_name="upload_verdicts",
    openapi_extra={"responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}},
)
def list_verdicts(request: HttpRequest, upload_id: UUID, page: Query[VerdictQuery]) -> Any:
    """What became of each file, in their order. With `Accept: text/csv`, all of them in one spreadsheet."""
    delivery = delivery_for(user_of(request), upload_id)
    rows = verdicts_of(delivery, outcome=page.outcome or "")
    if _wants_csv(request):
        return verdicts_as_csv(rows, filename=f"verdicts-{upload_id}.csv")
    return page_of(request, rows, page, order=("ordinal",), shape=lambda found: [_verdict(row) for row in found])


def _wants_csv(request: HttpRequest) -> bool:
    preferred = request.get_preferred_type(["application/json", "text/csv"])
    return preferred == "text/csv"


def _shown(deliveries: list[Delivery]) -> list[dict[str, Any]]:
    summaries = summarise_deliveries(deliveries)
    return [_upload(delivery, summaries[delivery.upload_id]) for delivery in deliveries]


def _upload(delivery: Delivery, summary: Any) -> dict[str, Any]:
    refusal = {"code": delivery.refusal_code, "message": delivery.refusal, "remedy": delivery.remedy}
    return {
        "id": delivery.upload_id,
        "created": delivery.created,
        "cohort": delivery.cohort_id,
        "filename": delivery.upload.filename,
        "size": delivery.upload.size,
        "offset": delivery.upload.offset,
        "state": delivery.state,
        "is_final": summary.is_final,
        "finished": delivery.finished,
        "refusal": refusal if delivery.refusal else None,
        "summary": summary,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    image = verdict.accession.image if verdict.accession else None
    return {
        "ordinal": verdict.ordinal,
        "path": verdict.path,
        "name": verdict.name,
        "size": verdict.size,
        "outcome": verdict.outcome,
        "code": verdict.code,
        "message": verdict.words,
        "remedy": verdict.remedy,
        "note": verdict.note,
        "accession": verdict.accession_id,
        "isic_id": (image.public_id or str(image.key)) if image else None,
        "other": verdict.other_id,
    }
