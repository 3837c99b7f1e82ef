"""Patients and lesions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Query, Router

from medtheca.domains.provenance.patients import (
    accessions_of_patient,
    cohorts_of_patient,
    lesions_of_patient,
    patient_for,
    patients_for,
)
from medtheca.domains.search.lesions import SeenLesion, lesion_for, see_lesions, visible_lesions
from medtheca.interfaces.api.v2.calling import caller_of, page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.api.v2.shapes.images import image_out, site_of
from medtheca.interfaces.api.v2.shapes.subjects import LesionOut, PatientDetailOut, PatientOut
from medtheca.interfaces.http.api_auth import anybody, somebody

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Patient

lesions = Router(tags=["lesions"], auth=anybody)
patients = Router(tags=["patients"], auth=somebody)


@lesions.get("/", response=PageOut[LesionOut], url_name="lesions")
def list_lesions(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Lesions whose every image the caller may see, with their images."""
    asker = caller_of(request).user
    rows = visible_lesions(asker)
    return page_of(
        request,
        rows,
        page,
        order=("public_id",),
        shape=lambda found: [_lesion(request, lesion) for lesion in see_lesions(found, asker=asker)],
    )


@lesions.get("/{public_id}/", response=LesionOut, url_name="lesion_detail")
def show_lesion(request: HttpRequest, public_id: str) -> Any:
    """One lesion; 404 unless the caller may see every image of it."""
    return _lesion(request, lesion_for(caller_of(request).user, public_id))


@patients.get("/", response=PageOut[PatientOut], url_name="patients")
def list_patients(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Patients of the caller's contributors; all for staff."""
    rows = patients_for(user_of(request))
    return page_of(request, rows, page, order=("public_id",), shape=lambda found: [_patient(row) for row in found])


@patients.get("/{public_id}/", response=PatientDetailOut, url_name="patient_detail")
def show_patient(request: HttpRequest, public_id: str) -> Any:
    """One patient with their images, lesions and cohorts. People of the contributor and staff."""
    patient = patient_for(user_of(request), public_id)
    rows = list(accessions_of_patient(patient))
    return {
        **_patient(patient),
        "cohorts": [cohort.pk for cohort in cohorts_of_patient(patient)],
        "lesions": [lesion.public_id for lesion in lesions_of_patient(patient)],
        "images": [row.image.public_id or str(row.image.key) for row in rows if row.image],
        "submissions": [row.pk for row in rows],
    }


def _patient(row: Patient) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "private_id": row.private_id,
        "contributor": row.contributor_id,
        # Counted by the query that found the row.
        "images_count": getattr(row, "images_count", 0),
        "lesions_count": getattr(row, "lesions_count", 0),
    }


def _lesion(request: HttpRequest, seen: SeenLesion) -> dict[str, Any]:
    site, caller = site_of(request), caller_of(request)
    return {
        "id": seen.public_id,
        "images": [image_out(one.entry, site=site, caller=caller) for one in seen.images],
        "images_count": len(seen.images),
        "longitudinally_monitored": seen.longitudinally_monitored,
        "index_image_id": seen.index.entry.public_id or str(seen.index.entry.key),
        "outcome_diagnosis": seen.outcome_diagnosis,
        "outcome_diagnosis_1": seen.outcome_diagnosis_1,
    }
