"""Patients and lesions: private ids of a contributor become public ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from medtheca.base.ids import random_number
from medtheca.domains.provenance.models import Accession, Contributor, Lesion, Patient

_WIDTH = 7
_Subject = TypeVar("_Subject", Patient, Lesion)


def link_subjects(*, contributor: Contributor, rows: Sequence[tuple[Accession, str | None, str | None]]) -> None:
    """Tell each accession whose it is: (accession, private patient id, private lesion id); none takes a link away.

    Call inside a transaction.
    """
    patients = _subjects(Patient, "IP", contributor, {patient for _, patient, _ in rows if patient})
    lesions = _subjects(Lesion, "IL", contributor, {lesion for _, _, lesion in rows if lesion})
    for accession, patient, lesion in rows:
        accession.patient = patients.get(patient or "")
        accession.lesion = lesions.get(lesion or "")
    Accession.objects.bulk_update([accession for accession, _, _ in rows], ["patient", "lesion"])


def _subjects(
    kind: type[_Subject], prefix: str, contributor: Contributor, private_ids: Iterable[str]
) -> Mapping[str, _Subject]:
    """The patient or lesion for each private id. New ones get a random public id; the database refuses a second."""
    wanted = set(private_ids)
    rows = kind._default_manager.filter(contributor=contributor, private_id__in=wanted)
    new = wanted - {row.private_id for row in rows}
    taken: set[str] = set()
    while len(taken) < len(new):
        taken |= {random_number(prefix, _WIDTH) for _ in range(len(new) - len(taken))}
        taken -= set(kind._default_manager.filter(public_id__in=taken).values_list("public_id", flat=True))
    kind._default_manager.bulk_create(
        [
            kind(contributor=contributor, private_id=private_id, public_id=public_id)
            for private_id, public_id in zip(sorted(new), sorted(taken), strict=True)
        ],
        # Another chunk may have made the same subject meanwhile: then theirs counts.
        ignore_conflicts=True,
    )
    return {row.private_id: row for row in rows.all()}
