"""Requests to publish: the list, one with what became of each image, and deciding."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from medtheca.base.errors import Invalid
from medtheca.domains.provenance.enums import PublishOutcome, RequestState
from medtheca.domains.provenance.outcomes import PublishCounts, count_outcomes, items_of
from medtheca.domains.provenance.overviews import sample_images_of
from medtheca.domains.provenance.publication import decide_publication
from medtheca.domains.provenance.queries import publish_requests_for
from medtheca.domains.provenance.review_queue import reviewed_cohorts
from medtheca.domains.provenance.summaries import publish_request_for
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.paging import slice_of
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.publishing import words_for
from medtheca.interfaces.web.tiles import tiles_of

_SAMPLE = 8
_PAGE = 20
_ITEMS = 100
_OPEN = (RequestState.REQUESTED, RequestState.PUBLISHING)
_OUTCOMES = {
    PublishOutcome.WAITING: ("waiting", "Waiting", ""),
    PublishOutcome.PUBLISHED: ("published", "Published", ""),
    PublishOutcome.WITHDRAWN: ("skipped", "Left out: withdrawn", "It was withdrawn before its turn came"),
    PublishOutcome.NOT_ACCEPTED: ("skipped", "Left out: not accepted", "Review has rejected, flagged or not judged it"),
}


@login_required
@require_safe
def publish_requests(request: HttpRequest) -> HttpResponse:
    """Requests from the person's cohorts; all for staff. Reviewers decide here."""
    user = signed_in(request)
    found = slice_of(request, publish_requests_for(user), size=_PAGE)
    context = {
        "requests": _open_ones(request, [row for row in found.rows if row.state in _OPEN]),
        "decided": _decided([row for row in found.rows if row.state not in _OPEN]),
        **found.links(),
    }
    return render(request, "pages/publish_requests.html", context)


@login_required
@require_safe
def publish_request(request: HttpRequest, request_id: int) -> HttpResponse:
    """One request, with what became of each image; the page renews itself while they are being published."""
    return _detail(request, request_id)


@login_required
@require_POST
def publish_accept(request: HttpRequest, request_id: int) -> HttpResponse:
    """Accept a request: its images are published by a job, or it waits for a second reader."""
    user = signed_in(request)
    publish_request_for(user, request_id)
    decided = decide_publication(request_id=request_id, staff=user, accept=True)
    if decided.state == RequestState.REQUESTED:
        messages.success(request, "You have accepted the images. They need a second reader before they are published.")
    else:
        messages.success(request, "Accepted. The images are being published.")
    return redirect("publish_request", request_id)


@login_required
@require_POST
def publish_reject(request: HttpRequest, request_id: int) -> HttpResponse:
    """Reject a request with a reason; without one the page asks for it."""
    user = signed_in(request)
    publish_request_for(user, request_id)
    reason = request.POST.get("reason", "")
    try:
        decide_publication(request_id=request_id, staff=user, accept=False, reason=reason)
    except Invalid as refusal:
        return _detail(request, request_id, error=in_words(refusal))
    messages.success(request, "Rejected. Whoever asked sees your reason on this page.")
    return redirect("publish_request", request_id)


def _detail(request: HttpRequest, request_id: int, *, error: str = "") -> HttpResponse:
    user = signed_in(request)
    row: Any = publish_request_for(user, request_id)
    counts = count_outcomes([row])[row.pk]
    items = items_of(row)
    outcome = request.GET.get("outcome", "")
    if outcome:
        if outcome not in PublishOutcome.values:
            raise Invalid(f"{outcome} is not an outcome.", remedy=f"One of {', '.join(PublishOutcome.values)}.")
        items = items.filter(outcome=outcome)
    found = slice_of(request, items, size=_ITEMS)
    images = [item.accession.image for item in found.rows if item.accession.image is not None]
    tiles = {tile["accession"]: tile for tile in tiles_of(images, asker=user)}
    shown = _open_ones(request, [row])[0] if row.state in _OPEN else _request(row, counts)
    context = {
        "item": shown | {"error": error},
        "decided": _decided([row])[0] if row.state not in _OPEN else None,
        "running": row.state == RequestState.PUBLISHING,
        "counts": counts,
        "rows": [_item(item, tiles.get(item.accession_id), row.state) for item in found.rows],
        "filters": [
            {"name": name.value, "label": _OUTCOMES[name][1], "number": getattr(counts, name.value)}
            for name in PublishOutcome
            if getattr(counts, name.value)
        ],
        "outcome": outcome,
        **found.links(),
    }
    return render(request, "pages/publish_request.html", context)


def _item(item: Any, tile: dict[str, Any] | None, state: str) -> dict[str, Any]:
    # Before outcomes were kept, what was done was published.
    done = item.done and item.outcome == PublishOutcome.WAITING
    outcome = PublishOutcome.PUBLISHED if done else PublishOutcome(item.outcome)
    chip, label, title = _OUTCOMES[outcome]
    if state == RequestState.REJECTED:
        chip, label, title = "skipped", "Not published", "The request was rejected"
    return {"tile": tile, "name": item.accession.name, "chip": chip, "label": label, "title": title}


def _open_ones(request: HttpRequest, rows: list[Any]) -> list[dict[str, Any]]:
    user = signed_in(request)
    samples = sample_images_of(rows, each=_SAMPLE)
    tiles = {
        tile["key"]: tile for tile in tiles_of([image for images in samples.values() for image in images], asker=user)
    }
    mine = set(reviewed_cohorts(user).filter(pk__in={row.cohort_id for row in rows}).values_list("pk", flat=True))
    counts = count_outcomes(rows)
    return [
        _request(row, counts[row.pk], decidable=row.cohort_id in mine and row.state == RequestState.REQUESTED)
        | {"tiles": [tiles[str(image.key)] for image in samples[row.pk]]}
        for row in rows
    ]


def _request(row: Any, counts: PublishCounts, *, decidable: bool = False) -> dict[str, Any]:
    return {
        "id": row.pk,
        "url": reverse("publish_request", args=[row.pk]),
        "cohort": {"name": row.cohort.name, "url": reverse("cohort", args=[row.cohort_id])},
        "contributor": row.cohort.contributor.institution_name,
        "requested_by": row.requester.shown_name,
        "created": row.created,
        "count": row.number,
        "state": row.state,
        "visibility": row.visibility,
        "for_whom": words_for(row.visibility, [group.name for group in row.groups.all()]),
        "opens": row.opens,
        "licence": row.cohort.licence,
        "attribution": row.cohort.attribution,
        "progress": {"done": counts.done, "total": counts.total} if row.state == RequestState.PUBLISHING else None,
        "gallery_url": f"{reverse('gallery')}?cohort={row.cohort_id}",
        "accept_url": reverse("publish_accept", args=[row.pk]) if decidable else None,
        "reject_url": reverse("publish_reject", args=[row.pk]) if decidable else None,
    }


def _decided(rows: list[Any]) -> list[dict[str, Any]]:
    counts = count_outcomes(rows)
    return [
        {
            "url": reverse("publish_request", args=[row.pk]),
            "cohort": {"name": row.cohort.name, "url": reverse("cohort", args=[row.cohort_id])},
            "count": row.number,
            "left_out": counts[row.pk].withdrawn + counts[row.pk].not_accepted,
            "state": row.state,
            "decided_by": row.decided_by.shown_name if row.decided_by else "",
            "decided": row.decided,
            "reason": row.reason,
        }
        for row in rows
    ]
