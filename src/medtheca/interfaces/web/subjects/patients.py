"""Patients, for the people of their contributor and staff."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.provenance.erasing import erasures_for, open_erasure_of
from medtheca.domains.provenance.patients import (
    accessions_of_patient,
    cohorts_of_patient,
    find_patients,
    lesions_of_patient,
    may_ask_to_erase,
    patient_for,
)
from medtheca.domains.storage.erased import raise_if_erased
from medtheca.interfaces.web.paging import slice_of
from medtheca.interfaces.web.people import person, signed_in
from medtheca.interfaces.web.tiles import structured_of, tiles_of

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Accession, Patient

_PAGE = 50


@login_required
@require_safe
def patients(request: HttpRequest) -> HttpResponse:
    """Patients of the person's contributors, to be found by either id."""
    user = signed_in(request)
    wanted = request.GET.get("q", "").strip()
    found = slice_of(request, find_patients(user, wanted), size=_PAGE)
    context = {
        "patients": [
            {
                "id": row.public_id,
                "private_id": row.private_id,
                "url": reverse("patient", args=[row.public_id]),
                "contributor": row.contributor.institution_name,
                "images": row.images_count,
                "lesions": row.lesions_count,
            }
            for row in found.rows
        ],
        "q": wanted,
        "may_erase": erasures_for(user).exists() or user.is_staff,
        **found.links(),
    }
    return render(request, "pages/patients.html", context)


@require_safe
def patient(request: HttpRequest, public_id: str) -> HttpResponse:
    """One patient: images in time order, lesions, cohorts."""
    user = person(request.user)
    if user is None:
        # Everybody is told the same of what was erased; all else asks for a log-in.
        raise_if_erased(public_id)
        return _log_in(request, public_id)
    found = patient_for(user, public_id)
    rows = list(accessions_of_patient(found))
    context = {
        "patient": {
            "id": found.public_id,
            "private_id": found.private_id,
            "contributor": found.contributor.institution_name,
            "contributor_url": reverse("contributor", args=[found.contributor_id]),
        },
        "counts": {"images": sum(1 for row in rows if row.image), "submissions": len(rows)},
        "days": _days(rows, user),
        "lesions": [
            {
                "id": lesion.public_id,
                "private_id": lesion.private_id,
                "url": reverse("lesion", args=[lesion.public_id]),
                "images": getattr(lesion, "images_count", 0),
                "last": getattr(lesion, "last", None),
            }
            for lesion in lesions_of_patient(found)
        ],
        "cohorts": [
            {"name": cohort.name, "url": reverse("cohort", args=[cohort.pk])} for cohort in cohorts_of_patient(found)
        ],
        **_erasing(found, user),
    }
    return render(request, "pages/patient.html", context)


@login_required
def _log_in(request: HttpRequest, public_id: str) -> HttpResponse:
    raise AssertionError("login_required sends nobody on.")


def _erasing(found: Patient, user: User) -> dict[str, Any]:
    if not may_ask_to_erase(user, found):
        return {}
    under_way = open_erasure_of(found)
    if under_way:
        return {"erasure_url": reverse("erasure", args=[under_way.pk]), "erasure_state": under_way.state}
    return {"erase_url": f"{reverse('erasure_new')}?patient={found.public_id}"}


def _days(rows: Iterable[Accession], user: User) -> list[dict[str, Any]]:
    """Tiles by the day on which the images were made, as far as it is known."""
    shown = [row for row in rows if row.image is not None]
    seen = set(
        visible_images(viewer_of(user)).filter(pk__in=[row.image_id for row in shown]).values_list("pk", flat=True)
    )
    days = []
    for day, group in groupby([row for row in shown if row.image_id in seen], key=day_of):
        images = [row.image for row in group if row.image is not None]
        days.append({"title": title_of_day(day), "tiles": tiles_of(images, asker=user)})
    return days


def day_of(row: Accession) -> int | None:
    """The day of an accession's image, counted from the first; None where it is not known."""
    day = structured_of(row).get("acquisition_day")
    return int(day) if day is not None else None


def title_of_day(day: int | None) -> str:
    """A heading for images of one day."""
    return "Day not given" if day is None else f"Day {day:,}"
