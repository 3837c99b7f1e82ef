"""A spreadsheet describes the accessions of a cohort: given, checked whole, looked at, applied, perhaps undone.

Checking, applying and undoing are one job, `describe.file`, which does what the file's state says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from medtheca.base.errors import Conflict, Invalid, Problem
from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.metadata.operations import keep_metadata_file
from medtheca.domains.metadata.queries import metadata_file_for
from medtheca.domains.metadata.sheets import (
    CHANGEABLE,
    keep_edits,
    lock_file,
    require_state,
    rows_changed_since,
    rows_with_problems,
    set_going,
    stale_rows,
)
from medtheca.domains.provenance.access import require_editor
from medtheca.domains.provenance.matching import names_of
from medtheca.domains.provenance.queries import cohort_for
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.schemas import DERMATOLOGY, TableError, check_mapping
from medtheca.toolkit.schemas.parsing import LONGEST_TEXT
from medtheca.workflows.describing.applying import CHUNK, apply_rows
from medtheca.workflows.describing.checking import check_file
from medtheca.workflows.describing.previews import Preview, preview_page
from medtheca.workflows.describing.reading import open_sheet, recipe_named
from medtheca.workflows.describing.returning import marked_sheet
from medtheca.workflows.describing.undoing import undo_rows

__all__ = [
    "CHUNK",
    "apply_file",
    "check_again",
    "conflicts_ahead",
    "describe_file",
    "discard_file",
    "edit_cells",
    "file_to_edit",
    "give_metadata",
    "preview_of",
    "problems_of",
    "replace_value",
    "set_mapping",
    "set_matches",
    "sheet_with_errors",
    "undo_file",
]

_DOING = "describe its images"
_MOST_EDITS = 20_000
_LONGEST_REASON = 500


def give_metadata(
    *,
    user: User,
    cohort_id: int,
    name: str,
    data: bytes,
    recipe: str = "",
    mapping: Mapping[str, Any] | None = None,
    apply_when_ready: bool = True,
    reason: str = "",
) -> MetadataFile:
    """Keep a spreadsheet for a cohort and set its checking going.

    It stops at `ready` or `invalid`; with `apply_when_ready` a ready one is applied at once, unless it would change
    published images and no reason is given. Raises `NotFound`, `NotAllowed`, or `Invalid` for an unknown recipe.
    """
    cohort = cohort_for(user, cohort_id)
    require_editor(user, cohort, to=_DOING)
    recipe_named(recipe)
    with keeping_blobs():
        staged = blob_store().stage([data])
        blob = store_blobs([staged])[staged.sha256]
        file = keep_metadata_file(
            cohort=cohort,
            creator=user,
            name=name,
            blob=blob,
            recipe=recipe,
            mapping=dict(mapping or {}),
            apply_when_ready=apply_when_ready,
            reason=_reason(reason),
        )
        _enqueue(file)
    return file


def file_to_edit(user: User, file_id: int) -> MetadataFile:
    """A metadata file of a cohort that the person may describe. Raises `NotFound` or `NotAllowed`."""
    file = metadata_file_for(user, file_id)
    require_editor(user, file.cohort, to=_DOING)
    return file


def set_mapping(*, user: User, file_id: int, mapping: Mapping[str, Any]) -> MetadataFile:
    """Say what columns are, and check again.

    A column becomes `{"field": name}`, `{"unstructured": name}` or `{"ignore": true}`; those not named are proposed.
    Raises `Invalid` with every problem, or `Conflict` where the file is being applied.
    """
    with transaction.atomic():
        file = _changeable(user, file_id, to="change what its columns are")
        columns = [column["column"] for column in file.report.get("columns", [])]
        if not columns:
            raise Conflict("The columns are not known yet.", remedy="Wait until the spreadsheet was read.")
        found = check_mapping(columns, mapping, pack=DERMATOLOGY)
        if found:
            problems = [Problem(one.column, one.message, code=one.code, remedy=one.remedy) for one in found]
            raise Invalid("The columns cannot be used so.", problems=problems)
        file.mapping = {column: dict(choice) for column, choice in mapping.items()}
        return _check_again(file, user)


def set_matches(*, user: User, file_id: int, matches: Mapping[str, int | None]) -> MetadataFile:
    """Say which accession a name in the sheet means (None: none, leave the row out), and check again.

    Names that are not given keep what was said before.
    """
    with transaction.atomic():
        file = _changeable(user, file_id, to="change what its names mean")
        wanted = {pk for pk in matches.values() if pk is not None}
        strangers = wanted - names_of(file.cohort, wanted).keys()
        if strangers:
            problems = [
                Problem(name, f"There is no accession {pk} in the cohort.", code="unknown_accession")
                for name, pk in matches.items()
                if pk in strangers
            ]
            raise Invalid("Some names cannot be matched so.", problems=problems)
        file.matches = {**file.matches, **matches}
        return _check_again(file, user)


def edit_cells(*, user: User, file_id: int, cells: Mapping[int, Mapping[str, str]]) -> MetadataFile:
    """Correct cells in place (line → column → value), and check again.

    The bytes as they came stay; each correction is kept beside them with who and when.
    """
    with transaction.atomic():
        file = _changeable(user, file_id, to="correct its cells")
        columns = {column["column"] for column in file.report.get("columns", [])}
        problems = [
            Problem(f"{line}: {column}", f"No column is called '{column}'.", code="unknown_column")
            for line, edited in cells.items()
            for column in edited
            if column not in columns
        ]
        problems += [
            Problem(f"{line}: {column}", f"The cell is longer than {LONGEST_TEXT:,} characters.", code="too_long")
            for line, edited in cells.items()
            for column, value in edited.items()
            if len(value) > LONGEST_TEXT or "\x00" in value
        ]
        if sum(len(edited) for edited in cells.values()) > _MOST_EDITS:
            problems.append(Problem("cells", f"{_MOST_EDITS:,} cells are the most at once.", code="too_many"))
        if problems:
            raise Invalid("The cells cannot be corrected so.", problems=problems)
        keep_edits(file, cells, by=user)
        return _check_again(file, user)


def replace_value(*, user: User, file_id: int, column: str, old: str, new: str) -> int:
    """Correct every cell of a column that says `old`, and check again; return how many there were."""
    file = file_to_edit(user, file_id)
    try:
        sheet = open_sheet(file)
    except TableError as error:
        raise Conflict("The spreadsheet cannot be read.", remedy=str(error)) from error
    if column not in sheet.columns:
        raise Invalid("Nothing was replaced.", problems=[Problem("column", f"No column is called '{column}'.")])
    at = sheet.columns.index(column)
    cells = {line: {column: new} for line, row in zip(sheet.lines, sheet.rows, strict=True) if row[at] == old.strip()}
    lines = sorted(cells)
    for start in range(0, len(lines), _MOST_EDITS):
        edit_cells(user=user, file_id=file_id, cells={line: cells[line] for line in lines[start : start + _MOST_EDITS]})
    return len(lines)


def check_again(*, user: User, file_id: int) -> MetadataFile:
    """Check a file anew: images may have come, or what is stored may have changed."""
    with transaction.atomic():
        return _check_again(_changeable(user, file_id, to="check it again"), user)


def preview_of(
    *, user: User, file_id: int, page: int = 1, size: int = 50, field: str = "", outcome: str = ""
) -> Preview:
    """A page of what a checked file would change or has changed: per accession each field before and after.

    The counts by field are of the whole file. Nothing is worked out anew, so any page is quick.
    """
    return preview_page(file_to_edit(user, file_id), page=page, size=size, field=field, outcome=outcome)


def problems_of(*, user: User, file_id: int, page: int = 1, size: int = 100) -> list[dict[str, Any]]:
    """A page of rows with problems: line, name, and each problem by column with what would be right."""
    file = file_to_edit(user, file_id)
    start = (max(page, 1) - 1) * size
    rows = rows_with_problems(file)[start : start + size]
    return [{"line": row.line, "file": row.name, "problems": row.problems} for row in rows]


def apply_file(*, user: User, file_id: int, reason: str = "") -> MetadataFile:
    """Set a ready file's application going.

    Raises `Invalid` without a reason where published images would change, and `Conflict` where values have changed
    since it was checked: it is then being checked again.
    """
    words = _reason(reason)
    with transaction.atomic():
        file = _locked(user, file_id)
        require_state(file, [MetadataFileState.READY], to="apply it")
        file.reason = words or file.reason
        if file.report.get("published") and not file.reason:
            raise _reason_missing(file)
        stale = stale_rows(file).count()
        if stale:
            _check_again(file, user)
        else:
            _begin_applying(file, user)
    if stale:
        raise Conflict(
            f"Values of {stale:,} images have changed since the spreadsheet was checked. It is being checked again.",
            code="stale",
            remedy="Look at what it changes now, then apply it.",
        )
    return file


def undo_file(*, user: User, file_id: int, accept_conflicts: bool = False, reason: str = "") -> MetadataFile:
    """Set the undoing of an applied file going: every value as it was before.

    A value that has changed since is a conflict: it is listed and left alone, or with `accept_conflicts` taken back all
    the same, also after a first undoing. Raises `Conflict` or `Invalid`.
    """
    words = _reason(reason)
    with transaction.atomic():
        file = _locked(user, file_id)
        again = file.state == MetadataFileState.UNDONE and accept_conflicts and file.report.get("conflicts")
        if not again:
            require_state(file, [MetadataFileState.APPLIED], to="undo it")
        if file.report.get("published") and not words:
            raise _reason_missing(file)
        # Why it was applied stays with the versions that came of it.
        file.reason = words
        file.accept_conflicts = accept_conflicts
        set_going(file, MetadataFileState.UNDOING, actor=user)
        file.total = file.report.get("changed", 0)
        file.save(update_fields=["total", "modified"])
        _enqueue(file)
    return file


def sheet_with_errors(*, user: User, file_id: int) -> bytes:
    """One's own sheet as CSV with a last column that says what is wrong in each row. Raises `Conflict`."""
    return marked_sheet(file_to_edit(user, file_id))


def conflicts_ahead(*, user: User, file_id: int) -> int:
    """How many images have changed since the file was applied: undoing may find conflicts there."""
    return rows_changed_since(file_to_edit(user, file_id)).count()


def discard_file(*, user: User, file_id: int) -> None:
    """Delete a file that changed nothing. Raises `Conflict` for one that was applied or is being worked on."""
    with transaction.atomic():
        file = _locked(user, file_id)
        require_state(file, [MetadataFileState.READY, MetadataFileState.INVALID], to="delete it")
        if file.applied_at is not None:
            raise Conflict("The spreadsheet was applied once, so it stays on record.")
        file.delete()


def describe_file(*, file_id: int) -> None:
    """The job: check, apply or undo, as the file's state says. Repeated or cut off, it does no harm."""
    file = (
        MetadataFile.objects.select_related("cohort__contributor", "blob", "creator", "actor")
        .filter(pk=file_id)
        .first()
    )
    # One that is gone, after a restore for instance, will not come back however often it is tried.
    if file is None:
        return
    if file.state == MetadataFileState.CHECKING:
        check_file(file, then=_go_on)
    file = MetadataFile.objects.filter(pk=file_id).first()
    if file is not None and file.state == MetadataFileState.APPLYING:
        apply_rows(file_id, chunk=CHUNK)
    elif file is not None and file.state == MetadataFileState.UNDOING:
        undo_rows(file_id, chunk=CHUNK)


def _go_on(file: MetadataFile) -> None:
    """After checking, in its transaction: apply, or tell who waits."""
    ready = file.state == MetadataFileState.READY
    if ready and file.apply_when_ready and not (file.report.get("published") and not file.reason):
        _begin_applying(file, file.actor, enqueue_job=False)
    else:
        _tell_checked(file, ready=ready)


def _begin_applying(file: MetadataFile, user: User | None, *, enqueue_job: bool = True) -> None:
    set_going(file, MetadataFileState.APPLYING, actor=user)
    file.total = file.report.get("changing", 0)
    file.save(update_fields=["total", "modified"])
    if enqueue_job:
        _enqueue(file)


def _tell_checked(file: MetadataFile, *, ready: bool) -> None:
    number = file.report.get("problem_count", 0)
    changing = file.report.get("changing", 0)
    found = (
        f"can be applied: it changes {changing:,} images" if ready else f"has {number:,} errors; nothing was applied"
    )
    notify(
        recipient_ids=[(file.actor or file.creator).pk],
        kind="metadata.checked" if ready else "metadata.invalid",
        words=f"A spreadsheet for the cohort {file.cohort.name} {found}.",
        url=f"/metadata-files/{file.pk}/",
        subject_type="metadata_file",
        subject_id=file.pk,
        cohort_id=file.cohort_id,
    )


def _locked(user: User, file_id: int) -> MetadataFile:
    file_to_edit(user, file_id)
    return lock_file(file_id)


def _changeable(user: User, file_id: int, *, to: str) -> MetadataFile:
    file = _locked(user, file_id)
    require_state(file, CHANGEABLE, to=to)
    return file


def _check_again(file: MetadataFile, user: User) -> MetadataFile:
    file.revision += 1
    # Whoever mends a sheet wants to see what it changes before it does.
    file.apply_when_ready = False
    set_going(file, MetadataFileState.CHECKING, actor=user)
    _enqueue(file)
    return file


def _enqueue(file: MetadataFile) -> None:
    # One after the other for a contributor: what one sheet says of a lesion binds the next.
    enqueue("describe.file", file_id=file.pk, lock=f"describe:{file.cohort.contributor_id}")


def _reason(reason: str) -> str:
    words = reason.strip()
    if len(words) > _LONGEST_REASON or "\x00" in words:
        message = f"The reason is longer than {_LONGEST_REASON} characters, or cannot be kept."
        raise Invalid("The reason cannot be kept.", problems=[Problem("reason", message, code="too_long")])
    return words


def _reason_missing(file: MetadataFile) -> Invalid:
    number = file.report.get("published", 0)
    words = f"{number:,} of the images are published; changing what is said of them needs a reason."
    remedy = "Say why; everybody can read it in the change log of the images."
    return Invalid(words, problems=[Problem("reason", words, code="required", remedy=remedy)], remedy=remedy)
