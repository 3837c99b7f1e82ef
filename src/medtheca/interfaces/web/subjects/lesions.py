"""Lesions, and one of them: its images side by side, over time."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from medtheca.base.errors import DomainError
from medtheca.domains.provenance.patients import patient_for
from medtheca.domains.search.lesions import SeenImage, SeenLesion, lesion_for, see_lesions, visible_lesions
from medtheca.interfaces.web.paging import slice_of
from medtheca.interfaces.web.people import person
from medtheca.interfaces.web.subjects.patients import title_of_day
from medtheca.interfaces.web.tiles import image_url, tiles_of

_PAGE = 30
_SHOWN = 4


@require_safe
def lesions(request: HttpRequest) -> HttpResponse:
    """Lesions whose every image the person may see, each with its first images."""
    asker = request.user if request.user.is_authenticated else None
    found = slice_of(request, visible_lesions(asker), size=_PAGE)
    seen = see_lesions(found.rows, asker=asker)
    # All tiles at once: a few queries a page, not a lesion.
    first = [row.image for one in seen for row in one.images[:_SHOWN]]
    tiles = {tile["key"]: tile for tile in tiles_of(first, asker=asker)}
    context = {
        "lesions": [
            {
                "id": one.public_id,
                "url": reverse("lesion", args=[one.public_id]),
                "images": len(one.images),
                "more": max(0, len(one.images) - _SHOWN),
                "outcome": one.outcome_diagnosis.replace(":", " → "),
                "monitored": one.longitudinally_monitored,
                "tiles": [tiles[str(row.image.key)] for row in one.images[:_SHOWN]],
            }
            for one in seen
        ],
        "gallery_url": reverse("gallery"),
        **found.links(),
    }
    return render(request, "pages/lesions.html", context)


@require_safe
def lesion(request: HttpRequest, public_id: str) -> HttpResponse:
    """Everybody who may see all of its images."""
    found = lesion_for(request.user if request.user.is_authenticated else None, public_id)
    days: list[dict[str, Any]] = []
    for day, group in groupby(found.images, key=_day):
        days.append({"title": title_of_day(day), "tiles": tiles_of([seen.image for seen in group], asker=request.user)})
    names = {tile["key"]: tile["id"] for day in days for tile in day["tiles"]}
    context = {
        "lesion": {
            "id": found.public_id,
            "images": len(found.images),
            "outcome": found.outcome_diagnosis.replace(":", " → "),
            "monitored": found.longitudinally_monitored,
            "index_id": names[str(found.index.entry.key)],
            "index_url": image_url(found.index.image),
            "api_url": f"/api/v2/lesions/{found.public_id}/",
        },
        "days": days,
        **_patient(request, found),
    }
    return render(request, "pages/lesion.html", context)


def _day(seen: SeenImage) -> int | None:
    day = seen.entry.structured.get("acquisition_day")
    return int(day) if day is not None else None


def _patient(request: HttpRequest, found: SeenLesion) -> dict[str, Any]:
    """The patient's public id for all; a link for those who may look at the patient."""
    public_id = found.index.entry.public_ids.get("patient_id", "")
    if not public_id:
        return {}
    try:
        patient_for(person(request.user), public_id)
    except DomainError:
        return {"patient": {"id": public_id}}
    return {"patient": {"id": public_id, "url": reverse("patient", args=[public_id])}}
