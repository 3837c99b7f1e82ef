"""Writing inspections."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction

from medtheca.base.clock import now
from medtheca.base.errors import Conflict
from medtheca.base.jobs import enqueue
from medtheca.domains.trials.enums import INSPECTION_OVER, InspectionState
from medtheca.domains.trials.models import Inspection
from medtheca.domains.trials.queries import open_inspections
from medtheca.domains.trials.scratch import old_scratch

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

KEPT = timedelta(hours=1)
"""How long a report is kept; bytes go as soon as it is there."""
_QUEUE_LOCK = 0x4D544C44
# About, for its turns: any of them may be a volume.
_FILES_A_SECOND, _BYTES_A_SECOND = 50, 15_000_000


def open_inspection(
    *, inspection_id: UUID, owner: User | None, given: Sequence[Mapping[str, Any]], size: int, most_open: int
) -> Inspection:
    """Write the row of an inspection whose bytes are in place, and set it going.

    Raises `Conflict` (code `busy`) where the person, or all who are not signed in together, have `most_open` already.
    """
    owner_id = owner.pk if owner else None
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Counted one after the other; there are few of them and this is short.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_QUEUE_LOCK])
        if open_inspections(owner_id) >= most_open:
            whose = "yours are" if owner else "people who are not logged in are"
            raise Conflict(
                f"As many dry runs as may be ({most_open}) of {whose} under way.",
                code="busy",
                remedy="Try again in a few minutes." + ("" if owner else " Logged in, you have a queue of your own."),
            )
        inspection = Inspection.objects.create(
            pk=inspection_id, owner=owner, given=list(given), size=size, expires=now() + KEPT
        )
        # One at a time for each person, and one for all strangers together.
        line = f"inspect:{owner_id or 'strangers'}"
        cost = 1 + len(given) // _FILES_A_SECOND + size // _BYTES_A_SECOND
        enqueue("inspect.files", inspection_id=str(inspection.pk), lock=line, turn=line, cost=cost)
    return inspection


def begin_running(inspection_id: UUID | str) -> Inspection | None:
    """The inspection, set to running; nothing where it is over or gone."""
    waiting = Inspection.objects.filter(pk=inspection_id).exclude(state__in=INSPECTION_OVER)
    if not waiting.update(state=InspectionState.RUNNING):
        return None
    return Inspection.objects.filter(pk=inspection_id).first()


def note_progress(*, inspection_id: UUID | str, done: int, total: int) -> None:
    """How far it has come."""
    Inspection.objects.filter(pk=inspection_id).update(done=done, total=total)


def finish_inspection(*, inspection: Inspection, report: Mapping[str, Any]) -> None:
    """Keep the report, for an hour from now."""
    _end(inspection, state=InspectionState.DONE, report=report)


def fail_inspection(*, inspection: Inspection, words: str) -> None:
    """Say why there is no report."""
    _end(inspection, state=InspectionState.FAILED, words=words[:500])


def _end(inspection: Inspection, **values: Any) -> None:
    Inspection.objects.filter(pk=inspection.pk).exclude(state__in=INSPECTION_OVER).update(
        **values, expires=now() + KEPT
    )


def sweep_inspections(*, grace: timedelta = KEPT) -> int:
    """Remove reports whose time is over, and bytes that a killed process left behind; return how many of both."""
    count, _ = Inspection.objects.filter(expires__lte=now()).delete()
    kept = {str(pk) for pk in Inspection.objects.exclude(state__in=INSPECTION_OVER).values_list("pk", flat=True)}
    limit = now()
    for path in old_scratch(before=(limit - grace).timestamp()):
        if path.name in kept:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        count += 1
    return count
