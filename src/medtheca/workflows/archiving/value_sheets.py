"""Values of items come by a spreadsheet: given, checked whole, looked at, applied.

Checking and applying are one job, `archives.import_values`, which does what the spreadsheet's state says.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_uploader
from medtheca.domains.archives.enums import ImportState
from medtheca.domains.archives.importing import begin_import, enqueue_import
from medtheca.domains.archives.models import Archive, ValuesImport
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.archiving.applying_values import apply_values
from medtheca.workflows.archiving.checking_values import LIMITS, check_values

__all__ = ["LIMITS", "apply_values", "check_values", "give_values", "work_on_values"]


def give_values(
    *,
    archive: Archive,
    user: User,
    name: str,
    data: bytes,
    reason: str = "",
    makes_items: bool = False,
    columns: Mapping[str, str] | None = None,
    work_now: bool = False,
) -> ValuesImport:
    """Take a spreadsheet whose rows are items of the archive and whose columns are sockets; nothing is changed yet.

    A job checks it, unless the caller does (`work_now`, then `check_values`). `columns` says of columns by name which
    socket they are, or with an empty text that they are left out. Raises `NotFound`, `NotAllowed` or
    `Invalid`.
    """
    require_uploader(user, archive, to="change items")
    if not data or len(data) > LIMITS.size:
        words = f"The file has {len(data):,} bytes; 1 to {LIMITS.size:,} may be."
        problem = Problem("file", words, remedy="Split it into several spreadsheets." if data else "Choose another.")
        raise Invalid("The spreadsheet cannot be taken.", problems=[problem])
    with keeping_blobs():
        staged = blob_store().stage([data])
        blob = store_blobs([staged])[staged.sha256]
        given = begin_import(
            archive=archive,
            creator=user,
            blob=blob,
            name=name.replace("\x00", "") or "values",
            reason=reason,
            makes_items=makes_items,
            columns=columns or {},
        )
        if not work_now:
            enqueue_import(given.pk)
    return given


def work_on_values(*, import_id: UUID) -> None:
    """Do what the state of a spreadsheet says; one that is looked at, or was put away, is left alone."""
    state = ValuesImport.objects.filter(pk=import_id).values_list("state", flat=True).first()
    if state == ImportState.CHECKING:
        check_values(import_id=import_id)
    elif state == ImportState.APPLYING:
        apply_values(import_id=import_id)
