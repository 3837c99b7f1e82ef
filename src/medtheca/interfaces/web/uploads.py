"""Uploading, and what became of each file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from medtheca.base.errors import Invalid
from medtheca.domains.provenance.access import may_edit as may_edit_cohort
from medtheca.domains.provenance.enums import Outcome
from medtheca.domains.provenance.overviews import owned_cohorts, verdict_page
from medtheca.domains.provenance.queries import (
    DeliverySummary,
    cohort_for,
    deliveries_for,
    delivery_for,
    summarise_delivery,
    verdicts_of,
)
from medtheca.interfaces.http.spreadsheets import csv_answer
from medtheca.interfaces.web.archives.becoming import becoming
from medtheca.interfaces.web.deliveries import shown_state, summary_words, upload_rows
from medtheca.interfaces.web.paging import address, slice_of
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.templatetags.chips import state_chip
from medtheca.interfaces.web.tiles import image_url

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Delivery, Verdict

_ROWS = 200
_MOST_COHORTS = 500
_HEADER = ("path", "outcome", "code", "words", "remedy", "size", "image", "other", "note")


@login_required
@require_safe
def upload(request: HttpRequest) -> HttpResponse:
    """Choose a cohort and drop files. Sending is the byte plane's and the script's work."""
    user = signed_in(request)
    cohorts = owned_cohorts(user)[:_MOST_COHORTS]
    context = {
        "cohorts": [
            {
                "id": row.pk,
                "name": row.name,
                "contributor": row.contributor.institution_name,
                "licence": row.licence,
            }
            for row in cohorts
        ],
        "cohort": request.GET.get("cohort", ""),
        "endpoint": "/uploads/tus/",
        "page_pattern": "/uploads/{id}/",
        "person": user.hash_id,
        "limits": {"size": settings.ENVIRONMENT.max_upload, "files": settings.ENVIRONMENT.max_members},
        "create_url": reverse("cohort_create"),
        "uploads": upload_rows(deliveries_for(user)[:5]),
    }
    return render(request, "pages/upload.html", context)


@login_required
@require_safe
def upload_browser(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """The address that command-line clients of the ISIC Archive print after an upload: the cohort itself."""
    return redirect("cohort", cohort_for(signed_in(request), cohort_id).pk)


@login_required
@require_safe
def uploads(request: HttpRequest) -> HttpResponse:
    """Uploads to the person's cohorts, newest first."""
    found = slice_of(request, deliveries_for(signed_in(request)), size=50)
    context = {"uploads": upload_rows(found.rows, with_cohort=True), "upload_url": reverse("upload"), **found.links()}
    return render(request, "pages/uploads.html", context)


@login_required
@require_safe
def upload_verdicts(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """What became of every file of an upload; the page renews itself until all is final."""
    user = signed_in(request)
    delivery = delivery_for(user, upload_id)
    summary = summarise_delivery(delivery)
    outcome = _outcome(request)
    found = verdict_page(
        delivery, limit=_ROWS, outcome=outcome, after=_place(request, "after"), before=_place(request, "before")
    )
    files = found.verdicts
    may_edit = summary.is_final and may_edit_cohort(user, delivery.cohort) and summary.accepted + summary.linked > 0
    replaced = delivery.replaces_id
    archive = becoming(user, delivery) if not replaced else None
    context = {
        "upload": _shown(delivery),
        "cohort": {"name": delivery.cohort.name, "url": reverse("cohort", args=[delivery.cohort_id])},
        "archive": archive,
        "running": not summary.is_final or (archive is not None and archive["running"]),
        "is_final": summary.is_final,
        "summary": summary_words(summary),
        "progress": _progress(delivery, summary),
        "counts": _counts(request, summary, outcome),
        "files": _rows(files),
        "csv_url": reverse("upload_csv", args=[upload_id]) if summary.is_final else None,
        "metadata_url": reverse("metadata_upload", args=[delivery.cohort_id]) if may_edit and not replaced else None,
        "publish_url": reverse("publish", args=[delivery.cohort_id]) if may_edit and not replaced else None,
        "replaced_url": reverse("accession", args=[replaced]) if may_edit and replaced else None,
        "previous_url": address(request, before=files[0].ordinal, after=None) if found.has_previous and files else None,
        "next_url": address(request, after=files[-1].ordinal, before=None) if found.has_next and files else None,
    }
    return render(request, "pages/upload_verdicts.html", context)


def _outcome(request: HttpRequest) -> str:
    outcome = request.GET.get("outcome", "")
    if outcome and outcome not in Outcome.values:
        raise Invalid(f"{outcome} is not an outcome.", remedy=f"One of {', '.join(Outcome.values)}.")
    return outcome


def _place(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Invalid(f"{name} is the number of a file.", remedy="Begin at the first page.")
    return int(text)


def _shown(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": str(delivery.upload_id),
        "name": delivery.upload.filename,
        "size": delivery.upload.size,
        "created": delivery.created,
        "state": shown_state(delivery),
        "words": f"{delivery.refusal} {delivery.remedy}".strip(),
    }


def _progress(delivery: Delivery, summary: DeliverySummary) -> dict[str, Any] | None:
    if summary.is_final:
        return None
    if shown_state(delivery) == "uploading":
        return {"words": "Bytes are arriving", "done": delivery.upload.offset, "total": delivery.upload.size}
    return {"words": "Files are being read", "done": summary.settled, "total": summary.members}


def _counts(request: HttpRequest, summary: DeliverySummary, chosen: str) -> list[dict[str, Any]]:
    numbers = {outcome.value: getattr(summary, outcome.value) for outcome in Outcome}
    if not sum(numbers.values()):
        return []
    choices = [("", "All", sum(numbers.values()))]
    choices += [(name, state_chip(name).label, number) for name, number in numbers.items() if number or name == chosen]
    return [
        {
            "state": name,
            "label": label,
            "count": number,
            "url": address(request, outcome=name, after=None, before=None),
            "selected": name == chosen,
        }
        for name, label, number in choices
    ]


def _rows(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """One row a file; files of one image that came one after the other are one row, with a list of them."""
    rows = []
    for _, group in groupby(verdicts, key=lambda one: (one.accession_id or -one.pk, one.outcome, one.code, one.note)):
        first, *others = group
        row = _row(first)
        if others:
            members = [{"path": one.path, "size": one.size} for one in (first, *others)]
            row |= {"path": first.accession.name if first.accession else first.path, "members": members}
            row["size"] = sum(one.size or 0 for one in (first, *others))
        rows.append(row)
    return rows


def _row(verdict: Verdict) -> dict[str, Any]:
    image = verdict.accession.image if verdict.accession else None
    return {
        "path": verdict.path,
        "outcome": verdict.outcome,
        "code": verdict.code,
        # Beside a chip that says so, the one word would only be noise.
        "words": "" if verdict.code == "accepted" else verdict.words,
        "remedy": verdict.remedy,
        "note": verdict.note,
        "size": verdict.size,
        "image_url": image_url(image) if image else None,
    }


@login_required
@require_safe
def upload_csv(request: HttpRequest, upload_id: UUID) -> StreamingHttpResponse:
    """Every verdict as CSV, streamed."""
    delivery = delivery_for(signed_in(request), upload_id)
    return csv_answer(_csv_rows(delivery), name=f"verdicts-{upload_id}.csv")


def _csv_rows(delivery: Delivery) -> Iterator[tuple[object, ...]]:
    yield _HEADER
    for row in verdicts_of(delivery).iterator(chunk_size=2000):
        image = row.accession.image if row.accession else None
        yield (
            row.path,
            row.outcome,
            row.code,
            row.words,
            row.remedy,
            row.size,
            (image.public_id or str(image.key)) if image else "",
            (row.other.original_path or row.other.name) if row.other else "",
            row.note,
        )
