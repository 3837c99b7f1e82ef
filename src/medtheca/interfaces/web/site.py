"""What belongs to the site as a whole: for robots, for browsers' tabs, for those who build pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from medtheca.base.clock import now
from medtheca.interfaces.web.forms import CohortForm

# Searches with filters are without number, and pages of people are nothing to robots.
_ROBOTS = """User-agent: *
Disallow: /gallery/?
Disallow: /accounts/
Disallow: /account/
Disallow: /oauth/
Disallow: /upload/
Disallow: /uploads/
Disallow: /cohorts/
Disallow: /contributors/
Disallow: /invitations/
Disallow: /staff/
Disallow: /mailbox/
Disallow: /files/
"""


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What robots may read: the start page, the gallery's first page, and images."""
    return HttpResponse(_ROBOTS, content_type="text/plain; charset=utf-8")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask here when a page names no icon."""
    return redirect(static("dist/favicon.svg"), permanent=True)


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in every state. Only where DEBUG is on."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "medtheca/styleguide.html", _samples())


def _samples() -> dict[str, Any]:
    wrong = CohortForm({"name": "", "licence": "ODbL"}, contributors=[])
    wrong.is_valid()
    tile = {"url": "#", "thumbnail_url": None, "licence": "CC-BY-4.0", "visibility": "public"}
    tiles = [
        tile | {"id": "ISIC_0000042", "diagnosis": "Nevus", "colour": "#b0877a"},
        tile | {"id": "ISIC_0000043", "diagnosis": "", "synthetic": True, "colour": "#c99a86"},
        tile | {"id": "left/IMG_1.jpg", "diagnosis": "Melanoma", "visibility": "private", "colour": "#8a5f52"},
    ]
    rows = [
        {"label": "Diagnosis", "value": "Benign → Nevus", "url": "#"},
        {"label": "Sex", "value": None},
        {"label": "Patient", "value": "IP_0000042", "is_id": True},
    ]
    return {
        "form": wrong,
        "clean_form": CohortForm(contributors=[]),
        "tiles": tiles,
        "group": {"title": "Diagnosis", "rows": rows},
        "now": now(),
        "earlier": now() - timedelta(days=3),
        "crumbs": [{"label": "Cohorts", "url": "#"}, {"label": "Clinic 2026", "url": None}],
    }
