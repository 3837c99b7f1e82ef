"""A spreadsheet describes the accessions of a cohort: read, checked whole, then applied in chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from medtheca.base.errors import Invalid, Problem
from medtheca.base.jobs import enqueue
from medtheca.base.steps import step
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.metadata.operations import (
    Change,
    describe_accessions,
    keep_metadata_file,
    report_metadata_file,
)
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.models import Accession, Cohort
from medtheca.domains.provenance.queries import accessions_by_name, cohort_for
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.schemas import (
    DERMATOLOGY,
    Recipe,
    RowResult,
    Table,
    TableError,
    TableRow,
    apply_recipe,
    find_recipe,
    merge_row,
    read_table,
    validate_batch,
    validate_row,
)
from medtheca.toolkit.schemas import Problem as FieldProblem

CHUNK = 500
_MOST_REPORTED = 2000


def give_metadata(*, user: User, cohort_id: int, name: str, data: bytes, recipe: str = "") -> MetadataFile:
    """Keep a spreadsheet for a cohort and set its reading going.

    Raises `NotFound`, `NotAllowed`, or `Invalid` for a recipe that nobody knows.
    """
    cohort = cohort_for(user, cohort_id)
    require_owner(user, cohort, to="describe its images")
    if recipe:
        _recipe(recipe)
    with keeping_blobs():
        staged = blob_store().stage([data])
        blob = store_blobs([staged])[staged.sha256]
        file = keep_metadata_file(cohort=cohort, creator=user, name=name, blob=blob, recipe=recipe)
        enqueue("describe.file", file_id=file.pk, lock=f"describe:{cohort.pk}")
    return file


def _recipe(name: str) -> Recipe:
    try:
        return find_recipe(name)
    except LookupError as error:
        raise Invalid(str(error), problems=[Problem("recipe", str(error))]) from error


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the spreadsheet with the accession that it describes."""

    line: int
    accession: Accession
    result: RowResult


def describe_file(*, file_id: int) -> None:
    """Read, check and apply a spreadsheet. With one problem in a row nothing is applied, and every problem is told.

    Rows whose file name is not in the cohort are passed over and told.
    """
    file = MetadataFile.objects.select_related("cohort__contributor", "blob", "creator").filter(pk=file_id).first()
    # One that is gone, after a restore for instance, will not come back however often it is tried.
    if file is None or file.state in {MetadataFileState.INVALID, MetadataFileState.APPLIED}:
        return
    recipe = _recipe(file.recipe) if file.recipe else None
    try:
        with blob_store().open(file.blob.sha256) as spreadsheet:
            table = read_table(spreadsheet.read(), filename_column=recipe.filename_column if recipe else None)
    except TableError as error:
        problems = [asdict(problem) for problem in error.problems]
        report_metadata_file(file=file, state=MetadataFileState.INVALID, report={"problems": problems})
        return
    rows, report = _check(file.cohort, table, recipe)
    if report["problems"]:
        report_metadata_file(file=file, state=MetadataFileState.INVALID, report=report, rows=len(table.rows))
        return
    report_metadata_file(file=file, state=MetadataFileState.APPLYING, report=report, rows=len(table.rows))
    changed = sum(_apply(file, rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK))
    report |= {"matched": len(rows), "changed": changed}
    with transaction.atomic():
        report_metadata_file(file=file, state=MetadataFileState.APPLIED, report=report)
        record(
            actor_id=file.creator_id,
            verb="metadata.applied",
            subject_type="metadata_file",
            subject_id=file.pk,
            cohort_id=file.cohort_id,
            details={"rows": len(rows), "changed": changed},
        )


def _check(cohort: Cohort, table: Table, recipe: Recipe | None) -> tuple[list[_Row], dict[str, Any]]:
    accessions = accessions_by_name(cohort, [row.filename for row in table.rows])
    rows: list[_Row] = []
    problems: list[dict[str, Any]] = []
    notes: Counter[str] = Counter(table.notes)
    unmatched = [row.filename for row in table.rows if row.filename not in accessions]
    first: dict[int, int] = {}
    for row in table.rows:
        if row.filename not in accessions:
            continue
        accession = accessions[row.filename]
        result, found = _read_row(row, accession, recipe, notes)
        if (line := first.setdefault(accession.pk, row.line)) != row.line:
            found.append(_named_twice(row, accession, line, column=table.filename_column))
        problems += [{"line": row.line, "file": row.filename, **asdict(problem)} for problem in found]
        rows.append(_Row(row.line, accession, result))
    batch = validate_batch([(f"line {row.line}", row.result.values) for row in rows], pack=DERMATOLOGY)
    problems += [{"line": None, "file": "", **asdict(problem)} for problem in batch]
    return rows, {
        "problems": problems[:_MOST_REPORTED],
        "problem_count": len(problems),
        "unmatched": unmatched[:_MOST_REPORTED],
        "unmatched_count": len(unmatched),
        "notes": [f"{words} ({count:,} times)" if count > 1 else words for words, count in notes.most_common(100)],
    }


def _named_twice(row: TableRow, accession: Accession, line: int, *, column: str) -> FieldProblem:
    # The reader of the table finds equal names; only the cohort knows which different ones mean the same image.
    return FieldProblem(
        code="duplicate_filename",
        field=column,
        value=row.filename,
        message=f"{row.filename} means {accession.name}, which line {line} describes already.",
        remedy="Keep one row an image.",
    )


def _read_row(
    row: TableRow, accession: Accession, recipe: Recipe | None, notes: Counter[str]
) -> tuple[RowResult, list[FieldProblem]]:
    cells: dict[str, str] = dict(row.cells)
    problems: list[FieldProblem] = []
    if recipe is not None:
        translation = apply_recipe(recipe, cells)
        cells, problems = translation.cells, list(translation.problems)
        notes.update(note.message for note in translation.notes)
    description = getattr(accession, "description", None)
    merged = merge_row(description.structured, cells, pack=DERMATOLOGY) if description else cells
    result = validate_row(merged, pack=DERMATOLOGY)
    notes.update(note.message for note in result.notes)
    return result, problems + result.problems


def _apply(file: MetadataFile, rows: Sequence[_Row]) -> int:
    changes = []
    for row in rows:
        before = getattr(row.accession, "description", None)
        unstructured = (before.unstructured if before else {}) | row.result.unstructured
        changes.append(Change(row.accession, row.result.values, unstructured))
    with transaction.atomic():
        changed = describe_accessions(changes=changes, creator=file.creator, source=file)
        subjects = [(row.accession, _private_id(row, "patient_id"), _private_id(row, "lesion_id")) for row in rows]
        link_subjects(contributor=file.cohort.contributor, rows=subjects)
    step("describe.chunk")
    return changed


def _private_id(row: _Row, field: str) -> str | None:
    value = row.result.values.get(field)
    return None if value is None else str(value)
