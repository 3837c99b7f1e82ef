"""A spreadsheet describes the accessions of a cohort: given, checked whole, looked at, applied, perhaps undone.

Checking, applying and undoing are one job, `describe.file`, which does what the file's state says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from medtheca.base.errors import Conflict, Invalid, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.metadata.operations import keep_metadata_file
from medtheca.domains.metadata.sheets import (
    require_state,
    rows_changed_since,
    rows_with_problems,
    set_going,
    stale_rows,
)
from medtheca.domains.provenance.access import require_editor
from medtheca.domains.provenance.queries import cohort_for
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.describing.applying import CHUNK, apply_rows
from medtheca.workflows.describing.checking import check_file
from medtheca.workflows.describing.going import DOING, check_anew, enqueue_work, file_to_edit, locked_file
from medtheca.workflows.describing.mending import check_again, edit_cells, replace_values, set_mapping, set_matches
from medtheca.workflows.describing.previews import Preview, preview_page
from medtheca.workflows.describing.reading import recipe_named
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
    "replace_values",
    "set_mapping",
    "set_matches",
    "sheet_with_errors",
    "undo_file",
]

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
    require_editor(user, cohort, to=DOING)
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
        enqueue_work(file)
    return file


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
        file = locked_file(user, file_id)
        require_state(file, [MetadataFileState.READY], to="apply it")
        file.reason = words or file.reason
        if file.report.get("published") and not file.reason:
            raise _reason_missing(file)
        stale = stale_rows(file).count()
        if stale:
            check_anew(file, user)
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
        file = locked_file(user, file_id)
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
        enqueue_work(file)
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
        file = locked_file(user, file_id)
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
        enqueue_work(file)


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
