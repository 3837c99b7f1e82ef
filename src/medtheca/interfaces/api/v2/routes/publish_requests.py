"""Asking that images become visible, and deciding on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.queries import cohort_for, publish_requests_for
from medtheca.domains.provenance.summaries import publish_request_for
from medtheca.interfaces.api.v2.calling import page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.api.v2.shapes.provenance import PublishRequestIn, PublishRequestOut, RejectionIn
from medtheca.interfaces.http.api_auth import somebody

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import PublishRequest

router = Router(tags=["publish requests"], auth=somebody)


@router.post(
    "/cohorts/{int:cohort_id}/publish-requests/", response={201: PublishRequestOut}, url_name="cohort_publish_requests"
)
def ask_to_publish(request: HttpRequest, cohort_id: int, given: PublishRequestIn) -> Any:
    """Ask that images of a cohort become visible. Owners and staff."""
    user = user_of(request)
    made = request_publication(
        cohort=cohort_for(user, cohort_id),
        requester=user,
        visibility=given.visibility,
        accession_ids=given.accessions,
        opens=given.opens,
    )
    return Status(201, _shown([publish_request_for(user, made.pk)])[0])


@router.get("/publish-requests/", response=PageOut[PublishRequestOut], url_name="publish_requests")
def list_publish_requests(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Requests from the caller's cohorts, newest first; all for staff."""
    rows = publish_requests_for(user_of(request))
    return page_of(request, rows, page, order=("created", "pk"), shape=_shown, descending=True)


@router.get("/publish-requests/{int:request_id}/", response=PublishRequestOut, url_name="publish_request_detail")
def show_publish_request(request: HttpRequest, request_id: int) -> Any:
    """One request."""
    return _shown([publish_request_for(user_of(request), request_id)])[0]


@router.post(
    "/publish-requests/{int:request_id}/accept/", response=PublishRequestOut, url_name="publish_request_accept"
)
def accept_request(request: HttpRequest, request_id: int) -> Any:
    """Accept a request: its images get public ids and become visible, in the background. Staff."""
    user = user_of(request)
    decide_publication(request_id=publish_request_for(user, request_id).pk, staff=user, accept=True)
    return _shown([publish_request_for(user, request_id)])[0]


@router.post(
    "/publish-requests/{int:request_id}/reject/", response=PublishRequestOut, url_name="publish_request_reject"
)
def reject_request(request: HttpRequest, request_id: int, given: RejectionIn) -> Any:
    """Reject a request with a reason. Staff."""
    user = user_of(request)
    wanted = publish_request_for(user, request_id)
    decide_publication(request_id=wanted.pk, staff=user, accept=False, reason=given.reason)
    return _shown([publish_request_for(user, request_id)])[0]


def _shown(requests: list[PublishRequest]) -> list[dict[str, Any]]:
    return [
        {
            "id": row.pk,
            "created": row.created,
            "cohort": row.cohort_id,
            "requester": row.requester_id,
            "visibility": row.visibility,
            "opens": row.opens,
            "state": row.state,
            # Counted by the query that found the row.
            "number": getattr(row, "number", 0),
            "decided": row.decided,
            "reason": row.reason,
        }
        for row in requests
    ]
