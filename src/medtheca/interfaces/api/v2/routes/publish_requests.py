"""Asking that images become visible, and deciding on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.outcomes import count_outcomes, items_of
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.queries import cohort_for, publish_requests_for
from medtheca.domains.provenance.summaries import publish_request_for
from medtheca.interfaces.api.v2.calling import page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.api.v2.shapes.publishing import (
    PublishItemOut,
    PublishItemQuery,
    PublishPreviewOut,
    PublishRequestIn,
    PublishRequestOut,
    RejectionIn,
    TakeBackManyIn,
    TakenBackOut,
)
from medtheca.interfaces.http.api_auth import somebody
from medtheca.toolkit.anonymity import K
from medtheca.workflows.previewing import preview_publication
from medtheca.workflows.taking_back import published_images, take_back_many

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import PublishItem, PublishRequest

router = Router(tags=["publish requests"], auth=somebody)


@router.post(
    "/cohorts/{int:cohort_id}/publish-requests/", response={201: PublishRequestOut}, url_name="cohort_publish_requests"
)
def ask_to_publish(request: HttpRequest, cohort_id: int, given: PublishRequestIn) -> Any:
    """Ask that images of a cohort become visible. Owners, editors and staff."""
    user = user_of(request)
    made = request_publication(cohort=cohort_for(user, cohort_id), requester=user, **_wanted(given))
    return Status(201, _shown([publish_request_for(user, made.pk)])[0])


@router.post(
    "/cohorts/{int:cohort_id}/publish-requests/preview/", response=PublishPreviewOut, url_name="publish_preview"
)
def preview_publishing(request: HttpRequest, cohort_id: int, given: PublishRequestIn) -> Any:
    """What the same request would come to, without asking for anything: numbers, rights, rare combinations."""
    user = user_of(request)
    found = preview_publication(cohort=cohort_for(user, cohort_id), user=user, **_wanted(given))
    return {
        "visibility": found.visibility,
        "groups": found.groups,
        "opens": found.opens,
        "number": found.number,
        "not_judged": found.awaiting,
        "readers": found.readers,
        "left_out": found.left_out,
        "licenses": found.licences,
        "attributions": found.attributions,
        "without_metadata": found.undescribed,
        "without_patient": found.without_patient,
        "example": found.example,
        "k": K,
        "rare": [{"values": rare.words, "patients": rare.people, "images": rare.images} for rare in found.rare],
    }


@router.post("/cohorts/{int:cohort_id}/take-back/", response=TakenBackOut, url_name="cohort_take_back")
def take_images_back(request: HttpRequest, cohort_id: int, given: TakeBackManyIn) -> Any:
    """Make published images of a cohort private again, or withdraw them for good. Owners and staff.

    With `dry_run` nothing changes, and it is told how many would be taken back.
    """
    user = user_of(request)
    cohort = cohort_for(user, cohort_id)
    require_owner(user, cohort, to="take back its images")
    if given.dry_run:
        rows = published_images(cohort)
        number = rows.count() if given.accessions is None else rows.filter(pk__in=given.accessions).count()
        return {"done": 0, "under_way": 0, "would_be": number}
    done = take_back_many(
        cohort=cohort, user=user, reason=given.reason, withdraw=given.withdraw, accession_ids=given.accessions
    )
    return {"done": done.done, "under_way": done.under_way, "would_be": done.done + done.under_way}


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
    """Accept a request: its images get public ids and become visible, in the background. Reviewers and staff.

    Where the cohort has two readers and images have had one, the request goes on waiting (`requested`).
    """
    user = user_of(request)
    decide_publication(request_id=publish_request_for(user, request_id).pk, staff=user, accept=True)
    return _shown([publish_request_for(user, request_id)])[0]


@router.post(
    "/publish-requests/{int:request_id}/reject/", response=PublishRequestOut, url_name="publish_request_reject"
)
def reject_request(request: HttpRequest, request_id: int, given: RejectionIn) -> Any:
    """Reject a request with a reason. Reviewers and staff."""
    user = user_of(request)
    wanted = publish_request_for(user, request_id)
    decide_publication(request_id=wanted.pk, staff=user, accept=False, reason=given.reason)
    return _shown([publish_request_for(user, request_id)])[0]


@router.get("/publish-requests/{int:request_id}/items/", response=PageOut[PublishItemOut], url_name="publish_items")
def list_publish_items(request: HttpRequest, request_id: int, page: Query[PublishItemQuery]) -> Any:
    """Accessions of a request, with what became of each; watch them while they are being published."""
    rows = items_of(publish_request_for(user_of(request), request_id))
    rows = rows.filter(outcome=page.outcome) if page.outcome else rows
    return page_of(request, rows, page, order=("pk",), shape=lambda found: [_item(row) for row in found])


def _item(row: PublishItem) -> dict[str, Any]:
    image = row.accession.image
    # Before outcomes were kept, what was done was published.
    outcome = "published" if row.done and row.outcome == "waiting" else row.outcome
    return {
        "accession": row.accession_id,
        "isic_id": (image.public_id or str(image.key)) if image else None,
        "outcome": outcome,
    }


def _wanted(given: PublishRequestIn) -> dict[str, Any]:
    return {
        "visibility": given.visibility,
        "accession_ids": given.accessions,
        "opens": given.opens,
        "group_ids": given.groups,
    }


def _shown(requests: list[PublishRequest]) -> list[dict[str, Any]]:
    counts = count_outcomes(requests)
    return [
        {
            "id": row.pk,
            "created": row.created,
            "cohort": row.cohort_id,
            "requester": row.requester_id,
            "visibility": row.visibility,
            "groups": [{"id": group.pk, "name": group.name} for group in row.groups.all()],
            "opens": row.opens,
            "state": row.state,
            # Counted by the query that found the row.
            "number": getattr(row, "number", 0),
            "waiting": counts[row.pk].waiting,
            "published": counts[row.pk].published,
            "withdrawn": counts[row.pk].withdrawn,
            "not_accepted": counts[row.pk].not_accepted,
            "decided": row.decided,
            "reason": row.reason,
        }
        for row in requests
    ]
