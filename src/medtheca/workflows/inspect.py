"""A dry run: the verdict of every file and row that an upload would give, without storing anything in the archive.

The bytes lie in a scratch folder while the job runs, and are removed with its end. A job that was killed begins again
from them; what nobody comes back for, upkeep sweeps.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from medtheca.base.errors import Invalid, NoSpace, Problem, TooLarge
from medtheca.base.ids import new_key
from medtheca.base.steps import step
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.storage.queries import space_is_short
from medtheca.domains.trials.models import Inspection
from medtheca.domains.trials.operations import (
    begin_running,
    fail_inspection,
    finish_inspection,
    note_progress,
    open_inspection,
)
from medtheca.domains.trials.scratch import MEMBERS, make_scratch, remove_scratch
from medtheca.toolkit.inspection import Bounds, Container, TooMuch, inspect_files, inspect_sheet
from medtheca.toolkit.inspection.sources import is_spreadsheet
from medtheca.toolkit.inspection.tables import report_of
from medtheca.toolkit.schemas import TableLimits
from medtheca.toolkit.unpack import Limits
from medtheca.workflows.decoding import decoder_pool

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

log = logging.getLogger(__name__)
_TELL_EVERY = 0.5
# Whoever waited a shorter time is looking at the page.
_LONG = 30.0
_BROKEN = "The dry run could not be done. Nothing was stored; try it again."


@dataclass(frozen=True, slots=True)
class TrialLimits:
    """What one dry run may hold, and how many may be under way."""

    size: int
    files: int
    rows: int
    waiting: int
    an_hour: int


FOR_ANYBODY = TrialLimits(size=25_000_000, files=50, rows=500, waiting=4, an_hour=6)
FOR_PEOPLE = TrialLimits(size=100_000_000, files=2_000, rows=20_000, waiting=2, an_hour=60)
_UNPACKED = 8
"""Members of a ZIP may come to so many times its limit when unpacked."""


@dataclass(frozen=True, slots=True)
class Given:
    """A file as it comes in: what it is called, its size, its bytes, and whether it is meant as the spreadsheet."""

    name: str
    size: int
    chunks: Iterable[bytes]
    is_sheet: bool | None = None


def limits_for(user: User | None) -> TrialLimits:
    """What a person, or nobody in particular, may try."""
    return FOR_PEOPLE if user else FOR_ANYBODY


def begin_inspection(*, user: User | None, given: Sequence[Given]) -> Inspection:
    """Take files in and set their inspection going.

    Raises `Invalid`, `TooLarge`, `NoSpace`, or `Conflict` (code `busy`) where too many are under way.
    """
    limits = limits_for(user)
    rows = _described(given, limits)
    size = sum(file.size for file in given)
    if space_is_short(needed=2 * size):
        raise NoSpace("There is no space for a dry run now.", remedy="Try again later; nothing was stored.")
    key = new_key()
    folder = make_scratch(key)
    try:
        for place, file in enumerate(given):
            with (folder / str(place)).open("wb") as target:
                for chunk in file.chunks:
                    target.write(chunk)
        step("inspect.scratch")
        return open_inspection(inspection_id=key, owner=user, given=rows, size=size, most_open=limits.waiting)
    except BaseException:
        remove_scratch(key)
        raise


def _described(given: Sequence[Given], limits: TrialLimits) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {
            "name": file.name[-1000:],
            "size": file.size,
            "is_sheet": is_spreadsheet(file.name) if file.is_sheet is None else file.is_sheet,
        }
        for file in given
    ]
    sheets = [row for row in rows if row["is_sheet"]]
    if not rows:
        raise _wrong("No file was given.", "Choose images, a ZIP of them, or a spreadsheet.")
    if len(sheets) > 1:
        raise _wrong(f"{len(sheets)} spreadsheets were given.", "Try one at a time.")
    if len(rows) - len(sheets) > limits.files:
        raise TooLarge(f"A dry run may have {limits.files:,} files; these are {len(rows):,}.", remedy=_fewer(limits))
    size = sum(file.size for file in given)
    if size > limits.size:
        raise TooLarge(f"A dry run may have {limits.size:,} bytes; these are {size:,}.", remedy=_fewer(limits))
    return rows


def _wrong(message: str, remedy: str) -> Invalid:
    return Invalid(message, problems=[Problem("files", message, code="required", remedy=remedy)], remedy=remedy)


def _fewer(limits: TrialLimits) -> str:
    more = " Logged in, you may try more." if limits is FOR_ANYBODY else ""
    return f"Try a part of them.{more} `medtheca inspect` on your own machine has no limit."


def inspect_given(*, inspection_id: UUID) -> None:
    """Judge the files of an inspection, keep the report, remove the bytes.

    May be repeated. A failure is told to whoever waits, and not tried again.
    """
    inspection = begin_running(inspection_id)
    if inspection is None:
        remove_scratch(inspection_id)
        return
    step("inspect.begun")
    began = time.monotonic()
    try:
        report = _report(inspection)
        step("inspect.judged")
        finish_inspection(inspection=inspection, report=report)
    except TooMuch as refusal:
        fail_inspection(inspection=inspection, words=f"{refusal} {_fewer(limits_for(inspection.owner))}")
    except Exception:
        # Whoever waits is to know; trying again by itself would only hold up others.
        log.exception("A dry run failed.")
        fail_inspection(inspection=inspection, words=_BROKEN)
    step("inspect.reported")
    remove_scratch(inspection_id)
    step("inspect.done")
    if time.monotonic() - began > _LONG:
        notify(
            recipient_ids=[inspection.owner_id],
            kind="inspection.done",
            words="Your dry run has ended. Its report is kept for an hour.",
            url=f"/inspect/{inspection.pk}/",
            subject_type="inspection",
            subject_id=inspection.pk,
        )


def _report(inspection: Inspection) -> dict[str, object]:
    limits = limits_for(inspection.owner)
    folder = make_scratch(inspection.pk)
    paths = [(folder / str(place), row) for place, row in enumerate(inspection.given)]
    found = inspect_files(
        [Container(row["name"], path) for path, row in paths if not row["is_sheet"]],
        pool=decoder_pool(),
        scratch=folder / MEMBERS,
        bounds=Bounds(files=limits.files, unpacked_bytes=_UNPACKED * limits.size),
        # Folders and what macOS adds stand in the directory too.
        limits=Limits(max_members=min(4 * limits.files, settings.ENVIRONMENT.max_members)),
        progress=_Teller(inspection.pk),
    )
    sheets = [
        inspect_sheet(
            row["name"],
            path,
            names=found.names(),
            limits=TableLimits(rows=limits.rows),
            allow_unsafe=settings.ENVIRONMENT.unsafe_decoders,
        )
        for path, row in paths
        if row["is_sheet"]
    ]
    return report_of(found, sheets[0] if sheets else None)


class _Teller:
    """Writes progress down, twice a second at most."""

    def __init__(self, inspection_id: UUID) -> None:
        self._id = inspection_id
        self._told = 0.0

    def __call__(self, done: int, total: int) -> None:
        if (moment := time.monotonic()) - self._told >= _TELL_EVERY:
            self._told = moment
            note_progress(inspection_id=self._id, done=done, total=total)
