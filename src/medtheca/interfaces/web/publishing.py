"""Asking for publication, and deciding on it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.enums import RequestState
from medtheca.domains.provenance.overviews import pending_request, sample_images_of
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.queries import cohort_for, publish_requests_for, publishable_accessions
from medtheca.domains.provenance.summaries import publish_request_for
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.forms import PublishForm
from medtheca.interfaces.web.paging import slice_of
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.tiles import tiles_of

MOST_TO_CHOOSE = 200
_SAMPLE = 8
_PAGE = 20
_OPEN = (RequestState.REQUESTED, RequestState.PUBLISHING)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """An owner says which images are to be visible, for whom and from when."""
    user = signed_in(request)
    cohort = cohort_for(user, cohort_id)
    require_owner(user, cohort, to="publish its images")
    ready = publishable_accessions(cohort).select_related("image")
    listed = list(ready[:MOST_TO_CHOOSE])
    form = PublishForm(request.POST or None, accession_ids=[row.pk for row in listed])
    if form.is_valid():
        try:
            request_publication(
                cohort=cohort,
                requester=user,
                visibility=form.cleaned_data["visibility"],
                accession_ids=form.chosen(),
                opens=form.end_of_embargo(),
            )
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "You asked for publication. Staff looks at the images and decides.")
            return redirect("publish_requests")
    pending: Any = pending_request(cohort)
    context = {
        "form": form,
        "cohort": {
            "name": cohort.name,
            "url": reverse("cohort", args=[cohort.pk]),
            "licence": cohort.licence,
            "attribution": cohort.attribution,
        },
        "ready": ready.count(),
        "most": MOST_TO_CHOOSE,
        "tiles": tiles_of([row.image for row in listed if row.image is not None]),
        "chosen": set(request.POST.getlist("accessions")),
        "pending": {"count": pending.number, "created": pending.created} if pending else None,
        "cancel_url": reverse("cohort", args=[cohort.pk]),
    }
    return render(request, "pages/publish.html", context)


@login_required
@require_safe
def publish_requests(request: HttpRequest) -> HttpResponse:
    """Requests from the person's cohorts; all for staff, who decide here."""
    return _list_requests(request)


@login_required
@require_POST
def publish_accept(request: HttpRequest, request_id: int) -> HttpResponse:
    """Accept a request: its images are published by a job."""
    user = signed_in(request)
    publish_request_for(user, request_id)
    decide_publication(request_id=request_id, staff=user, accept=True)
    messages.success(request, "Accepted. The images are being published.")
    return redirect("publish_requests")


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
        return _list_requests(request, error_at=request_id, error=in_words(refusal))
    messages.success(request, "Rejected. The owners see your reason on this page.")
    return redirect("publish_requests")


def _list_requests(request: HttpRequest, *, error_at: int | None = None, error: str = "") -> HttpResponse:
    user = signed_in(request)
    found = slice_of(request, publish_requests_for(user), size=_PAGE)
    waiting = [row for row in found.rows if row.state in _OPEN]
    samples = sample_images_of(waiting, each=_SAMPLE)
    tiles = {tile["key"]: tile for tile in tiles_of([image for images in samples.values() for image in images])}
    context = {
        "requests": [
            _waiting(row, is_staff=user.is_staff)
            | {
                "tiles": [tiles[str(image.key)] for image in samples[row.pk]],
                "error": error if row.pk == error_at else "",
            }
            for row in waiting
        ],
        "decided": [_decided(row) for row in found.rows if row.state not in _OPEN],
        **found.links(),
    }
    return render(request, "pages/publish_requests.html", context)


def _waiting(row: Any, *, is_staff: bool) -> dict[str, Any]:
    decidable = is_staff and row.state == RequestState.REQUESTED
    return {
        "id": row.pk,
        "cohort": {"name": row.cohort.name, "url": reverse("cohort", args=[row.cohort_id])},
        "contributor": row.cohort.contributor.institution_name,
        "requested_by": row.requester.full_name,
        "created": row.created,
        "count": row.number,
        "state": row.state,
        "visibility": row.visibility,
        "opens": row.opens,
        "licence": row.cohort.licence,
        "attribution": row.cohort.attribution,
        "gallery_url": f"{reverse('gallery')}?cohort={row.cohort_id}",
        "accept_url": reverse("publish_accept", args=[row.pk]) if decidable else None,
        "reject_url": reverse("publish_reject", args=[row.pk]) if decidable else None,
    }


def _decided(row: Any) -> dict[str, Any]:
    return {
        "cohort": {"name": row.cohort.name, "url": reverse("cohort", args=[row.cohort_id])},
        "count": row.number,
        "state": row.state,
        "decided_by": row.decided_by.full_name if row.decided_by else "",
        "decided": row.decided,
        "reason": row.reason,
    }
