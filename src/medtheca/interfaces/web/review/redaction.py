"""Blacking out faces, tattoos and labels: boxes drawn over the picture, or given as numbers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.provenance.queries import accession_for
from medtheca.domains.provenance.versions import require_replaceable
from medtheca.interfaces.http.file_urls import file_url
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.tiles import label_of
from medtheca.workflows.redact import MOST_BOXES, redactions_of, request_redaction, require_redactor

_SIDES = ("x", "y", "width", "height")
_EMPTY_ROWS = 3  # for those without scripts, who cannot add one


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def accession_redact(request: HttpRequest, accession_id: int) -> HttpResponse:
    """Draw boxes, say why; a job makes the copy without what is below them."""
    user = signed_in(request)
    found = accession_for(user, accession_id)
    require_redactor(user, found)
    image = require_replaceable(found)
    error, status = "", 200
    rows = [dict(zip(_SIDES, map(str, box), strict=True)) for box in redactions_of(found)]
    if request.method == "POST":
        rows = _rows(request)
        try:
            version = request_redaction(
                user=user, accession_id=found.pk, boxes=_boxes(rows), reason=request.POST.get("reason", "")
            )
        except (Conflict, Invalid) as refusal:
            error, status = in_words(refusal), 400
        else:
            number = len(version.redactions)
            words = (
                f"{number} area{' is' if number == 1 else 's are'} being blacked out. The page shows it in a moment."
            )
            messages.success(request, words)
            return redirect("accession", accession_id=found.pk)
    context: dict[str, Any] = {
        "label": label_of(image, found),
        "name": found.name,
        "url": reverse("accession", args=[found.pk]),
        "web_url": file_url(image, FileKind.WEB),
        "width": image.width,
        "height": image.height,
        "rows": rows,
        "empty": [{}] * (_EMPTY_ROWS if len(rows) < MOST_BOXES else 0),
        "kept": redactions_of(found) if found.published else [],
        "published": found.published,
        "reason": request.POST.get("reason", ""),
        "error": error,
    }
    return render(request, "pages/review/redact.html", context, status=status)


def _rows(request: HttpRequest) -> list[dict[str, str]]:
    """Rows of the form that are not empty, as they were typed."""
    columns = [request.POST.getlist(side)[: MOST_BOXES + 1] for side in _SIDES]
    rows = [dict(zip(_SIDES, values, strict=True)) for values in zip(*columns, strict=False)]
    return [row for row in rows if any(value.strip() for value in row.values())]


def _boxes(rows: list[dict[str, str]]) -> list[list[int]]:
    """Whole numbers; what is none becomes a box that fits nowhere, and is refused by its number."""
    return [
        [int(row[side]) if row[side].strip().isdecimal() and len(row[side]) < 10 else -1 for side in _SIDES]
        for row in rows
    ]
