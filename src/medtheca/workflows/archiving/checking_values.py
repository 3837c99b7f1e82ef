"""A spreadsheet of values is checked whole: everything that is wrong with it, and everything that it would change."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import transaction

from medtheca.base.steps import step
from medtheca.domains.archives.enums import ImportState
from medtheca.domains.archives.importing import keep_rows, lock_import, note_progress
from medtheca.domains.archives.models import Archive, ImportedRow, ValuesImport
from medtheca.domains.archives.searching import sockets_in
from medtheca.domains.sockets.models import Socket
from medtheca.domains.sockets.queries import usable_sockets
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.sandbox import SandboxUnavailable
from medtheca.toolkit.schemas import Sheet, TableError, TableLimits
from medtheca.toolkit.sockets.sheets import Column, Use, plan_columns
from medtheca.workflows.archiving.judging_values import CellProblem, Judge, JudgedRow, short
from medtheca.workflows.describing.reading import read_file

LIMITS = TableLimits(rows=50_000, columns=300, cell=100_000)
"""What a spreadsheet of values may have."""

_CHUNK = 500
_PACKED = ("line", "title", "label", "renames", "changes", "base", "problems", "outcome")
_MOST_LINES = 20
_MOST_VALUES = 5
_MOST_CAUSES = 200


def check_values(*, import_id: UUID) -> None:
    """Check one that waits for it; it is ready or has errors then. Doing it twice is harmless.

    What is found counts only if nobody has changed what columns are meanwhile.
    """
    given = ValuesImport.objects.select_related("archive", "creator", "blob").filter(pk=import_id).first()
    if given is None or given.state != ImportState.CHECKING or given.blob is None:
        return
    rows = _Rows()
    causes = _Causes()
    try:
        sheet = read_file(blob_store().path(given.blob.sha256), limits=LIMITS)
    except TableError as error:
        for problem in error.problems:
            found = CellProblem(problem.column, problem.code, problem.message, problem.remedy)
            causes.take(problem.line, found)
        report = {"unreadable": True, "columns": [], "rows": 0}
    except SandboxUnavailable:
        words = "Workbooks cannot be opened on this machine, which lacks the fence for them."
        causes.take(0, CellProblem("", "no_sandbox", words, "Save the sheet as CSV UTF-8 and import that."))
        report = {"unreadable": True, "columns": [], "rows": 0}
    else:
        report = _Check(given, sheet, causes, rows).run()
    _finish(given, rows, report | causes.as_json())
    step("archives.values_checked")


def _finish(given: ValuesImport, rows: _Rows, report: dict[str, Any]) -> None:
    with transaction.atomic():
        locked = lock_import(given.pk)
        if locked is None or locked.state != ImportState.CHECKING:
            return
        if (locked.columns, locked.makes_items) != (given.columns, given.makes_items):
            return  # The job that came of the change does all this again.
        keep_rows(locked, rows.unpacked(locked))
        locked.report = report
        wrong = report["problem_count"] or any(one["use"] == Use.UNKNOWN for one in report["columns"])
        locked.state = ImportState.INVALID if wrong else ImportState.READY
        locked.done = locked.total = report["rows"]
        locked.save()


class _Rows:
    """Rows that matter, packed until all are known: those of a large sheet take gigabytes otherwise."""

    def __init__(self) -> None:
        self._packs: list[bytes] = []

    def take(self, rows: Sequence[ImportedRow]) -> None:
        """Pack some rows."""
        told = [
            {name: getattr(row, name) for name in _PACKED} | {"item": str(row.item_id) if row.item_id else None}
            for row in rows
        ]
        self._packs.append(zlib.compress(json.dumps(told).encode(), level=1))

    def unpacked(self, given: ValuesImport) -> Iterator[list[ImportedRow]]:
        """The rows as they are kept, those that were taken together at a time."""
        for pack in self._packs:
            rows = json.loads(zlib.decompress(pack))
            yield [ImportedRow(given=given, item_id=row.pop("item"), **row) for row in rows]


class _Causes:
    """Problems by cause: the column and the rule, with the lines where it is so."""

    def __init__(self) -> None:
        self.count = 0
        self._found: dict[tuple[str, str], dict[str, Any]] = {}

    def take(self, line: int, problem: CellProblem) -> None:
        """Count one."""
        self.count += 1
        key = (problem.column, problem.code)
        if key not in self._found:
            if len(self._found) >= _MOST_CAUSES:
                return
            self._found[key] = {**problem.as_json(), "count": 0, "lines": [], "values": []}
        cause = self._found[key]
        cause["count"] += 1
        if len(cause["lines"]) < _MOST_LINES and line:
            cause["lines"].append(line)
        if problem.value and len(cause["values"]) < _MOST_VALUES and short(problem.value) not in cause["values"]:
            cause["values"].append(short(problem.value))

    def as_json(self) -> dict[str, Any]:
        """For the report, what is most often first."""
        causes = sorted(self._found.values(), key=lambda cause: -cause["count"])
        return {"problem_count": self.count, "problems": causes}


class _Check:
    def __init__(self, given: ValuesImport, sheet: Sheet, causes: _Causes, rows: _Rows) -> None:
        self._given, self._sheet, self._causes, self._rows = given, sheet, causes, rows
        self._sockets = sockets_of(given)
        titles = {slug: socket.title for slug, socket in self._sockets.items()}
        self._columns = plan_columns(sheet.columns, sockets=titles, chosen=given.columns)
        self._shapes: dict[int, list[CellProblem]] = {}
        for problem in sheet.problems:
            found = CellProblem(problem.column, problem.code, problem.message, problem.remedy)
            self._shapes.setdefault(problem.line, []).append(found)

    def run(self) -> dict[str, Any]:
        """The report without the problems."""
        report = {
            "kind": self._sheet.kind,
            "notes": list(self._sheet.notes),
            "columns": [self._told(column) for column in self._columns],
            "rows": len(self._sheet.rows),
        }
        for problem in self._wrong_columns():
            self._causes.take(0, problem)
        if self._causes.count:
            return report
        judge = Judge(self._given, self._sheet, self._columns, self._sockets)
        changed, total = 0, len(self._sheet.rows)
        for start in range(0, total, _CHUNK):
            rows = self._kept(judge.judge(range(start, min(start + _CHUNK, total))))
            changed += sum(1 for row in rows if not row.problems)
            self._rows.take(rows)
            note_progress(self._given.pk, done=min(start + _CHUNK, total), total=total)
        return report | {"changed": changed, "counts": dict(judge.counts)}

    def _kept(self, judged: Iterable[JudgedRow]) -> list[ImportedRow]:
        rows = []
        for row in judged:
            row.problems += self._shapes.get(row.line, [])
            for problem in row.problems:
                self._causes.take(row.line, problem)
            if row.matters:
                rows.append(row.as_row(self._given))
        return rows

    def _told(self, column: Column) -> dict[str, Any]:
        socket = self._sockets.get(column.slug)
        return asdict(column) | {
            "suggested": list(column.suggested),
            "title": socket.title if socket else "",
            "kind": socket.kind_details.label if socket else "",
        }

    def _wrong_columns(self) -> list[CellProblem]:
        found = []
        uses = [column.use for column in self._columns]
        if Use.ID not in uses and Use.TITLE not in uses:
            words = "No column says which item a row is about."
            found.append(CellProblem("", "no_item_column", words, "Call one column id or title."))
        found += [
            CellProblem(use, "repeated_column", f"Two columns are {use}.", "Keep one of them.")
            for use in (Use.ID, Use.TITLE)
            if uses.count(use) > 1
        ]
        first: dict[str, str] = {}
        for column in self._columns:
            if column.use is Use.SOCKET and (other := first.setdefault(column.slug, column.name)) != column.name:
                words = f"The columns {other} and {column.name} are both the socket {column.slug}."
                found.append(CellProblem(column.name, "repeated_column", words, "Leave one of them out."))
        return found


def sockets_of(given: ValuesImport) -> dict[str, Socket]:
    """Sockets that columns may be, by slug: those that are offered, and what the archive holds already."""
    archive: Archive = given.archive
    offered = list(usable_sockets(given.creator, scope=archive.scope_id))
    # The archive's own come last, and win where titles are the same.
    known = sorted([*sockets_in(archive), *offered], key=lambda one: one.scope_id is not None)
    return {socket.slug: socket for socket in known}
