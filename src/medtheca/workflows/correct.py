"""Correcting what is said of one image, before or after it was published; the id stays, and so does every version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.metadata.models import MetadataVersion
from medtheca.domains.metadata.operations import Change, lock_contributor
from medtheca.domains.provenance.access import require_editor
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.queries import accession_for
from medtheca.domains.search.queries import image_for
from medtheca.toolkit.schemas import CLEAR, DERMATOLOGY, ReadRow, lay_on
from medtheca.toolkit.schemas.registry import RESERVED_COLUMNS
from medtheca.toolkit.suggest import did_you_mean
from medtheca.workflows.describing.rows import JudgedRow, Present, judge_row
from medtheca.workflows.describing.subjects import contradicted, lock_accessions
from medtheca.workflows.describing.writing import write_changes

_LONGEST_REASON = 500
_LONGEST_NAME = 255


def correct_metadata(
    *,
    user: User,
    changes: Mapping[str, Any],
    reason: str = "",
    image_ref: str = "",
    accession_id: int | None = None,
    unstructured: Mapping[str, Any] | None = None,
) -> MetadataVersion | None:
    """Change what is said of an image, by its public id or key, or by its accession; return the version made.

    `changes` are fields of the schema with their new values, None to clear one; `unstructured` are others. Nothing is
    returned where nothing differs. A published image needs a reason, which the public change log shows, and is not
    reviewed again; of one that waits, review begins anew.

    Raises `NotFound`, `NotAllowed`, or `Invalid` with every problem.
    """
    found = _find(user, image_ref, accession_id)
    require_editor(user, found.cohort, to="correct its metadata")
    words = _check_reason(reason, needed=found.published is not None)
    cells = _cells(changes, unstructured or {})
    with transaction.atomic():
        lock_contributor(found.cohort.contributor_id)
        accession = lock_accessions([found.pk]).get(found.pk)
        if accession is None:
            raise NotFound(f"There is no accession {found.pk}.")
        # It may have been published between the two looks.
        _check_reason(reason, needed=accession.published is not None)
        present = Present.of(getattr(accession, "description", None))
        judged = judge_row(ReadRow(cells, {}), present)
        _refuse(judged, accession)
        return _write(accession, present, judged, user=user, reason=words)


def _find(user: User, image_ref: str, accession_id: int | None) -> Accession:
    if accession_id is not None:
        return accession_for(user, accession_id)
    image = image_for(user, image_ref)
    found = Accession.objects.select_related("cohort__contributor").filter(image=image.pk).first()
    if found is None:
        raise NotFound(f"There is no image {image_ref}.")
    return found


def _check_reason(reason: str, *, needed: bool) -> str:
    words = reason.strip()
    if needed and not words:
        remedy = "Say why in a sentence; everybody can read it in the change log of the image."
        problem = Problem("reason", "A published image is changed only with a reason.", code="required", remedy=remedy)
        raise Invalid("A reason is missing.", problems=[problem])
    if len(words) > _LONGEST_REASON or "\x00" in words:
        problem = Problem("reason", f"{_LONGEST_REASON} characters are the most.", code="too_long")
        raise Invalid("The reason cannot be kept.", problems=[problem])
    return words


def _cells(changes: Mapping[str, Any], unstructured: Mapping[str, Any]) -> dict[str, str]:
    """The changes as cells of a sheet, so that both are read by the same rules."""
    known = {*DERMATOLOGY.by_name, *DERMATOLOGY.level_columns}
    problems = [
        Problem(name, f"There is no field '{name}'.", code="unknown_field", remedy=did_you_mean(name, sorted(known)))
        for name in changes
        if name not in known
    ]
    problems += [
        Problem(name, f"'{name}' cannot be the name of an unstructured value.", code="bad_name")
        for name in unstructured
        if name in known or name in RESERVED_COLUMNS or not name.strip() or len(name) > _LONGEST_NAME
    ]
    if not changes and not unstructured:
        problems.append(Problem("metadata", "Nothing is to be changed.", code="required"))
    if problems:
        raise Invalid("The metadata cannot be changed so.", problems=problems)
    return {name: _cell(value) for name, value in (*changes.items(), *unstructured.items())}


def _cell(value: Any) -> str:
    if value is None or value == "":
        return CLEAR
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuse(judged: JudgedRow, accession: Accession) -> None:
    problems = list(judged.problems)
    if not problems:
        refused = contradicted(contributor_id=accession.cohort.contributor_id, rows={accession.pk: judged.values})
        problems += refused.values()
    if problems:
        told = [Problem(found.field, found.message, code=found.code, remedy=found.remedy) for found in problems]
        raise Invalid("The metadata cannot be changed so.", problems=told)


def _write(
    accession: Accession, present: Present, judged: JudgedRow, *, user: User, reason: str
) -> MetadataVersion | None:
    if not (judged.structured or judged.unstructured):
        return None
    unstructured = present.unstructured | {name: pair[1] for name, pair in judged.unstructured.items()}
    kept = {name: value for name, value in unstructured.items() if value is not None}
    structured = lay_on(
        present.structured, {name: pair[1] for name, pair in judged.structured.items()}, pack=DERMATOLOGY
    )
    numbers = write_changes(
        changes=[Change(accession, structured, kept)],
        contributor=accession.cohort.contributor,
        creator=user,
        reason=reason,
    )
    record(
        actor_id=user.pk,
        verb="metadata.corrected",
        subject_type="accession",
        subject_id=accession.pk,
        cohort_id=accession.cohort_id,
        # Names of fields are no secret; values and names that somebody chose may be.
        details={"fields": sorted(judged.structured), "unstructured": len(judged.unstructured)},
    )
    return MetadataVersion.objects.get(accession=accession, number=numbers[accession.pk])
