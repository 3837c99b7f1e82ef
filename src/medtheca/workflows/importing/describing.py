"""What another archive says of images that came from it is applied as a metadata sheet is: checked whole, versioned.

One value that is refused must not keep the others away. So cells with problems are emptied in place, as a person would
do, and told; the sheet stays with the cohort and shows what was emptied, by whom and when.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from medtheca.base.errors import Conflict
from medtheca.domains.accounts.models import User
from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.domains.metadata.models import MetadataFile, SheetRow
from medtheca.domains.metadata.sheets import rows_with_problems
from medtheca.domains.provenance.models import Cohort, Origin
from medtheca.domains.provenance.origins import note_described, undescribed_origins
from medtheca.toolkit.isic_records import cells_of_said, uses_of_columns
from medtheca.workflows.describe import apply_file, discard_file, edit_cells, give_metadata, set_matches
from medtheca.workflows.importing.verdicts import Outcome

_ROWS = 1000
_MOST_COLUMNS = 480
_MOST_ROUNDS = 4
_MOST_CELLS = 10_000
_WORKING = {MetadataFileState.CHECKING, MetadataFileState.APPLYING}


@dataclass(slots=True)
class _Sheet:
    """A sheet that was given: whom its rows are about, and how often it was mended."""

    file_id: int
    origins: dict[str, Origin]
    rounds: int = 0


class Describing:
    """Gives sheets for images of a host that lack what it says of them, and sees each to its end.

    `go_on` until it is true; workers check and apply meanwhile. Values that were refused stand in the outcome.
    """

    def __init__(self, *, user: User, cohort: Cohort, host: str, outcome: Outcome) -> None:
        self._user, self._cohort, self._host, self._outcome = user, cohort, host, outcome
        self._sheets: list[_Sheet] | None = None

    @property
    def file_ids(self) -> list[int]:
        """The sheets of this run."""
        return [sheet.file_id for sheet in self._sheets or []]

    def go_on(self) -> bool:
        """Do what can be done now; whether all is done."""
        if self._sheets is None:
            if not self._clear_away():
                return False
            self._sheets = list(self._give())
            self._open = list(self._sheets)
        self._open = [sheet for sheet in self._open if not self._is_over(sheet)]
        return not self._open

    @property
    def _name(self) -> str:
        return f"Metadata of {self._host}.csv"

    def _clear_away(self) -> bool:
        """Take down what sheets of a run before applied, and discard what it left; False while one is worked on.

        A run may be cut after workers applied its sheet. Given again, it would lie over what people corrected since.
        """
        sheets = MetadataFile.objects.filter(cohort=self._cohort, name=self._name)
        left = sheets.filter(applied_at=None)
        if left.filter(state__in=_WORKING).exists():
            return False
        for pk in left.filter(state__in=[MetadataFileState.READY, MetadataFileState.INVALID]).values_list("pk"):
            discard_file(user=self._user, file_id=pk[0])
        applied = SheetRow.objects.filter(file__in=sheets.exclude(applied_at=None), accession__isnull=False)
        done = undescribed_origins(self._cohort, self._host).filter(accession__in=applied.values("accession"))
        note_described(list(done.values_list("pk", flat=True)))
        return True

    def _give(self) -> Iterator[_Sheet]:
        waiting = list(undescribed_origins(self._cohort, self._host))
        for start in range(0, len(waiting), _ROWS):
            few = waiting[start : start + _ROWS]
            data, columns = self._sheet_of(few)
            file = give_metadata(
                user=self._user,
                cohort_id=self._cohort.pk,
                name=self._name,
                data=data,
                mapping={"filename": {"field": "filename"}, **uses_of_columns(columns)},
                reason=f"Said by {self._host}, from which the images came.",
            )
            yield _Sheet(file.pk, {row.accession.name: row for row in few if row.accession is not None})

    def _sheet_of(self, origins: Sequence[Origin]) -> tuple[bytes, list[str]]:
        """The sheet, and its columns but the one that names the images: no more than a sheet may have."""
        rows = {row: cells_of_said(row.remote_id, row.said, self._host) for row in origins}
        common = Counter(column for cells in rows.values() for column in cells)
        columns = [column for column, _ in common.most_common(_MOST_COLUMNS)]
        written = io.StringIO()
        sheet = csv.writer(written, lineterminator="\n")
        sheet.writerow(["filename", *columns])
        for row, cells in rows.items():
            assert row.accession is not None
            sheet.writerow([row.accession.name, *(cells.get(column, "") for column in columns)])
            for column in cells.keys() - set(columns):
                self._lost(row, column, cells[column], f"A sheet has {_MOST_COLUMNS} columns at most.")
        return written.getvalue().encode(), columns

    def _is_over(self, sheet: _Sheet) -> bool:
        file = MetadataFile.objects.filter(pk=sheet.file_id).first()
        if file is None:
            self._stop(sheet, "Somebody deleted the sheet before it was applied.")
            return True
        if file.state in _WORKING:
            return False
        if file.state == MetadataFileState.READY:
            with contextlib.suppress(Conflict):  # Values have changed since; it is being checked again.
                apply_file(user=self._user, file_id=file.pk, reason=file.reason)
            return False
        if file.state == MetadataFileState.INVALID:
            return self._is_beyond_mending(sheet, file)
        # Rows that were left out while it was applied say why.
        for row in rows_with_problems(file):
            self._tell(sheet, row.name, row.problems)
        note_described([origin.pk for origin in sheet.origins.values()])
        return True

    def _is_beyond_mending(self, sheet: _Sheet, file: MetadataFile) -> bool:
        """Empty the cells that are wrong, or leave rows out whose other cells are wrong too; true where neither can."""
        sheet.rounds += 1
        cells: dict[int, dict[str, str]] = {}
        rows_out: dict[str, None] = {}
        for row in rows_with_problems(file)[:_MOST_CELLS]:
            columns = {str(problem.get("column") or "") for problem in row.problems} - {"filename"}
            if sheet.rounds <= _MOST_ROUNDS and "" not in columns and columns:
                cells[row.line] = dict.fromkeys(columns, "")
            else:
                rows_out[row.name] = None
            self._tell(sheet, row.name, row.problems)
        if sheet.rounds > 2 * _MOST_ROUNDS or not (cells or rows_out):
            found = file.report.get("problems", [])
            self._stop(sheet, str(found[0]["message"]) if found else "The sheet could not be read.")
            return True
        # Either sets the check going; the second one's changes count too, because both are kept before it reads.
        if rows_out:
            set_matches(user=self._user, file_id=file.pk, matches=rows_out)
        if cells:
            edit_cells(user=self._user, file_id=file.pk, cells=cells)
        return False

    def _tell(self, sheet: _Sheet, name: str, problems: Sequence[dict[str, str]]) -> None:
        origin = sheet.origins.get(name)
        if origin is None:
            return
        for problem in problems:
            field = problem.get("field") or problem.get("column") or ""
            self._lost(origin, field, problem.get("value", ""), problem.get("message", ""))

    def _stop(self, sheet: _Sheet, words: str) -> None:
        for origin in sheet.origins.values():
            self._lost(origin, "", "", f"Nothing that the host says of it was applied: {words}")

    def _lost(self, origin: Origin, field: str, value: str, message: str) -> None:
        image = self._outcome.images.get(origin.remote_id)
        told = {"field": field, "value": value, "message": message}
        if image is not None and told not in image.values:
            image.values.append(told)
