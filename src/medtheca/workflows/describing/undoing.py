"""Undoing an application: every value as it was before, byte for byte; what has changed since is left and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from medtheca.base.bulk import update_rows
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.metadata.enums import MetadataFileState, RowOutcome
from medtheca.domains.metadata.models import MetadataFile, MetadataVersion, SheetRow
from medtheca.domains.metadata.operations import Change, lock_contributor
from medtheca.domains.metadata.sheets import rows_of, snapshots
from medtheca.domains.provenance.models import Accession
from medtheca.toolkit.schemas import DERMATOLOGY, restore, row_of_values, same, validate_row
from medtheca.workflows.describing.rows import FoundProblem, Present
from medtheca.workflows.describing.subjects import contradicted, lock_accessions
from medtheca.workflows.describing.writing import walk_rows, write_changes

_UNDONE = "The application of a spreadsheet was undone."


@dataclass(slots=True)
class _Back:
    """A row on its way back: the values it is to have, and fields that are left alone."""

    row: SheetRow
    accession: Accession
    structured: dict[str, Any]
    unstructured: dict[str, str]
    conflicts: list[FoundProblem] = field(default_factory=list)


def undo_rows(file_id: int, *, chunk: int) -> None:
    """Undo what was applied, then end and tell who asked for it. Cut off, a second run goes on."""
    walk_rows(file_id, during=MetadataFileState.UNDOING, wanted=_wanted, do=_undo_chunk, finish=_finish, chunk=chunk)


def _wanted(file: MetadataFile) -> list[RowOutcome]:
    return [RowOutcome.APPLIED, RowOutcome.CONFLICT] if file.accept_conflicts else [RowOutcome.APPLIED]


def _undo_chunk(file: MetadataFile, rows: Sequence[SheetRow]) -> None:
    lock_contributor(file.cohort.contributor_id)
    accessions = lock_accessions([row.accession_id for row in rows if row.accession_id])
    pairs = [(row.accession_id, row.version) for row in rows if row.accession_id and row.version]
    versions = snapshots([*pairs, *((pk, number - 1) for pk, number in pairs if number > 1)])
    back = []
    for row in rows:
        accession = accessions.get(row.accession_id or 0)
        after = versions.get((row.accession_id or 0, row.version or 0))
        if accession is None or after is None:
            row.outcome = RowOutcome.CONFLICT
            row.problems = [_conflict("", row.name, "gone", "The image, or what was said of it, is gone.").as_json()]
            continue
        before = versions.get((accession.pk, after.number - 1))
        back.append(_go_back(row, accession, before, after, force=file.accept_conflicts))
    refused = contradicted(
        contributor_id=file.cohort.contributor_id,
        rows={item.accession.pk: item.structured for item in back},
        file_id=file.pk,
    )
    for item in back:
        if item.accession.pk in refused:
            _leave(item, refused[item.accession.pk])
    _write(file, back)
    update_rows(rows, ["outcome"])
    # Few have conflicts, and lists cannot be written in bulk so quickly.
    SheetRow.objects.bulk_update([row for row in rows if row.outcome == RowOutcome.CONFLICT], ["problems"])
    SheetRow.objects.filter(pk__in=[row.pk for row in rows if row.outcome == RowOutcome.UNDONE]).exclude(
        problems=[]
    ).update(problems=[])


def _go_back(
    row: SheetRow, accession: Accession, before: MetadataVersion | None, after: MetadataVersion, *, force: bool
) -> _Back:
    present = Present.of(getattr(accession, "description", None))
    old = (before.structured, before.unstructured) if before else ({}, {})
    conflicts: list[FoundProblem] = []
    fields = []
    for name in row.structured:
        columns = [column.name for column in DERMATOLOGY.by_name[name].columns]
        now, then, earlier = (_only(values, columns) for values in (present.structured, after.structured, old[0]))
        if now == then or force:
            fields.append(name)
        elif now != earlier:
            conflicts.append(_changed_since(name))
    structured = restore(present.structured, old[0], fields, pack=DERMATOLOGY)
    unstructured = dict(present.unstructured)
    for name in row.unstructured:
        mine, theirs = unstructured.get(name), after.unstructured.get(name)
        if same(mine, theirs) or force:
            unstructured.pop(name, None)
            if name in old[1]:
                unstructured[name] = old[1][name]
        elif not same(mine, old[1].get(name)):
            conflicts.append(_changed_since(name))
    item = _Back(row, accession, structured, unstructured, conflicts)
    if present.version != row.version:
        _require_sense(item, old[0])
    return item


def _require_sense(item: _Back, earlier: Mapping[str, Any]) -> None:
    """Leave a row alone whose old values do not go with what was added since."""
    result = validate_row(row_of_values(item.structured, pack=DERMATOLOGY), pack=DERMATOLOGY)
    if result.problems:
        known = validate_row(row_of_values(earlier, pack=DERMATOLOGY), pack=DERMATOLOGY)
        new = [problem for problem in result.problems if problem not in known.problems]
        if new:
            first = new[0]
            words = f"The old values do not go with what was added since: {first.message}"
            _leave(item, _conflict(first.field, first.value, "does_not_fit", words))


def _leave(item: _Back, problem: FoundProblem) -> None:
    present = Present.of(getattr(item.accession, "description", None))
    item.structured, item.unstructured = present.structured, present.unstructured
    item.conflicts = [*item.conflicts, problem]


def _only(values: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    # As text of the kind, so that 1 is not true.
    return {name: (type(values[name]).__name__, values[name]) for name in columns if name in values}


def _changed_since(name: str) -> FoundProblem:
    return _conflict(name, "", "changed_since", f"{name} was changed after the spreadsheet was applied.")


def _conflict(name: str, value: str, code: str, message: str) -> FoundProblem:
    remedy = "Undo with conflicts accepted to take it back all the same, or correct it by hand."
    return FoundProblem("", name, value, code, message, remedy)


def _write(file: MetadataFile, back: Sequence[_Back]) -> None:
    if back:
        changes = [Change(item.accession, item.structured, item.unstructured) for item in back]
        actor = file.actor or file.creator
        write_changes(
            changes=changes,
            contributor=file.cohort.contributor,
            creator=actor,
            source=file,
            reason=file.reason or _UNDONE,
        )
    for item in back:
        item.row.outcome = RowOutcome.CONFLICT if item.conflicts else RowOutcome.UNDONE
        item.row.problems = [problem.as_json() for problem in item.conflicts]


def _finish(file: MetadataFile) -> None:
    undone = rows_of(file).filter(outcome=RowOutcome.UNDONE).count()
    conflicts = rows_of(file).filter(outcome=RowOutcome.CONFLICT).count()
    file.report |= {"undone": undone, "conflicts": conflicts}
    file.state = MetadataFileState.UNDONE
    file.done = file.total
    file.save()
    actor = file.actor or file.creator
    record(
        actor_id=actor.pk,
        verb="metadata.undone",
        subject_type="metadata_file",
        subject_id=file.pk,
        cohort_id=file.cohort_id,
        details={"undone": undone, "conflicts": conflicts},
    )
    left = f" {conflicts:,} have changed since and were left as they are." if conflicts else ""
    notify(
        recipient_ids=[actor.pk],
        kind="metadata.undone",
        words=f"A spreadsheet for the cohort {file.cohort.name} was undone: {undone:,} images are as before.{left}",
        url=f"/metadata-files/{file.pk}/",
        subject_type="metadata_file",
        subject_id=file.pk,
        cohort_id=file.cohort_id,
    )
