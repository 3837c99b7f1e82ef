"""What the rules between rows need while values are written: locks, private ids, and what else is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from medtheca.domains.metadata.contradictions import stored_beside, subjects_of
from medtheca.domains.provenance.enums import AccessionState
from medtheca.domains.provenance.models import Accession
from medtheca.toolkit.schemas import DERMATOLOGY, validate_batch
from medtheca.workflows.describing.rows import FoundProblem


def lock_accessions(ids: Iterable[int]) -> dict[int, Accession]:
    """Accessions that are there and not refused, locked in one order, each with its description."""
    found = (
        Accession.objects.select_for_update(of=("self",), no_key=True)
        .select_related("description", "cohort__contributor")
        .filter(pk__in=list(ids))
        .exclude(state=AccessionState.REFUSED)
        .order_by("pk")
    )
    return {accession.pk: accession for accession in found}


def private_ids(values: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The private ids of patient and lesion."""
    patient, lesion = values.get("patient_id"), values.get("lesion_id")
    return (None if patient is None else str(patient), None if lesion is None else str(lesion))


def contradicted(
    *, contributor_id: int, rows: Mapping[int, Mapping[str, Any]], file_id: int | None = None
) -> dict[int, FoundProblem]:
    """Of accessions with new values those that contradict what the contributor's others say, with the reason."""
    subjects = {pk: subjects_of(values) for pk, values in rows.items()}
    beside = stored_beside(
        contributor_id=contributor_id, rows=subjects.values(), file_id=file_id, leaving_out=subjects.keys()
    )
    if not beside:
        return {}
    return _judge(subjects, [("an image stored meanwhile", row.values) for row in beside])


def _judge(
    subjects: Mapping[int, Mapping[str, Any]], beside: list[tuple[str, Mapping[str, Any]]]
) -> dict[int, FoundProblem]:
    labelled: list[tuple[str, Mapping[str, Any]]] = [(f"accession {pk}", values) for pk, values in subjects.items()]
    names = {f"accession {pk}": pk for pk in subjects}
    found: dict[int, FoundProblem] = {}
    for problem in validate_batch(labelled + beside, pack=DERMATOLOGY):
        told = FoundProblem("", problem.field, problem.value, problem.code, problem.message, problem.remedy)
        for label in problem.rows:
            if label in names:
                found.setdefault(names[label], told)
    return found
