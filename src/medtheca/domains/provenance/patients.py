"""Patients, for the people of their contributor: who they are privately, and what there is of them."""

from __future__ import annotations

from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from medtheca.base.errors import NotFound
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.access import may_own, visible_contributors
from medtheca.domains.provenance.models import Accession, Cohort, Lesion, Patient
from medtheca.domains.storage.erased import raise_if_erased


def patients_for(user: User | None) -> QuerySet[Patient]:
    """Patients of the person's contributors, all for staff, with `images_count` and `lesions_count`; by public id."""
    mine = Accession.objects.filter(patient=OuterRef("pk"), image__isnull=False).order_by().values("patient")
    return (
        Patient.objects.filter(contributor__in=visible_contributors(user).values("pk"))
        .select_related("contributor")
        .annotate(
            images_count=Coalesce(Subquery(mine.annotate(number=Count("pk")).values("number")), 0),
            lesions_count=Coalesce(Subquery(mine.annotate(number=Count("lesion", distinct=True)).values("number")), 0),
        )
        .order_by("public_id")
    )


def find_patients(user: User | None, wanted: str) -> QuerySet[Patient]:
    """As `patients_for`, those whose public or private id holds the words; all where there are none."""
    rows = patients_for(user)
    if not wanted or "\0" in wanted:
        return rows if not wanted else rows.none()
    return rows.filter(Q(public_id__icontains=wanted) | Q(private_id__icontains=wanted))


def patient_for(user: User | None, public_id: str) -> Patient:
    """A patient of one of the person's contributors. Raises `NotFound`, or `Erased` for everybody alike."""
    found = None if "\0" in public_id else patients_for(user).filter(public_id=public_id).first()
    if found is None:
        if "\0" not in public_id:
            raise_if_erased(public_id)
        raise NotFound(f"There is no patient {public_id}.")
    return found


def may_ask_to_erase(user: User | None, patient: Patient) -> bool:
    """Whether the person may ask that a patient be erased: an owner of the contributor, or staff."""
    return may_own(user, patient.contributor)


def accessions_of_patient(patient: Patient) -> QuerySet[Accession]:
    """Everything taken in of a patient, in the order of the days on which it was made, as far as those are known."""
    rows = Accession.objects.filter(patient=patient).select_related("image", "cohort", "lesion", "description")
    return rows.order_by("description__structured__acquisition_day", "created", "pk")


def cohorts_of_patient(patient: Patient) -> QuerySet[Cohort]:
    """Cohorts that hold something of a patient."""
    held = Accession.objects.filter(patient=patient).values("cohort")
    return Cohort.objects.filter(pk__in=held).order_by("name")


def lesions_of_patient(patient: Patient) -> QuerySet[Lesion]:
    """Lesions of a patient, with `images_count`, and when the `first` and `last` image of each came in."""
    mine = Accession.objects.filter(lesion=OuterRef("pk"), patient=patient).order_by().values("lesion")
    return (
        Lesion.objects.filter(pk__in=Accession.objects.filter(patient=patient, lesion__isnull=False).values("lesion"))
        .annotate(
            images_count=Subquery(mine.annotate(number=Count("image")).values("number")),
            first=Subquery(mine.annotate(at=Min("created")).values("at")),
            last=Subquery(mine.annotate(at=Max("created")).values("at")),
        )
        .order_by("public_id")
    )
