"""Who did what when: of a cohort, of an image, of an archive, of everything here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from medtheca.domains.ledger.verbs import SECTIONS
from medtheca.interfaces.http.pagination import cut_page
from medtheca.interfaces.http.spreadsheets import csv_answer
from medtheca.interfaces.web.paging import address
from medtheca.interfaces.web.people import signed_in
from medtheca.workflows.activity import (
    ARCHIVE,
    Entry,
    archive_activity,
    cohort_activity,
    image_activity,
    in_words,
    narrowed,
    people_in,
    staff_activity,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from medtheca.domains.ledger.models import Event

_ROWS = 50
_AT_ONCE = 500
_MOST_LINES = 100_000
_HEADER = ("at", "who", "person", "section", "verb", "words", "cohort", "subject_type", "subject_id")


@login_required
@require_safe
def cohort_events(request: HttpRequest, cohort_id: int) -> HttpResponseBase:
    """What was done in a cohort, for its people."""
    cohort, events = cohort_activity(signed_in(request), cohort_id)
    back = {"label": cohort.name, "url": reverse("cohort", args=[cohort.pk])}
    return _answer(request, events, title=f"Activity of {cohort.name}", back=back, file=f"activity-cohort-{cohort.pk}")


@login_required
@require_safe
def archive_events(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What was done in an archive and its cohort, for its editors."""
    archive, events = archive_activity(signed_in(request), slug)
    back = {"label": archive.title, "url": reverse("archive", args=[archive.slug])}
    return _answer(
        request, events, title=f"Activity of {archive.title}", back=back, file=f"activity-archive-{archive.slug}"
    )


@login_required
@require_safe
def image_events(request: HttpRequest, ref: str) -> HttpResponseBase:
    """What was done to an image, for people of its cohort."""
    image, cohort, events = image_activity(signed_in(request), ref)
    name = image.public_id or str(image.key)
    back = {"label": name, "url": reverse("image", args=[name])}
    return _answer(
        request, events, title=f"Activity of {name}", back=back, file=f"activity-{name}", lead=f"In {cohort.name}."
    )


@login_required
@require_safe
def all_events(request: HttpRequest) -> HttpResponseBase:
    """What was done anywhere, for staff."""
    events = staff_activity(signed_in(request))
    return _answer(request, events, title="Activity", back=None, file="activity", cohorts=True)


def _answer(
    request: HttpRequest,
    events: QuerySet[Event],
    *,
    title: str,
    back: dict[str, str] | None,
    file: str,
    lead: str = "",
    cohorts: bool = False,
) -> HttpResponseBase:
    section, person = request.GET.get("kind", ""), request.GET.get("person", "")
    chosen = narrowed(events, section=section, person=person)
    if request.GET.get("format") == "csv":
        return _csv(chosen, file)
    stretch = cut_page(chosen, order=("pk",), limit=_ROWS, cursor=request.GET.get("cursor"), descending=True)
    context = {
        "title": title,
        "lead": lead,
        "back": back,
        "entries": [_shown(entry, cohorts=cohorts) for entry in in_words(stretch.rows)],
        "sections": SECTIONS,
        "section": section,
        "people": [] if cohorts else people_in(events),
        "person": person,
        "archive": ARCHIVE,
        "csv_url": address(request, format="csv", cursor=None),
        "next_url": address(request, cursor=stretch.next) if stretch.next else None,
        "previous_url": address(request, cursor=stretch.previous) if stretch.previous else None,
    }
    return render(request, "pages/activity.html", context)


def _shown(entry: Entry, *, cohorts: bool) -> dict[str, Any]:
    url = reverse("cohort", args=[entry.cohort_id]) if cohorts and entry.cohort_id else ""
    return {"entry": entry, "cohort_url": url}


def _csv(events: QuerySet[Event], file: str) -> HttpResponse | StreamingHttpResponse:
    return csv_answer(_lines(events), name=f"{file}.csv")


def _lines(events: QuerySet[Event]) -> Iterator[tuple[object, ...]]:
    """A line an event, the latest first, read in pieces so that the names of each piece are fetched at once."""
    yield _HEADER
    last: int | None = None
    for _ in range(_MOST_LINES // _AT_ONCE):
        rows = events if last is None else events.filter(pk__lt=last)
        piece = list(rows.order_by("-pk")[:_AT_ONCE])
        for entry in in_words(piece):
            yield (
                entry.at.isoformat(timespec="seconds"),
                entry.who,
                entry.person,
                entry.section,
                entry.verb,
                entry.words,
                entry.cohort_id or "",
                entry.subject_type,
                entry.subject_id,
            )
        if len(piece) < _AT_ONCE:
            return
        last = piece[-1].pk
