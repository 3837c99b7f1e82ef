"""The queue of reviewers, and the gallery in which a cohort's images are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from medtheca.base.errors import DomainError, Invalid, NotFound, Problem
from medtheca.domains.provenance.enums import ReviewDecision, ReviewReason, ReviewState
from medtheca.domains.provenance.review_queue import (
    found_in_state,
    judged_by,
    review_queue,
    reviewed_cohort_for,
    waiting_for,
)
from medtheca.domains.provenance.reviewing import record_reviews, undo_reviews
from medtheca.interfaces.http.refusals import status_of
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.paging import address
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.review.shown import REASONS, items_of, panel_of

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Accession, Cohort

PAGE = 60
_VIEWS = {
    "waiting": "To do",
    "flagged": "Flagged",
    "rejected": "Rejected",
    "accepted": "Accepted",
    "all": "All",
}


@login_required
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Cohorts with images that wait for the person."""
    rows = [
        {
            "name": row.cohort.name,
            "contributor": row.cohort.contributor.institution_name,
            "url": reverse("review_cohort", args=[row.cohort.pk]),
            "waiting": row.waiting,
            "flagged": row.flagged,
            "oldest": row.oldest,
            "readers": row.cohort.readers,
        }
        for row in review_queue(signed_in(request))
    ]
    return render(request, "pages/review/queue.html", {"rows": rows, "total": sum(row["waiting"] for row in rows)})


@login_required
@require_safe
def gallery(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """A cohort's images to be judged, oldest first: tiles, one picture large, and what is known of it."""
    user = signed_in(request)
    cohort = reviewed_cohort_for(user, cohort_id)
    chosen = request.GET.get("view", "waiting")
    if chosen not in _VIEWS:
        raise Invalid("There is no such list.", remedy=f"There are {', '.join(_VIEWS)}.")
    rows = _rows(user, cohort, chosen)
    after = _number(request, "after")
    page = list(rows.filter(pk__gt=after).order_by("pk").select_related("image", "cohort")[: PAGE + 1])
    items, more = items_of(user, page[:PAGE]), len(page) > PAGE
    next_url = address(request, after=page[PAGE - 1].pk, at=None, part=None) if more else None
    context: dict[str, Any] = {"items": items, "next_url": next_url, "view": chosen, "after": after}
    if request.GET.get("part") == "tiles":
        return render(request, "pages/review/tiles.html", context)
    at = _number(request, "at")
    current = next((row for row in page[:PAGE] if row.pk == at), page[0] if page else None)
    counts = review_queue(user, cohort_ids=[cohort.pk])
    context |= {
        "cohort": {"id": cohort.pk, "name": cohort.name, "url": reverse("cohort", args=[cohort.pk])},
        "contributor": cohort.contributor.institution_name,
        "readers": cohort.readers,
        "views": [
            {"label": label, "url": f"?view={name}", "is_chosen": name == chosen} for name, label in _VIEWS.items()
        ],
        "waiting": counts[0].waiting if counts else 0,
        "reasons": REASONS,
        "here": request.get_full_path(),
        **(panel_of(user, current) if current else {}),
    }
    return render(request, "pages/review/gallery.html", context)


@login_required
@require_safe
def panel(request: HttpRequest, cohort_id: int, accession_id: int) -> HttpResponse:
    """What is known of one image, as the part of a page."""
    user = signed_in(request)
    cohort = reviewed_cohort_for(user, cohort_id)
    rows = judged_by(user).filter(cohort=cohort, pk=accession_id).select_related("image", "cohort__contributor")
    accession = rows.select_related("description", "patient", "lesion").first()
    if accession is None:
        raise NotFound(f"There is no accession {accession_id}.")
    return render(request, "pages/review/panel.html", panel_of(user, accession))


@login_required
@require_POST
def decide(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """Judge those that are ticked, or the one that is shown large. Scripts ask for JSON and get the reviews' ids."""
    user = signed_in(request)
    cohort = reviewed_cohort_for(user, cohort_id)
    try:
        ids, decision, code = _read_decision(request)
        if judged_by(user).filter(cohort=cohort, pk__in=ids).count() != len(set(ids)):
            raise NotFound("One of these images is not there any more.")
        given = record_reviews(
            accession_ids=ids,
            reviewer=user,
            decision=decision,
            reason_code=code,
            reason=request.POST.get("reason", ""),
        )
    except DomainError as refusal:
        return _refused(request, refusal, cohort)
    if _wants_json(request):
        return JsonResponse({"reviews": given})
    number = f"{len(given):,} image{'' if len(given) == 1 else 's'}"
    messages.success(request, f"{ReviewDecision(decision).label}: {number}.")
    return redirect(_back(request, cohort))


@login_required
@require_POST
def undo(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """Take back what one has said, by the reviews' numbers."""
    user = signed_in(request)
    cohort = reviewed_cohort_for(user, cohort_id)
    try:
        undo_reviews(review_ids=_numbers(request.POST.getlist("reviews")), reviewer=user)
    except DomainError as refusal:
        return _refused(request, refusal, cohort)
    return JsonResponse({"reviews": {}}) if _wants_json(request) else redirect(_back(request, cohort))


def _rows(user: User, cohort: Cohort, view: str) -> QuerySet[Accession]:
    if view == "waiting":
        rows = waiting_for(user)
    else:
        rows = judged_by(user) if view == "all" else found_in_state(user, ReviewState(view))
    return rows.filter(cohort=cohort).select_related("description", "patient", "lesion", "cohort__contributor")


def _read_decision(request: HttpRequest) -> tuple[list[int], str, str]:
    """Which images, what was said, and the code of the reason: buttons send `rejected:quality` as `act`."""
    act, _, code = request.POST.get("act", "").partition(":")
    ticked = request.POST.getlist("accessions")
    if act == "accept-shown":
        return _numbers(request.POST.getlist("shown")), ReviewDecision.ACCEPTED, ""
    if act == ReviewDecision.FLAGGED and not code and not request.POST.get("reason", "").strip():
        code = ReviewReason.OTHER
    return _numbers(ticked or request.POST.getlist("current")), act, code


def _numbers(texts: list[str]) -> list[int]:
    if not texts or not all(text.isdecimal() and len(text) < 19 for text in texts):
        problem = Problem("accessions", "No image is chosen.", code="required")
        raise Invalid("Nothing was judged.", problems=[problem])
    return [int(text) for text in texts]


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _refused(request: HttpRequest, refusal: DomainError, cohort: Cohort) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"words": in_words(refusal), "code": refusal.code}, status=status_of(refusal))
    if isinstance(refusal, Invalid):
        messages.error(request, in_words(refusal))
        return redirect(_back(request, cohort))
    raise refusal


def _back(request: HttpRequest, cohort: Cohort) -> str:
    wanted = request.POST.get("next", "")
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("review_cohort", args=[cohort.pk])
