"""Patients and lesions: private ids of a contributor become public ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from django.db import connection

from medtheca.base.ids import random_number
from medtheca.domains.provenance.models import Accession, Contributor, Lesion, Patient
from medtheca.domains.storage.erased import erased_among

_WIDTH = 7
_Subject = TypeVar("_Subject", Patient, Lesion)


def link_subjects(*, contributor: Contributor, rows: Sequence[tuple[Accession, str | None, str | None]]) -> None:
    """Tell each accession whose it is: (accession, private patient id, private lesion id); none takes a link away.

    Call inside a transaction.
    """
    patients = _subjects(Patient, "IP", contributor, {patient for _, patient, _ in rows if patient})
    lesions = _subjects(Lesion, "IL", contributor, {lesion for _, _, lesion in rows if lesion})
    changed = []
    for accession, patient, lesion in rows:
        before = accession.patient_id, accession.lesion_id
        accession.patient = patients.get(patient or "")
        accession.lesion = lesions.get(lesion or "")
        if (accession.patient_id, accession.lesion_id) != before:
            changed.append((accession.pk, accession.patient_id, accession.lesion_id))
    if changed:
        _update_links(changed)


def _update_links(changed: Sequence[tuple[int, int | None, int | None]]) -> None:
    # Django's own bulk_update writes a CASE with a branch a row and column, which takes ten times as long.
    table = connection.ops.quote_name(Accession._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET patient_id = link.patient, lesion_id = link.lesion"  # noqa: S608 - our own table
            " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS link (id, patient, lesion)"
            f" WHERE {table}.id = link.id",
            [list(column) for column in zip(*changed, strict=True)],
        )


def _subjects(
    kind: type[_Subject], prefix: str, contributor: Contributor, private_ids: Iterable[str]
) -> Mapping[str, _Subject]:
    """The patient or lesion for each private id. New ones get a random public id; the database refuses a second."""
    wanted = set(private_ids)
    rows = kind._default_manager.filter(contributor=contributor, private_id__in=wanted)
    found = {row.private_id: row for row in rows}
    while new := sorted(wanted - found.keys()):
        drawn = {private_id: random_number(prefix, _WIDTH) for private_id in new}
        erased = erased_among(drawn.values())
        kind._default_manager.bulk_create(
            [
                kind(contributor=contributor, private_id=private_id, public_id=public_id)
                for private_id, public_id in drawn.items()
                if public_id not in erased
            ],
            # Another chunk may have made the same subject meanwhile: then theirs counts. Or a public id was taken:
            # then another is drawn.
            ignore_conflicts=True,
        )
        found = {row.private_id: row for row in rows.all()}
    return found
