"""Applying a checked sheet: in chunks, a version an accession; a second run goes on where the first stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medtheca.base.bulk import update_rows
from medtheca.base.clock import now
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.metadata.enums import MetadataFileState, RowOutcome
from medtheca.domains.metadata.models import MetadataFile, SheetRow
from medtheca.domains.metadata.operations import Change, lock_contributor
from medtheca.domains.metadata.sheets import rows_of
from medtheca.domains.provenance.models import Accession
from medtheca.toolkit.schemas import DERMATOLOGY, lay_on, row_of_values, validate_row
from medtheca.workflows.describing.rows import FoundProblem, Present
from medtheca.workflows.describing.subjects import contradicted, lock_accessions
from medtheca.workflows.describing.writing import walk_rows, write_changes

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

CHUNK = 500


@dataclass(frozen=True, slots=True)
class _Planned:
    """A row with the values that its accession is to have."""

    row: SheetRow
    accession: Accession
    structured: dict[str, Any]
    unstructured: dict[str, str]


def apply_rows(file_id: int, *, chunk: int) -> None:
    """Apply what waits, then end the application and tell who asked for it."""
    walk_rows(
        file_id,
        during=MetadataFileState.APPLYING,
        wanted=lambda _: [RowOutcome.WAITING],
        do=_apply_chunk,
        finish=_finish,
        chunk=chunk,
    )


def _apply_chunk(file: MetadataFile, rows: Sequence[SheetRow]) -> None:
    lock_contributor(file.cohort.contributor_id)
    accessions = lock_accessions([row.accession_id for row in rows if row.accession_id])
    planned = []
    for row in rows:
        found = _plan(file, row, accessions.get(row.accession_id or 0))
        if isinstance(found, FoundProblem):
            _leave_out(row, found)
        else:
            planned.append(found)
    refused = contradicted(
        contributor_id=file.cohort.contributor_id,
        rows={plan.accession.pk: plan.structured for plan in planned},
        file_id=file.pk,
    )
    for plan in planned:
        if plan.accession.pk in refused:
            _leave_out(plan.row, refused[plan.accession.pk])
    _write(file, [plan for plan in planned if plan.accession.pk not in refused])


def _plan(file: MetadataFile, row: SheetRow, accession: Accession | None) -> _Planned | FoundProblem:
    """The values after the row, or why it is left out. Nothing that changed since the check is written over unseen."""
    if accession is None or accession.cohort_id != file.cohort_id:
        return FoundProblem("", "", row.name, "gone", "The image is not in the cohort any more.", "Nothing to do.")
    if accession.published is not None and not file.reason:
        words = "The image was published meanwhile, and changing published metadata needs a reason."
        return FoundProblem("", "", row.name, "reason_missing", words, "Give the sheet again, with a reason.")
    present = Present.of(getattr(accession, "description", None))
    structured = lay_on(present.structured, _after(row.structured), pack=DERMATOLOGY)
    unstructured = {
        name: value for name, value in (present.unstructured | _after(row.unstructured)).items() if value is not None
    }
    if present.version != row.base:
        result = validate_row(row_of_values(structured, pack=DERMATOLOGY), pack=DERMATOLOGY)
        if result.problems:
            first = result.problems[0]
            words = f"The image's values changed after the check, and with them: {first.message}"
            return FoundProblem("", first.field, first.value, "changed_since", words, "Give the sheet again.")
    return _Planned(row, accession, structured, unstructured)


def _after(changes: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    return {name: pair[1] for name, pair in changes.items()}


def _leave_out(row: SheetRow, problem: FoundProblem) -> None:
    row.outcome = RowOutcome.SKIPPED
    row.problems = [*row.problems, problem.as_json()]
    row.save(update_fields=["outcome", "problems"])


def _write(file: MetadataFile, planned: Sequence[_Planned]) -> None:
    if not planned:
        return
    changes = [Change(plan.accession, plan.structured, plan.unstructured) for plan in planned]
    numbers = write_changes(
        changes=changes,
        contributor=file.cohort.contributor,
        creator=_actor(file),
        source=file,
        reason=file.reason,
    )
    for plan in planned:
        number = numbers.get(plan.accession.pk)
        plan.row.version = number
        plan.row.outcome = RowOutcome.APPLIED if number else RowOutcome.UNCHANGED
    update_rows([plan.row for plan in planned], ["version", "outcome"])


def _actor(file: MetadataFile) -> User:
    return file.actor or file.creator


def _finish(file: MetadataFile) -> None:
    changed = rows_of(file).filter(outcome=RowOutcome.APPLIED).count()
    left_out = rows_of(file).filter(outcome=RowOutcome.SKIPPED, accession__isnull=False).count()
    file.report |= {"changed": changed, "skipped": left_out}
    file.state = MetadataFileState.APPLIED
    file.done = file.total
    file.applied_by, file.applied_at = _actor(file), now()
    file.save()
    record(
        actor_id=_actor(file).pk,
        verb="metadata.applied",
        subject_type="metadata_file",
        subject_id=file.pk,
        cohort_id=file.cohort_id,
        details={"rows": file.report.get("matched", 0), "changed": changed, "skipped": left_out},
    )
    more = f" {left_out:,} rows were left out because their images changed meanwhile." if left_out else ""
    notify(
        recipient_ids=[_actor(file).pk],
        kind="metadata.applied",
        words=f"A spreadsheet for the cohort {file.cohort.name} was applied: {changed:,} images have new values.{more}",
        url=f"/metadata-files/{file.pk}/",
        subject_type="metadata_file",
        subject_id=file.pk,
        cohort_id=file.cohort_id,
    )
