"""Judging accessions, and blacking out parts of their images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from medtheca.base.errors import TooLarge
from medtheca.domains.provenance.enums import ReviewReason, ReviewState
from medtheca.domains.provenance.queries import accession_for
from medtheca.domains.provenance.review_queue import (
    found_in_state,
    judged_by,
    review_states_for,
    reviewed_cohort_for,
    reviews_for,
    waiting_for,
)
from medtheca.domains.provenance.reviewing import judge_accessions, record_reviews
from medtheca.interfaces.api.v2.calling import page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.api.v2.shapes.reviews import (
    MOST_AT_ONCE,
    BulkReviewIn,
    QueuedOut,
    RedactionIn,
    RedactionOut,
    ReviewIn,
    ReviewOut,
)
from medtheca.interfaces.http.api_auth import somebody
from medtheca.workflows.redact import request_redaction

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Accession, FileVersion, Review

router = Router(tags=["reviews"], auth=somebody)


class QueueQuery(PageQuery):
    """Which accessions."""

    cohort: int | None = Field(None, description="Of this cohort; of all that the caller reviews where it is left out.")
    state: Literal["waiting", "awaiting", "flagged", "accepted", "rejected", "all"] = Field(
        "waiting", description="`waiting` are those that still need the caller's word."
    )


@router.get("/reviews/", response=PageOut[QueuedOut], url_name="reviews")
def list_queue(request: HttpRequest, page: Query[QueueQuery]) -> Any:
    """Accessions that the caller may judge, the oldest first: those that wait for them unless others are asked for."""
    user = user_of(request)
    if page.state == "waiting":
        rows = waiting_for(user)
    else:
        rows = judged_by(user) if page.state == "all" else found_in_state(user, ReviewState(page.state))
    if page.cohort is not None:
        rows = rows.filter(cohort=reviewed_cohort_for(user, page.cohort))
    rows = rows.select_related("image", "cohort__contributor")
    return page_of(request, rows, page, order=("pk",), shape=lambda found: _queued(user, found))


@router.post("/accessions/create-review-bulk/", response={201: dict[str, int]}, url_name="create_review_bulk")
def create_review_bulk(request: HttpRequest, given: list[BulkReviewIn]) -> Any:
    """Judge many accessions at once, all or none, as the ISIC Archive's clients do. Reviewers and staff."""
    user = user_of(request)
    if len(given) > MOST_AT_ONCE:
        raise TooLarge(f"{len(given):,} reviews at once; {MOST_AT_ONCE:,} is the most.", remedy="Send them in parts.")
    accepted = [one.id for one in given if one.value]
    rejected = [one.id for one in given if not one.value]
    judge_accessions(accepted=accepted, rejected=rejected, reviewer=user, reason_code=ReviewReason.QUALITY)
    return Status(201, {})


@router.get("/accessions/{int:accession_id}/reviews/", response=list[ReviewOut], url_name="accession_reviews")
def list_reviews(request: HttpRequest, accession_id: int) -> Any:
    """What was said of an accession, newest first. Of two readers, one does not see the other's until they decided."""
    user = user_of(request)
    return [_shown(row) for row in reviews_for(user, accession_for(user, accession_id))]


@router.post("/accessions/{int:accession_id}/reviews/", response={201: ReviewOut}, url_name="accession_review")
def review_accession(request: HttpRequest, accession_id: int, given: ReviewIn) -> Any:
    """Judge an accession. Reviewers and staff; nobody judges what is their own. The same said twice is one review."""
    user = user_of(request)
    accession = accession_for(user, accession_id)
    made = record_reviews(
        accession_ids=[accession.pk],
        reviewer=user,
        decision=given.decision,
        reason_code=given.reason_code,
        reason=given.reason,
    )[accession.pk]
    return Status(201, _shown(next(row for row in reviews_for(user, accession) if row.pk == made)))


@router.post("/accessions/{int:accession_id}/redactions/", response={202: RedactionOut}, url_name="accession_redact")
def redact_accession(request: HttpRequest, accession_id: int, given: RedactionIn) -> Any:
    """Have boxes blacked out in the public copy, in the background. Owners, editors, reviewers, staff."""
    version = request_redaction(
        user=user_of(request), accession_id=accession_id, boxes=given.boxes, reason=given.reason
    )
    return Status(202, _redaction(version))


def _queued(user: User, rows: list[Accession]) -> list[dict[str, Any]]:
    states = review_states_for(user, rows)
    return [
        {
            "accession": row.pk,
            "cohort": row.cohort_id,
            "created": row.created,
            "name": row.name,
            "isic_id": row.image.public_id or str(row.image.key),
            "review_state": states[row.pk],
        }
        for row in rows
        if row.image is not None
    ]


def _shown(row: Review) -> dict[str, Any]:
    return {
        "id": row.pk,
        "accession": row.accession_id,
        "reviewer": row.reviewer_id,
        "decision": row.decision,
        "reason_code": row.reason_code,
        "reason": row.reason,
        "file_version": row.file_version,
        "standing": row.standing,
        "created": row.at,
    }


def _redaction(version: FileVersion) -> dict[str, Any]:
    return {
        "accession": version.accession_id,
        "version": version.number,
        "state": version.state,
        "boxes": version.redactions,
        "reason": version.reason,
    }
